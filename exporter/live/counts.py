"""How much the live page is used, and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(slots=True, eq=False)
class LiveCounts(Collector):
    """Counts of the live page, of all routers together."""

    viewers: int = 0
    reads: int = 0
    failures: int = 0
    dropped: int = 0
    refused: int = 0

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        yield GaugeMetricFamily("tikwatch_live_viewers", "Viewers of the live page now.", self.viewers)
        for name, text, value in (
            (
                "reads",
                "Readings of routers for the live page; one serves every viewer of a router.",
                self.reads,
            ),
            ("failures", "Readings for the live page of which nothing came.", self.failures),
            ("viewers_dropped", "Viewers dropped because they took their events too slowly.", self.dropped),
            ("viewers_refused", "Viewers turned away because there were too many.", self.refused),
        ):
            yield CounterMetricFamily(f"tikwatch_live_{name}", text, value)
