"""Thresholds of panels, from the one file that alerts take theirs from."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.colours import CRITICAL, OK, WARNING

FILE: Final = Path("prometheus/rules/thresholds.rules.yml")
_PREFIX: Final = "tikwatch:threshold:"


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


class Limits:
    """Where a value changes its colour; in rising order, the first colour holds from minus infinity."""

    def __init__(self, first: str, *steps: tuple[float, str]) -> None:
        self.first = first
        self.steps = steps

    @property
    def drawn(self) -> bool:
        """Whether there is a line to draw in a graph."""
        return bool(self.steps)

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
    return Limits(OK, *steps)


def falling(name: str = "", *, unit: str = "", warning: str = "", critical: str = "") -> Limits:
    """Less is worse. See `rising`; `unit` stands at the end of both names."""
    if name:
        warning, critical = (
            f"{name}_{level}{'_' if unit else ''}{unit}" for level in ("warning", "critical")
        )
    if not critical:
        return Limits(WARNING, (number(warning), OK))
    if not warning:
        return Limits(CRITICAL, (number(critical), OK))
    return Limits(CRITICAL, (number(critical), WARNING), (number(warning), OK))


def above(at: float, colour: str = CRITICAL) -> Limits:
    """Fine below `at`. For what no alert has a threshold for, such as: any is too many."""
    return Limits(OK, (at, colour))


def below(at: float, colour: str = CRITICAL) -> Limits:
    """Fine from `at` on."""
    return Limits(colour, (at, OK))


def plain(colour: str) -> Limits:
    """One colour, whatever the value."""
    return Limits(colour)
