"""Writes `docs/reference/metrics.md` from the collectors' tables, or checks that it is up to date."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.core import Metric

from exporter import status
from exporter.collectors import ALL
from exporter.events.families import FAMILIES as EVENT_FAMILIES
from exporter.probes import kinds
from exporter.probes.registry import STATUS_FAMILIES
from exporter.samples import Family
from exporter.selfmetrics import SelfMetrics
from runtime.docs.generated import run

PATH = Path("docs/reference/metrics.md")

_INTRO = """\
# Metrics

Every metric of the exporter, generated from its tables. On `/metrics` each series of a router bears the label
`router` and the labels that the configuration gives it; on `/probe` Prometheus's `instance` tells the router, and
they are left out. The last column is the RouterOS menu and field a value is read from.

A field that a router leaves out gives no sample, never a zero. What is marked *per subscriber* is bounded by the
collector's `mode` and `limit`.
"""


def document() -> str:
    """The whole page."""
    return "\n".join([_INTRO, *_sections()])


def _sections() -> Iterator[str]:
    for collector in ALL:
        policies = ", ".join(f"`{policy}`" for policy in collector.policies)
        yield (
            f"## `{collector.name}`\n\n{collector.help} Read at most every {collector.ttl_s:g} s; needs {policies}."
            f"{'' if collector.on_by_default else ' Runs only where a module names it.'}\n"
        )
        yield _table(_rows(collector.families))
        subscribers = [table for table in collector.tables if table.subscribers]
        if subscribers:
            names = [
                f"`{row.name}`"
                for table in subscribers
                for row in table.rows
                if not row.counts and not row.arrivals
            ]
            mode = "" if collector.mode == "full" else f" (`mode` is `{collector.mode}` unless set)"
            yield f"Per subscriber{mode}: {', '.join(names)}.\n"
    yield "## Events\n\nWhat happens between two scrapes, counted where a router's `events` ask for it.\n"
    yield _table(_rows(EVENT_FAMILIES))
    yield "## Watching\n\nWhether and how well each router is watched.\n"
    yield _table(_rows(status.FAMILIES))
    yield "## Probes\n\nHow the measuring of what is no router goes. On `/metrics` only, without a label `router`.\n"
    yield _table(_rows(STATUS_FAMILIES))
    for kind in kinds.KINDS:
        yield f"## Probe `{kind.name}`\n\n{kind.help}\n"
        yield _table(_rows(kind.families))
    yield "## The exporter itself\n\nOn `/metrics` only, beside `process_*` of the exporter's own process.\n"
    yield _table(_own(SelfMetrics(process=False).registry.collect()))


def _rows(families: Iterable[Family]) -> Iterator[tuple[str, str, str, str, str]]:
    for family in families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        source = f"`{family.source}`" if family.source else ""
        yield f"`{family.name}`", family.kind.value, labels, family.help, source


def _own(metrics: Iterable[Metric]) -> Iterator[tuple[str, str, str, str, str]]:
    suffix = {"counter": "_total", "info": "_info"}
    for metric in metrics:
        labels = sorted(
            {label for s in metric.samples for label in s.labels if label not in ("le", "version")}
        )
        names = ", ".join(f"`{label}`" for label in labels)
        yield f"`{metric.name}{suffix.get(metric.type, '')}`", metric.type, names, metric.documentation, ""


def _table(rows: Iterable[tuple[str, str, str, str, str]]) -> str:
    lines = ["| metric | type | labels | meaning | source |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that something is not."""
    return run("exporter.metricsdoc", {PATH: document}, arguments)


if __name__ == "__main__":
    sys.exit(main())
