"""What each gateway says of its session, and what is done to mend it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from alertbridge.deliver.providers.base import OutcomeClass, Outgoing, SessionState
from tests.fakes.channel_sections import provider_of
from tests.fakes.clock import FakeClock
from tests.fakes.scripted_http import Reply, ScriptedHttp

S = SessionState
NUMBER = "6281200000001"
JID = f"{NUMBER}:7@s.whatsapp.net"
MESSAGE = Outgoing("0123456789ABCDEF0123456789ABCDEF", "6281300000002", "FIRING BotDown")


@pytest.fixture
async def server() -> AsyncIterator[ScriptedHttp]:
    async with ScriptedHttp().serving() as scripted:
        yield scripted


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def _gowa(connected: object, logged_in: object) -> object:
    return {"code": "SUCCESS", "results": {"is_connected": connected, "is_logged_in": logged_in, "jid": JID}}


def _wuzapi(connected: object, logged_in: object) -> object:
    return {"code": 200, "success": True, "data": {"Connected": connected, "LoggedIn": logged_in, "jid": JID}}


def _cloud(status: str, able: str) -> object:
    return {
        "display_phone_number": "+62 812-0000-0001",
        "status": status,
        "health_status": {"can_send_message": able},
    }


def _evolution(state: str) -> object:
    return {"instance": {"instanceName": "noc", "state": state}}


SESSIONS: tuple[tuple[str, int, object, SessionState], ...] = (
    ("waha", 200, {"status": "WORKING", "me": {"id": f"{NUMBER}@c.us"}}, S.WORKING),
    ("waha", 200, {"status": "STARTING"}, S.STARTING),
    ("waha", 200, {"status": "SCAN_QR_CODE"}, S.NEEDS_PAIRING),
    ("waha", 200, {"status": "STOPPED"}, S.DISCONNECTED),
    ("waha", 200, {"status": "FAILED"}, S.DISCONNECTED),
    ("waha", 200, {"status": "A_NEW_WORD"}, S.UNKNOWN),
    ("waha", 404, {"message": "no session"}, S.MISCONFIGURED),
    ("waha", 500, {}, S.UNREACHABLE),
    ("evolution", 200, _evolution("open"), S.WORKING),
    ("evolution", 200, _evolution("connecting"), S.STARTING),
    ("evolution", 200, _evolution("close"), S.DISCONNECTED),
    ("evolution", 200, _evolution("refused"), S.NEEDS_PAIRING),
    ("evolution", 404, {}, S.MISCONFIGURED),
    ("gowa", 200, _gowa(True, True), S.WORKING),
    ("gowa", 200, _gowa(True, False), S.NEEDS_PAIRING),
    ("gowa", 200, _gowa(False, True), S.DISCONNECTED),
    ("gowa", 200, _gowa(False, False), S.DISCONNECTED),
    ("gowa", 200, _gowa(None, "odd"), S.UNKNOWN),
    ("wuzapi", 200, _wuzapi(True, True), S.WORKING),
    ("wuzapi", 200, {"success": True, "data": {"connected": True, "loggedIn": True}}, S.WORKING),
    ("wuzapi", 200, _wuzapi(True, False), S.NEEDS_PAIRING),
    ("wuzapi", 200, _wuzapi(False, True), S.DISCONNECTED),
    ("wuzapi", 500, {"success": False, "error": "no session"}, S.DISCONNECTED),
    ("bot", 200, {"status": "ok", "jid": JID}, S.WORKING),
    ("bot", 200, {"status": "degraded"}, S.DISCONNECTED),
    ("bot", 503, {"status": "connecting"}, S.STARTING),
    ("bot", 503, {"status": "needs_qr"}, S.NEEDS_PAIRING),
    ("bot", 503, {"status": "logged_out"}, S.LOGGED_OUT),
    ("bot", 503, {"status": "banned"}, S.BANNED),
    ("bot", 503, {"status": "down", "last_disconnect": {"code": 428}}, S.DISCONNECTED),
    ("bot", 503, {"status": "down", "last_disconnect": {"code": 401}}, S.LOGGED_OUT),
    ("bot", 503, {"status": "down", "last_disconnect": {"code": 440}}, S.MISCONFIGURED),
    ("bot", 503, {"oops": True}, S.DISCONNECTED),
    ("bot", 200, {"status": "ok", "reachout_timelock_until": "2033-01-01T00:00:00Z"}, S.TIMELOCKED),
    ("bot", 200, {"status": "ok", "reachout_timelock_until": "2001-01-01T00:00:00Z"}, S.WORKING),
    ("rickicode", 200, {"connection": {"isConnected": True}}, S.WORKING),
    ("rickicode", 200, {"connection": {"isConnected": False}}, S.DISCONNECTED),
    ("rickicode", 200, {"success": True}, S.UNKNOWN),
    ("cloud", 200, _cloud("CONNECTED", "AVAILABLE"), S.WORKING),
    ("cloud", 200, _cloud("FLAGGED", "LIMITED"), S.WORKING),
    ("cloud", 200, _cloud("CONNECTED", "BLOCKED"), S.MISCONFIGURED),
    ("cloud", 200, _cloud("BANNED", "BLOCKED"), S.BANNED),
    ("cloud", 200, _cloud("RESTRICTED", "LIMITED"), S.TIMELOCKED),
    ("cloud", 400, {"error": {"code": 190}}, S.MISCONFIGURED),
    ("cloud", 500, {"error": {"code": 2}}, S.UNREACHABLE),
    ("twilio", 200, {"sid": "AC", "status": "active"}, S.WORKING),
    ("twilio", 200, {"sid": "AC", "status": "suspended"}, S.BANNED),
    ("twilio", 401, {"code": 20003}, S.MISCONFIGURED),
)


@pytest.mark.parametrize(
    ("name", "status", "body", "state"),
    SESSIONS,
    ids=[f"{name}-{number}-{state.value}" for number, (name, _, _, state) in enumerate(SESSIONS)],
)
async def test_what_a_gateway_says_of_its_session(
    name: str,
    status: int,
    body: object,
    state: SessionState,
    server: ScriptedHttp,
    session: aiohttp.ClientSession,
    clock: FakeClock,
) -> None:
    """Its words become ours; the own number and where to pair again are told where they are known."""
    server.usual = Reply.json(status, body)
    found = await provider_of(name, server.url, session, clock).session()
    assert found.state is state
    assert found.own_number in ("", NUMBER)
    pairable = state in (S.NEEDS_PAIRING, S.LOGGED_OUT)
    assert bool(found.pairing_url) == (pairable and name not in ("cloud", "twilio", "rickicode"))


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (401, S.LOGGED_OUT),
        (402, S.BANNED),
        (403, S.BANNED),
        (406, S.BANNED),
        (411, S.NEEDS_PAIRING),
        (440, S.MISCONFIGURED),
        (405, S.MISCONFIGURED),
        (408, S.DISCONNECTED),
        (428, S.DISCONNECTED),
        (500, S.DISCONNECTED),
        (515, S.DISCONNECTED),
        (None, S.DISCONNECTED),
        ("odd", S.DISCONNECTED),
    ],
)
async def test_evolution_knows_why_it_is_closed(
    code: object, state: SessionState, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """The code stands in the list of instances; where it is final, nothing is tried."""
    server.by_path["/instance/connectionState/noc"] = Reply.json(200, _evolution("close"))
    listed = [
        {"name": "other", "disconnectionReasonCode": 401},
        {"name": "noc", "disconnectionReasonCode": code},
    ]
    server.by_path["/instance/fetchInstances"] = Reply.json(200, listed)
    server.usual = Reply.json(200, _evolution("connecting"))
    provider = provider_of("evolution", server.url, session, clock)
    assert (await provider.session()).state is state
    outcome = await provider.reconnect()
    tried = [asked.path for asked in server.asked if "/connect/" in asked.path or "/restart/" in asked.path]
    if state is S.DISCONNECTED:
        assert (outcome.kind, tried) == (OutcomeClass.ACCEPTED, ["/instance/connect/noc"])
    else:
        assert (outcome.kind, tried) == (OutcomeClass.CONFIG, [])


async def test_evolutions_restart_fails_with_success(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """200 with error in the body is a failure; then it is connected, and a code to scan means a human."""
    server.by_path["/instance/restart/noc"] = Reply.json(200, {"error": True, "message": "Connection Closed"})
    provider = provider_of("evolution", server.url, session, clock)
    server.by_path["/instance/connect/noc"] = Reply.json(200, _evolution("connecting"))
    assert (await provider.restart()).kind is OutcomeClass.ACCEPTED
    server.by_path["/instance/connect/noc"] = Reply.json(
        200, {"pairingCode": None, "code": "2@x", "count": 1}
    )
    outcome = await provider.restart()
    assert (outcome.kind, outcome.logged_out) == (OutcomeClass.CONFIG, True)


async def test_evolution_tells_a_closed_session_from_a_broken_send(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """A 500 while the state is close means that the session is down."""
    server.usual = Reply.json(500, {"response": {"message": ["Error: Connection Closed"]}})
    provider = provider_of("evolution", server.url, session, clock)
    for state, kind in (
        ("close", OutcomeClass.RECONNECT),
        ("connecting", OutcomeClass.RECONNECT),
        ("open", OutcomeClass.UNKNOWN),
    ):
        server.by_path["/instance/connectionState/noc"] = Reply.json(200, _evolution(state))
        assert (await provider.send(MESSAGE)).kind is kind


async def test_waha_that_fails_again_after_a_restart_is_logged_out(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """FAILED means broken or logged out; one restart tells, and there is no second."""
    failed = Reply.json(200, {"status": "FAILED"})
    server.usual = failed
    server.by_path["/api/sessions/default/restart"] = Reply.json(201, {"status": "STARTING"})
    provider = provider_of("waha", server.url, session, clock)
    assert (await provider.session()).state is S.DISCONNECTED
    assert (await provider.reconnect()).kind is OutcomeClass.ACCEPTED
    assert (await provider.session()).state is S.LOGGED_OUT
    again = await provider.reconnect()
    assert (again.kind, again.logged_out) == (OutcomeClass.CONFIG, True)
    assert sum("restart" in asked.path for asked in server.asked) == 1
    server.usual = Reply.json(200, {"status": "WORKING"})
    assert (await provider.session()).state is S.WORKING
    server.usual = failed
    assert (await provider.session()).state is S.DISCONNECTED


async def test_waha_is_started_when_it_is_stopped_and_left_alone_when_it_waits_for_a_scan(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """A restart would take the code away that somebody is about to scan."""
    provider = provider_of("waha", server.url, session, clock)
    server.by_path["/api/sessions/default"] = Reply.json(200, {"status": "STOPPED"})
    server.usual = Reply.json(201, {"status": "STARTING"})
    assert (await provider.reconnect()).kind is OutcomeClass.ACCEPTED
    assert server.asked[-1].path.endswith("/start")
    server.by_path["/api/sessions/default"] = Reply.json(200, {"status": "SCAN_QR_CODE"})
    asked = len(server.asked)
    assert (await provider.reconnect()).logged_out
    assert len(server.asked) == asked + 1


async def test_gowa_that_is_neither_after_a_reconnect_needs_a_human(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Down and logged out look alike until a reconnect was tried and had its time."""
    server.by_path["/app/status"] = Reply.json(200, _gowa(False, False))
    server.by_path["/app/reconnect"] = Reply.json(200, {"code": "SUCCESS"})
    provider = provider_of("gowa", server.url, session, clock)
    assert (await provider.session()).state is S.DISCONNECTED
    assert (await provider.reconnect()).kind is OutcomeClass.ACCEPTED
    assert (await provider.session()).state is S.STARTING
    clock.advance(16)
    assert (await provider.session()).state is S.LOGGED_OUT
    assert all(asked.headers.get("X-Device-Id") == "org_2" for asked in server.asked)


@pytest.mark.parametrize("name", ["gowa", "wuzapi"])
async def test_a_login_that_takes_a_moment_is_no_reason_to_ask_for_a_scan(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """After a session worked it may be connected without a login for some seconds, and then no longer."""
    flags = {"gowa": _gowa, "wuzapi": _wuzapi}[name]
    provider = provider_of(name, server.url, session, clock)
    states = []
    for connected, logged_in, wait_s in (
        (True, True, 0),
        (True, False, 10),
        (True, False, 10),
        (True, False, 0),
    ):
        server.usual = Reply.json(200, flags(connected, logged_in))
        states.append((await provider.session()).state)
        clock.advance(wait_s)
    assert states == [S.WORKING, S.STARTING, S.STARTING, S.NEEDS_PAIRING]
    server.usual = Reply.json(200, flags(True, True))
    assert (await provider.session()).state is S.WORKING
    server.usual = Reply.json(200, flags(False, True))
    assert (await provider.session()).state is S.DISCONNECTED


async def test_gowas_server_error_is_tried_once_more(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """It may be out each time; the second time nothing is tried at once any more."""
    server.usual = Reply.json(500, {"code": "INTERNAL_SERVER_ERROR", "message": "x"})
    provider = provider_of("gowa", server.url, session, clock)
    found = [await provider.send(MESSAGE) for _ in range(3)]
    assert [one.kind for one in found] == [OutcomeClass.RETRY, OutcomeClass.UNKNOWN, OutcomeClass.UNKNOWN]
    assert found[0].may_be_out


async def test_wuzapi_and_a_bot_are_told_to_connect(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Already connected is as good as connected; a bot without such an endpoint has nothing to mend."""
    wuzapi = provider_of("wuzapi", server.url, session, clock)
    server.usual = Reply.json(500, {"success": False, "error": "already connected"})
    assert (await wuzapi.reconnect()).kind is OutcomeClass.ACCEPTED
    assert (await wuzapi.restart()).kind is OutcomeClass.ACCEPTED
    bot = provider_of("bot", server.url, session, clock)
    server.usual = Reply.json(202, {})
    assert (await bot.reconnect()).kind is OutcomeClass.ACCEPTED
    assert (await bot.restart()).kind is OutcomeClass.ACCEPTED
    assert [asked.path for asked in server.asked[-2:]] == ["/reconnect", "/restart"]
    for name in ("cloud", "twilio"):
        provider = provider_of(name, server.url, session, clock)
        assert (await provider.reconnect()).reason == (await provider.restart()).reason == "nothing_to_mend"


async def test_where_to_pair_can_be_said_in_the_configuration(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """The gateway's own address is often one that no operator's phone can reach."""
    server.usual = Reply.json(200, {"status": "SCAN_QR_CODE"})
    page = "https://pair.example.net/noc"
    provider = provider_of("waha", server.url, session, clock, pairing_url=page)
    assert (await provider.session()).pairing_url == page
