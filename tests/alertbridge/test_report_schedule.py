"""Every occurrence of a report comes about once, whatever clocks, restarts and daylight saving do."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.report.config import ALL_SECTIONS, ReportEntry, report_faults
from alertbridge.report.model import Part
from alertbridge.report.schedule import (
    DEFAULT_CRON,
    LOOK_BACK,
    Due,
    Kind,
    Occurrence,
    Timetable,
    candidates,
    checked_cron,
    due,
    period,
)
from alertbridge.report.sections import SECTIONS
from alertbridge.report.words import WORDS

JAKARTA, BERLIN, LORD_HOWE = map(ZoneInfo, ("Asia/Jakarta", "Europe/Berlin", "Australia/Lord_Howe"))
HOUR_S, DAY_S = 3600.0, 86_400.0


def at(text: str, zone: ZoneInfo = JAKARTA, fold: int = 0) -> float:
    """Unix seconds of a time on the wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def keys(timetable: Timetable, since_s: float, until_s: float) -> list[str]:
    """Occurrences within a time, the oldest first."""
    return [one.key for one in reversed(candidates(timetable, until_s, since_s))]


def test_a_daily_report_comes_at_nine_on_the_wall_clock() -> None:
    """09:00 in Jakarta is 02:00 UTC, and the next one is a day later."""
    timetable = Timetable(DEFAULT_CRON[Kind.DAILY], JAKARTA)
    nine_s = at("2026-11-23T09:00")
    assert next(timetable.before(nine_s)) == Occurrence("2026-11-23T09:00", nine_s)
    assert next(timetable.before(nine_s - 1)).key == "2026-11-22T09:00"
    assert timetable.next(nine_s) == Occurrence("2026-11-24T09:00", nine_s + DAY_S)


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *", "0 3 * * *", "59 1 * * *"])
def test_the_nights_of_the_change_have_one_report_each(cron: str) -> None:
    """Neither the hour that Berlin skips in spring nor the one that comes twice in autumn adds or loses a report."""
    timetable = Timetable(cron, BERLIN)
    for noon, days in (("2026-03-27T12:00", 4), ("2026-10-23T12:00", 4)):
        since_s = at(noon, BERLIN)
        found = keys(timetable, since_s, since_s + days * DAY_S)
        assert [key[:10] for key in found] == [
            f"{noon[:8]}{int(noon[8:10]) + day:02d}" for day in range(1, days + 1)
        ]


def test_a_time_that_the_clock_skips_is_told_when_it_has_passed_it() -> None:
    """02:30 on the spring night is 03:30 as clocks show it then: never before 02:30 would have been."""
    (found,) = candidates(
        Timetable("30 2 * * *", BERLIN), at("2026-03-29T12:00", BERLIN), at("2026-03-29T00:00", BERLIN)
    )
    assert found == Occurrence("2026-03-29T02:30", at("2026-03-29T03:30", BERLIN))


def test_the_second_of_two_equal_hours_is_no_second_occurrence() -> None:
    """At 02:30 in the second pass of Berlin's autumn night the occurrence of the first pass is the newest."""
    timetable = Timetable("30 2 * * *", BERLIN)
    first_s, second_s = at("2026-10-25T02:30", BERLIN), at("2026-10-25T02:30", BERLIN, fold=1)
    assert second_s - first_s == HOUR_S
    assert next(timetable.before(first_s)) == next(timetable.before(second_s + 60))


@given(
    moves=st.lists(
        st.tuples(
            st.floats(-2 * DAY_S, 4 * DAY_S), st.booleans(), st.sampled_from(["look", "crash", "restart"])
        ),
        max_size=60,
    ),
    zone=st.sampled_from([JAKARTA, BERLIN, LORD_HOWE]),
    cron=st.sampled_from(["0 9 * * *", "30 2 * * *", "0 0 * * 1", "15 */6 * * *"]),
    start_s=st.floats(at("2026-03-20T00:00", BERLIN), at("2026-11-10T00:00", BERLIN)),
)
@settings(max_examples=300)
def test_each_occurrence_is_done_once_whatever_happens(
    moves: list[tuple[float, bool, str]], zone: ZoneInfo, cron: str, start_s: float
) -> None:
    """Clocks that go forth and back, two replicas with their own view of what is claimed, crashes before the claim:
    nothing is sent twice, what is sent is not too old, and what was passed by is claimed in the end."""
    timetable, late_s = Timetable(cron, zone), 6 * HOUR_S
    table: dict[str, str] = {}
    sent: list[str] = []
    now_s = since_s = start_s

    def claim(found: Due) -> None:
        """The transaction: all of it, or nothing when the first is taken."""
        first = found.send or found.skipped[0]
        if first.key in table:
            return
        table[first.key] = "skipped"
        if found.send is not None:
            table[first.key] = "sent"
            sent.append(first.key)
        for occurrence in found.skipped:
            table.setdefault(occurrence.key, "skipped")

    for move_s, two_replicas, event in moves:
        now_s = max(start_s, now_s + move_s)
        views = [
            due(candidates(timetable, now_s, since_s), frozenset(table), now_s, late_within_s=late_s)
            for _ in range(2 if two_replicas else 1)
        ]
        for found in views:
            if found is None or event == "crash":
                continue
            if found.send is not None:
                assert now_s - found.send.at_s <= late_s
                assert found.send.at_s > since_s
            claim(found)
        if event != "crash":
            assert (
                due(candidates(timetable, now_s, since_s), frozenset(table), now_s, late_within_s=late_s)
                is None
            )
    assert len(sent) == len(set(sent))


def test_what_is_too_late_is_given_up_and_what_came_before_it_as_well() -> None:
    """After three days of silence the report of today is sent late; after the limit, all are given up."""
    timetable = Timetable("0 9 * * *", JAKARTA)
    since_s = at("2026-11-20T10:00")

    def found(now: str) -> Due | None:
        now_s = at(now)
        return due(candidates(timetable, now_s, since_s), frozenset(), now_s, late_within_s=6 * HOUR_S)

    late = found("2026-11-23T11:00")
    assert late is not None
    assert late.send is not None
    assert (late.send.key, late.late_s, len(late.skipped)) == ("2026-11-23T09:00", 2 * HOUR_S, 2)
    missed = found("2026-11-23T15:01")
    assert missed is not None
    assert (missed.send, len(missed.skipped)) == (None, 3)
    assert found("2026-11-20T23:00") is None


def test_years_of_silence_are_not_counted_out() -> None:
    """Only so many occurrences are ever looked at."""
    found = candidates(Timetable("0 9 * * *", JAKARTA), at("2026-11-23T11:00"), at("2020-01-01T00:00"))
    assert len(found) == LOOK_BACK + 1


def test_periods_are_whole_days_on_the_wall_clock() -> None:
    """A day of 25 hours is 25 hours long; a week and a month end at midnight; March the 31st has a February."""
    day = period(Kind.DAILY, at("2026-10-25T09:00", BERLIN), BERLIN)
    assert day.length_s == 25 * HOUR_S
    week = period(Kind.WEEKLY, at("2026-11-23T09:00"), JAKARTA)
    assert (week.since_s, week.until_s) == (at("2026-11-16T00:00"), at("2026-11-23T00:00"))
    month = period(Kind.MONTHLY, at("2026-12-01T09:00"), JAKARTA)
    assert (month.since_s, month.until_s) == (at("2026-11-01T00:00"), at("2026-12-01T00:00"))
    odd = period(Kind.MONTHLY, at("2026-03-31T09:00"), JAKARTA)
    assert odd.since_s == at("2026-02-28T00:00")


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("", "five fields"),
        ("0 9 * *", "five fields"),
        ("0 9 * * * *", "five fields"),
        ("@daily", "five fields"),
        ("61 9 * * *", "comes about"),
        ("0 9 30 2 *", "comes about"),
        ("a b c d e", "comes about"),
        ("*/5 * * * *", "once an hour"),
        ("0,30 9 * * *", "once an hour"),
    ],
)
def test_a_cron_expression_that_makes_no_sense_is_refused(cron: str, why: str) -> None:
    """With a sentence that says what is wanted."""
    with pytest.raises(ValueError, match=why):
        checked_cron(cron)


def test_faults_between_sections_are_told_with_their_places() -> None:
    """A name that is used twice, recipients that nobody bears, reports without a Prometheus."""
    faults = list(
        report_faults(
            {
                "recipients": [{"name": "noc"}],
                "reports": [{"name": "a", "recipients": ["nocc"]}, {"name": "a", "recipients": "boss"}, 7],
                "deadman": {"recipients": ["noc", "hq"]},
            }
        )
    )
    assert [
        (one["loc"], str(one["type"].message())) for one in faults if not isinstance(one["type"], str)
    ] == [
        (("reports", 0, "recipients", 0), 'there is no recipient "nocc"; did you mean "noc"?'),
        (("reports", 1, "name"), "reports[0] has this name already; names must differ"),
        (("reports", 1, "recipients"), 'there is no recipient "boss"; allowed: noc'),
        (("deadman", "recipients", 1), 'there is no recipient "hq"; allowed: noc'),
        (("reports",), "needs the section prometheus, which reports are made from"),
    ]


def test_every_section_has_a_writer_and_words() -> None:
    """The names of the configuration, the parts, their writers and their headings are the same."""
    assert set(ALL_SECTIONS) == {part.value for part in Part} == {part.value for part in SECTIONS}
    for table in WORDS.values():
        assert set(table.headings) == set(Part)
    assert ReportEntry(name="a", recipients=("noc",)).sections == ALL_SECTIONS
