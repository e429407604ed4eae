"""Which reports are due. Pure: cron expressions on the wall clock of a zone, whatever that clock does.

An occurrence is known by what the wall clock says, so an hour that comes twice has its occurrences once; a time that
the clock skips in spring is told when the clock has passed it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import CroniterBadCronError, CroniterBadDateError, croniter

LOOK_BACK = 31
"""Occurrences before the newest one that are looked at; those before were missed too long ago to be told."""

_LEAST_APART = timedelta(hours=1)
_FIELDS = 5


class Kind(Enum):
    """How long a time a report is about."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


DEFAULT_CRON = {Kind.DAILY: "0 9 * * *", Kind.WEEKLY: "0 9 * * 1", Kind.MONTHLY: "0 9 1 * *"}


class Fate(Enum):
    """What becomes of an occurrence."""

    SENT = "sent"
    LATE = "late"  # sent, but not when it was due
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time at which a report is due: `key` on the wall clock, `at_s` in Unix seconds."""

    key: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Period:
    """The time that a report is about, in Unix seconds."""

    since_s: float
    until_s: float

    @property
    def length_s(self) -> float:
        return self.until_s - self.since_s


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now: `send` one occurrence, give the `skipped` ones up. `late_s` is 0 for one in time."""

    send: Occurrence | None
    skipped: tuple[Occurrence, ...]
    late_s: float = 0.0

    @property
    def fate(self) -> Fate:
        """Of `send`."""
        return Fate.LATE if self.late_s else Fate.SENT


def checked_cron(text: str) -> str:
    """`text` as it is when it is a cron expression of five fields that comes at most hourly. Raises ValueError."""
    if len(text.split()) != _FIELDS:
        raise ValueError('must be a cron expression of five fields, such as "0 9 * * *"')
    try:
        times = croniter(text, datetime(2026, 1, 1), ret_type=datetime)  # noqa: DTZ001  a wall clock
        first = [times.get_next(datetime) for _ in range(50)]
    except (CroniterBadCronError, CroniterBadDateError, ValueError, KeyError) as error:
        raise ValueError('must be a cron expression that comes about, such as "0 9 * * *"') from error
    if any(later - earlier < _LEAST_APART for earlier, later in pairwise(first)):
        raise ValueError("must not come more often than once an hour")
    return text


class Timetable:
    """When a report is due: a cron expression that was checked, on the wall clock of `zone`."""

    def __init__(self, cron: str, zone: ZoneInfo) -> None:
        self._cron = cron
        self._zone = zone

    @property
    def signature(self) -> str:
        """Changes when the times do."""
        return f"{self._cron} {self._zone.key}"

    def before(self, now_s: float) -> Iterator[Occurrence]:
        """Occurrences up to `now_s`, the newest first."""
        # A day more, since a wall clock that went back shows a time that was there before.
        start = datetime.fromtimestamp(now_s, self._zone).replace(tzinfo=None) + timedelta(days=1)
        times = croniter(self._cron, start, ret_type=datetime)
        while True:
            try:
                occurrence = self._occurrence(times.get_prev(datetime))
            except CroniterBadDateError:
                return
            if occurrence.at_s <= now_s:
                yield occurrence

    def next(self, now_s: float) -> Occurrence:
        """The first occurrence after `now_s`."""
        start = datetime.fromtimestamp(now_s, self._zone).replace(tzinfo=None) - timedelta(days=1)
        times = croniter(self._cron, start, ret_type=datetime)
        while True:
            occurrence = self._occurrence(times.get_next(datetime))
            if occurrence.at_s > now_s:
                return occurrence

    def _occurrence(self, wall: datetime) -> Occurrence:
        """Of times that come twice the first; one that never comes is at the offset from before the change."""
        return Occurrence(f"{wall:%Y-%m-%dT%H:%M}", wall.replace(tzinfo=self._zone).timestamp())


def candidates(timetable: Timetable, now_s: float, since_s: float) -> tuple[Occurrence, ...]:
    """Occurrences after `since_s` up to `now_s`, the newest first, no more than are ever looked at."""
    found: list[Occurrence] = []
    for occurrence in timetable.before(now_s):
        if occurrence.at_s <= since_s or len(found) > LOOK_BACK:
            break
        found.append(occurrence)
    return tuple(found)


def due(
    occurrences: tuple[Occurrence, ...],
    claimed: Collection[str],
    now_s: float,
    *,
    late_within_s: float,
    in_time_s: float = 120.0,
) -> Due | None:
    """What to do about `occurrences`, the newest first, of which those in `claimed` (keys) are done; None: nothing.

    Only the newest is ever sent: what an older one would say is in it, or is no news any more.
    """
    missed = [one for one in occurrences if one.key not in claimed]
    if not missed:
        return None
    newest, late_s = missed[0], now_s - missed[0].at_s
    if newest == occurrences[0] and late_s <= late_within_s:
        return Due(newest, tuple(missed[1:]), late_s if late_s > in_time_s else 0.0)
    return Due(None, tuple(missed))


def period(kind: Kind, at_s: float, zone: ZoneInfo) -> Period:
    """What a report at `at_s` is about: the day until then, or the seven days, or the month, until that midnight.

    Whole days on the wall clock: one of 23 or 25 hours counts as it was.
    """
    moment = datetime.fromtimestamp(at_s, zone)
    if kind is Kind.DAILY:
        return Period(_timestamp(moment - timedelta(days=1)), at_s)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    start = midnight - timedelta(days=7) if kind is Kind.WEEKLY else _month_before(midnight)
    return Period(_timestamp(start), _timestamp(midnight))


def _month_before(moment: datetime) -> datetime:
    """The same day of the month before, or its last day."""
    last = moment.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(moment.day, last.day))


def _timestamp(moment: datetime) -> float:
    """By way of UTC, since differences within one zone are of the wall clock."""
    return moment.astimezone(UTC).timestamp()
