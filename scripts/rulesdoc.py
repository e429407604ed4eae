"""Writes `docs/reference/alerts.md` and `recording-rules.md` from the rules, or checks both."""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from scripts.rulesfiles import (
    BY_ROUTER,
    ROUTER_THRESHOLDS,
    THRESHOLD_PREFIX,
    THRESHOLDS,
    Rule,
    read_rules,
    rule_files,
)

ALERTS_PAGE = Path("docs/reference/alerts.md")
RECORDS_PAGE = Path("docs/reference/recording-rules.md")

_ALERTS_INTRO = """\
# Alerts

Every alert, generated from the files in [prometheus/rules](../../prometheus/rules). Each name leads to what to do.
*critical* is for now, *warning* for working hours, *info* for the daily report. A threshold with a dot may be set
for [single routers](../how-to/thresholds.md).
"""
_RECORDS_INTRO = """\
# Recording rules

What Prometheus computes ahead, for dashboards and alerts; generated from the files in
[prometheus/rules](../../prometheus/rules). Names read level:metric:operation; the level is what is told apart. Beside
these, `router:threshold:NAME` holds each router's thresholds.
"""
_USED = re.compile(r"\b(?:tikwatch|router):threshold:(\w+)")


def alerts_document() -> str:
    """The page of alerts and thresholds."""
    return "\n".join([_ALERTS_INTRO, *_alert_sections(), *_threshold_section()])


def records_document() -> str:
    """The page of recording rules."""
    return "\n".join([_RECORDS_INTRO, *_record_sections()])


def _subjects() -> Iterator[tuple[str, list[Rule]]]:
    for file in rule_files():
        if file not in (THRESHOLDS, BY_ROUTER):
            yield file.name.removesuffix(".rules.yml"), read_rules(file)


def _alert_sections() -> Iterator[str]:
    thresholds = {rule.name.removeprefix(THRESHOLD_PREFIX): rule for rule in read_rules(THRESHOLDS)}
    for subject, rules in _subjects():
        yield f"## {subject.capitalize()}\n"
        rows = (_alert_row(subject, rule, thresholds) for rule in rules if rule.is_alert)
        yield _table(("alert", "severity", "after", "component", "says", "thresholds"), rows)


def _alert_row(subject: str, rule: Rule, thresholds: dict[str, Rule]) -> tuple[str, ...]:
    used = [
        f"{name}{'.' if thresholds[name].group == ROUTER_THRESHOLDS else ''}"
        for name in dict.fromkeys(_USED.findall(rule.expression))
        if name in thresholds
    ]
    return (
        f"[{rule.name}](../runbooks/{subject}.md#{rule.name.lower()})",
        rule.labels.get("severity", ""),
        rule.duration + (f", held {rule.keep}" if rule.keep else ""),
        rule.labels.get("component", ""),
        plain(rule.annotations.get("summary", "")),
        ", ".join(f"`{name}`" for name in used),
    )


def plain(text: str) -> str:
    """An annotation with the names of its labels in place of their values."""
    return re.sub(r"\{\{ *\$(?:labels\.)?(\w+)[^}]*\}\}", r"*\1*", text)


def _threshold_section() -> Iterator[str]:
    yield "## Thresholds\n\nAs they come; yours are in `prometheus/rules/thresholds.rules.yml`.\n"
    rows, meaning = [], ""
    for rule in read_rules(THRESHOLDS):
        if not rule.name.startswith(THRESHOLD_PREFIX) or rule.labels:
            continue
        meaning = rule.comment or meaning
        per = "router" if rule.group == ROUTER_THRESHOLDS else ""
        rows.append((f"`{rule.name.removeprefix(THRESHOLD_PREFIX)}`", per, meaning))
    yield _table(("threshold", "may differ per", "meaning"), rows)


def _record_sections() -> Iterator[str]:
    for subject, rules in _subjects():
        yield f"## {subject.capitalize()}\n"
        rows = (
            (f"`{rule.name}`", _flat(rule.expression), rule.comment) for rule in rules if not rule.is_alert
        )
        yield _table(("series", "expression", "meaning"), rows)


def _flat(expression: str) -> str:
    return f"`{' '.join(expression.split())}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if the pages are (now) up to date, 1 if `--check` finds one that is not."""
    parser = argparse.ArgumentParser(prog="python -m scripts.rulesdoc", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="write both pages")
    choice.add_argument("--check", action="store_true", help="fail unless both are up to date")
    given = parser.parse_args(arguments)
    late = [
        page
        for page, text in ((ALERTS_PAGE, alerts_document()), (RECORDS_PAGE, records_document()))
        if not _is(page, text, write=given.write)
    ]
    for page in late:
        sys.stderr.write(f"{page} is not what the rules give; run: python -m scripts.rulesdoc --write\n")
    return 1 if late else 0


def _is(page: Path, text: str, *, write: bool) -> bool:
    if write:
        page.write_text(text, encoding="utf-8")
    return page.exists() and page.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
