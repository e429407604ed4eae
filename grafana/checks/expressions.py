"""Whether every query can be understood, and names only metrics that exist."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from grafana.checks.reading import Asked, Dashboard, spelled_out
from scripts.rulesfiles import all_rules
from scripts.rulesmetrics import known, named

OF_PROMETHEUS: Final = frozenset(
    {
        "ALERTS",
        "ALERTS_FOR_STATE",
        "alertmanager_notifications_total",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "prometheus_notifications_sent_total",
        "prometheus_tsdb_head_samples_appended_total",
        "prometheus_tsdb_head_series",
    }
)
"""What Prometheus, Alertmanager and every program tell of themselves, beyond what the rules read."""
_WRONG: Final = re.compile(r'"q(\d+)": (.*)$')
_LOOKED_UP: Final = re.compile(r"label_values\((.*),\s*\w+\)$", re.DOTALL)


def recorded() -> frozenset[str]:
    """The series that the recording rules make."""
    return frozenset(rule.name for rule in all_rules() if not rule.is_alert)


def unknown_metrics(boards: Sequence[Dashboard]) -> Iterator[str]:
    """Queries and variables that read what nothing exports and no rule records."""
    there = known() | recorded() | OF_PROMETHEUS
    for board in boards:
        asked = [(one.place, one.expr) for one in board.asked()]
        for name, variable in board.variables().items():
            if found := _LOOKED_UP.match(str(variable.get("query", ""))):
                asked.append((f"{board.file}: variable {name}", found[1]))
        for place, expr in asked:
            for metric in sorted(named(spelled_out(expr)) - there):
                yield f"{place}: nothing exports or records {metric}"


def unparsable(boards: Sequence[Dashboard]) -> Iterator[str]:
    """Queries that Prometheus could not read, in promtool's words; nothing where promtool is not installed."""
    promtool = shutil.which("promtool")
    if promtool is None:
        return
    asked: list[Asked] = [one for board in boards for one in board.asked()]
    rules = [{"record": f"q{number}", "expr": spelled_out(one.expr)} for number, one in enumerate(asked)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "queries.yml"
        file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
        ended = subprocess.run(  # noqa: S603  our own file
            [promtool, "check", "rules", "--lint=none", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
    told = ended.stdout + ended.stderr
    for line in told.splitlines():
        if found := _WRONG.search(line):
            yield f"{asked[int(found[1])].place}: {found[2]}"
    if ended.returncode and not _WRONG.search(told):
        yield f"grafana/dashboards: promtool: {told.strip()}"
