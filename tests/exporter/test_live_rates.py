"""What the live page asks, and how counters become rates: the parts without a loop."""

import json

import pytest

from exporter.live.rates import NO_RATE, Meters
from exporter.live.reading import NAMES_LIMIT, questions
from exporter.live.subjects import PLACES, Kind, Subject, parse_subject, parse_subjects
from exporter.live.users import ROWS_LIMIT, User, users_json


@pytest.mark.parametrize("text", ["interface:ether1", "ppp:<pppoe-home 1>", "queue:a:b", 'hotspot:02:00 "x"'])
def test_a_subject_is_written_as_it_is_read(text: str) -> None:
    """A key gives a subject and the subject the key; only the first colon parts them."""
    assert parse_subject(text).key == text


@pytest.mark.parametrize(
    "text", ["", "ether1", "interface:", "disk:1", ":x", "queue:a\nb", "tree:" + "x" * 201]
)
def test_what_is_no_subject_is_refused(text: str) -> None:
    """A kind that there is not, no name, and names that no router has."""
    with pytest.raises(ValueError, match=r"KIND:NAME|printable"):
        parse_subject(text)


def test_subjects_are_bounded_and_each_comes_once() -> None:
    """Naming one twice is no harm, one too many is refused."""
    assert len(parse_subjects(["queue:a", "queue:a", "queue:b"], limit=2)) == 2
    with pytest.raises(ValueError, match="3 things are too many"):
        parse_subjects(["queue:a", "queue:b", "queue:c"], limit=2)


def test_one_question_per_menu_names_what_is_watched() -> None:
    """Interfaces and PPP sessions share a menu; the rows wanted are named, so that no other is sent."""
    wanted = [Subject(Kind.INTERFACE, "ether1"), Subject(Kind.PPP, "<pppoe-a>"), Subject(Kind.QUEUE, "q=1")]
    asked = {question.path: question for question in questions(wanted, users=False)}
    assert set(asked) == {"/interface", "/queue/simple"}
    assert asked["/interface"].queries == ("?name=ether1", "?name=<pppoe-a>", "?#|")
    assert asked["/interface"].fields == (".id", "name", "rx-byte", "tx-byte")
    assert asked["/queue/simple"].queries == ("?name=q=1",)


def test_names_that_cannot_be_asked_for_are_searched_for() -> None:
    """With a name beyond ASCII, whose bytes on the router are unknown, or very many names, the table is read."""
    accented = questions([Subject(Kind.INTERFACE, "café"), Subject(Kind.INTERFACE, "a")], users=False)
    many = [Subject(Kind.QUEUE, f"q{n}") for n in range(NAMES_LIMIT + 1)]
    assert [question.queries for question in (*accented, *questions(many, users=False))] == [(), ()]


def test_the_table_of_users_reads_three_menus_whole() -> None:
    """Sessions, their interfaces, and guests; of interfaces only those of sessions and those that are watched."""
    wanted = [Subject(Kind.INTERFACE, "ether1"), Subject(Kind.HOTSPOT, "02:00:00:00:00:01")]
    asked = {question.path: question for question in questions(wanted, users=True)}
    assert set(asked) == {"/interface", "/ppp/active", "/ip/hotspot/active"}
    assert asked["/ip/hotspot/active"].queries == asked["/ppp/active"].queries == ()
    assert "?type=pppoe-in" in asked["/interface"].queries
    assert "?name=ether1" in asked["/interface"].queries
    assert {"user", "uptime", "mac-address", "bytes-in"} <= set(asked["/ip/hotspot/active"].fields)


@pytest.mark.parametrize(
    ("kind", "row", "counted"),
    [
        (Kind.INTERFACE, {"rx-byte": "1", "tx-byte": "2"}, (1, 2)),
        (Kind.PPP, {"rx-byte": "1", "tx-byte": "2"}, (2, 1)),
        (Kind.QUEUE, {"bytes": "1/2"}, (2, 1)),
        (Kind.HOTSPOT, {"bytes-in": "1", "bytes-out": "2"}, (2, 1)),
        (Kind.TREE, {"bytes": "7"}, (7, None)),
        (Kind.QUEUE, {}, (None, None)),
        (Kind.INTERFACE, {"rx-byte": "n/a"}, (None, None)),
    ],
)
def test_directions(kind: Kind, row: dict[str, str], counted: tuple[int | None, int | None]) -> None:
    """An interface tells what comes in and goes out, a subscriber what it downloads and uploads."""
    assert PLACES[kind].read(row) == counted


def measured(*readings: tuple[float, str, int, int]) -> list[tuple[float | None, float | None]]:
    """Rates of one row at each reading: time, id, counters."""
    meters, found = Meters(), []
    for at_s, row_id, one, other in readings:
        meters.begin_round()
        found.append(meters.rate("a", at_s, row_id, (one, other)))
        meters.end_round(complete=True)
    return found


def test_rates_are_over_the_time_between_the_readings() -> None:
    """Bits per second of the time that passed, which is not always the same."""
    assert measured((10.0, "*1", 0, 1000), (12.0, "*1", 500, 1000), (17.0, "*1", 1500, 3500)) == [
        NO_RATE,
        (2000.0, 0.0),
        (1600.0, 4000.0),
    ]


def test_counters_that_begin_anew_give_no_rate() -> None:
    """Neither a reset, nor a session that took the place of another, makes a rate; the next reading does."""
    found = measured((0.0, "*1", 900, 5), (2.0, "*1", 100, 5), (4.0, "*1", 200, 5), (6.0, "*2", 900, 5))
    assert found == [NO_RATE, (None, 0.0), (400.0, 0.0), NO_RATE]


def test_what_is_gone_for_a_reading_is_new_when_it_comes_back() -> None:
    """Unless that reading could not read its menu: then the rate is over the longer time."""
    for complete, rate in ((True, NO_RATE), (False, (2000.0, 0.0))):
        meters = Meters()
        for at_s, counter in ((0.0, 0), (2.0, None), (4.0, 1000)):
            meters.begin_round()
            if counter is not None:
                last = meters.rate("a", at_s, "*1", (counter, 0))
            meters.end_round(complete=complete)
        assert last == rate  # the loop has run


def test_a_row_asked_for_twice_has_one_rate() -> None:
    """A subscriber who is charted and in the table of users shows the same number in both."""
    meters = Meters()
    for at_s, counter in ((0.0, 0), (2.0, 1000)):
        meters.begin_round()
        first = meters.rate("a", at_s, "*1", (counter, 0))
        assert meters.rate("a", at_s, "*1", (counter, 0)) == first
    assert first == (4000.0, 0.0)


def someone(number: int) -> User:
    return User(
        "hotspot", f"guest-{number}", f"10.0.0.{number}", 5.0, (8.0, None), (1, 2), f"hotspot:{number}"
    )


def test_the_list_of_users_is_bounded_and_says_how_many_there_are() -> None:
    """Of very many users the page is sent some, and how many are online and match."""
    everybody = [someone(number) for number in range(ROWS_LIMIT + 5)]
    told = json.loads(users_json(everybody, ""))
    assert (told["online"], told["matching"], len(told["rows"])) == (
        ROWS_LIMIT + 5,
        ROWS_LIMIT + 5,
        ROWS_LIMIT,
    )
    found = json.loads(users_json(everybody, "GUEST-7 10.0.0.7"))
    assert found["rows"][0] == ["hotspot", "guest-7", "10.0.0.7", 5.0, 8, None, 1, 2, "hotspot:7"]
    assert found["matching"] == sum(
        "guest-7" in user.name and "10.0.0.7" in user.address for user in everybody
    )
