"""The simulated bot: its session by the table, its queue and log by the clock, its contract over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request, Response, post

from simulator.bot import FAULTS, BotFaults, SessionState, SimulatedBot
from simulator.bot.__main__ import main
from simulator.bot.faults import BotFaultError
from simulator.bot.news import Reporter
from simulator.bot.server import BotServer
from simulator.bot.session import TRANSITIONS, Event
from simulator.bot.state import CONNECT_S, SELF_PROBE_EVERY_S

NOW_S = 1_795_377_600.0


class Wall:
    """The time of day, as a test sets it."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def bot() -> SimulatedBot:
    """One whose session has just opened."""
    bot = SimulatedBot(NOW_S)
    bot.advance(NOW_S + CONNECT_S)
    assert bot.state is SessionState.OPEN
    return bot


def live(bot: SimulatedBot, until_s: float) -> None:
    """Time passes in small steps."""
    steps = int((until_s - bot._now_s) / 0.1)
    for _ in range(steps):
        bot.advance(bot._now_s + 0.1)


def test_every_transition_leads_somewhere_known() -> None:
    """No state but the open one can lose its connection twice, and nothing but mending ends a ban."""
    assert {event for state, event in TRANSITIONS if state is SessionState.BANNED} == {
        Event.MENDED,
        Event.LOGGED_OUT,
        Event.BANNED,
    }
    assert (SessionState.LOGGED_OUT, Event.RETRIED) not in TRANSITIONS


def test_a_message_is_queued_sent_and_acknowledged(bot: SimulatedBot) -> None:
    """In that order; the same id again is the same message."""
    message = bot.send("62813", "hello", "m1")
    assert (message.status, bot.queue_state()["pending"]) == ("queued", 1)
    live(bot, NOW_S + 2)
    assert bot.messages["m1"].status == "server_ack"
    assert bot.send("62813", "hello", "m1") is message
    assert bot.counts.sent == 1
    assert [entry["event"] for entry in bot.log if entry.get("id") == "m1"] == [
        "queued",
        "sent",
        "server_ack",
    ]


def test_a_half_dead_session_calls_itself_open_and_gets_nothing(bot: SimulatedBot) -> None:
    """No frame, no acknowledgement, a test message that fails; reconnecting does not help."""
    live(bot, NOW_S + 2)
    frame = bot.health()["last_frame_at"]
    bot.faults.set("half_dead")
    bot.send("62813", "hello", "m1")
    live(bot, NOW_S + 2 + 2 * SELF_PROBE_EVERY_S)
    health = bot.health()
    assert (health["status"], health["connection"], health["last_frame_at"]) == ("ok", "open", frame)
    assert health["last_probe"] is not None
    assert bot.messages["m1"].status == "sent"
    assert health["oldest_unacked_at"] is not None
    assert bot.reconnect()
    live(bot, NOW_S + 20)
    assert bot.health()["last_frame_at"] == frame


def test_a_logout_is_mended_by_a_scan_alone(bot: SimulatedBot) -> None:
    """Reconnecting does nothing; a code is shown, scanned, and the session opens."""
    bot.faults.set("logged_out")
    live(bot, NOW_S + 2)
    assert bot.state is SessionState.LOGGED_OUT
    assert not bot.reconnect()
    bot.faults.clear("logged_out")
    assert bot.show_qr()
    assert bot.health()["needs_qr"] is True
    assert bot.scan()
    live(bot, NOW_S + 4)
    assert bot.health()["status"] == "ok"


def test_a_disconnect_can_be_made_to_last(bot: SimulatedBot) -> None:
    """With `curable` 0 each reconnect fails until the fault is cleared, which opens the session again."""
    bot.faults.set("disconnect", code=440, curable=0)
    bot.advance(NOW_S + 1)
    assert bot.reconnect()
    live(bot, NOW_S + 3)
    assert bot.state is SessionState.CLOSE
    disconnect = bot.health()["last_disconnect"]
    assert isinstance(disconnect, dict)
    assert disconnect["name"] == "connectionReplaced"
    bot.mend()
    live(bot, NOW_S + 5)
    assert bot.state is SessionState.OPEN


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("melted", {}, "there is no fault 'melted'; known: disconnect"),
        ("slow", {"minutes": 1}, "slow has no parameter 'minutes'; known: seconds"),
        ("slow", {"seconds": "long"}, "seconds is a number"),
        ("slow", {"seconds": -1}, "seconds is a number"),
        ("html", {"seconds": 1}, "known: none"),
    ],
)
def test_what_is_no_fault_is_refused(name: str, parameters: dict[str, Any], said: str) -> None:
    """The message says what there is."""
    with pytest.raises(BotFaultError, match=said):
        BotFaults().set(name, **parameters)


Client = TestClient[Request, Application]


@pytest.fixture
def restarts() -> list[bool]:
    return []


@pytest.fixture
async def client(wall: Wall, restarts: list[bool]) -> AsyncIterator[Client]:
    """A client of a bot whose session is open."""
    bot = SimulatedBot(NOW_S)
    server = BotServer(bot, token="t0ken", restart=lambda: restarts.append(True), wall_clock=wall)
    headers = {"Authorization": "Bearer t0ken"}
    async with TestClient(TestServer(server.app()), headers=headers) as client:
        wall.now_s += CONNECT_S
        yield client


async def test_the_contract(client: Client, wall: Wall) -> None:
    """Health, sending, asking for a message, the queue: status and body as the contract says."""
    health = await client.get("/health")
    assert (health.status, (await health.json())["status"]) == (200, "ok")
    await client.post("/control/faults", json={"fault": "queue_stuck"})
    sent = await client.post("/send", json={"to": "62813", "text": "x", "id": "m1"})
    assert (sent.status, await sent.json()) == (202, {"id": "m1", "queued": True})
    assert await (await client.get("/messages/m1")).json() == {"id": "m1", "status": "queued"}
    assert (await client.get("/messages/m2")).status == 404
    assert (await (await client.get("/queue")).json())["pending"] == 1
    cleared = await client.post("/queue/clear", json={"older_than_s": 0})
    assert await cleared.json() == {"removed": 1}
    assert (await client.post("/send", json={"to": "62813"})).status == 400
    assert (await client.post("/send", data=b"[")).status == 400
    log = await (await client.get("/messages")).json()
    assert {"started", "queued", "queue_cleared"} <= {entry["event"] for entry in log}


async def test_a_bot_that_cannot_send_says_so(client: Client, wall: Wall) -> None:
    """Health and send answer 503, with the state; a reconnect is accepted."""
    await client.post("/control/faults", json={"fault": "disconnect"})
    health = await client.get("/health")
    assert (health.status, (await health.json())["status"]) == (503, "down")
    assert (await client.post("/send", json={"to": "62813", "text": "x"})).status == 503
    assert (await client.post("/reconnect")).status == 202
    wall.now_s += 2 * CONNECT_S
    assert (await client.get("/health")).status == 200


async def test_a_restart_is_asked_for_after_the_answer(client: Client, restarts: list[bool]) -> None:
    """The answer is out before the process ends."""
    assert (await client.post("/restart")).status == 202
    health = await client.get("/health")
    assert health.status == 200
    while not restarts:
        await client.get("/health")
    assert restarts == [True]


async def test_the_token_guards_all_but_the_control(client: Client) -> None:
    """Without it 401; what a test does to the bot needs none."""
    bare = {"Authorization": "nothing"}
    assert (await client.get("/health", headers=bare)).status == 401
    assert (await client.get("/control/faults", headers=bare)).status == 200


async def test_faults_are_listed_set_and_cleared(client: Client) -> None:
    """Each with its description; a wrong one is a 400; one that is cleared leaves the others on."""
    listed = await (await client.get("/control/faults")).json()
    assert listed["known"].keys() == FAULTS.keys()
    assert (await client.post("/control/faults", json={"fault": "melted"})).status == 400
    assert (await client.post("/control/faults", json={})).status == 400
    await client.post("/control/faults", json={"fault": "html"})
    await client.post("/control/faults", json={"fault": "slow", "seconds": 0})
    assert (await client.get("/health")).content_type == "text/html"
    left = await client.delete("/control/faults", params={"fault": "html"})
    assert await left.json() == {"slow": {"seconds": 0}}
    assert (await client.get("/health")).status == 200


async def test_an_image_is_sent_as_a_text_is(client: Client) -> None:
    """With its caption, and the same answer for the same id; what is no base64 is refused."""
    image = {"to": "62813", "caption": "chart", "image": "iVBORw==", "id": "m1"}
    for _ in range(2):
        sent = await client.post("/send-image", json=image)
        assert (sent.status, await sent.json()) == (202, {"id": "m1", "queued": True})
    for wrong in ({**image, "image": "?"}, {**image, "image": ""}, {**image, "caption": None}):
        assert (await client.post("/send-image", json=wrong)).status == 400


async def test_a_limiter_of_its_own_answers_429_and_sends(client: Client) -> None:
    """The body says that it is queued."""
    await client.post("/control/faults", json={"fault": "queued"})
    sent = await client.post("/send", json={"to": "62813", "text": "x", "id": "m1"})
    assert (sent.status, (await sent.json())["queued"]) == (429, True)
    assert (await client.get("/messages/m1")).status == 200


@pytest.mark.parametrize("delivered", [0, 1])
async def test_a_send_that_hangs_is_out_or_not(client: Client, delivered: int) -> None:
    """No answer comes; the message is there as the fault says."""
    await client.post("/control/faults", json={"fault": "send_hangs", "delivered": delivered})
    sending = asyncio.create_task(client.post("/send", json={"to": "62813", "text": "x", "id": "m1"}))
    async with asyncio.timeout(60):
        while delivered and (await client.get("/messages/m1")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not sending.done()
    sending.cancel()
    assert (await client.get("/messages/m1")).status == (200 if delivered else 404)


def test_a_time_lock_fails_what_is_sent(bot: SimulatedBot) -> None:
    """With 463; health says until when."""
    bot.faults.set("timelock", seconds=60)
    bot.send("62813", "hello", "m1")
    live(bot, NOW_S + 2)
    assert (bot.messages["m1"].status, bot.messages["m1"].error) == ("failed", "463")
    assert bot.health()["reachout_timelock_until"] is not None
    assert bot.health()["last_ack_at"] is None


def test_receipts_never_go_back(bot: SimulatedBot) -> None:
    """Each is told once; one of an unknown message is not."""
    bot.send("62813", "hello", "m1")
    live(bot, NOW_S + 2)
    assert bot.receipt("m1", "read")
    assert not bot.receipt("m1", "delivered")
    assert not bot.receipt("m2", "read")
    assert [news.body["status"] for news in bot.news] == ["server_ack", "read"]
    assert [news.message is not None for news in bot.news] == [True, False]


def test_a_half_dead_bot_hears_nothing(bot: SimulatedBot) -> None:
    """Nor one whose session is closed."""
    inbound = {"id": "IN1", "from": "62813", "text": "status"}
    assert bot.hear(inbound)
    bot.faults.set("half_dead")
    assert not bot.hear(inbound)
    assert [news.body["event"] for news in bot.news] == ["message"]


async def test_acknowledgements_and_messages_go_to_the_webhook(wall: Wall) -> None:
    """In order, with the bot's token; a receipt from the phone and what a person writes as well."""
    heard: list[tuple[str | None, dict[str, Any]]] = []

    async def hear(request: Request) -> Response:
        heard.append((request.headers.get("Authorization"), await request.json()))
        return Response()

    async def until(count: int) -> None:
        async with asyncio.timeout(60):
            while len(heard) < count:
                wall.now_s += 0.1
                await asyncio.sleep(0.02)

    hooks = Application()
    hooks.add_routes([post("/hook", hear)])
    async with TestServer(hooks) as receiver:
        reporter = Reporter(webhook=str(receiver.make_url("/hook")), token="t0ken")
        server = BotServer(SimulatedBot(NOW_S), restart=lambda: None, reporter=reporter, wall_clock=wall)
        async with TestClient(TestServer(server.app())) as client:
            wall.now_s += CONNECT_S
            await client.post("/send", json={"to": "62813", "text": "x", "id": "m1"})
            await until(1)
            await client.post("/control/receipt", json={"id": "m1", "status": "delivered"})
            await until(2)
            await client.post(
                "/control/inbound", json={"from": "62813", "text": "ack", "id": "IN1", "quoted_id": "m1"}
            )
            await until(3)
            assert (await client.post("/control/receipt", json={"id": "m1", "status": "lost"})).status == 400
    assert {token for token, _ in heard} == {"Bearer t0ken"}
    acked, delivered, message = (body for _, body in heard)
    assert acked == {"event": "ack", "id": "m1", "status": "server_ack"}
    assert delivered == {"event": "ack", "id": "m1", "status": "delivered"}
    assert message.pop("timestamp") >= int(NOW_S)
    assert message == {"event": "message", "id": "IN1", "from": "62813", "text": "ack", "quoted_id": "m1"}


async def test_messages_come_in(client: Client) -> None:
    """By the control, as if somebody wrote."""
    await client.post("/control/inbound", json={"from": "62813", "text": "status"})
    log = await (await client.get("/messages")).json()
    assert {"event": "received", "sender": "62813", "text": "status"}.items() <= log[-1].items()


def test_the_command_line_lists_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """Each on a line, with its parameters."""
    assert main(["--list-faults"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in FAULTS)
    assert "(code=428, curable=1)" in said
