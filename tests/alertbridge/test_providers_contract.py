"""What holds for every provider alike, whatever its answers look like."""

import asyncio
import base64
import json
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from alertbridge.deliver.providers.base import (
    Image,
    Outcome,
    OutcomeClass,
    Outgoing,
    Provider,
    Receipt,
    SessionState,
)
from runtime.sections import secret_values
from tests.fakes.channel_sections import SECRETS, SECTIONS, provider_of, section_of
from tests.fakes.clock import FakeClock
from tests.fakes.provider_answers import (
    ACCEPTED,
    EVERYBODY,
    GROUP,
    OWN_ROWS,
    PERSON,
    SENT_ID,
    SHARED_ROWS,
    Row,
)
from tests.fakes.scripted_http import Reply, ScriptedHttp, Trick

MESSAGE = Outgoing("0123456789ABCDEF0123456789ABCDEF", PERSON, "*FIRING* BotDown\n_bot-1_ offline 3m")
UNOFFICIAL = ("waha", "evolution", "gowa", "wuzapi", "bot", "rickicode")


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


def test_every_kind_that_speaks_http_is_in_the_tables() -> None:
    """A provider that is added without rows is noticed."""
    assert set(SECTIONS) == set(EVERYBODY)


@pytest.mark.parametrize("name", EVERYBODY)
async def test_what_was_taken_has_its_id(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """A success answer gives the provider's id of the message, and one request was made."""
    server.queue.append(ACCEPTED[name])
    outcome = await provider_of(name, server.url, session, clock).send(MESSAGE)
    assert outcome == Outcome(OutcomeClass.ACCEPTED, provider_id=SENT_ID)
    assert len(server.asked) == 1


@pytest.mark.parametrize("row", [*OWN_ROWS, *SHARED_ROWS], ids=str)
async def test_every_answer_has_its_class(
    row: Row, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Each status and each error of a provider means one of the nine classes, with a stable word for why."""
    server.by_path["/instance/connectionState/noc"] = Reply.json(200, {"instance": {"state": "open"}})
    server.usual = row.reply
    outcome = await provider_of(row.provider, server.url, session, clock).send(MESSAGE)
    assert (outcome.kind, outcome.reason) == (row.kind, row.reason), outcome
    assert outcome.logged_out == row.logged_out
    if row.retry_after_s is not None:
        assert outcome.retry_after_s == row.retry_after_s


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize(
    ("trick", "reason"),
    [
        (Trick.STALL, "timeout"),
        (Trick.DRIP, "timeout"),
        (Trick.HANG_UP, "connection_lost"),
        (Trick.HALF, "connection_lost"),
        (Trick.NONSENSE, "malformed"),
    ],
)
async def test_what_left_without_an_answer_is_unknown(
    name: str,
    trick: Trick,
    reason: str,
    server: ScriptedHttp,
    session: aiohttp.ClientSession,
    clock: FakeClock,
) -> None:
    """Once the request is written it may be out, however the answer fails."""
    server.usual = Reply(trick=trick)
    timeout_s = 0.5 if reason == "timeout" else 60.0
    outcome = await provider_of(name, server.url, session, clock, timeout_s=timeout_s).send(MESSAGE)
    assert (outcome.kind, outcome.reason) == (OutcomeClass.UNKNOWN, reason)
    assert len(server.asked) == 1  # nobody tried twice


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_refusal_is_understood_without_its_body(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """A status that refuses is believed even when the rest of the answer is lost."""
    server.usual = Reply(403, trick=Trick.HALF)
    outcome = await provider_of(name, server.url, session, clock).send(MESSAGE)
    assert outcome.kind is OutcomeClass.CONFIG


@pytest.mark.parametrize("name", EVERYBODY)
async def test_what_never_left_is_tried_again(
    name: str, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Refused, a name that does not resolve, and a handshake that hangs: nothing was written."""
    found = []
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, and nobody ever accepts
        for url, timeout_s in (
            ("http://127.0.0.1:1", 5.0),
            ("http://nobody.invalid", 5.0),
            (f"https://127.0.0.1:{silent.getsockname()[1]}", 0.2),
        ):
            outcome = await provider_of(name, url, session, clock, timeout_s=timeout_s).send(MESSAGE)
            found.append((outcome.kind, outcome.reason))
    expected = ("unreachable", "dns", "connect_timeout")
    assert found == [(OutcomeClass.RETRY, reason) for reason in expected]


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_text_of_the_greatest_length_goes_out_whole(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Nothing is cut and nothing refused at exactly the limit."""
    server.usual = ACCEPTED[name]
    provider = provider_of(name, server.url, session, clock)
    text = ("0123456789" * 7000)[: provider.traits.text_limit - 3] + "end"
    outcome = await provider.send(replace(MESSAGE, text=text))
    assert outcome.kind is OutcomeClass.ACCEPTED
    assert text.encode() in server.asked[0].body


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_repeat_has_the_same_id_where_the_provider_takes_one(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Our id is in the request, twice the same; or the provider does not claim to take one."""
    server.usual = ACCEPTED[name]
    provider = provider_of(name, server.url, session, clock)
    await provider.send(MESSAGE)
    await provider.send(MESSAGE)
    first, second = server.asked
    if provider.traits.takes_our_id:
        assert MESSAGE.id.encode() in first.body
        assert first.body == second.body
    assert provider.traits.takes_our_id == (name in ("wuzapi", "bot"))


@pytest.mark.parametrize("name", EVERYBODY)
async def test_any_way_to_write_a_number_is_understood_and_what_is_none_is_refused(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """An address goes out in the provider's form; one that is none never leaves."""
    server.usual = ACCEPTED[name]
    provider = provider_of(name, server.url, session, clock)
    for written in ("0813-0000-0002", "+62 813 0000 0002", "6281300000002:7@s.whatsapp.net"):
        assert (await provider.send(replace(MESSAGE, address=written))).kind is OutcomeClass.ACCEPTED
    assert all(PERSON.encode() in asked.body for asked in server.asked)
    for wrong in ("nobody", "1@newsletter", ""):
        outcome = await provider.send(replace(MESSAGE, address=wrong))
        assert (outcome.kind, outcome.reason) == (OutcomeClass.PERMANENT, "bad_address")
    assert len(server.asked) == 3


@pytest.mark.parametrize("name", EVERYBODY)
async def test_groups_go_where_there_are_groups(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """The unofficial gateways write to groups; the official ones refuse before anything leaves."""
    server.usual = ACCEPTED[name]
    outcome = await provider_of(name, server.url, session, clock).send(replace(MESSAGE, address=GROUP))
    if name in UNOFFICIAL:
        assert outcome.kind is OutcomeClass.ACCEPTED
        assert GROUP.encode() in server.asked[0].body
    else:
        assert (outcome.reason, server.asked) == ("bad_address", [])


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_picture_goes_along_where_pictures_go(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """A provider that sends pictures sends it with the text; the others send the text alone."""
    server.usual = ACCEPTED[name]
    server.by_path["/v23.0/106540352242922/media"] = Reply.json(200, {"id": "1166"})
    provider = provider_of(name, server.url, session, clock)
    png = b"\x89PNG\r\n\x1a\n-not-really"
    outcome = await provider.send(replace(MESSAGE, image=Image(png)))
    assert outcome.kind is OutcomeClass.ACCEPTED
    bodies = b"".join(asked.body for asked in server.asked)
    assert (png in bodies or base64.b64encode(png) in bodies) == provider.traits.sends_images
    assert b"BotDown" in bodies


@pytest.mark.parametrize("name", EVERYBODY)
async def test_no_secret_is_told(
    name: str,
    server: ScriptedHttp,
    session: aiohttp.ClientSession,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A gateway that echoes our key in every field of its error gets none of it into outcomes, logs or reprs."""
    section = section_of(name, server.url)
    planted = secret_values(section)
    assert planted <= set(SECRETS)
    caplog.set_level(logging.DEBUG)
    provider = provider_of(name, server.url, session, clock, timeout_s=30)
    said = " ".join(planted)
    echo = {
        "error": {"code": 100, "message": said, "error_data": {"details": said}},
        "message": said,
        "exception": {"message": said},
        "response": {"message": [said]},
        "code": said,
        "status": said,
    }
    told: list[object] = [provider, section, provider.traits]
    for status in (200, 400, 401, 404, 422, 429, 500, 503):
        server.usual = Reply.json(status, echo)
        told += [await provider.send(MESSAGE), await provider.session()]
        told += [await provider.reconnect(), await provider.restart(), await provider.status_of("SM1")]
    server.usual = Reply(trick=Trick.HANG_UP)
    told += [await provider.send(MESSAGE), await provider.session()]
    output = capsys.readouterr()
    shown = "\n".join([*map(repr, told), *map(str, told), caplog.text, output.out, output.err])
    assert [secret for secret in planted if secret in shown or json.dumps(secret)[1:-1] in shown] == []


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_gateway_that_is_away_has_no_session(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Not reachable, keys refused and nonsense are told apart; none of it raises."""
    away = provider_of(name, "http://127.0.0.1:1", session, clock)
    states = [(await away.session()).state]
    provider = provider_of(name, server.url, session, clock)
    for reply in (Reply(401, b"no"), Reply(200, b"<html>"), Reply(200, b"{}")):
        server.usual = reply
        states.append((await provider.session()).state)
    assert states[:2] == [SessionState.UNREACHABLE, SessionState.MISCONFIGURED]
    assert SessionState.WORKING not in states


@pytest.mark.parametrize("name", EVERYBODY)
async def test_cancelling_a_send_cancels_it(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """A bridge that stops is not held up by a gateway that stalls."""
    server.usual = Reply(trick=Trick.STALL)
    provider = provider_of(name, server.url, session, clock, timeout_s=30)
    sending = asyncio.create_task(provider.send(MESSAGE))
    await asyncio.wait_for(server.reached.wait(), 60)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


@pytest.mark.parametrize("name", EVERYBODY)
async def test_a_closed_session_is_an_outcome_too(name: str, clock: FakeClock) -> None:
    """While the bridge stops, a send says that nothing left."""
    closed = aiohttp.ClientSession()
    await closed.close()
    outcome = await provider_of(name, "http://127.0.0.1:1", closed, clock).send(MESSAGE)
    assert outcome.kind is OutcomeClass.RETRY


def acks(provider: Provider) -> tuple[bool, bool]:
    return provider.traits.acks_on_accept, provider.traits.tells_acks


async def test_what_counts_as_proof_is_as_the_facts_say(
    session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """GOWA's and wuzapi's success is the server's ack; the others tell it later; without webhooks nobody does."""
    found = {name: acks(provider_of(name, "http://127.0.0.1:1", session, clock)) for name in EVERYBODY}
    at_once, later = (True, False), (False, True)
    assert found == {name: at_once if name in ("gowa", "wuzapi") else later for name in EVERYBODY}
    for name in ("waha", "evolution", "cloud"):
        deaf = provider_of(name, "http://127.0.0.1:1", session, clock, webhook={})
        assert acks(deaf) == (False, False)


async def test_a_bot_and_twilio_can_be_asked_for_a_message(
    server: ScriptedHttp, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """The word of the answer becomes a receipt; what cannot be read is none."""
    bot, twilio = (provider_of(name, server.url, session, clock) for name in ("bot", "twilio"))
    for provider, words in (
        (bot, {"server_ack": Receipt.ACKED, "pending": None, "read": Receipt.READ, "error": Receipt.FAILED}),
        (twilio, {"sent": Receipt.ACKED, "queued": None, "delivered": Receipt.DELIVERED}),
    ):
        for word, receipt in words.items():
            server.usual = Reply.json(200, {"status": word})
            assert await provider.status_of(SENT_ID) is receipt
        for reply in (Reply(404), Reply(200, b"<html>"), Reply.json(200, {"status": {"a": 1}})):
            server.usual = reply
            assert await provider.status_of(SENT_ID) is None
    assert await bot.status_of("../admin") is None
    assert "/../" not in server.asked[-1].path
