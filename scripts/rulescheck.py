"""Says with file and line what is wrong in `prometheus/`: rules, their tests, and the configurations that load them.

    python -m scripts.rulescheck           what can be said by reading, and by promtool and amtool where they are
    python -m scripts.rulescheck --tests   the unit tests of the rules as well

Exit code 0 if nothing is wrong, else 1.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from scripts import rulesdoc, rulesmetrics, rulesthresholds
from scripts.rulesfiles import (
    BY_ROUTER,
    FOLDER,
    RUNBOOKS,
    THRESHOLD_PREFIX,
    Expectation,
    Rule,
    all_rules,
    read_expectations,
    rule_files,
    unit_test_files,
)
from scripts.system import under_ci

SEVERITIES = frozenset({"critical", "warning", "info", "none"})
COMPONENTS = frozenset(
    {
        "bot",
        "bridge",
        "database",
        "exporter",
        "host",
        "hotspot",
        "interface",
        "monitoring",
        "ppp",
        "queue",
        "router",
    }
)
ANNOTATIONS = frozenset(
    {"summary", "description", "summary_id", "description_id", "runbook_url", "dashboard_url"}
)
DASHBOARDS = frozenset(
    {
        "tikwatch-alerts",
        "tikwatch-exporter",
        "tikwatch-fleet",
        "tikwatch-interfaces",
        "tikwatch-queues",
        "tikwatch-router",
        "tikwatch-services",
        "tikwatch-subscribers",
    }
)
ALWAYS_FIRES = frozenset({"Watchdog"})

_ALERT_NAME = re.compile(r"(?:[A-Z][a-z0-9]+)+")
_RECORD_NAME = re.compile(r"[a-z][a-z0-9_]*:[a-z][a-z0-9_]*:[a-z][a-z0-9_]*")
_THRESHOLD = re.compile(r"\b(?:tikwatch|router):threshold:(\w+)")
_RUNBOOK = re.compile(r"/(\w+\.md)#(\w+)$")
_DASHBOARD = re.compile(r"/d/([\w-]+)")
_NO_COMPLAINT = re.compile(r"\s*$|Checking |Unit Testing|\s*SUCCESS|\s*FAILED:$")
_EXPECTED = re.compile(r'alertname="(\w+)"[^}]*?severity="(\w+)"')


@dataclass(frozen=True, slots=True)
class Program:
    """A program that judges files of its own kind."""

    arguments: tuple[str, ...]

    def complaints(self) -> Iterator[str]:
        """What it has against the files; nothing when it is not installed, which under CI is a complaint."""
        if shutil.which(self.arguments[0]) is None:
            if under_ci():
                yield f"{self.arguments[0]} is not installed: make system"
            return
        ended = subprocess.run(self.arguments, capture_output=True, text=True, check=False)
        if ended.returncode:
            said = (ended.stdout + ended.stderr).splitlines()
            yield "\n".join(line for line in said if not _NO_COMPLAINT.match(line))


def rule_complaints(rules: Sequence[Rule]) -> Iterator[str]:
    """What is wrong with single rules, each with its file and line."""
    recorded = {rule.name for rule in rules if not rule.is_alert}
    there = rulesmetrics.known() | recorded
    for rule in rules:
        for name in sorted(rulesmetrics.named(rule.expression) - there):
            yield f"{rule.place}: {rule.name} reads {name}, which nothing exports or records"
        for name in _uses(rule):
            if THRESHOLD_PREFIX + name not in recorded:
                yield f"{rule.place}: {rule.name} uses the threshold {name}, which does not exist"
        yield from _alert_complaints(rule) if rule.is_alert else _record_complaints(rule)
    used = {name for rule in rules if rule.file != BY_ROUTER for name in _uses(rule)}
    for rule in rules:
        name = rule.name.removeprefix(THRESHOLD_PREFIX)
        if name != rule.name and name not in used:
            yield f"{rule.place}: no rule uses the threshold {name}"


def _uses(rule: Rule) -> list[str]:
    return _THRESHOLD.findall(rule.expression)


def _record_complaints(rule: Rule) -> Iterator[str]:
    if not _RECORD_NAME.fullmatch(rule.name):
        yield f"{rule.place}: {rule.name} is not named level:metric:operation"


def _alert_complaints(rule: Rule) -> Iterator[str]:
    checks: Mapping[str, bool] = {
        "is not named in CamelCase": _ALERT_NAME.fullmatch(rule.name) is not None,
        "has no known severity": rule.labels.get("severity") in SEVERITIES,
        "has no known component": rule.labels.get("component") in COMPONENTS,
        "does not say for how long (for)": bool(rule.duration),
    }
    yield from (f"{rule.place}: {rule.name} {wrong}" for wrong, right in checks.items() if not right)
    for name in sorted(ANNOTATIONS - {key for key, text in rule.annotations.items() if text.strip()}):
        yield f"{rule.place}: {rule.name} has no annotation {name}"
    book = _RUNBOOK.search(rule.annotations.get("runbook_url", ""))
    if book is None or book[2] not in _headings(book[1]):
        yield f"{rule.place}: the runbook of {rule.name} has no heading that its runbook_url names"
    board = _DASHBOARD.search(rule.annotations.get("dashboard_url", ""))
    if board is None or board[1] not in DASHBOARDS:
        yield f"{rule.place}: the dashboard_url of {rule.name} names no dashboard"


def _headings(page: str) -> frozenset[str]:
    file = RUNBOOKS / page
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return frozenset(heading.lower() for heading in re.findall(r"^## (\w+)$", text, re.MULTILINE))


def coverage_complaints(rules: Sequence[Rule], expectations: Iterable[Expectation]) -> Iterator[str]:
    """Alerts that no unit test sees firing, or silent; each severity of a name by itself."""
    fires: set[tuple[str, str]] = set()
    silent: set[tuple[str, str]] = set()
    for expectation in expectations:
        for pair in _EXPECTED.findall(expectation.expression):
            (fires if expectation.samples else silent).add(pair)
    for rule in rules:
        if not rule.is_alert:
            continue
        pair = rule.name, rule.labels.get("severity", "")
        if pair not in fires:
            yield f"{rule.place}: no unit test sees {rule.name} ({pair[1]}) fire"
        if pair not in silent and rule.name not in ALWAYS_FIRES:
            yield f"{rule.place}: no unit test sees {rule.name} ({pair[1]}) silent"


def _programs(*, tests: bool) -> Iterator[Program]:
    yield Program(("promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, rule_files())))
    yield Program(("promtool", "check", "config", "--syntax-only", str(FOLDER / "prometheus.yml")))
    yield Program(("amtool", "check-config", str(FOLDER / "alertmanager.yml")))
    if tests:
        yield Program(("promtool", "test", "rules", *map(str, unit_test_files())))


def _generated_complaints() -> Iterator[str]:
    pages: Mapping[str, Callable[[list[str]], int]] = {
        "scripts.rulesthresholds": rulesthresholds.main,
        "scripts.rulesdoc": rulesdoc.main,
    }
    for name, check in pages.items():
        if check(["--check"]):
            yield f"out of date: python -m {name} --write"


def complaints(*, tests: bool = False) -> Iterator[str]:
    """Everything that is wrong."""
    try:
        rules = all_rules()
        expectations = [found for file in unit_test_files() for found in read_expectations(file)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{mark.name}:{mark.line + 1}" if mark else "prometheus/"
        yield f"{where}: {error.problem}"
        return
    yield from rule_complaints(rules)
    yield from coverage_complaints(rules, expectations)
    yield from _generated_complaints()
    for program in _programs(tests=tests):
        yield from program.complaints()


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if nothing is wrong, else 1."""
    parser = argparse.ArgumentParser(prog="python -m scripts.rulescheck", description=__doc__)
    parser.add_argument("--tests", action="store_true", help="run the unit tests of the rules as well")
    given = parser.parse_args(arguments)
    found = list(complaints(tests=given.tests))
    for complaint in found:
        sys.stderr.write(complaint + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
