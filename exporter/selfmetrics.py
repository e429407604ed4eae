"""The exporter's own metrics, served by prometheus_client on `/metrics` only.

What has a `router` label comes from `exporter.status`; here stands what would be too much per router. Every
counter starts at 0 for each of its label values that can be known ahead; those of a menu when it is first asked,
since the 50 series of each menu that there is would make a page of 500 kB that nobody reads.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector as RegistryCollector

from exporter.cache import Served
from exporter.collectors import ALL
from exporter.live.counts import LiveCounts
from routeros import FAILURE_CLASSES, UnreachableReason
from runtime.guards import Refusal

OUTCOMES = ("ok", *FAILURE_CLASSES)
LATENCY_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10, 30)
ENDPOINTS = ("metrics", "probe")
MENUS = frozenset(table.command for c in ALL for table in c.tables if not table.made)
OTHER_MENU = "other"


class SelfMetrics:
    """Counts what the exporter does. It is the observer of every `routeros.Router`."""

    def __init__(self, *, process: bool = True) -> None:
        self.registry = CollectorRegistry()
        if process:
            ProcessCollector(registry=self.registry)
        Info("tikwatch_build", "Version of the exporter.", registry=self.registry).info(
            {"version": version("tikwatch")}
        )
        self._commands = self._counter("commands", "Commands that came to an end.", ("menu", "outcome"))
        self._durations = Histogram(
            "tikwatch_command_duration_seconds",
            "Time from sending a command to the end of its reply.",
            ("menu",),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self._rows = self._counter("rows_received", "Rows that routers sent.", ("menu",))
        self._retries = self._counter("command_retries", "Commands that were tried again.", ())
        self._breaker_changes = self._counter(
            "breaker_changes", "Times a breaker came into a state.", ("state",)
        )
        self._connect_failures = self._counter(
            "connect_failures_by_reason", "Connections that could not be opened, by reason.", ("reason",)
        )
        self._closed = self._counter("connections_closed", "Connections that ended, by reason.", ("reason",))
        self.scrapes = self._counter("scrapes", "Scrapes answered.", ("endpoint",))
        self.scrapes_late = self._counter(
            "scrapes_late", "Scrapes that reached their deadline before all was refreshed.", ("endpoint",)
        )
        self.scrape_duration = Histogram(
            "tikwatch_scrape_duration_seconds",
            "Time to answer a scrape.",
            ("endpoint",),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.reloads = self._counter(
            "config_reloads", "Times the configuration was read again and taken.", ()
        )
        self.reload_failures = self._counter(
            "config_reload_failures", "Times a new configuration was refused.", ()
        )
        self.loaded_at = Gauge(
            "tikwatch_config_loaded_timestamp_seconds",
            "When the configuration in force was read.",
            registry=self.registry,
        )
        self.request_faults = self._counter(
            "request_faults", "Requests that met a fault of the exporter.", ()
        )
        self.cache = CacheCounts()
        self.registry.register(self.cache)
        self.live = LiveCounts()
        self.registry.register(self.live)
        self._start_at_zero()
        self._bound: dict[str, tuple[dict[str, Counter], Histogram, Counter]] = {}
        self._bind(OTHER_MENU)

    def _counter(self, name: str, help_text: str, labels: Iterable[str]) -> Counter:
        return Counter(f"tikwatch_{name}", help_text, tuple(labels), registry=self.registry)

    def taken(self) -> None:
        """See `runtime.serving.reloads.Listener`."""
        self.reloads.inc()
        self.loaded_at.set_to_current_time()

    def refused(self) -> None:
        """See `runtime.serving.reloads.Listener`."""
        self.reload_failures.inc()

    def _start_at_zero(self) -> None:
        for state in ("closed", "open", "half_open"):
            self._breaker_changes.labels(state)
        for reason in UnreachableReason:
            self._connect_failures.labels(reason.value)
        for endpoint in ENDPOINTS:
            self.scrapes.labels(endpoint)
            self.scrapes_late.labels(endpoint)
            self.scrape_duration.labels(endpoint)

    def _bind(self, menu: str) -> tuple[dict[str, Counter], Histogram, Counter]:
        """The children of one menu, so that a command costs no look-up by label."""
        outcomes = {outcome: self._commands.labels(menu, outcome) for outcome in OUTCOMES}
        bound = self._bound[menu] = outcomes, self._durations.labels(menu), self._rows.labels(menu)
        return bound

    def command_finished(self, router: str, path: str, outcome: str, duration_s: float, rows: int) -> None:
        """See `routeros.Observer`."""
        menu = path if path in MENUS else OTHER_MENU
        outcomes, durations, rows_received = self._bound.get(menu) or self._bind(menu)
        outcomes[outcome].inc()
        durations.observe(duration_s)
        if rows:
            rows_received.inc(rows)

    def command_retried(self, router: str, path: str, attempt: int) -> None:
        """See `routeros.Observer`."""
        self._retries.inc()

    def connection_opened(self, router: str, duration_s: float) -> None:
        """See `routeros.Observer`; `exporter.status` tells it per router."""

    def connection_closed(self, router: str, reason: str) -> None:
        """See `routeros.Observer`."""
        self._closed.labels(reason).inc()

    def connect_failed(self, router: str, reason: UnreachableReason | None) -> None:
        """See `routeros.Observer`."""
        self._connect_failures.labels(reason.value if reason else "protocol").inc()

    def login_failed(self, router: str) -> None:
        """See `routeros.Observer`; `exporter.status` tells it per router."""

    def breaker_changed(self, router: str, old: str, new: str) -> None:
        """See `routeros.Observer`."""
        self._breaker_changes.labels(new).inc()

    def limit_changed(self, router: str, limit: float) -> None:
        """See `routeros.Observer`; `exporter.status` tells the limit per router."""


class CacheCounts(RegistryCollector):
    """Hits, misses, joins and stale answers by collector, kept by the slots and added up when asked for."""

    _FAMILIES = (
        ("hits", "Times a fresh result was at hand."),
        ("misses", "Times a refresh was started."),
        ("joined", "Times a scrape joined a refresh that was under way."),
        ("stale", "Times a table was served that could not be read again."),
    )

    def __init__(self) -> None:
        self._totals = {collector.name: Served() for collector in ALL}

    def of(self, collector: str) -> Served:
        """The counts that the slots of `collector` share."""
        return self._totals[collector]

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        for field, help_text in self._FAMILIES:
            family = CounterMetricFamily(f"tikwatch_cache_{field}", help_text, labels=("collector",))
            for name, served in self._totals.items():
                family.add_metric((name,), getattr(served, field))
            yield family


class RefusedCounts(RegistryCollector):
    """Requests that the guards did not let through, as the guards count them."""

    def __init__(self, refused: Mapping[Refusal, int]) -> None:
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        family = CounterMetricFamily(
            "tikwatch_requests_refused", "Requests that were not let through, by reason.", labels=("reason",)
        )
        for reason, count in self._refused.items():
            family.add_metric((reason.value,), count)
        yield family
