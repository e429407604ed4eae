"""A bot that is a process of its own, watched by the exporter beside a router: every way to be ill, and to get well."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from exporter.probes.registry import PATIENCE_S
from simulator import Network, RouterSpec
from tests.fakes.bot_process import BotProcess, bot_process
from tests.fakes.exporter_process import free_port
from tests.fakes.served import PASSWORD, Page, Served, config_text, logged, router_of, served

KEY = "k3y-of-the-bot"
TIMEOUT_S = 3.0


@pytest.fixture(scope="module")
def pid_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bot") / "bot.pid"


@pytest.fixture(scope="module")
def shared_bot(pid_file: Path) -> Iterator[BotProcess]:
    """One for the tests that leave it running."""
    with bot_process("--token", KEY, "--pid-file", str(pid_file)) as bot:
        yield bot


@pytest.fixture
def bot(shared_bot: BotProcess) -> Iterator[BotProcess]:
    """That one, in good health."""
    yield shared_bot
    shared_bot.mend()


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network([RouterSpec("hut", profile="home", password=PASSWORD)]) as network:
        yield network


def config(network: Network, bot: BotProcess, pid_file: Path, **more: object) -> str:
    section = {
        "name": "noc",
        "kind": "baileys",
        "url": bot.url,
        "api_key": KEY,
        "timeout_s": TIMEOUT_S,
        "ttl_s": 0,
        "proof": {"frame_s": 3},
        "process": {"pid_file": str(pid_file)},
        **more,
    }
    return config_text([router_of(network["hut"])], bots=[section])


@pytest.fixture
async def exporter(
    network: Network, bot: BotProcess, pid_file: Path, tmp_path: Path
) -> AsyncIterator[Served]:
    async with served(tmp_path, config(network, bot, pid_file)) as exporter:
        await comes(exporter, lambda page: state(page) == "open")
        yield exporter


def state(page: Page) -> str | None:
    """The state of the session that holds."""
    return word(page, "whatsapp_bot_session_state", "state")


def reason(page: Page) -> str | None:
    """Why the bot is not up."""
    return word(page, "whatsapp_bot_failure", "reason")


def word(page: Page, name: str, label: str) -> str | None:
    found = [
        dict(labels)[label] for (sample, labels), value in page.samples.items() if sample == name and value
    ]
    assert len(found) < 2
    return found[0] if found else None


def value(page: Page, name: str) -> float | None:
    return page.value(f"whatsapp_bot_{name}", bot="noc")


def queued(page: Page) -> float | None:
    """How many messages wait in the bot."""
    return page.value("whatsapp_bot_queue_length", bot="noc", queue="default")


async def comes(exporter: Served, holds: Callable[[Page], bool], *, within_s: float = 60.0) -> Page:
    """The first scrape for which it holds."""
    async with asyncio.timeout(within_s):
        while not holds(page := await exporter.get("/metrics")):  # noqa: ASYNC110  a scrape tells, nobody else
            await asyncio.sleep(0.05)
    return page


async def in_thread(work: Callable[[], object]) -> None:
    """The simulated router lives in this loop, so nothing may hold it up."""
    await asyncio.to_thread(work)


async def test_a_healthy_bot_is_told_with_its_process(exporter: Served, bot: BotProcess) -> None:
    """Counters move with what the bot does, and the process is the one that was started."""
    await in_thread(lambda: bot.ask("GET", "/control/faults"))
    page = await exporter.get("/metrics")
    assert (value(page, "up"), value(page, "connected"), reason(page)) == (1, 1, None)
    assert value(page, "messages_sent_total") == 0
    assert value(page, "process_running") == 1
    assert (value(page, "process_open_files") or 0) > 3
    assert (value(page, "response_seconds") or 9) < TIMEOUT_S
    assert page.value("tikwatch_probe_success", kind="bot", probe="noc") == 1
    assert page.value("mikrotik_up", router="hut") == 1
    assert KEY not in page.text


async def test_messages_and_the_queue_are_counted(network: Network, tmp_path: Path) -> None:
    """What is sent leaves the queue and is counted; a stuck queue grows, and can be cleared."""
    with bot_process("--pid-file", str(tmp_path / "bot.pid")) as bot:
        async with served(tmp_path, config(network, bot, tmp_path / "bot.pid")) as exporter:
            await comes(exporter, lambda page: state(page) == "open")
            for number in range(3):
                await in_thread(lambda n=number: bot.ask("POST", "/send", to="62813", text="x", id=f"m{n}"))
            await in_thread(lambda: bot.ask("POST", "/send", to="62813", text="x", id="m0"))
            await comes(exporter, lambda page: value(page, "messages_sent_total") == 3)
            await comes(exporter, lambda page: value(page, "last_ack_timestamp_seconds") is not None)
            await in_thread(lambda: bot.fault("queue_stuck"))
            for number in range(3):
                await in_thread(lambda n=number: bot.ask("POST", "/send", to="62813", text="x", id=f"s{n}"))
            await comes(exporter, lambda page: queued(page) == 3)
            await in_thread(lambda: bot.ask("POST", "/queue/clear", older_than_s=0))
            page = await comes(exporter, lambda page: queued(page) == 0)
            assert value(page, "messages_failed_total") == 3


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("disconnect", "close"), ("logged_out", "logged_out"), ("banned", "banned"), ("half_dead", "half_dead")],
)
async def test_a_session_that_is_ill(exporter: Served, bot: BotProcess, fault: str, expected: str) -> None:
    """The bot is up and says what its session is, or cannot prove that it lives; mended, it is open again."""
    await in_thread(lambda: bot.fault(fault))
    page = await comes(exporter, lambda page: state(page) == expected)
    assert (value(page, "up"), value(page, "connected")) == (1, 0)
    await in_thread(bot.mend)
    page = await comes(exporter, lambda page: state(page) == "open")
    assert value(page, "connected") == 1


async def test_a_disconnect_ends_with_a_reconnect(network: Network, tmp_path: Path) -> None:
    """A scrape after a disconnect tells it with its code; a reconnect is counted."""
    with bot_process("--pid-file", str(tmp_path / "bot.pid")) as bot:
        async with served(tmp_path, config(network, bot, tmp_path / "bot.pid")) as exporter:
            await comes(exporter, lambda page: state(page) == "open")
            await in_thread(lambda: bot.fault("disconnect", code=440))
            page = await comes(exporter, lambda page: state(page) == "close")
            assert value(page, "last_disconnect_code") == 440
            await in_thread(lambda: bot.ask("POST", "/reconnect"))
            page = await comes(exporter, lambda page: state(page) == "open")
            assert value(page, "reconnects_total") == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("wrong_json", "unexpected"),
        ("broken_json", "not_json"),
        ("html", "html"),
        ("status_500", "status"),
        ("redirect", "redirect"),
        ("half_body", "closed"),
        ("huge_body", "too_large"),
        ("frozen", "timeout"),
        ("slow", "timeout"),
        ("drip", "timeout"),
    ],
)
async def test_a_bot_that_does_not_answer_as_one(
    exporter: Served, bot: BotProcess, fault: str, expected: str
) -> None:
    """It is down with a reason, the routers' part of the page is untouched, and it comes back when it is mended."""
    before = await exporter.get("/metrics")
    await in_thread(lambda: bot.fault(fault))
    page = await comes(exporter, lambda page: reason(page) == expected)
    assert (value(page, "up"), value(page, "connected"), state(page)) == (0, 0, None)
    assert value(page, "messages_sent_total") is None
    assert value(page, "process_running") == 1
    assert page.value("tikwatch_probe_success", kind="bot", probe="noc") == 1
    assert of_router(page) == of_router(before)
    await in_thread(bot.mend)
    page = await comes(exporter, lambda page: state(page) == "open")
    assert (value(page, "up"), reason(page)) == (1, None)


def of_router(page: Page) -> set[str]:
    """Names of the families that tell something of the router."""
    return {name for name, labels in page.samples if ("router", "hut") in labels}


async def test_a_frozen_bot_holds_up_one_scrape_at_most(exporter: Served, bot: BotProcess) -> None:
    """After its first silence a scrape does not wait for it, and tells that it is down."""
    began_s = time.monotonic()
    await exporter.get("/metrics")
    without_s = time.monotonic() - began_s
    await in_thread(lambda: bot.fault("frozen"))
    await comes(exporter, lambda page: reason(page) == "timeout")
    took_s = []
    for _ in range(5):
        began_s = time.monotonic()
        page = await exporter.get("/metrics")
        took_s.append(time.monotonic() - began_s)
        assert value(page, "up") == 0
    assert min(took_s) < without_s + PATIENCE_S / 2


async def test_a_killed_bot_is_seen_to_be_gone_and_to_come_back(network: Network, tmp_path: Path) -> None:
    """Nobody answers and the process is not there; the one in its place is one restart, which a reload keeps."""
    words = ("--token", KEY, "--pid-file", str(tmp_path / "bot.pid"))
    with bot_process(*words) as bot:
        async with served(tmp_path, config(network, bot, tmp_path / "bot.pid")) as exporter:
            await comes(exporter, lambda page: state(page) == "open")
            await in_thread(bot.kill)
            page = await comes(exporter, lambda page: reason(page) == "unreachable")
            assert (value(page, "up"), value(page, "process_running")) == (0, 0)
            assert value(page, "process_restarts_total") == 0
            with bot_process(*words, port=bot.port) as another:
                assert another.pid != bot.pid
                page = await comes(exporter, lambda page: state(page) == "open")
                assert (value(page, "process_running"), value(page, "process_restarts_total")) == (1, 1)
                assert (await exporter.reload()).status == 200
                page = await exporter.get("/metrics")
                assert value(page, "process_restarts_total") == 1


async def test_a_restart_cures_a_half_dead_session(network: Network, tmp_path: Path) -> None:
    """Reconnecting does not, as has been seen; asked to restart, the bot ends, and its supervisor starts it again."""
    with bot_process("--respawn", "--pid-file", str(tmp_path / "bot.pid"), port=free_port()) as bot:
        async with served(tmp_path, config(network, bot, tmp_path / "bot.pid")) as exporter:
            await comes(exporter, lambda page: state(page) == "open")
            await in_thread(lambda: bot.fault("half_dead"))
            await comes(exporter, lambda page: state(page) == "half_dead")
            await in_thread(lambda: bot.ask("POST", "/reconnect"))
            await comes(exporter, lambda page: state(page) == "half_dead")
            await in_thread(lambda: bot.ask("POST", "/restart"))
            page = await comes(exporter, lambda page: state(page) == "open")
            assert value(page, "process_restarts_total") == 1
        bot.process.terminate()
        assert await asyncio.to_thread(bot.process.wait, 60) == 0


async def test_a_wrong_key_is_told_and_shown_nowhere(
    network: Network, bot: BotProcess, pid_file: Path, tmp_path: Path
) -> None:
    """The reason is `unauthorized`; neither page nor log nor any other answer holds the key that was tried."""
    wrong = "wr0ng-key-of-the-bot"
    with logged() as log:
        async with served(tmp_path, config(network, bot, pid_file, api_key=wrong)) as exporter:
            page = await comes(exporter, lambda page: reason(page) == "unauthorized")
            assert value(page, "up") == 0
            texts = [page.text, (await exporter.get("/", Accept="text/html")).text, log.getvalue()]
    assert "event=bot.changed" in texts[-1]
    assert not [text for text in texts if wrong in text]


async def test_some_collectors_ask_for_no_bot(exporter: Served) -> None:
    """A scrape that is narrowed to collectors has nothing of the probes, and does not ask them."""
    page = await exporter.get("/metrics?collect[]=system")
    assert value(page, "up") is None
    page = await exporter.get("/probe?target=hut")
    assert value(page, "up") is None
