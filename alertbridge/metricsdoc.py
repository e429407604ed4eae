"""Writes `docs/reference/bridge-metrics.md` from the tables of the bridge's own metrics, or checks it."""

import sys
from collections.abc import Iterator
from pathlib import Path

from alertbridge.selfmetrics import COUNTERS, GAUGES, HISTOGRAMS
from runtime.docs.generated import run, table

PATH = Path("docs/reference/bridge-metrics.md")

_INTRO = """\
# Metrics of the alert bridge

Everything on its `/metrics`, generated from its tables, beside `process_*` of its own process. Counters whose labels
are known ahead begin at 0, so that a first failure is seen as a step. Times and durations are in seconds.

`alertbridge_limit_tokens` is looked up at each scrape: what one `channel:NAME` or `recipient:NAME` takes of ordinary
messages at once. The rules that watch the bridge are in the [list of alerts](alerts.md).
"""


def document() -> str:
    """The whole page."""
    return "\n".join([_INTRO, table(("metric", "type", "labels", "meaning"), _rows())])


def _rows() -> Iterator[tuple[str, str, str, str]]:
    for rows, kind, suffix in (
        (COUNTERS, "counter", "_total"),
        (GAUGES, "gauge", ""),
        (HISTOGRAMS, "histogram", ""),
    ):
        for row in rows:
            labels = ", ".join(f"`{label}`" for label in row.labels)
            yield f"`alertbridge_{row.name}{suffix}`", kind, labels, row.text
    yield "`alertbridge_build_info`", "info", "`version`", "Version of the bridge."


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that something is not."""
    return run("alertbridge.metricsdoc", {PATH: document}, arguments)


if __name__ == "__main__":
    sys.exit(main())
