"""One scrape: refresh what is due, wait no longer than the deadline, hand over the blocks."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from exporter import status
from exporter.cache import Slot
from exporter.collectors import ALL
from exporter.collectors.reader import Reading
from exporter.events.families import FAMILIES as EVENT_FAMILIES
from exporter.exposition import Format, Headers, page, without_router
from exporter.probes import kinds
from exporter.samples import Family
from exporter.watch import Watched

Asked = Sequence[tuple[Watched, Mapping[str, Slot]]]
"""The routers of a scrape, each with the slots it is asked for."""

COLLECTOR_FAMILIES: tuple[Family, ...] = tuple(family for c in ALL for family in c.families)
FAMILIES: tuple[Family, ...] = (*status.FAMILIES, *COLLECTOR_FAMILIES, *EVENT_FAMILIES)
"""Every family the exporter tells of routers, in the order of the page."""

PAGE_FAMILIES: tuple[Family, ...] = (*FAMILIES, *kinds.FAMILIES)
"""Every family of `/metrics`: those of routers, and those of what is asked beside them."""


@lru_cache(maxsize=2 * len(Format))
def _headers(families: tuple[Family, ...], fmt: Format) -> Headers:
    return Headers(families, fmt)


ROUTERS_IN_A_ROW = 25
"""Routers that are dealt with before the event loop may turn to something else: a few milliseconds of work."""
PATIENCE_S = 0.5
"""How long a scrape waits when nothing that is due is worth waiting for."""
LONG_TURN_S = 0.05
"""A turn of the event loop that takes longer has all that one processor can do."""
LONGEST_PAUSE_S = 0.25
"""How long a row of routers is held back at most because there is so much to do."""
SLOW_S = 2.0
"""A collector whose latest refresh took longer is refreshed beside a scrape of several routers, not waited for."""
LOOK_AGAIN_S = 1.0
"""How often a scrape that waits looks which routers have gone silent meanwhile."""

Started = dict[asyncio.Task[Reading], tuple[Watched, Slot]]

_under_way: set[asyncio.Task[bool]] = set()
"""Scrapes whose refreshes go on after the deadline; the loop itself holds its tasks only weakly."""


async def refresh(asked: Asked, *, deadline_s: float) -> bool:
    """Start what is due on every router and wait up to `deadline_s`; what is late goes on by itself.

    Beside others, a router that does not answer is waited for only as long as they need. True when all ended in time.
    """
    work = asyncio.create_task(_refresh(asked))
    _under_way.add(work)
    work.add_done_callback(_under_way.discard)
    done, _ = await asyncio.wait([work], timeout=max(0.0, deadline_s))
    return bool(done) and work.result()


async def _refresh(asked: Asked) -> bool:
    started: Started = {}
    for some in _in_rows(asked):
        for watched, slots in some:
            for slot in _in_turn(list(slots.values()), watched.next_turn()):
                if (task := slot.begin()) is not None:
                    started[task] = (watched, slot)
        await _until_calm()
    if len(asked) > 1:
        return await _wait_for_those_that_answer(started)
    pending = set(started)
    while pending:  # nobody else waits, so this one is waited for; that it seems dead is noticed on the way
        _, pending = await asyncio.wait(pending, timeout=LOOK_AGAIN_S)
        asked[0][0].look()
    return True


async def _wait_for_those_that_answer(started: Started) -> bool:
    """Wait for refreshes until none is left, or none whose router answers; True when none is left."""
    pending = set(started)
    while hoped_for := [task for task in pending if _is_worth_waiting(*started[task])]:
        await asyncio.wait(hoped_for, timeout=LOOK_AGAIN_S)
        for watched in {started[task][0] for task in hoped_for if not task.done()}:
            watched.look()
        pending = {task for task in pending if not task.done()}
    if pending == set(started) and pending:  # nobody to keep waiting: give the dead a chance to rise
        _, pending = await asyncio.wait(pending, timeout=PATIENCE_S)
    return not pending


def _is_worth_waiting(watched: Watched, slot: Slot) -> bool:
    """Not for a router that is silent, nor for a collector that was slow before and has an older result to serve."""
    if slot.duration_s is not None and slot.duration_s > SLOW_S and slot.age_s is not None:
        return False
    return watched.answers is not False


async def _until_calm() -> None:
    """Give others turns of the event loop until they are short again, but not for longer than `LONGEST_PAUSE_S`.

    Routers that were asked then come to their end before more are asked. If a thousand were asked at once, none would
    be ready at the deadline, and a turn that serves them all would take seconds, in which no deadline is noticed.
    Routers that only let us wait hold nobody back.
    """
    loop = asyncio.get_running_loop()
    began_s = now_s = loop.time()
    while now_s - began_s < LONGEST_PAUSE_S:
        before_s = now_s
        await asyncio.sleep(0)
        now_s = loop.time()
        if now_s - before_s < LONG_TURN_S:
            return


def _in_rows(asked: Asked) -> Iterator[Asked]:
    return (asked[start : start + ROUTERS_IN_A_ROW] for start in range(0, len(asked), ROUTERS_IN_A_ROW))


def _in_turn(slots: Sequence[Slot], turn: int) -> Iterable[Slot]:
    start = turn % len(slots) if slots else 0
    return (*slots[start:], *slots[:start])


async def metrics_page(
    asked: Asked,
    fmt: Format,
    *,
    beside: Mapping[str, Sequence[bytes]] = MappingProxyType({}),
    made: tuple[Family, ...] = (),
) -> list[bytes]:
    """The pieces of `/metrics` for the routers asked: every series bears its `router`. `beside` are the blocks
    of what is asked beside them, `made` the families among them that the configuration makes."""
    blocks: dict[str, list[bytes]] = {name: list(found) for name, found in beside.items()}
    loop, is_calm = asyncio.get_running_loop(), True
    for some in _in_rows(asked):
        if is_calm:
            before_s = loop.time()
            await asyncio.sleep(0)
            is_calm = loop.time() - before_s < LONG_TURN_S  # else politeness would take seconds
        for found in (status.blocks(some, pools=True), _blocks(some)):
            for name, lines in found.items():
                blocks.setdefault(name, []).extend(lines)
    families = (*PAGE_FAMILIES, *made)
    return list(page(families, blocks, _headers(families, fmt), fmt))


def probe_page(watched: Watched, slots: Mapping[str, Slot], fmt: Format) -> list[bytes]:
    """The pieces of `/probe`: one router, told by `instance`, so without the `router` label."""
    asked = [(watched, slots)]
    blocks = {**status.blocks(asked, pools=False), **_blocks(asked)}
    bare = {name: [without_router(block, watched.label) for block in found] for name, found in blocks.items()}
    return list(page(FAMILIES, bare, _headers(FAMILIES, fmt), fmt))


def _blocks(asked: Asked) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for watched, slots in asked:
        for slot in slots.values():
            for part in slot.parts():
                for name, block in part.blocks.items():
                    if name in found:
                        found[name].append(block)
                    else:
                        found[name] = [block]
        if watched.beside is not None:
            for name, block in watched.beside().items():
                found.setdefault(name, []).append(block)
    return found
