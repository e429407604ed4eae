"""What a chart shows: lines over time, in a unit. Plain data, and the protocol of who draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from zoneinfo import ZoneInfo


class Unit(Enum):
    """What the values of a chart are."""

    BITS_PER_SECOND = "bits_per_second"
    BYTES = "bytes"
    COUNT = "count"
    RATIO = "ratio"  # 0 to 1, shown as per cent
    CELSIUS = "celsius"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: pairs of Unix seconds and a value, oldest first. Where points are missing it is broken.

    `filled`: shown as an area, for a total behind its parts.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    filled: bool = False


class Charts(Protocol):
    """Draws."""

    async def lines(
        self, series: Sequence[Line], *, title: str, unit: Unit, zone: ZoneInfo, language: str
    ) -> bytes | None:
        """A PNG below 200 kB that can be read on a phone; None when there is nothing to show, or nothing to
        draw with. Times are on the wall clock of `zone`; `language` is id or en."""
        ...


class NoCharts:
    """Draws nothing: the extra `charts` is not installed."""

    async def lines(
        self, series: Sequence[Line], *, title: str, unit: Unit, zone: ZoneInfo, language: str
    ) -> bytes | None:
        return None
