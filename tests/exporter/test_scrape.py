"""A scrape keeps its deadline, asks in turning order, and tells the truth about what it could not get."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from exporter import scrape
from exporter.cache import Served, Slot
from exporter.collectors.reader import Reading
from exporter.config import CollectorSettings, RouterSection
from exporter.exposition import Format
from exporter.fleet import KNOWN_COLLECTORS
from exporter.watch import LIFE_CHECK_S, SILENT_AFTER_S, Watched
from routeros import (
    Breaker,
    BreakerOpen,
    CommandDeadline,
    CommandFailed,
    ConnectionTest,
    LoginRefused,
    PoolExhausted,
    Priority,
    Reply,
    RouterError,
    RouterStats,
    RouterUnreachable,
    UnreachableReason,
)
from tests.fakes.clock import FakeClock

NOBODY = RouterStats(**{field.name: 0 for field in fields(RouterStats) if field.name != "connections"})


class Client:
    """A router that answers with no rows, an error, or not at all."""

    def __init__(self) -> None:
        self.breaker = Breaker()
        self.error: RouterError | None = None
        self.errors: dict[str, RouterError] = {}
        self.answering = asyncio.Event()
        self.answering.set()
        self.asked: list[str] = []
        self.closed = False
        self.received_rows = 0
        self.received_bytes = 0
        self.hanging = ""

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = {},
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        priority: Priority = Priority.NORMAL,
        idempotent: bool = False,
        large: bool = False,
    ) -> Reply:
        self.asked.append(command)
        if command == self.hanging:
            await asyncio.Event().wait()
        await self.answering.wait()
        self.received_rows += 1
        if error := self.errors.get(command, self.error):
            raise error
        return Reply([{"cpu-load": "7", "uptime": "1h"}] if command == "/system/resource/print" else [])

    def stats(self) -> RouterStats:
        return replace(
            NOBODY, rows_received_total=self.received_rows, bytes_received_total=self.received_bytes
        )

    async def test(self, *, deadline_s: float | None = None) -> ConnectionTest:
        raise NotImplementedError

    async def reset(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True


class Listener:
    """Nobody is listening."""

    def reading_finished(self, router: str, collector: str, slot: Slot, reading: Reading) -> None: ...

    def served(self, collector: str) -> Served:
        return Served()


SETTINGS = {
    name: CollectorSettings(ttl_s=own.ttl_s, mode=own.mode, limit=own.limit, top=own.top)
    for name, own in KNOWN_COLLECTORS.items()
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client() -> Client:
    return Client()


def watch(client: Client, clock: FakeClock, name: str = "core", **more: Any) -> Watched:
    section = RouterSection.model_validate({"name": name, "address": "192.0.2.1", **more})
    return Watched(section, client, Listener(), max_stale_s=300, clock=clock, wall_clock=clock.time)


@pytest.fixture
def watched(client: Client, clock: FakeClock) -> Watched:
    return watch(client, clock)


def samples(text: bytes) -> dict[str, float]:
    """Values by name and labels of a page."""
    return {
        s.name + "".join(f",{k}={v}" for k, v in sorted(s.labels.items())): s.value
        for family in read_text(text.decode())
        for s in family.samples
    }


async def page(watched: Watched, *only: str) -> dict[str, float]:
    asked = [(watched, watched.slots(SETTINGS, only))]
    return samples(b"".join(await scrape.metrics_page(asked, Format.TEXT)))


async def test_what_is_not_ready_at_the_deadline_comes_with_the_next_scrape(
    watched: Watched, client: Client
) -> None:
    """A scrape past its deadline answers with what there is; the refresh goes on and fills the cache."""
    client.answering.clear()
    slots = watched.slots(SETTINGS, ["system"])
    await scrape.refresh([(watched, slots)], deadline_s=0.001)
    early = await page(watched, "system")
    assert early["mikrotik_up,router=core"] == 0
    assert early["mikrotik_collector_success,collector=system,router=core"] == 0
    assert not any(name.startswith("mikrotik_system") for name in early)
    assert not any("_age_seconds" in name or "_duration_seconds" in name for name in early)
    client.answering.set()
    await scrape.refresh([(watched, slots)], deadline_s=5)
    late = await page(watched, "system")
    assert client.asked.count("/system/resource/print") == 1
    assert late["mikrotik_up,router=core"] == 1
    assert late["mikrotik_collector_success,collector=system,router=core"] == 1
    assert late["mikrotik_system_cpu_load_ratio,router=core"] == 0.07


async def test_the_order_of_collectors_turns_from_scrape_to_scrape(client: Client, clock: FakeClock) -> None:
    """Each collector is first at some scrape."""
    watched = watch(client, clock)
    first = set()
    for _ in SETTINGS:
        client.asked.clear()
        clock.advance(600)
        await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
        first.add(client.asked[0])
    assert len(first) == len(SETTINGS)


async def test_a_probe_says_the_same_without_the_router(watched: Watched, client: Client) -> None:
    """`/probe` leaves the router label and the pool's numbers out, and nothing else."""
    slots = watched.slots(SETTINGS, ["system"])
    await scrape.refresh([(watched, slots)], deadline_s=5)
    probe = samples(b"".join(scrape.probe_page(watched, slots, Format.TEXT)))
    metrics = await page(watched, "system")
    bare = {name.replace(",router=core", ""): value for name, value in metrics.items()}
    missing = {name for name in bare if name not in probe}
    assert probe.items() <= bare.items()
    assert {name.split(",")[0].split("_")[0] for name in missing} == {"tikwatch", "mikrotik"}
    assert {name.split(",")[0] for name in missing if name.startswith("mikrotik")} == {"mikrotik_router_info"}


async def test_configured_labels_are_on_every_series(client: Client, clock: FakeClock) -> None:
    """`labels:` of a router stand beside `router`, and leave with it on a probe."""
    watched = watch(client, clock, labels={"site": "jkt"})
    slots = watched.slots(SETTINGS, ["system"])
    await scrape.refresh([(watched, slots)], deadline_s=5)
    assert all(",site=jkt" in name for name in await page(watched, "system"))
    assert b"jkt" not in b"".join(scrape.probe_page(watched, slots, Format.TEXT))


REFUSED = RouterUnreachable("refused", reason=UnreachableReason.REFUSED)


@pytest.mark.parametrize(
    ("error", "up"),
    [
        (REFUSED, 0),
        (LoginRefused("invalid user name or password (6)"), 0),
        (BreakerOpen("open", retry_in_s=5), 0),
        (CommandFailed("failure: x", path="/x"), 1),
        (PoolExhausted("busy", retry_in_s=None), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, RouterError) else None,
)
async def test_up_tells_whether_the_router_answers(
    watched: Watched, client: Client, clock: FakeClock, error: RouterError, up: int
) -> None:
    """A trap is an answer; a router that was not asked for want of a place keeps its last known state."""
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
    assert (await page(watched))["mikrotik_up,router=core"] == 1
    client.error = error
    clock.advance(120)
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
    told = await page(watched)
    assert told["mikrotik_up,router=core"] == up
    assert told["mikrotik_collector_success,collector=system,router=core"] == 0
    assert told["mikrotik_system_cpu_load_ratio,router=core"] == 0.07
    assert told["mikrotik_collector_age_seconds,collector=system,router=core"] == 120


async def test_one_slow_menu_does_not_make_a_router_down(
    watched: Watched, client: Client, clock: FakeClock
) -> None:
    """A command past its deadline beside others that were answered is the collector's failure, not the router's."""
    for command in ("/queue/simple/print", "/queue/tree/print"):
        client.errors[command] = CommandDeadline("late", path=command, allowed_s=30)
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
    told = await page(watched)
    assert told["mikrotik_up,router=core"] == 1
    assert told["mikrotik_collector_success,collector=queue,router=core"] == 0
    assert told["mikrotik_collector_failures_total,class=deadline,collector=queue,router=core"] == 2


async def test_a_router_that_answers_nothing_in_time_is_down(watched: Watched, client: Client) -> None:
    """When every command passes its deadline, the router is down."""
    client.error = CommandDeadline("late", path="/x", allowed_s=30)
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
    assert (await page(watched))["mikrotik_up,router=core"] == 0


async def test_a_router_that_says_nothing_for_a_while_is_down_before_its_commands_give_up(
    watched: Watched, client: Client, clock: FakeClock
) -> None:
    """Silence for five seconds is told at the next scrape, and so is the first byte after it."""
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
    clock.advance(120)
    client.answering.clear()
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=0.001)
    assert (await page(watched))["mikrotik_up,router=core"] == 1
    clock.advance(SILENT_AFTER_S)
    assert (await page(watched))["mikrotik_up,router=core"] == 1
    asked = len(client.asked)
    assert await asyncio.to_thread(lambda: watched.answers)  # pages are made in threads, and ask nothing
    await asyncio.sleep(0)
    assert len(client.asked) == asked
    watched.look()
    await asyncio.sleep(0)  # the turn in which the question is asked
    assert client.asked[-1] == "/system/identity/print"
    clock.advance(LIFE_CHECK_S)
    assert (await page(watched))["mikrotik_up,router=core"] == 0
    client.received_rows += 1
    assert (await page(watched))["mikrotik_up,router=core"] == 1
    client.answering.set()
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
    assert (await page(watched))["mikrotik_up,router=core"] == 1


async def test_bytes_that_are_no_answers_do_not_make_a_router_up(
    watched: Watched, client: Client, clock: FakeClock
) -> None:
    """A router that was down and now sends something, but answers nothing, is still down."""
    client.error = REFUSED
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=5)
    client.answering.clear()
    clock.advance(120)
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=0.001)
    clock.advance(6)
    client.received_bytes += 1000
    assert (await page(watched))["mikrotik_up,router=core"] == 0


@pytest.mark.parametrize("silent", ["since it was asked", "since before"])
async def test_beside_others_a_router_that_does_not_answer_is_not_waited_for(
    client: Client, clock: FakeClock, silent: str
) -> None:
    """A page of several routers comes when those that answer are ready, long before the deadline."""
    hanging, well = Client(), watch(client, clock)
    gone = watch(hanging, clock, name="gone")
    await scrape.refresh([(gone, gone.slots(SETTINGS))], deadline_s=5)
    hanging.answering.clear()
    clock.advance(120)
    if silent == "since before":
        await scrape.refresh([(gone, gone.slots(SETTINGS))], deadline_s=0.001)
        clock.advance(SILENT_AFTER_S)
    asked = [(gone, gone.slots(SETTINGS)), (well, well.slots(SETTINGS))]
    waiting = asyncio.create_task(scrape.refresh(asked, deadline_s=50))
    if silent == "since it was asked":
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        clock.advance(SILENT_AFTER_S)
        await asyncio.wait([waiting], timeout=2 * scrape.LOOK_AGAIN_S)
        clock.advance(LIFE_CHECK_S)
    async with asyncio.timeout(60):
        assert not await waiting
    assert gone.answers is False
    assert well.answers is True


@pytest.mark.parametrize(("turn_s", "most_turns"), [(0.0, 50), (scrape.LONG_TURN_S * 1.2, 3)])
async def test_turns_of_the_loop_are_given_away_while_they_are_short(
    watched: Watched, turn_s: float, most_turns: int
) -> None:
    """A page of a thousand routers leaves room for others, unless they would take seconds of it."""
    loop, turns = asyncio.get_running_loop(), 0

    def busy() -> None:
        nonlocal turns, timer
        turns += 1
        time.sleep(turn_s)
        timer = loop.call_soon(busy)

    timer = loop.call_soon(busy)
    asked = [(watched, watched.slots(SETTINGS, ["system"]))] * 1000
    await scrape.metrics_page(asked, Format.TEXT)
    timer.cancel()
    assert 1 <= turns <= most_turns


async def test_a_menu_that_is_known_to_be_slow_is_no_silence(
    watched: Watched, client: Client, clock: FakeClock
) -> None:
    """Where the work at hand took eight seconds before, eight seconds without a word are no sign of death."""
    slots = watched.slots(SETTINGS, ["queue"])
    client.answering.clear()
    await scrape.refresh([(watched, slots)], deadline_s=0.001)
    clock.advance(8)
    client.answering.set()
    await scrape.refresh([(watched, slots)], deadline_s=5)
    assert slots["queue"].duration_s == 8
    clock.advance(120)
    client.answering.clear()
    await scrape.refresh([(watched, slots)], deadline_s=0.001)
    clock.advance(8)
    assert (await page(watched))["mikrotik_up,router=core"] == 1
    assert client.asked[-1] != "/system/identity/print"
    await watched.close()


async def test_one_menu_that_hangs_is_no_router_that_is_down(
    watched: Watched, client: Client, clock: FakeClock
) -> None:
    """While a single menu is silent, a router that tells its name is up."""
    client.hanging = "/queue/simple/print"
    await scrape.refresh([(watched, watched.slots(SETTINGS, ["queue"]))], deadline_s=0.001)
    await scrape.refresh([(watched, watched.slots(SETTINGS, ["system"]))], deadline_s=5)
    for _ in range(5):
        clock.advance(SILENT_AFTER_S)
        watched.look()
        assert (await page(watched))["mikrotik_up,router=core"] == 1
        await asyncio.sleep(0)
    assert client.asked.count("/system/identity/print") > 2
    await watched.close()


async def test_a_page_of_several_routers_does_not_wait_for_what_was_slow_before(clock: FakeClock) -> None:
    """The slow collector is refreshed beside the scrape and told from its last result, with its age."""
    slow, quick = Client(), Client()
    pair = [watch(slow, clock, "slow"), watch(quick, clock, "quick")]
    asked = [(watched, watched.slots(SETTINGS, ["system"])) for watched in pair]
    slow.answering.clear()
    await scrape.refresh(asked, deadline_s=0.001)
    clock.advance(8)
    slow.answering.set()
    assert await scrape.refresh(asked, deadline_s=5)
    clock.advance(120)
    slow.answering.clear()
    assert not await scrape.refresh(asked, deadline_s=60)
    told = await page(pair[0], "system")
    assert told["mikrotik_up,router=slow"] == 1
    assert told["mikrotik_collector_age_seconds,collector=system,router=slow"] == 120
    await pair[0].close()


async def test_closing_a_router_ends_its_work(watched: Watched, client: Client) -> None:
    """Refreshes under way are cancelled and the client is closed."""
    client.answering.clear()
    await scrape.refresh([(watched, watched.slots(SETTINGS))], deadline_s=0.001)
    await watched.close()
    assert client.closed
    assert "refreshing" not in repr(watched.slots(SETTINGS)["system"])
