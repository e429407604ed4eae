"""Scheduler and scripts: how often they ran, when they run next, what runs now."""

import re
from datetime import UTC, datetime

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    count,
    counter,
    duration,
    gauge,
    local_date,
    negated,
    switch,
)

_CLOCK_TIME = re.compile(r"\d\d:\d\d:\d\d", re.ASCII)

_SCHEDULER = Table(
    name="scheduler",
    path="/system/scheduler",
    labels=(Label("schedule", "name"),),
    also=("next-run",),
    rows=(
        counter("mikrotik_scheduler_runs_total", "Times an entry of the scheduler ran.", "run-count"),
        gauge(
            "mikrotik_scheduler_next_run_timestamp_seconds",
            "When an entry of the scheduler runs next; absent if never.",
            "@next-run",
            local_date,
            source="/system/scheduler next-run",
        ),
        gauge(
            "mikrotik_scheduler_interval_seconds", "Time between two runs; 0 for none.", "interval", duration
        ),
        switch("mikrotik_scheduler_enabled", "1 unless the entry is disabled.", "disabled", negated),
    ),
)

_SCRIPTS = Table(
    name="scripts",
    path="/system/script",
    labels=(Label("script", "name"),),
    rows=(
        counter("mikrotik_script_runs_total", "Times a script ran.", "run-count"),
        gauge(
            "mikrotik_script_last_started_timestamp_seconds",
            "When a script was last started.",
            "last-started",
            local_date,
        ),
        switch("mikrotik_script_valid", "0 if a script has an error.", "invalid", negated),
    ),
)

_JOBS = Table(
    name="jobs",
    path="/system/script/job",
    also=(".id",),
    rows=(count("mikrotik_script_jobs", "Scripts and commands that run now."),),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    for row in replies.get("scheduler", ()):
        if text := row.get("next-run"):
            row["@next-run"] = _dated(text, facts) if _CLOCK_TIME.fullmatch(text) else text


def _dated(text: str, facts: Facts) -> str:
    """The date of a time by which RouterOS 6 means today; empty where the router's day is not known."""
    if facts.gmt_offset_s is None:
        return ""
    today = datetime.fromtimestamp(facts.now_s + facts.gmt_offset_s, UTC)
    return f"{today:%Y-%m-%d} {text}"


SCHEDULER = Collector(
    name="scheduler",
    help="Runs of scheduler and scripts, next run, last start, running jobs.",
    ttl_s=60,
    tables=(_SCHEDULER, _SCRIPTS, _JOBS),
    derive=_derive,
    on_by_default=False,
)
