"""Reconnecting, restarting and unblocking bots: what only a person can mend is left alone, and no message is lost."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from alertbridge.deliver.providers.base import (
    Outcome,
    OutcomeClass,
    Provider,
    Session,
    SessionState,
)
from alertbridge.deliver.providers.registry import make_provider
from alertbridge.recover.actions.base import Action, Stage, Verdict
from alertbridge.recover.actions.registry import ACTIONS, Actions
from alertbridge.recover.actions.resources import Resources, Routers
from alertbridge.recover.ports import NoSuchTarget
from simulator.bot.server import BotServer
from simulator.bot.state import CONNECT_S, SimulatedBot
from tests.fakes.acting import failing
from tests.fakes.channel_sections import channel_of
from tests.fakes.clock import FakeClock
from tests.fakes.phone_world import PhoneWorld, phone_world

TOKEN = "bot-token-of-ours"
QR = "https://bots.example.net/noc"


@dataclass
class Bench:
    """A channel with its provider, and every request that went to it."""

    actions: Actions
    provider: Provider
    clock: FakeClock
    asked: list[str] = field(default_factory=list)
    bot: SimulatedBot = field(default_factory=lambda: SimulatedBot(0.0))
    restarts: list[float] = field(default_factory=list)

    def make(self, name: str, **settings: object) -> Action:
        model = ACTIONS[name].settings
        return self.actions.make(name, model.model_validate({"channel": "noc", **settings}))

    @property
    def mended(self) -> list[str]:
        """What was asked of the provider beside how it is."""
        return [
            line
            for line in self.asked
            if line.rpartition("/")[2] in ("reconnect", "restart", "start", "clear") or "/connect/" in line
        ]

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.bot.advance(self.clock.time())


@asynccontextmanager
async def at_work(section: dict[str, Any], keep_dir: Path, clock: FakeClock) -> AsyncIterator[Bench]:
    """All actions on the channel ``noc``."""
    asked: list[str] = []
    trace = aiohttp.TraceConfig()

    async def note(_: object, __: SimpleNamespace, request: aiohttp.TraceRequestStartParams) -> None:
        asked.append(f"{request.method} {request.url.path}")

    trace.on_request_start.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        channel = channel_of({"name": "noc", "timeout_s": 2.0, "pairing_url": QR, **section})
        provider = make_provider(channel, session, clock)
        resources = Resources(
            routers=Routers([]),
            session=session,
            clock=clock,
            keep_dir=keep_dir,
            providers={"noc": provider},
            channels={"noc": channel},
        )
        yield Bench(Actions(resources), provider, clock, asked)
        await provider.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bot of one's own; its time is the clock's."""
    clock = FakeClock()
    bot = SimulatedBot(clock.time())
    restarts: list[float] = []
    server = TestServer(
        BotServer(
            bot, token=TOKEN, restart=lambda: restarts.append(clock.time()), wall_clock=clock.time
        ).app()
    )
    await server.start_server(access_log=None)
    section = {"kind": "bot", "url": str(server.make_url("")), "token": TOKEN}
    async with at_work(section, tmp_path / "kept", clock) as bench:
        bench.bot, bench.restarts = bot, restarts
        bench.pass_time(CONNECT_S)
        yield bench
    await server.close()


async def test_a_dropped_session_is_connected_again(bench: Bench) -> None:
    """Before: disconnected. After: it works, and the provider says so."""
    bench.bot.faults.set("disconnect", curable=1)
    bench.pass_time(1)
    action = bench.make("bot_reconnect")
    assert action.target == "bot:noc"
    assert (await action.before()).facts["session"] == "disconnected"
    assert await action.verify() is Verdict.FAILS
    assert (await action.run()).changed
    starting = await failing(bench.make("bot_reconnect").run())
    assert (starting.reason, starting.changed) == ("starting", False)
    assert await action.verify() is Verdict.UNKNOWN
    bench.pass_time(CONNECT_S)
    assert await action.verify() is Verdict.HOLDS
    assert bench.mended == ["POST /reconnect"]
    assert (await failing(action.undo())).stage is Stage.UNDO


async def test_a_bot_is_restarted_by_its_supervisor(bench: Bench) -> None:
    """Its process is told to end; nothing else is."""
    assert (await bench.make("bot_restart").run()).changed
    async with asyncio.timeout(60):
        while not bench.restarts:  # noqa: ASYNC110  the bot's process tells nobody
            await asyncio.sleep(0.01)
    assert bench.mended == ["POST /restart"]


@pytest.mark.parametrize("name", ["bot_reconnect", "bot_restart"])
@pytest.mark.parametrize(
    ("fault", "reason"), [("logged_out", "logged_out"), ("banned", "banned"), ("timelock", "timelocked")]
)
async def test_what_only_a_person_can_mend_is_left_alone(
    bench: Bench, name: str, fault: str, reason: str
) -> None:
    """No attempt at all, before or during the run; the operator is told where to pair, or how long to wait."""
    bench.bot.faults.set(fault)
    bench.pass_time(1)
    action = bench.make(name)
    for deed, stage in ((action.before(), Stage.PRECHECK), (action.run(), Stage.RUN)):
        failed = await failing(deed)
        assert (failed.reason, failed.stage, failed.changed) == (reason, stage, False)
        assert (QR in str(failed)) is (reason == "logged_out")
        assert ("until 2023-11-14T23:13:" in str(failed)) is (reason == "timelocked")
    assert bench.mended == []
    assert await action.verify() is Verdict.FAILS


async def test_a_bot_that_waits_to_be_paired_is_left_alone(bench: Bench) -> None:
    """It shows a code; restarting it would take the code away."""
    bench.bot.logout()
    assert bench.bot.show_qr()
    failed = await failing(bench.make("bot_restart").before())
    assert failed.reason == "needs_pairing"
    assert QR in str(failed)
    assert bench.mended == []


@pytest.mark.parametrize("name", ["waha", "evolution"])
async def test_gateways_are_mended_and_left_alone_alike(name: str, tmp_path: Path) -> None:
    """WAHA and Evolution API: a broken session works again; a logged-out one gets not one attempt."""
    keys = {"waha": {"api_key": "waha-key"}, "evolution": {"api_key": "evolution-key", "instance": "noc"}}
    async with phone_world() as world:
        section = {"kind": name, "url": f"{world.url}/{name}", **keys[name]}
        async with at_work(section, tmp_path, FakeClock()) as bench:
            await until(bench, SessionState.WORKING)
            await world.fault(name, "disconnected")
            action = bench.make("bot_reconnect")
            await action.before()
            assert (await action.run()).changed
            assert bench.mended
            await until(bench, SessionState.WORKING)
            assert await action.verify() is Verdict.HOLDS
            await bench.make("bot_restart").run()
            await until(bench, SessionState.WORKING)
            await world.mend()
            await _log_out(world, name, bench)
            asked = len(bench.mended)
            for kind in ("bot_reconnect", "bot_restart"):
                assert QR in str(await failing(bench.make(kind).before()))
                assert (await failing(bench.make(kind).run())).changed is False
            assert len(bench.mended) == asked


async def _log_out(world: PhoneWorld, name: str, bench: Bench) -> None:
    """The phone removes the device. WAHA says only that it failed until a restart of it fails, too."""
    await world.fault(name, "logged_out")
    if name == "waha":
        await bench.provider.reconnect()
    async with asyncio.timeout(60):
        while (await bench.provider.session()).state not in (  # noqa: ASYNC110  nobody tells
            SessionState.LOGGED_OUT,
            SessionState.NEEDS_PAIRING,
        ):
            await asyncio.sleep(0.02)


async def until(bench: Bench, state: SessionState) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(60):
        while (await bench.provider.session()).state is not state:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("outcome", "reason", "changed"),
    [
        (Outcome(OutcomeClass.PERMANENT), "permanent", False),
        (Outcome(OutcomeClass.RETRY, "unreachable"), "unreachable", False),
        (Outcome(OutcomeClass.UNKNOWN, "timeout"), "timeout", None),
        (Outcome(OutcomeClass.CONFIG, "status_401", "wrong key"), "status_401", False),
        (Outcome(OutcomeClass.CONFIG, "scan", "wants a scan", logged_out=True), "logged_out", False),
    ],
)
async def test_every_refusal_of_a_provider_is_told_apart(
    outcome: Outcome, reason: str, changed: bool | None, tmp_path: Path
) -> None:
    """Nothing to mend, not reached, nobody knows, wrong key, and logged out in the middle of it."""

    class Scripted:
        async def session(self) -> Session:
            return Session(SessionState.DISCONNECTED, pairing_url=QR)

        async def reconnect(self) -> Outcome:
            return outcome

    async with at_work({"kind": "bot", "url": "http://127.0.0.1:9"}, tmp_path, FakeClock()) as bench:
        resources = Resources(
            routers=Routers([]),
            session=None,  # type: ignore[arg-type]  # nothing is asked over HTTP
            clock=bench.clock,
            keep_dir=tmp_path,
            providers={"noc": Scripted()},  # type: ignore[dict-item]  # the two calls that are made
        )
        kind = ACTIONS["bot_reconnect"]
        action = kind.make(kind.settings.model_validate({"channel": "noc"}), resources)
        failed = await failing(action.run())
    assert (failed.reason, failed.changed) == (reason, changed)
    assert (QR in str(failed)) is outcome.logged_out


# -- the queue


def fill(bench: Bench, count: int, first: int = 0) -> None:
    """Messages that do not leave, a second apart."""
    bench.bot.faults.set("queue_stuck")
    for number in range(first, first + count):
        bench.bot.send("6281200000017", f"pesan {number} 🔴", f"M{number:03d}")
        bench.pass_time(1)


def kept(folder: Path) -> list[dict[str, Any]]:
    """What is in the one file that was kept."""
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def test_a_stuck_queue_is_moved_into_a_file(bench: Bench, tmp_path: Path) -> None:
    """Everything that is old enough, in full and in order, over several pages; what is younger stays."""
    fill(bench, 450)
    bench.pass_time(3600)
    fill(bench, 3, first=450)
    action = bench.make("bot_clear_queue", older_than_s=3600)
    assert (await action.before()).facts["pending"] == 453
    assert await action.verify() is Verdict.FAILS
    done = await action.run()
    assert done.changed
    assert done.evidence.facts["removed"] == 450
    found = kept(tmp_path / "kept")
    assert [one["id"] for one in found] == [f"M{number:03d}" for number in range(450)]
    assert found[0]["text"] == "pesan 0 🔴"
    assert found[0]["to"] == "6281200000017"
    assert [message.id for message in bench.bot.queue] == ["M450", "M451", "M452"]
    assert await action.verify() is Verdict.HOLDS


async def test_nothing_old_is_nothing_to_do(bench: Bench, tmp_path: Path) -> None:
    """No file, no request to clear; also while the session is logged out the queue may be cleared."""
    fill(bench, 2)
    bench.bot.logout()
    assert not (await bench.make("bot_clear_queue", older_than_s=3600).run()).changed
    assert bench.mended == []
    assert not (tmp_path / "kept").exists()
    assert (await bench.make("bot_clear_queue", older_than_s=0).run()).changed


async def test_what_cannot_be_kept_is_not_removed(bench: Bench, tmp_path: Path) -> None:
    """A folder that cannot be written stops the run before anything is lost."""
    (tmp_path / "kept").write_text("a file where the folder should be")
    fill(bench, 2)
    failed = await failing(bench.make("bot_clear_queue", older_than_s=0).run())
    assert (failed.reason, failed.changed) == ("cannot_keep", False)
    assert len(bench.bot.queue) == 2
    assert bench.mended == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"pending": 3, "oldest_s": 9}', "not_listed"),
        ('{"pending": 3, "oldest_s": 9, "messages": [{"text": "no id"}]}', "not_listed"),
        ("<html>", "malformed"),
    ],
)
async def test_a_queue_that_is_not_listed_is_not_cleared(body: str, reason: str, tmp_path: Path) -> None:
    """What cannot be read cannot be kept."""
    async with one_answer(body) as url, at_work({"kind": "bot", "url": url}, tmp_path, FakeClock()) as bench:
        action = bench.make("bot_clear_queue")
        for deed in (action.before(), action.run()):
            failed = await failing(deed)
            assert (failed.reason, failed.changed) == (reason, False)
        assert bench.mended == []


async def test_a_bot_that_removes_more_than_it_was_told_is_told_on(tmp_path: Path) -> None:
    """It ignores the ids: what came between is gone, and that is said."""
    listed = json.dumps(
        {"pending": 1, "oldest_s": 9999, "messages": [{"id": "M1", "age_s": 9999}], "removed": 2}
    )
    async with (
        one_answer(listed) as url,
        at_work({"kind": "bot", "url": url}, tmp_path, FakeClock()) as bench,
    ):
        failed = await failing(bench.make("bot_clear_queue").run())
        assert (failed.reason, failed.changed) == ("removed_more", True)


@asynccontextmanager
async def one_answer(body: str) -> AsyncIterator[str]:
    """The address of a bot that answers everything with this."""

    async def handler(_: aiohttp.web.BaseRequest) -> aiohttp.web.Response:
        return aiohttp.web.Response(text=body, content_type="application/json")

    app = aiohttp.web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    server = TestServer(app)
    await server.start_server(access_log=None)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


async def test_a_bot_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Not reached is no verdict on the queue, and nothing is known of the session."""
    async with at_work({"kind": "bot", "url": "http://127.0.0.1:9"}, tmp_path, FakeClock()) as bench:
        clear = bench.make("bot_clear_queue")
        assert (await failing(clear.before())).reason == "unreachable"
        assert await clear.verify() is Verdict.UNKNOWN
        assert await bench.make("bot_reconnect").verify() is Verdict.UNKNOWN
        assert (await failing(bench.make("bot_reconnect").run())).changed is False


async def test_a_channel_that_is_none_is_known_before_anything_is_done(tmp_path: Path) -> None:
    """No such channel, or one that has no queue."""
    section = {"kind": "waha", "url": "http://127.0.0.1:9", "api_key": "k"}
    async with at_work(section, tmp_path, FakeClock()) as bench:
        for name, channel in (("bot_reconnect", "other"), ("bot_clear_queue", "noc")):
            with pytest.raises(NoSuchTarget):
                bench.make(name, channel=channel)
