"""What a benchmark tells: lines with a value, what it should be, and whether it is."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    """How a value is written."""

    SECONDS = "s"
    MEGABYTES = "MB"
    TIMES = "x"
    RATIO = "ratio"
    PERCENT = "%"
    COUNT = ""
    PER_SECOND = "/s"
    CORES = "cores"

    def text(self, value: float) -> str:
        """`value` with its unit, with as many digits as mean something."""
        match self:
            case Unit.SECONDS:
                return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
            case Unit.MEGABYTES:
                return f"{value / 1e6:.0f} MB"
            case Unit.TIMES:
                return f"{value:.1f} x"
            case Unit.RATIO:
                return f"{value:.3f}"
            case Unit.PERCENT:
                return f"{value * 100:+.1f} %"
            case Unit.COUNT:
                return f"{value:g}"
            case Unit.PER_SECOND:
                return f"{value:,.0f}/s"
            case Unit.CORES:
                return f"{value:.3f} cores"


@dataclass(frozen=True, slots=True)
class Target:
    """What a value must be: at most, or at least, `limit`."""

    limit: float
    at_least: bool = False

    def is_met_by(self, value: float) -> bool:
        """Whether `value` is on the right side."""
        return value >= self.limit if self.at_least else value <= self.limit

    def text(self, unit: Unit) -> str:
        """Such as ``<= 2.00 s``."""
        return f"{'>=' if self.at_least else '<='} {unit.text(self.limit)}"


def at_most(limit: float) -> Target:
    """The value must not be larger."""
    return Target(limit)


def at_least(limit: float) -> Target:
    """The value must not be smaller."""
    return Target(limit, at_least=True)


@dataclass(frozen=True, slots=True)
class Line:
    """One measured value. Without a target it is there for comparison: a peer's value, or a bound."""

    what: str
    value: float
    unit: Unit
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.target.is_met_by(self.value)

    @property
    def verdict(self) -> str:
        """A word for the table."""
        return {None: "for comparison", True: "met", False: "MISSED"}[self.met]


class Effort(Enum):
    """How much is done: full for the table, quick to see about where a figure is, smoke to see that it runs."""

    FULL = "full"
    QUICK = "quick"
    SMOKE = "smoke"

    def pick(self, full: int, quick: int, smoke: int = 1) -> int:
        """How many: rounds, routers, rows."""
        return {Effort.FULL: full, Effort.QUICK: quick, Effort.SMOKE: smoke}[self]

    @property
    def with_peers(self) -> bool:
        """Whether mktxp is measured too: only for the table, since it takes its time."""
        return self is Effort.FULL


@dataclass(frozen=True, slots=True)
class Figure:
    """One promise and the function that measures it. A `long` one is measured only when it is named."""

    number: int
    name: str
    title: str
    measure: Callable[[Effort], Sequence[Line]]
    long: bool = False


def median(values: Sequence[float]) -> float:
    """The middle value; rounds that something else disturbed do not move it."""
    return statistics.median(values)
