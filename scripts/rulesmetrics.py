"""Which metrics there are, and which a PromQL expression names."""

import re
from collections.abc import Iterable, Iterator

from prometheus_client.core import Metric

from alertbridge.selfmetrics import SelfMetrics as BridgeMetrics
from exporter.scrape import PAGE_FAMILIES
from exporter.selfmetrics import SelfMetrics as ExporterMetrics

SCRAPE = frozenset({"up", "scrape_duration_seconds", "scrape_samples_scraped"})
"""What Prometheus records of each scrape."""
PROMETHEUS = frozenset(
    {
        "prometheus_config_last_reload_successful",
        "prometheus_notifications_alertmanagers_discovered",
        "prometheus_notifications_errors_total",
        "prometheus_rule_evaluation_failures_total",
        "prometheus_rule_group_interval_seconds",
        "prometheus_rule_group_last_duration_seconds",
    }
)
ALERTMANAGER = frozenset(
    {"alertmanager_config_last_reload_successful", "alertmanager_notifications_failed_total"}
)

_SUFFIXES = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_count", "_sum")}
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})
_NOT_NAMES = (
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"\{[^}]*\}"),
    re.compile(r"\[[^\]]*\]"),
    re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"),
    re.compile(r"\boffset\s+-?[0-9a-z]+"),
)
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")


def known() -> frozenset[str]:
    """Every metric that a scrape of the whole stack can bring."""
    own = [
        *ExporterMetrics(process=False).registry.collect(),
        *BridgeMetrics(process=False).registry.collect(),
    ]
    return frozenset(
        {*(family.name for family in PAGE_FAMILIES), *_sample_names(own), *SCRAPE, *PROMETHEUS, *ALERTMANAGER}
    )


def _sample_names(metrics: Iterable[Metric]) -> Iterator[str]:
    for metric in metrics:
        for suffix in _SUFFIXES.get(metric.type, ("",)):
            yield metric.name + suffix


def named(expression: str) -> frozenset[str]:
    """The metrics that an expression reads, recorded ones among them."""
    for pattern in _NOT_NAMES:
        expression = pattern.sub(" ", expression)
    return frozenset(name for name in _NAME.findall(expression) if name.lower() not in _WORDS)
