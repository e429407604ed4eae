"""A slot answers from what it has, refreshes once at a time, and tells its age."""

import asyncio

import pytest

from exporter.cache import Slot
from exporter.collectors.reader import Part, Reading
from routeros import BreakerOpen, CommandFailed, RouterUnreachable, UnreachableReason
from tests.fakes.clock import FakeClock


class Script:
    """Gives the readings of a list, each when `go` is set."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.readings: list[Reading] = []
        self.started = 0
        self.go = asyncio.Event()
        self.go.set()

    async def read(self) -> Reading:
        self.started += 1
        await self.go.wait()
        return self.readings.pop(0)

    def ok(self, text: str, *tables: str) -> None:
        parts = {t: Part({t: text.encode()}, self.clock()) for t in tables or ("t",)}
        self.readings.append(Reading(parts, {}, frozenset(), len(parts)))

    def fail(self, error: Exception) -> None:
        assert isinstance(error, RouterUnreachable | CommandFailed | BreakerOpen)
        self.readings.append(Reading({}, {"t": error}, frozenset(), 1))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def script(clock: FakeClock) -> Script:
    return Script(clock)


@pytest.fixture
def slot(script: Script, clock: FakeClock) -> Slot:
    return Slot(script, ttl_s=30, max_stale_s=300, finished=lambda slot, reading: None, clock=clock)


async def refresh(slot: Slot) -> bool:
    """Let a due refresh run; whether there was one."""
    task = slot.begin()
    if task is None:
        return False
    await task
    return True


def texts(slot: Slot) -> list[bytes]:
    return [block for part in slot.parts() for block in part.blocks.values()]


async def test_a_result_is_served_again_until_its_ttl_is_over(
    slot: Slot, script: Script, clock: FakeClock
) -> None:
    """Within the TTL nothing is asked; at its end, once."""
    script.ok("one")
    assert await refresh(slot)
    clock.advance(29.9)
    assert not await refresh(slot)
    script.ok("two")
    clock.advance(0.1)
    assert await refresh(slot)
    assert texts(slot) == [b"two"]
    assert (slot.served.hits, slot.served.misses) == (1, 2)


async def test_many_scrapers_cause_one_refresh(slot: Slot, script: Script) -> None:
    """Whoever comes while a refresh is under way waits for that one."""
    script.ok("one")
    script.go.clear()
    tasks = {slot.begin() for _ in range(50)}
    script.go.set()
    assert len(tasks) == 1
    await asyncio.gather(*[task for task in tasks if task])
    assert script.started == 1
    assert slot.served.joined == 49


async def test_the_last_good_result_is_served_while_the_router_fails_and_then_is_gone(
    slot: Slot, script: Script, clock: FakeClock
) -> None:
    """Stale data is marked by its age, and ends at max_stale_s."""
    script.ok("good")
    await refresh(slot)
    for _ in range(9):
        clock.advance(30)
        script.fail(RouterUnreachable("no route", reason=UnreachableReason.REFUSED))
        await refresh(slot)
    assert texts(slot) == [b"good"]
    assert slot.age_s == 270
    assert slot.served.stale == 1
    clock.advance(31)
    assert texts(slot) == []
    assert slot.age_s is None
    assert slot.failures == {"unreachable": 9}


async def test_an_unreachable_router_is_asked_again_at_the_next_scrape(
    slot: Slot, script: Script, clock: FakeClock
) -> None:
    """A refresh that reached nobody does not block the next one for a whole TTL, but does for a second."""
    script.fail(RouterUnreachable("no route", reason=UnreachableReason.REFUSED))
    await refresh(slot)
    clock.advance(0.5)
    assert not await refresh(slot)
    clock.advance(0.5)
    script.ok("back")
    assert await refresh(slot)


async def test_a_command_that_the_router_refuses_waits_for_its_ttl(
    slot: Slot, script: Script, clock: FakeClock
) -> None:
    """The router answered, so it is not asked the same more often than once per TTL."""
    script.fail(CommandFailed("failure: x", path="/x"))
    await refresh(slot)
    clock.advance(29)
    assert not await refresh(slot)


async def test_an_open_breaker_costs_no_ttl(slot: Slot, script: Script) -> None:
    """Nothing was sent, so the next scrape may try at once."""
    script.fail(BreakerOpen("open", retry_in_s=3))
    await refresh(slot)
    script.ok("back")
    assert await refresh(slot)
    assert texts(slot) == [b"back"]


async def test_a_table_that_fails_keeps_its_last_part_beside_fresh_ones(
    slot: Slot, script: Script, clock: FakeClock
) -> None:
    """Tables of a collector age apart; the collector's age is that of the oldest."""
    script.ok("one", "t", "u")
    await refresh(slot)
    clock.advance(30)
    part = Part({"u": b"two"}, clock())
    script.readings.append(Reading({"u": part}, {"t": CommandFailed("no", path="/t")}, frozenset(), 2))
    await refresh(slot)
    assert texts(slot) == [b"one", b"two"]
    assert slot.age_s == 30
    assert "parts=['t', 'u']" in repr(slot)


async def test_a_menu_that_went_away_takes_its_data_with_it(
    slot: Slot, script: Script, clock: FakeClock
) -> None:
    """An unsupported table is not stale: it is no more."""
    script.ok("one")
    await refresh(slot)
    clock.advance(30)
    script.readings.append(Reading({}, {}, frozenset({"t"}), 1))
    await refresh(slot)
    assert texts(slot) == []


async def test_a_fault_of_our_own_costs_one_collector_and_is_counted(slot: Slot, script: Script) -> None:
    """An exception that nobody foresaw becomes a failure of this slot; what it had is still served."""
    script.ok("good")
    await refresh(slot)
    script.readings.clear()
    slot.ttl_s = 0
    assert await refresh(slot)
    assert texts(slot) == [b"good"]
    assert slot.failures == {"internal": 1}
    assert "IndexError" in str(slot.last_error)


async def test_closing_ends_a_refresh_under_way(slot: Slot, script: Script) -> None:
    """No task is left behind."""
    script.ok("one")
    script.go.clear()
    task = slot.begin()
    await asyncio.sleep(0)
    await slot.close()
    assert task is not None
    assert task.cancelled()
