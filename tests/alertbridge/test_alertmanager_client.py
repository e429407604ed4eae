"""The client of Alertmanager's API v2: against a real one, a real pair, and servers that misbehave."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from alertbridge.alertmanager import (
    Alertmanager,
    AlertmanagerError,
    AlertmanagerRefused,
    AlertmanagerSection,
    AlertmanagerUnavailable,
    Matcher,
    UnknownSilence,
)
from tests.fakes.alertmanager_process import Alertmanager as Process
from tests.fakes.alertmanager_process import alertmanager
from tests.fakes.database_servers import free_port
from tests.fakes.scripted_http import Reply, ScriptedHttp, Trick

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
SYSTEM = pytest.mark.system("prometheus-alertmanager", "amtool")
LABELS = {"alertname": "BotDown", "instance": "bot-1", "odd": 'a "quoted" \\ one\n'}
UNKNOWN = "00000000-0000-4000-8000-000000000001"
TOKEN = "planted-token-71c"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    async with alertmanager(tmp_path / "am", CONFIG) as running:
        yield running


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedHttp]:
    async with ScriptedHttp().serving() as serving:
        yield serving


def client(session: aiohttp.ClientSession, *urls: str, timeout_s: float = 5.0) -> Alertmanager:
    section = {"urls": urls, "timeout_s": timeout_s, "token": TOKEN}
    return Alertmanager(AlertmanagerSection.model_validate(section), session)


async def silenced(
    found: Alertmanager, *, seconds: float = 60.0, silence_id: str = "", starts_at_s: float = 0.0
) -> str:
    """A silence of LABELS."""
    now_s = time.time()
    return await found.add_silence(
        [Matcher(name, value) for name, value in LABELS.items()],
        starts_at_s=starts_at_s or now_s,
        ends_at_s=now_s + seconds,
        created_by="wa:Budi",
        comment="ack 481",
        silence_id=silence_id,
    )


@SYSTEM
async def test_what_fires_with_and_without_what_is_silenced(
    process: Process, session: aiohttp.ClientSession
) -> None:
    """A silenced alert shows when it is asked for, with who silences it; one that ended shows no more."""
    found = client(session, process.url)
    began_s = time.time() - 60
    await process.tell(LABELS, began_s)
    (alert,) = await found.alerts()
    assert (alert.labels, alert.state) == (LABELS, "active") or alert.state == "unprocessed"
    assert alert.starts_at_s == pytest.approx(began_s, abs=0.01)
    silence_id = await silenced(found)
    assert await found.alerts() == []
    (hidden,) = await found.alerts(silenced=True, inhibited=True)
    assert (hidden.fingerprint, hidden.state, hidden.silenced_by) == (
        alert.fingerprint,
        "suppressed",
        (silence_id,),
    )
    await process.tell(LABELS, began_s, time.time() - 1)
    assert await found.alerts(silenced=True, inhibited=True) == []


@SYSTEM
async def test_a_silence_through_its_life(process: Process, session: aiohttp.ClientSession) -> None:
    """Made, read, made longer under the same id when its beginning is told again, and expired."""
    found = client(session, process.url)
    silence_id = await silenced(found)
    made = await found.silence(silence_id)
    assert {one.name: one.value for one in made.matchers} == LABELS
    assert all(one.is_equal and not one.is_regex for one in made.matchers)
    assert (made.created_by, made.comment, made.state) == ("wa:Budi", "ack 481", "active")
    same = await silenced(found, seconds=600, silence_id=silence_id, starts_at_s=made.starts_at_s)
    assert same == silence_id
    longer = await found.silence(silence_id)
    assert longer.ends_at_s - made.ends_at_s > 500
    await found.expire_silence(silence_id)
    await found.expire_silence(silence_id)
    assert [one.state for one in await found.silences()] == ["expired"]
    again = await silenced(found, silence_id=silence_id, starts_at_s=made.starts_at_s)
    assert again != silence_id, "an expired one is not brought back"


@SYSTEM
async def test_what_it_refuses(process: Process, session: aiohttp.ClientSession) -> None:
    """An unknown silence and one that ends before it begins: asking again does not help."""
    found = client(session, process.url)
    for ask in (found.silence, found.expire_silence, lambda known: silenced(found, silence_id=known)):
        with pytest.raises(UnknownSilence):
            await ask(UNKNOWN)
    with pytest.raises(AlertmanagerRefused, match="HTTP 400"):
        await silenced(found, seconds=-60)


@SYSTEM
async def test_a_cluster_is_written_to_once(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """One silence, known to both members soon; a member that is down is passed over."""
    ports = [free_port(), free_port()]
    async with (
        alertmanager(tmp_path / "a", CONFIG, cluster=ports) as first,
        alertmanager(tmp_path / "b", CONFIG, cluster=ports[::-1]) as second,
    ):
        await first.until_peers(2)
        dead = f"http://127.0.0.1:{free_port()}"
        found = client(session, dead, first.url, second.url)
        silence_id = await silenced(found)
        other = client(session, second.url)
        async with asyncio.timeout(60):
            while not (known := await other.silences()):  # noqa: ASYNC110  gossip tells nobody here
                await asyncio.sleep(0.05)
        assert [one.id for one in known] == [silence_id]
        assert [one.id for one in await found.silences()] == [silence_id]


BROKEN = [
    pytest.param(Reply(trick=Trick.STALL), id="stalls"),
    pytest.param(Reply(trick=Trick.HANG_UP), id="hangs up"),
    pytest.param(Reply(trick=Trick.NONSENSE), id="no HTTP"),
    pytest.param(Reply(trick=Trick.HALF), id="half an answer"),
    pytest.param(Reply(trick=Trick.DRIP), id="an answer without end"),
    pytest.param(Reply(503, b"starting"), id="503"),
    pytest.param(Reply(200, b"<html>login</html>"), id="a page"),
    pytest.param(Reply(200, b"[{}]"), id="another JSON"),
]


@pytest.mark.parametrize("reply", BROKEN)
async def test_whoever_does_not_answer_is_away(
    scripted: ScriptedHttp, session: aiohttp.ClientSession, reply: Reply
) -> None:
    """In bounded time, in a sentence without the token, and the next member is asked."""
    scripted.usual = reply
    found = client(session, scripted.url, timeout_s=1.0)
    for ask in (found.alerts, found.silences, lambda: silenced(found), lambda: found.silence(UNKNOWN)):
        with pytest.raises(AlertmanagerUnavailable) as caught:
            await ask()
        assert TOKEN not in str(caught.value)
    async with ScriptedHttp().serving() as well:
        well.usual = Reply.json(200, [])
        assert await client(session, scripted.url, well.url, timeout_s=2.0).alerts() == []


async def test_a_redirect_is_not_followed(scripted: ScriptedHttp, session: aiohttp.ClientSession) -> None:
    """The token goes nowhere that the configuration does not name."""
    scripted.usual = Reply(302, b"", {"Location": f"{scripted.url}/elsewhere"})
    with pytest.raises(AlertmanagerError):
        await client(session, scripted.url).alerts()
    assert [one.headers["Authorization"] for one in scripted.asked] == [f"Bearer {TOKEN}"]
    assert TOKEN not in repr(client(session, scripted.url))


async def test_a_refusal_is_not_taken_to_the_next_member(
    scripted: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """It would say the same, and a silence must not be written twice."""
    scripted.usual = Reply.json(400, "silence invalid")
    async with ScriptedHttp().serving() as other:
        with pytest.raises(AlertmanagerRefused, match="silence invalid"):
            await silenced(client(session, scripted.url, other.url))
        assert other.asked == []
