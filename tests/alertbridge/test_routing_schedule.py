"""Hours and turns follow the clock on the wall, over midnight and when clocks change."""

import pytest

from alertbridge.deliver.route.schedule import Rota, Schedule
from alertbridge.deliver.route.times import RotaSection, ScheduleSection
from tests.fakes.told import moment

NIGHT = {"name": "night", "hours": "22:00-06:00"}
OFFICE = {"name": "office", "days": "mon-fri", "hours": ["08:00-12:00", "13:00-17:00"]}


def schedule(given: dict[str, object], zone: str = "Asia/Jakarta") -> Schedule:
    return Schedule.of(ScheduleSection.model_validate(given), zone)


@pytest.mark.parametrize(
    ("given", "at", "covered"),
    [
        (NIGHT, "2026-02-03T21:59:59", False),
        (NIGHT, "2026-02-03T22:00:00", True),
        (NIGHT, "2026-02-04T00:00:00", True),
        (NIGHT, "2026-02-04T05:59:59", True),
        (NIGHT, "2026-02-04T06:00:00", False),
        (OFFICE, "2026-02-03T08:00:00", True),
        (OFFICE, "2026-02-03T12:30:00", False),
        (OFFICE, "2026-02-07T09:00:00", False),  # a Saturday
        ({**OFFICE, "except_dates": ["2026-02-03"]}, "2026-02-03T09:00:00", False),
        ({**NIGHT, "days": "fri"}, "2026-02-07T03:00:00", True),  # Friday's night ends on Saturday
        ({**NIGHT, "days": "fri"}, "2026-02-06T03:00:00", False),
        ({**OFFICE, "timezone": "Asia/Makassar"}, "2026-02-03T07:00:00+08:00", False),
        ({**OFFICE, "timezone": "Asia/Makassar"}, "2026-02-03T08:00:00+08:00", True),
        ({"name": "weekend", "days": "sat-sun"}, "2026-02-08T23:59:00", True),
        ({"name": "around", "days": "sat-mon"}, "2026-02-09T12:00:00", True),
    ],
)
def test_hours_cover_what_they_say(given: dict[str, object], at: str, covered: bool) -> None:
    """The first moment belongs to the hours, the last does not; a night belongs to the day that it begins on."""
    assert schedule(given).covers(moment(at)) is covered


@pytest.mark.parametrize(
    ("given", "at", "end"),
    [
        (NIGHT, "2026-02-03T23:00:00", "2026-02-04T06:00:00"),
        (NIGHT, "2026-02-04T01:00:00", "2026-02-04T06:00:00"),
        (NIGHT, "2026-02-04T12:00:00", None),
        ({"name": "weekend", "days": "sat-sun"}, "2026-02-07T09:00:00", "2026-02-09T00:00:00"),
        ({"name": "x", "days": "fri-sun", "hours": ["18:00-24:00", "00:00-08:00"]},
         "2026-02-06T19:00:00", "2026-02-07T08:00:00"),
    ],
)  # fmt: skip
def test_the_end_of_hours_is_known(given: dict[str, object], at: str, end: str | None) -> None:
    """Hours that follow each other without a gap end together."""
    assert schedule(given).ends_after(moment(at)) == (moment(end) if end else None)


def test_hours_keep_their_time_of_day_when_clocks_change() -> None:
    """In Berlin the night of the change to summer time has 7 hours, that of the change back 9."""
    night = schedule(NIGHT, "Europe/Berlin")
    spring, autumn = moment("2026-03-28T22:00:00+01:00"), moment("2026-10-24T22:00:00+02:00")
    assert night.ends_after(spring) == spring + 7 * 3600
    assert night.ends_after(autumn) == autumn + 9 * 3600


def test_hours_that_begin_in_the_skipped_hour_begin_after_it() -> None:
    """02:30 does not exist on that morning; what begins then begins at 03:30 by the new time."""
    early = schedule({"name": "early", "hours": "02:30-05:00"}, "Europe/Berlin")
    assert not early.covers(moment("2026-03-29T03:29:00+02:00"))
    assert early.covers(moment("2026-03-29T03:30:00+02:00"))


def test_a_schedule_without_an_end_is_known_as_such() -> None:
    """Every moment of the week is covered, and the end is looked for no further than eight days."""
    always = schedule({"name": "always"})
    assert always.never_ends
    assert not schedule(NIGHT).never_ends
    assert schedule({"name": "both", "hours": ["06:00-22:00", "22:00-06:00"]}).never_ends
    end = always.ends_after(moment("2026-02-03T12:00:00"))
    assert end is not None
    assert end < moment("2026-02-14T00:00:00")


def rota(**more: object) -> Rota:
    given = {"name": "oncall", "start": "2026-01-05", "members": ["budi", "ani", "sari"], **more}
    return Rota.of(RotaSection.model_validate(given), "Asia/Jakarta")


@pytest.mark.parametrize(
    ("at", "member"),
    [
        ("2025-12-01T12:00:00", "budi"),
        ("2026-01-05T08:00:00", "budi"),
        ("2026-01-12T07:59:59", "budi"),
        ("2026-01-12T08:00:00", "ani"),
        ("2026-01-19T08:00:00", "sari"),
        ("2026-01-26T08:00:00", "budi"),
        ("2027-01-04T08:00:00", "ani"),
    ],
)
def test_members_take_turns_by_the_week(at: str, member: str) -> None:
    """A turn begins at the handover; before the start the first member is on call."""
    assert rota().on_call(moment(at)).member == member


def test_somebody_may_stand_in() -> None:
    """An override holds from its first day's handover to that after its last; the last entry counts."""
    duties = rota(
        overrides=[
            {"first": "2026-01-06", "last": "2026-01-08", "member": "sari"},
            {"first": "2026-01-08", "member": "ani"},
        ]
    )
    members = {day: duties.on_call(moment(f"2026-01-{day:02}T08:00:00")).member for day in range(5, 11)}
    assert members == {5: "budi", 6: "sari", 7: "sari", 8: "ani", 9: "budi", 10: "budi"}
    assert duties.on_call(moment("2026-01-06T07:00:00")).member == "budi"
    assert duties.on_call(moment("2026-01-08T12:00:00")).until_s == moment("2026-01-09T08:00:00")


def test_turns_may_be_days() -> None:
    """With turns of a day the next member comes each morning."""
    duties = rota(turn="day", handover="00:00")
    assert [duties.on_call(moment(f"2026-01-0{day}T12:00:00")).member for day in (5, 6, 7, 8)] == [
        "budi",
        "ani",
        "sari",
        "budi",
    ]


def test_a_handover_keeps_its_hour_when_clocks_change() -> None:
    """The week of the change has an hour less; the handover is at 08:00 all the same."""
    duties = rota(timezone="Europe/Berlin", start="2026-03-23")
    assert duties.on_call(moment("2026-03-30T07:59:00+02:00")).member == "budi"
    assert duties.on_call(moment("2026-03-30T08:00:00+02:00")).member == "ani"
