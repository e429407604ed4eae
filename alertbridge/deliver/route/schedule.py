"""Hours of the week and turns of duty, by the clock on the wall of their time zone. No input, no output.

Instants are Unix seconds. A day is walked by the calendar and not in steps of 86,400 s, so that hours and
handovers keep their time of day when the clocks change; an hour that the change skips begins right after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from alertbridge.deliver.route.times import (
    DAY_MINUTES,
    RotaSection,
    ScheduleSection,
    parse_clock,
    parse_days,
    parse_hours,
)

_LOOK_AHEAD_DAYS = 8
"""The end of hours is looked for so far ahead; hours without an end are taken to end there."""


def instant(day: date, minutes: int, zone: ZoneInfo) -> float:
    """Unix seconds of `minutes` past midnight of `day`; 24 hours and more are on the days after."""
    days, rest = divmod(minutes, DAY_MINUTES)
    moment = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=zone)
    return (moment + timedelta(days=days)).timestamp()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hours on days of the week. `hours` are minutes since midnight; those past 1,440 are on the next day."""

    name: str
    days: frozenset[int]
    hours: tuple[tuple[int, int], ...]
    zone: ZoneInfo
    except_dates: frozenset[date] = frozenset()

    @classmethod
    def of(cls, section: ScheduleSection, default_zone: str) -> Self:
        return cls(
            name=section.name,
            days=frozenset().union(*map(parse_days, section.days)),
            hours=tuple(map(parse_hours, section.hours)),
            zone=ZoneInfo(section.timezone or default_zone),
            except_dates=frozenset(section.except_dates),
        )

    def covers(self, at_s: float) -> bool:
        """Whether `at_s` is within the hours; their first moment is, their last is not."""
        return any(start <= at_s < end for start, end in self._spans(at_s, days=1))

    def ends_after(self, at_s: float) -> float | None:
        """When the hours around `at_s` are over, those that follow without a gap included; None outside them."""
        end = at_s
        for start, stop in sorted(self._spans(at_s, days=_LOOK_AHEAD_DAYS)):
            if start <= end < stop:
                end = stop
        return end if end > at_s else None

    @property
    def never_ends(self) -> bool:
        """Whether it covers every moment of every week."""
        marks = {
            (day * DAY_MINUTES + start, day * DAY_MINUTES + end)
            for day in self.days
            for start, end in self.hours
        }
        week, reached = 7 * DAY_MINUTES, 0
        for start, end in sorted(marks | {(start - week, end - week) for start, end in marks}):
            if start <= reached:
                reached = max(reached, end)
        return reached >= week and not self.except_dates

    def _spans(self, at_s: float, *, days: int) -> Iterator[tuple[float, float]]:
        """The hours that begin from the day before `at_s` to `days` days after that one."""
        today = datetime.fromtimestamp(at_s, self.zone).date()
        for offset in range(-1, days):
            day = today + timedelta(days=offset)
            if day.weekday() in self.days and day not in self.except_dates:
                for start, end in self.hours:
                    yield instant(day, start, self.zone), instant(day, end, self.zone)


@dataclass(frozen=True, slots=True)
class Override:
    """`member` is on call from the handover of `first` to that of the day after `last`."""

    first: date
    last: date
    member: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call, until when (Unix seconds), and whether out of turn."""

    member: str
    until_s: float
    is_override: bool = False


@dataclass(frozen=True, slots=True)
class Rota:
    """Members who take turns of `turn_days` days from `start`; before it, the first is on call."""

    name: str
    members: tuple[str, ...]
    start: date
    turn_days: int
    handover_min: int
    zone: ZoneInfo
    overrides: Sequence[Override] = ()

    @classmethod
    def of(cls, section: RotaSection, default_zone: str) -> Self:
        return cls(
            name=section.name,
            members=section.members,
            start=section.start,
            turn_days=7 if section.turn == "week" else 1,
            handover_min=parse_clock(section.handover),
            zone=ZoneInfo(section.timezone or default_zone),
            overrides=tuple(
                Override(one.first, one.last or one.first, one.member) for one in section.overrides
            ),
        )

    def on_call(self, at_s: float) -> Duty:
        """Who is on call at `at_s`. A day begins at the handover: before it, yesterday's member still is."""
        day = datetime.fromtimestamp(at_s, self.zone).date()
        if at_s < instant(day, self.handover_min, self.zone):
            day -= timedelta(days=1)
        for override in reversed(self.overrides):
            if override.first <= day <= override.last:
                return Duty(override.member, self._handover_after(override.last), is_override=True)
        turn = max((day - self.start).days // self.turn_days, 0)
        last = self.start + timedelta(days=(turn + 1) * self.turn_days - 1)
        return Duty(self.members[turn % len(self.members)], self._handover_after(last))

    def _handover_after(self, day: date) -> float:
        return instant(day + timedelta(days=1), self.handover_min, self.zone)
