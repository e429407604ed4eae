"""Thresholds of panels, from the one file that alerts take theirs from.

Colours of numbers and cells go by what holds for all routers, since Grafana has one set of thresholds for a panel.
Lines in graphs are series that Prometheus records, so that they also show what a router has for itself.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.colours import CRITICAL, OK, WARNING
from grafana.source.variables import ROUTER_IS

FILE: Final = Path("prometheus/rules/thresholds.rules.yml")
_PREFIX: Final = "tikwatch:threshold:"
_OF_ROUTERS: Final = "tikwatch_router_thresholds"
_LEVELS: Final = {WARNING: "warning", CRITICAL: "critical"}


@cache
def _numbers() -> dict[str, float]:
    groups = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    return {
        rule["record"].removeprefix(_PREFIX): float(rule["expr"])
        for group in groups
        for rule in group["rules"]
        if rule["record"].startswith(_PREFIX) and "router" not in rule.get("labels", {})
    }


def number(name: str) -> float:
    """The threshold `name` as alerts use it for routers without one of their own. Raises KeyError for unknown names."""
    found = _numbers()[name]
    return int(found) if found.is_integer() else found


@cache
def _of_routers() -> frozenset[str]:
    groups = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    rules = next(group["rules"] for group in groups if group["name"] == _OF_ROUTERS)
    return frozenset(rule["record"].removeprefix(_PREFIX) for rule in rules)


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold in a graph, as a series: what it is called there, its colour, and the expression that gives it."""

    legend: str
    colour: str
    expr: str


def _line(name: str, colour: str) -> Line:
    legend = f"Threshold, {_LEVELS[colour]}"
    if name not in _of_routers():
        return Line(legend, colour, f"{_PREFIX}{name}")
    own, common = f"router:threshold:{name}{{{ROUTER_IS}}}", f'{_PREFIX}{name}{{router=""}}'
    compared = (
        "on () group_left ()"  # one line for all routers that have none of their own, one for each that has
    )
    expr = f"max({own} == {compared} {common}) or ({own} != {compared} {common})"
    return Line(f"{legend} {{{{router}}}}", colour, expr)


class Limits:
    """Where a value changes its colour; in rising order, the first colour holds from minus infinity.

    `lines` are those of the steps that alerts go by as well.
    """

    def __init__(self, first: str, *steps: tuple[float, str], lines: tuple[Line, ...] = ()) -> None:
        self.first = first
        self.steps = steps
        self.lines = lines

    @property
    def drawn(self) -> bool:
        """Whether Grafana must draw the lines in a graph, since no series does."""
        return bool(self.steps) and not self.lines

    def build(self) -> build.ThresholdsConfig:
        """For Grafana."""
        return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(self.models())

    def models(self) -> list[model.Threshold]:
        """The steps for Grafana."""
        return [
            model.Threshold(None, self.first),
            *(model.Threshold(at, colour) for at, colour in self.steps),
        ]

    def as_json(self) -> dict[str, object]:
        """The same inside an override."""
        return {"mode": "absolute", "steps": [step.to_json() for step in self.models()]}


def rising(name: str = "", *, unit: str = "", warning: str = "", critical: str = "") -> Limits:
    """More is worse. `name` stands for NAME_warning and NAME_critical, with `unit` at the end of both where there is
    one; single ones can be named instead."""
    if name:
        warning, critical = (
            f"{name}_{level}{'_' if unit else ''}{unit}" for level in ("warning", "critical")
        )
    steps = [(number(one), colour) for one, colour in ((warning, WARNING), (critical, CRITICAL)) if one]
    return Limits(OK, *steps, lines=_lines(warning, critical))


def falling(name: str = "", *, unit: str = "", warning: str = "", critical: str = "") -> Limits:
    """Less is worse. See `rising`; `unit` stands at the end of both names."""
    if name:
        warning, critical = (
            f"{name}_{level}{'_' if unit else ''}{unit}" for level in ("warning", "critical")
        )
    lines = _lines(warning, critical)
    if not critical:
        return Limits(WARNING, (number(warning), OK), lines=lines)
    if not warning:
        return Limits(CRITICAL, (number(critical), OK), lines=lines)
    return Limits(CRITICAL, (number(critical), WARNING), (number(warning), OK), lines=lines)


def _lines(warning: str, critical: str) -> tuple[Line, ...]:
    return tuple(_line(name, colour) for name, colour in ((warning, WARNING), (critical, CRITICAL)) if name)


def above(at: float, colour: str = CRITICAL) -> Limits:
    """Fine below `at`. For what no alert has a threshold for, such as: any is too many."""
    return Limits(OK, (at, colour))


def below(at: float, colour: str = CRITICAL) -> Limits:
    """Fine from `at` on."""
    return Limits(colour, (at, OK))


def plain(colour: str) -> Limits:
    """One colour, whatever the value."""
    return Limits(colour)
