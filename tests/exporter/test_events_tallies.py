"""Changes of menus are counted rightly: once each, over gaps too, and nothing before counting began."""

import pytest

from exporter.events.families import (
    LINK_DOWNS,
    LINK_UPS,
    LOGINS_FAILED,
    SESSION_END_REASONS,
    SESSIONS_ENDED,
    SESSIONS_STARTED,
)
from exporter.events.logtally import REASONS, LogTally
from exporter.events.tallies import LinkTally, SessionTally


def port(running: str, downs: str | None = None, **more: str) -> dict[str, str]:
    row = {".id": "*1", "name": "ether1", "type": "ether", "running": running, **more}
    return row if downs is None else {**row, "link-downs": downs}


def session(number: int, name: str = "", service: str = "pppoe") -> dict[str, str]:
    return {".id": f"*{number}", "name": name or f"home-{number}", "service": service}


def dead(number: int) -> dict[str, str]:
    return {".id": f"*{number}", ".dead": "true"}


def sessions() -> SessionTally:
    return SessionTally((".id", "name", "service"), service=None, always=("pppoe", "l2tp"))


def test_links_are_counted_as_they_change() -> None:
    """Down and up are told apart; a row that changes otherwise is no event; all begin at 0."""
    tally = LinkTally()
    tally.snapshot([port("true", "7")])
    assert tally.counts() == {LINK_DOWNS: {("ether1",): 0}, LINK_UPS: {("ether1",): 0}}
    for row in (
        port("false", "8"),
        port("true", "8"),
        port("true", "8", disabled="false"),
        port("false", "9"),
    ):
        tally.row(row)
    assert tally.counts()[LINK_DOWNS] == {("ether1",): 2}
    assert tally.counts()[LINK_UPS] == {("ether1",): 1}


def test_flaps_during_a_gap_are_counted_by_the_router() -> None:
    """What the router counted while no stream was there is taken over when the next one begins."""
    tally = LinkTally()
    tally.snapshot([port("true", "7")])
    tally.snapshot([port("true", "12")])
    assert tally.counts()[LINK_DOWNS]["ether1",] == 5
    tally.snapshot([port("true", "0")])  # the router was rebooted
    assert tally.counts()[LINK_DOWNS]["ether1",] == 5


def test_an_interface_without_a_count_of_its_own_is_watched_all_the_same() -> None:
    """Where `link-downs` is missing the change itself counts; one that somebody disabled lost no link."""
    tally = LinkTally()
    tally.snapshot([port("true")])
    tally.row(port("false"))
    tally.row(port("true"))
    tally.row(port("false", disabled="true"))
    assert tally.counts()[LINK_DOWNS]["ether1",] == 1


def test_interfaces_of_sessions_are_no_links() -> None:
    """A subscriber who hangs up is not a port that lost its cable, and there is no series for each of them."""
    tally = LinkTally()
    tally.snapshot([])
    tally.row({".id": "*F1", "name": "<pppoe-a>", "type": "pppoe-in", "running": "true"})
    tally.row({".id": "*F1", ".dead": "true"})
    assert tally.counts()[LINK_DOWNS] == {}


def test_sessions_that_come_and_go_are_counted_by_service() -> None:
    """Those that were there at first are not counted as started, but their end is; unknown ends are none."""
    tally = sessions()
    tally.row(session(9))  # before the first look nothing is known
    tally.snapshot([session(1)])
    for row in (session(2), session(2), session(3, service="l2tp"), dead(1), dead(2), dead(7)):
        tally.row(row)
    assert tally.counts()[SESSIONS_STARTED] == {("pppoe",): 1, ("l2tp",): 1}
    assert tally.counts()[SESSIONS_ENDED] == {("pppoe",): 2, ("l2tp",): 0}


def test_a_gap_costs_no_session_that_still_shows() -> None:
    """Who came and who went while no stream was there is found by looking; an id used anew is another session."""
    tally = sessions()
    tally.snapshot([session(1), session(2), session(3)])
    tally.snapshot([session(2), session(3, name="someone-else"), session(4)])
    assert tally.counts()[SESSIONS_STARTED]["pppoe",] == 2
    assert tally.counts()[SESSIONS_ENDED]["pppoe",] == 2
    tally.row(session(4, name="third"))
    assert tally.counts()[SESSIONS_STARTED]["pppoe",] == 3
    assert tally.counts()[SESSIONS_ENDED]["pppoe",] == 3


def line(number: int, topics: str, message: str) -> dict[str, str]:
    return {".id": f"*{number:X}", "topics": topics, "message": message}


@pytest.mark.parametrize(
    ("topics", "message", "told"),
    [
        ("pppoe,ppp,info", "<pppoe-home-1>: terminating... - hung up", ("pppoe", "hung_up")),
        ("pppoe,ppp,info", "<pppoe-home-1>: terminating... - peer-request", ("pppoe", "peer_request")),
        ("pppoe,ppp,info", "<pppoe-a: b>: terminating...", ("pppoe", "other")),
        ("l2tp,ppp,info", "<l2tp-a>: terminating... - wandered off 7", ("l2tp", "other")),
        (
            "hotspot,info,debug",
            "guest (10.1.0.2): logged out: keepalive timeout",
            ("hotspot", "keepalive_timeout"),
        ),
        ("hotspot,info,debug", "a (b) (10.1.0.2): logged out", ("hotspot", "other")),
        ("hotspot,info,debug", "guest (10.1.0.2): logged in by http-chap", None),
        ("system,info", "guest (10.1.0.2): logged out: keepalive timeout", None),
        ("pppoe,ppp,info", "<pppoe-home-1>: connected", None),
    ],
)
def test_reasons_of_ends(topics: str, message: str, told: tuple[str, str] | None) -> None:
    """Known reasons are told by name, all others as one; what is no end is none."""
    tally = LogTally()
    tally.row(line(1, topics, message))
    found = {labels for labels, count in tally.counts()[SESSION_END_REASONS].items() if count}
    assert found == ({told} if told else set())
    assert {reason for _, reason in found} <= REASONS | {"other"}


@pytest.mark.parametrize(
    ("topics", "message", "service"),
    [
        ("system,error,critical", "login failure for user admin from 192.0.2.9 via ssh", "ssh"),
        ("system,error,critical", "login failure for user via x from 192.0.2.9 via api", "api"),
        ("system,error,critical", "login failure for user admin from 192.0.2.9 via carrier-pigeon", "other"),
        ("hotspot,info,debug", "x (10.1.0.2): login failed: invalid username or password", "hotspot"),
        ("pppoe,ppp,error", "<0015>: user home-9 authentication failed", "pppoe"),
        ("ppp,error", "user home-9 authentication failed", "other"),
        ("system,info,account", "user admin logged in from 192.0.2.9 via ssh", None),
    ],
)
def test_logins_that_failed(topics: str, message: str, service: str | None) -> None:
    """By the way somebody tried to come in; the name that was tried is in no label."""
    tally = LogTally()
    tally.row(line(1, topics, message))
    failed = {labels[0] for labels, count in tally.counts()[LOGINS_FAILED].items() if count}
    assert failed == ({service} if service else set())


def test_lines_that_came_during_a_gap_are_counted_once() -> None:
    """The log is read from the last line that was seen; without that line nobody can tell, and nothing is counted."""
    failure = ("system,error,critical", "login failure for user admin from 192.0.2.9 via ssh")
    tally = LogTally()
    assert not tally.wants_snapshot
    tally.row(line(5, *failure))
    assert tally.wants_snapshot
    tally.snapshot([line(number, *failure) for number in (3, 4, 5, 6, 7)])
    assert tally.counts()[LOGINS_FAILED]["ssh",] == 3
    tally.snapshot([line(number, *failure) for number in (6, 7)])
    tally.snapshot([line(number, *failure) for number in (20, 21)])
    assert tally.counts()[LOGINS_FAILED]["ssh",] == 3
