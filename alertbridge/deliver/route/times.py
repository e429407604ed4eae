"""The `schedules:` and `rotas:` lists: hours of the week, and who is on call in which week."""

import re
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import InitErrorDetails

from runtime.sections import Section, Surroundings, fault

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60

_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def one_or_more(value: object) -> object:
    """A single word where a list is wanted counts as a list of one."""
    return [value] if isinstance(value, str) else value


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # a path, a folder, a name that nobody knows
        raise ValueError("must be a time zone such as Asia/Jakarta, Asia/Makassar or UTC") from None
    return name


def parse_days(text: str) -> frozenset[int]:
    """Days of the week, 0 = Monday, of ``mon``, ``mon-fri`` or ``sat-mon``. Raises ValueError."""
    first, dash, last = text.strip().lower().partition("-")
    ends = [first.strip(), last.strip() if dash else first.strip()]
    if any(end not in DAYS for end in ends):
        raise ValueError("must be a day or days such as mon, mon-fri, sat-sun")
    start, stop = DAYS.index(ends[0]), DAYS.index(ends[1])
    return frozenset((start + step) % 7 for step in range((stop - start) % 7 + 1))


def _checked_days(text: str) -> str:
    parse_days(text)
    return text


def parse_clock(text: str) -> int:
    """Minutes since midnight of ``HH:MM``; 24:00 is the end of the day. Raises ValueError."""
    found = _CLOCK.fullmatch(text.strip())
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else -1
    if not 0 <= minutes <= DAY_MINUTES:
        raise ValueError("must be a time of day such as 08:00")
    return minutes


def parse_hours(text: str) -> tuple[int, int]:
    """Start and end in minutes since midnight of ``HH:MM-HH:MM``; an end past 24:00 is on the next day.

    Raises ValueError.
    """
    found = _HOURS.fullmatch(text.strip())
    if not found:
        raise ValueError("must be hours such as 08:00-17:00 or 22:00-06:00")
    start, end = parse_clock(f"{found[1]}:{found[2]}"), parse_clock(f"{found[3]}:{found[4]}")
    if start in (end, DAY_MINUTES):
        raise ValueError("must not be empty; the whole day is 00:00-24:00")
    return start, end if end > start else end + DAY_MINUTES


def _checked_hours(text: str) -> str:
    parse_hours(text)
    return text


def _checked_handover(text: str) -> str:
    if parse_clock(text) == DAY_MINUTES:
        raise ValueError("must be a time of day from 00:00 to 23:59")
    return text


def _only_iso(value: object) -> object:
    """Dates as they are written; a number would be taken for seconds since 1970."""
    if not isinstance(value, date | str) or (isinstance(value, str) and not _ISO_DATE.fullmatch(value)):
        raise ValueError("must be a date such as 2026-08-17")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.\-+ ]+$")]
"""What the operator calls a recipient, route, schedule or rota."""
Zone = Annotated[str, AfterValidator(_checked_zone)]
DaysText = Annotated[str, AfterValidator(_checked_days)]
HoursText = Annotated[str, AfterValidator(_checked_hours)]
ClockText = Annotated[str, AfterValidator(_checked_handover)]
IsoDate = Annotated[date, BeforeValidator(_only_iso)]


class ScheduleSection(Section):
    """Hours of the week, such as working hours or the night. Hours past midnight belong to the day they begin on."""

    name: Name = Field(description="What routes call it.")
    days: Annotated[tuple[DaysText, ...], BeforeValidator(one_or_more)] = Field(
        default=("mon-sun",), min_length=1, description="Days of the week, such as `mon-fri` or `[sat, sun]`."
    )
    hours: Annotated[tuple[HoursText, ...], BeforeValidator(one_or_more)] = Field(
        default=("00:00-24:00",),
        min_length=1,
        description="Hours of each of those days, such as `08:00-17:00` or `22:00-06:00`.",
    )
    except_dates: Annotated[tuple[IsoDate, ...], BeforeValidator(one_or_more)] = Field(
        default=(), description="Dates on which it does not begin, such as public holidays."
    )
    timezone: Zone | None = Field(
        default=None, description="Time zone of the hours; that of `delivery` when left out."
    )


class OverrideSection(Section):
    """Somebody else is on call on these days."""

    first: IsoDate = Field(description="First day, from its handover on.")
    last: IsoDate | None = Field(
        default=None, description="Last day, until the handover of the next one; `first` when left out."
    )
    member: Name = Field(description="The recipient who is on call then.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        first, last = given.get("first"), given.get("last")
        if isinstance(first, str) and isinstance(last, str) and last < first:
            faults.append(fault("must not be before first", "last"))
        return given


class RotaSection(Section):
    """Who is on call: the members take turns, beginning with the first of them at `start`."""

    name: Name = Field(description="What routes call it.")
    start: IsoDate = Field(description="The day on which the first member's first turn begins.")
    members: tuple[Name, ...] = Field(min_length=1, description="Recipients, in the order of their turns.")
    handover: ClockText = Field(default="08:00", description="Time of day at which a turn begins and ends.")
    turn: Literal["day", "week"] = Field(default="week", description="How long a turn lasts.")
    timezone: Zone | None = Field(
        default=None, description="Time zone of the handover; that of `delivery` when left out."
    )
    overrides: tuple[OverrideSection, ...] = Field(
        default=(), description="Days on which somebody else is on call; the last entry that fits counts."
    )
