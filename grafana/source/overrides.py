"""How single series or columns differ from the others of their panel."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.colours import BEFORE, RECEIVED, SENT
from grafana.source.limits import Limits, Line
from grafana.source.units import Unit
from grafana.source.words import Words, mappings


@dataclass(frozen=True, slots=True)
class Look:
    """What holds for the series whose name the expression `matches`, or for the field of that very name if `exact`.

    Attributes:
        down: drawn below zero.
        dashed: drawn as a thin broken line without filling, as what is only there to compare with.
        band_to: filled down to the series of that name.
        stacked: False keeps it out of a stack.
        listed: False keeps it out of the legend, and its points unmarked.
    """

    matches: str
    exact: bool = False
    colour: str = ""
    down: bool = False
    dashed: bool = False
    band_to: str = ""
    stacked: bool = True
    listed: bool = True
    unit: Unit | None = None
    width: int | None = None
    least_width: int | None = None
    decimals: int | None = None
    words: Words | None = None
    limits: Limits | None = None
    high: float | None = None
    cell: str = ""
    links: Sequence[build.DashboardLink] = ()

    def build(self) -> model.DashboardFieldConfigSourceOverrides:
        """For Grafana."""
        by = "byName" if self.exact else "byRegexp"
        option = self.matches if self.exact else f"/{self.matches}/"
        if not self.exact:
            re.compile(self.matches)
        return model.DashboardFieldConfigSourceOverrides(
            model.MatcherConfig(by, option),
            [model.DynamicConfigValue(name, value) for name, value in self._properties().items()],
        )

    def _properties(self) -> dict[str, object]:
        found: dict[str, object] = {}
        if self.colour:
            found["color"] = {"mode": "fixed", "fixedColor": self.colour}
        if self.down:
            found["custom.transform"] = "negative-Y"
        if self.dashed:
            found["custom.lineStyle"] = {"fill": "dash", "dash": [6, 6]}
            found["custom.fillOpacity"] = 0
            found["custom.lineWidth"] = 1
        if self.band_to:
            found["custom.fillBelowTo"] = self.band_to
            found["custom.fillOpacity"] = 15
            found["custom.lineWidth"] = 0
        if not self.stacked:
            found["custom.stacking"] = {"mode": "none", "group": "B"}
        if not self.listed:
            found["custom.hideFrom"] = {"legend": True, "tooltip": False, "viz": False}
            found["custom.showPoints"] = "never"
        return {**found, **self._of_columns()}

    def _of_columns(self) -> dict[str, object]:
        found: dict[str, object] = {}
        if self.unit is not None:
            found["unit"] = self.unit.value
        if self.width is not None:
            found["custom.width"] = self.width
        if self.least_width is not None:
            found["custom.minWidth"] = self.least_width
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.words is not None:
            found["mappings"] = [one.to_json() for one in mappings(self.words)]
        if self.limits is not None:
            found["thresholds"] = self.limits.as_json()
        if self.high is not None:
            found["min"], found["max"] = 0, self.high
        if self.cell:
            found["custom.cellOptions"] = _CELLS[self.cell]
        if self.links:
            found["links"] = [link.build().to_json() for link in self.links]
        return found


_CELLS: dict[str, dict[str, object]] = {
    "coloured": {"type": "color-background", "mode": "basic"},
    "text": {"type": "color-text"},
    "bar": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
}


def received(matches: str) -> Look:
    """What came in, or was downloaded."""
    return Look(matches, colour=RECEIVED)


def sent(matches: str) -> Look:
    """What went out, or was uploaded: below zero."""
    return Look(matches, colour=SENT, down=True)


def coloured(matches: str, colour: str) -> Look:
    """A fixed colour."""
    return Look(matches, colour=colour)


def threshold(line: Line) -> Look:
    """Where an alert begins."""
    return Look(
        f"^{line.legend.partition(' {{')[0]}",
        colour=line.colour,
        dashed=True,
        stacked=False,
        listed=False,
    )


def before(matches: str) -> Look:
    """The same a week ago, or what is normal."""
    return Look(matches, colour=BEFORE, dashed=True, stacked=False)
