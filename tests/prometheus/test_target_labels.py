"""No series bears a label that Prometheus sets itself, which would come out as `exported_...`."""

from collections.abc import Iterable

import pytest
from prometheus_client.core import Metric

from alertbridge.selfmetrics import SelfMetrics as BridgeMetrics
from exporter.scrape import FAMILIES, PAGE_FAMILIES
from exporter.selfmetrics import SelfMetrics as ExporterMetrics

OF_TARGETS = frozenset({"instance", "job"})


@pytest.mark.parametrize("name", sorted(OF_TARGETS))
def test_no_metric_bears_a_label_of_the_target(name: str) -> None:
    """What RouterOS calls `instance` has a name of its own."""
    assert [family.name for family in PAGE_FAMILIES if name in family.labels] == []


def test_a_router_is_named_by_the_target_alone() -> None:
    """No table of a router has a label `router` of its own."""
    assert [family.name for family in FAMILIES if "router" in family.labels] == []


@pytest.mark.parametrize("metrics", [ExporterMetrics, BridgeMetrics])
def test_no_metric_of_our_own_bears_a_label_of_the_target(
    metrics: type[ExporterMetrics] | type[BridgeMetrics],
) -> None:
    """The programs' own metrics leave `instance` and `job` to Prometheus."""
    assert not OF_TARGETS & set(_labels(metrics(process=False).registry.collect()))


def _labels(found: Iterable[Metric]) -> Iterable[str]:
    for metric in found:
        for sample in metric.samples:
            yield from sample.labels
