"""Each provider against the simulated gateway of its kind: real HTTP, real webhooks, one phone behind them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from alertbridge.deliver.providers.base import (
    Image,
    InboundEvent,
    InboundRequest,
    MessageEvent,
    Outcome,
    OutcomeClass,
    Outgoing,
    Provider,
    Receipt,
    Session,
    SessionState,
    StatusEvent,
    WebhookRefused,
)
from alertbridge.deliver.providers.registry import make_provider
from runtime.clock import SystemClock
from simulator.bot.server import BotServer
from simulator.bot.state import SimulatedBot
from tests.fakes.channel_sections import channel_of
from tests.fakes.clock import FakeClock
from tests.fakes.phone_world import PERSON, QUICK, Heard, PhoneWorld, phone_world

LID = "987654321012345@lid"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
_ids = itertools.count(1)

SECTIONS: Mapping[str, Mapping[str, object]] = {
    "waha": {"kind": "waha", "api_key": "waha-key", "webhook": {"secret": "waha-hmac-key"}},
    "evolution": {
        "kind": "evolution",
        "api_key": "evolution-key",
        "instance": "noc",
        "webhook": {"header": "X-Bridge", "secret": "evolution-hook-secret"},
    },
    "gowa": {
        "kind": "gowa",
        "username": "noc",
        "password": "gowa-password",
        "device": "org_2",
        "webhook": {"secret": "gowa-webhook-secret"},
    },
    "wuzapi": {"kind": "wuzapi", "token": "wuzapi-token", "webhook": {"secret": "wuzapi-hook-secret"}},
    "generic": {
        "kind": "bot",
        "preset": "rickicode",
        "token": "generic-token",
        "takes_our_id": True,
        "send": {"body": {"to": "{{ to }}", "message": "{{ text }}", "id": "{{ id }}"}},
        "webhook": {"secret": "generic-token"},
    },
    "cloud": {
        "kind": "cloud",
        "token": "EAAcloudtoken0123456789",
        "phone_number_id": "106540352242922",
        "template": {"name": "noc_alert", "language": "id"},
        "webhook": {"secret": "cloud-app-secret"},
    },
    "twilio": {
        "kind": "twilio",
        "account_sid": "AC0123456789abcdef0123456789abcdef",
        "auth_token": "89abcdef0123456789abcdef01234567",
        "sender": "+6281200000001",
    },
}
NAMES = tuple(SECTIONS)
GATEWAYS = ("waha", "evolution", "gowa", "wuzapi")
SETTINGS: dict[str, dict[str, str]] = {
    "cloud": {"window": "open", "limits": "off"},
    "twilio": {"window": "open"},
    "evolution": {"webhook_header": "X-Bridge", "webhook_secret": "evolution-hook-secret"},
}


@dataclass(frozen=True)
class Channel:
    """A provider, and the simulated world that it speaks to."""

    name: str
    provider: Provider
    world: PhoneWorld
    clock: FakeClock

    async def send(self, text: str = "*FIRING* BotDown", **more: object) -> Outcome:
        """A message of its own id to the person."""
        message = Outgoing(f"{next(_ids):032X}", PERSON, text)
        return await self.provider.send(replace(message, **more))  # type: ignore[arg-type]  # by field name

    def events(self) -> list[InboundEvent]:
        """Everything that came in by webhook so far, and was true."""
        found: list[InboundEvent] = []
        for heard in list(self.world.heard):
            if heard.path == f"/hook/{self.name}":
                events = self.provider.receive(self._request(heard))
                assert isinstance(events, tuple)
                found += events
        return found

    def _request(self, heard: Heard) -> InboundRequest:
        query = {"secret": "wuzapi-hook-secret"} if self.name == "wuzapi" else {}
        url = self.world.simulator.providers[self.name].settings["webhook"]
        return InboundRequest("POST", heard.headers, query, heard.body, url)


async def settled(provider: Provider, *states: SessionState) -> Session:
    """The session, once it is in one of `states`. Raises TimeoutError."""
    async with asyncio.timeout(60):
        while (session := await provider.session()).state not in states:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.02)
    return session


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    async with phone_world(QUICK, **SETTINGS) as opened:
        yield opened


@asynccontextmanager
async def channel_to(name: str, world: PhoneWorld, timeout_s: float = 10.0) -> AsyncIterator[Channel]:
    """The provider called `name`; it waits long, so that a busy machine is not taken for silence."""
    given = {"name": name, "url": f"{world.url}/{name}", "timeout_s": timeout_s, **SECTIONS[name]}
    clock = FakeClock(time_s=SystemClock().time())
    provider = make_provider(channel_of(given), world.client, clock)
    try:
        yield Channel(name, provider, world, clock)
    finally:
        await provider.close()


@pytest.fixture
async def channel(request: pytest.FixtureRequest, world: PhoneWorld) -> AsyncIterator[Channel]:
    """The provider whose name is the parameter."""
    async with channel_to(str(request.param), world) as opened:
        yield opened


def every(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("channel", names, indirect=True)


@every(*NAMES)
async def test_a_message_arrives_and_its_fate_is_told(channel: Channel) -> None:
    """What is on the phone has our text; the id of the answer is the one that webhooks, or an answer, tell of."""
    outcome = await channel.send("*FIRING* BotDown\n_bot-1_ é 🔴")
    assert outcome.kind is OutcomeClass.ACCEPTED
    (message,) = await channel.world.messages()
    assert (message["text"], message["to"]) == ("*FIRING* BotDown\n_bot-1_ é 🔴", PERSON)

    def receipts() -> set[Receipt]:
        return {
            event.receipt
            for event in channel.events()
            if isinstance(event, StatusEvent) and event.provider_id == outcome.provider_id
        }

    await channel.world.until(lambda: Receipt.DELIVERED in receipts())
    proven = channel.provider.traits.acks_on_accept or Receipt.ACKED in receipts()
    assert proven


@every(*NAMES)
async def test_what_a_person_writes_comes_in(channel: Channel) -> None:
    """Text, number and, where WhatsApp hides it, LID; the answer can go to where it came from."""
    await channel.world.write("ack 481", via=channel.name, lid=LID)

    def written() -> list[MessageEvent]:
        return [event for event in channel.events() if isinstance(event, MessageEvent)]

    await channel.world.until(lambda: bool(written()))
    event = written()[0]
    assert (event.text, event.number, event.from_me, event.is_group) == ("ack 481", PERSON, False, False)
    assert f"{event.lid}@lid" == LID or channel.name in ("cloud", "twilio")
    assert (await channel.send("done", address=event.chat)).kind is OutcomeClass.ACCEPTED


@every("waha", "evolution", "gowa", "cloud", "twilio", "generic")
async def test_a_webhook_with_a_wrong_proof_is_refused(channel: Channel) -> None:
    """The gateway signs with another secret: nothing of it is believed."""
    await channel.world.fault(channel.name, "webhooks_unsigned")
    await channel.send()
    await channel.world.until(lambda: bool(channel.world.heard))
    with pytest.raises(WebhookRefused):
        channel.events()


@every(*NAMES)
async def test_copies_of_a_webhook_are_the_same_event(channel: Channel) -> None:
    """What a provider repeats has the same id of the event."""
    await channel.world.fault(channel.name, "webhooks_duplicate")
    await channel.send()
    await channel.world.until(lambda: len(channel.events()) >= 2)
    first, second = channel.events()[:2]
    assert first == second


@every(*NAMES)
async def test_what_the_network_does_is_told_apart(channel: Channel) -> None:
    """A cut answer and a page: unknown. Refused for pace, keys or an overload: known."""
    rows = [
        ("reset", OutcomeClass.UNKNOWN),
        ("malformed", OutcomeClass.UNKNOWN),
        ("html", OutcomeClass.UNKNOWN),
        ("rate_limited", OutcomeClass.RETRY),
        ("wrong_token", OutcomeClass.CONFIG),
        ("unavailable", OutcomeClass.RECONNECT if channel.name == "generic" else OutcomeClass.RETRY),
        ("no_number", OutcomeClass.PERMANENT),
    ]
    found = []
    for fault, _ in rows:
        await channel.world.fault(channel.name, fault)
        found.append((fault, (await channel.send()).kind))
        await channel.world.mend()
    assert found == rows


@pytest.mark.parametrize("name", NAMES)
async def test_no_answer_leaves_the_outcome_unknown(world: PhoneWorld, name: str) -> None:
    """Whoever waited as long as was agreed does not know whether it arrived."""
    await world.fault(name, "hang")
    async with channel_to(name, world, timeout_s=1.5) as impatient:
        assert (await impatient.send()).kind is OutcomeClass.UNKNOWN


@every(*GATEWAYS, "generic")
async def test_a_session_that_broke_is_mended(channel: Channel) -> None:
    """A send says so, the session says so, and a reconnect brings it back."""
    await channel.world.fault(channel.name, "disconnected")
    assert (await channel.send()).kind is OutcomeClass.RECONNECT
    assert (await channel.provider.session()).state is SessionState.DISCONNECTED
    assert (await channel.provider.reconnect()).kind is OutcomeClass.ACCEPTED
    await settled(channel.provider, SessionState.WORKING)
    assert (await channel.send()).kind is OutcomeClass.ACCEPTED


@every(*GATEWAYS)
async def test_a_device_that_was_removed_is_known_to_need_a_human(channel: Channel) -> None:
    """After at most one reconnect the verdict is clear, and where to pair again is told without a secret."""
    await channel.world.fault(channel.name, "logged_out")
    assert (await channel.send()).kind in (OutcomeClass.RECONNECT, OutcomeClass.CONFIG)
    lost = (SessionState.LOGGED_OUT, SessionState.NEEDS_PAIRING)
    if (await channel.provider.session()).state not in lost:
        await channel.provider.reconnect()
        channel.clock.advance(20)  # longer than a login takes
    session = await settled(channel.provider, *lost)
    assert session.pairing_url.startswith(channel.world.url)
    assert "key" not in session.pairing_url
    if channel.name in ("waha", "evolution"):
        assert (await channel.provider.reconnect()).logged_out


@every("evolution")
async def test_a_ban_is_told_from_a_broken_session(channel: Channel) -> None:
    """The code that Evolution keeps says it, and no reconnect is tried."""
    await channel.world.fault("evolution", "banned", code=403)
    assert (await channel.provider.session()).state is SessionState.BANNED
    outcome = await channel.provider.reconnect()
    assert (outcome.kind, channel.world.simulator.providers["evolution"].session.restarts) == (  # type: ignore[union-attr]  # it has one
        OutcomeClass.CONFIG,
        0,
    )


@every(*GATEWAYS, "generic")
async def test_a_time_lock_pauses(channel: Channel) -> None:
    """Error 463 in the answer."""
    await channel.world.fault(channel.name, "timelock", later=0)
    assert (await channel.send()).kind is OutcomeClass.PAUSE


@every("waha", "evolution")
async def test_a_time_lock_told_later_pauses_too(channel: Channel) -> None:
    """Error 463 by webhook, after a success answer."""
    await channel.world.fault(channel.name, "timelock", later=1)
    assert (await channel.send()).kind is OutcomeClass.ACCEPTED

    def failures() -> list[StatusEvent]:
        statuses = (event for event in channel.events() if isinstance(event, StatusEvent))
        return [event for event in statuses if event.receipt is Receipt.FAILED]

    await channel.world.until(lambda: bool(failures()))
    outcome = failures()[0].outcome
    assert outcome is not None
    assert outcome.kind is (OutcomeClass.PAUSE if channel.name == "waha" else OutcomeClass.PERMANENT)


@every("wuzapi", "generic")
async def test_the_same_id_is_shown_once(channel: Channel) -> None:
    """A repeat after an unknown outcome is no second message."""
    message = Outgoing("A" * 32, PERSON, "once")
    await channel.world.fault(channel.name, "reset", times=1)
    first, second = await channel.provider.send(message), await channel.provider.send(message)
    assert (first.kind, second.kind) == (OutcomeClass.UNKNOWN, OutcomeClass.ACCEPTED)
    assert len(await channel.world.messages()) == 1


@every("generic")
async def test_a_full_limiter_that_queued_is_no_refusal(channel: Channel) -> None:
    """429 with queued: true: it is out, and must not be sent again."""
    await channel.world.fault("generic", "queued")
    outcome = await channel.send()
    assert outcome.kind is OutcomeClass.QUEUED_REMOTE
    (message,) = await channel.world.messages()
    assert message["id"] == outcome.provider_id


@every("waha", "evolution", "gowa", "wuzapi", "cloud")
async def test_a_picture_arrives_with_its_text(channel: Channel) -> None:
    """The picture as it was, and the text below it."""
    assert (await channel.send("ping 24h", image=Image(PNG))).kind is OutcomeClass.ACCEPTED
    (message,) = await channel.world.messages()
    assert message["text"] == "ping 24h"
    async with channel.world.client.get(channel.world.url + message["image"]) as answer:
        assert await answer.read() == PNG


@every("waha")
async def test_waha_core_sends_the_text_alone(channel: Channel) -> None:
    """Pictures are for Plus; the text goes out all the same."""
    channel.world.simulator.providers["waha"].set({"tier": "CORE"})
    assert (await channel.send("ping 24h", image=Image(PNG))).kind is OutcomeClass.ACCEPTED
    (message,) = await channel.world.messages()
    assert (message["text"], message["image"]) == ("ping 24h", None)


@every("waha")
@pytest.mark.parametrize("engine", ["WEBJS", "NOWEB", "GOWS"])
async def test_every_engine_of_waha_gives_the_same_id(channel: Channel, engine: str) -> None:
    """The answer's shape depends on the engine; the id is the one that the phone shows."""
    channel.world.simulator.providers["waha"].set({"engine": engine})
    outcome = await channel.send()
    (message,) = await channel.world.messages()
    assert outcome.provider_id == message["id"]


@every("cloud")
async def test_outside_the_window_the_template_goes(channel: Channel) -> None:
    """131047 in the answer asks for the template, whose parameters are flattened."""
    await channel.world.fault("cloud", "window_closed", later=0)
    assert (await channel.send("two\nlines")).kind is OutcomeClass.SWITCH
    fields = {"severity": "CRITICAL", "title": "BotDown", "text": "two\nlines\t  and     blanks"}
    outcome = await channel.send("two\nlines", as_template=True, template_fields=fields)
    assert outcome.kind is OutcomeClass.ACCEPTED
    (message,) = await channel.world.messages()
    assert message["text"] == "CRITICAL\nBotDown\ntwo · lines and blanks"


@every("cloud")
async def test_metas_own_errors(channel: Channel) -> None:
    """A pair rate waits longer each time; a locked account stops the channel, and its health says so."""
    await channel.world.fault("cloud", "pair_rate", times=3)
    waits = [(await channel.send()).retry_after_s for _ in range(3)]
    assert waits == [1.0, 4.0, 16.0]
    await channel.world.mend()
    session = await channel.provider.session()
    assert (session.state, session.own_number) == (SessionState.WORKING, "6281200000001")
    await channel.world.fault("cloud", "banned")
    assert (await channel.send()).kind is OutcomeClass.CONFIG
    assert (await channel.provider.session()).state is SessionState.BANNED


@every(*NAMES)
async def test_a_session_that_works_says_so(channel: Channel) -> None:
    """The harmless call of `check`; who tells the own number makes it the address of probes."""
    session = await channel.provider.session()
    assert session.state is SessionState.WORKING
    if channel.name not in ("generic", "wuzapi"):
        assert channel.provider.traits.own_address == "6281200000001"


BOT_TOKEN = "bot-token-4e1"


@pytest.fixture
async def bot() -> AsyncIterator[tuple[SimulatedBot, Provider]]:
    """The simulated bot, which speaks the minimal contract, and its channel."""
    simulated = SimulatedBot(SystemClock().time())
    served = TestServer(BotServer(simulated, token=BOT_TOKEN, restart=lambda: None).app())
    async with AsyncExitStack() as stack:
        await served.start_server(access_log=None)
        stack.push_async_callback(served.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        given = {
            "kind": "bot",
            "name": "bot",
            "url": str(served.make_url("")).rstrip("/"),
            "token": BOT_TOKEN,
        }
        provider = make_provider(channel_of(given), session, SystemClock())
        await settled(provider, SessionState.WORKING)
        yield simulated, provider


async def test_the_contracts_bot_takes_our_id_and_can_be_asked(bot: tuple[SimulatedBot, Provider]) -> None:
    """Two sends with one id are one message, and its fate is asked for."""
    simulated, provider = bot
    message = Outgoing("A" * 32, PERSON, "once")
    outcomes = [await provider.send(message), await provider.send(message)]
    assert outcomes == [Outcome(OutcomeClass.QUEUED_REMOTE, provider_id=message.id)] * 2
    assert len(simulated.messages) == 1
    async with asyncio.timeout(60):
        while await provider.status_of(message.id) is None:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.02)
    pictured = replace(message, id="B" * 32, image=Image(PNG))
    assert (await provider.send(pictured)).kind is OutcomeClass.QUEUED_REMOTE
    session = await provider.session()
    assert (session.state, provider.traits.own_address) == (SessionState.WORKING, session.own_number)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("logged_out", SessionState.LOGGED_OUT),
        ("banned", SessionState.BANNED),
        ("disconnect", SessionState.DISCONNECTED),
    ],
)
async def test_the_contracts_bot_says_what_is_wrong(
    fault: str, state: SessionState, bot: tuple[SimulatedBot, Provider]
) -> None:
    """By its health, and a send says at least that the session does not work."""
    simulated, provider = bot
    simulated.faults.set(fault)
    session = await settled(provider, state)
    assert bool(session.pairing_url) == (state is SessionState.LOGGED_OUT)
    outcome = await provider.send(Outgoing("C" * 32, PERSON, "text"))
    assert outcome.kind is OutcomeClass.RECONNECT
