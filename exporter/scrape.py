"""One scrape: refresh what is due, wait no longer than the deadline, hand over the blocks."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence

from exporter import status
from exporter.cache import Slot
from exporter.collectors import ALL
from exporter.exposition import Format, Headers, page, without_router
from exporter.samples import Family
from exporter.watch import Watched

Asked = Sequence[tuple[Watched, Mapping[str, Slot]]]
"""The routers of a scrape, each with the slots it is asked for."""

COLLECTOR_FAMILIES: tuple[Family, ...] = tuple(family for c in ALL for family in c.families)
FAMILIES: tuple[Family, ...] = (*status.FAMILIES, *COLLECTOR_FAMILIES)
"""Every family the exporter tells of routers, in the order of the page."""

_HEADERS = {fmt: Headers(FAMILIES, fmt) for fmt in Format}


ROUTERS_IN_A_ROW = 25
"""Routers that are dealt with before the event loop may turn to something else: a few milliseconds of work."""

_under_way: set[asyncio.Task[None]] = set()
"""Refreshes that go on after their scrape; the loop itself holds its tasks only weakly."""


async def refresh(asked: Asked, *, deadline_s: float) -> bool:
    """Start what is due on every router and wait up to `deadline_s`; what is late goes on by itself.

    True when all of it ended in time.
    """
    work = asyncio.create_task(_refresh(asked))
    _under_way.add(work)
    work.add_done_callback(_under_way.discard)
    done, _ = await asyncio.wait([work], timeout=max(0.0, deadline_s))
    return bool(done)


async def _refresh(asked: Asked) -> None:
    tasks = set()
    for some in _in_rows(asked):
        for watched, slots in some:
            for slot in _in_turn(list(slots.values()), watched.next_turn()):
                if (task := slot.begin()) is not None:
                    tasks.add(task)
        await asyncio.sleep(0)
    if tasks:
        await asyncio.wait(tasks)


def _in_rows(asked: Asked) -> Iterator[Asked]:
    return (asked[start : start + ROUTERS_IN_A_ROW] for start in range(0, len(asked), ROUTERS_IN_A_ROW))


def _in_turn(slots: Sequence[Slot], turn: int) -> Iterable[Slot]:
    start = turn % len(slots) if slots else 0
    return (*slots[start:], *slots[:start])


async def metrics_page(asked: Asked, fmt: Format) -> list[bytes]:
    """The pieces of `/metrics` for the routers asked: every series bears its `router`."""
    blocks: dict[str, list[bytes]] = {}
    for some in _in_rows(asked):
        for found in (status.blocks(some, pools=True), _blocks(some)):
            for name, lines in found.items():
                blocks.setdefault(name, []).extend(lines)
        await asyncio.sleep(0)
    return list(page(FAMILIES, blocks, _HEADERS[fmt], fmt))


def probe_page(watched: Watched, slots: Mapping[str, Slot], fmt: Format) -> list[bytes]:
    """The pieces of `/probe`: one router, told by `instance`, so without the `router` label."""
    asked = [(watched, slots)]
    blocks = {**status.blocks(asked, pools=False), **_blocks(asked)}
    bare = {name: [without_router(block, watched.label) for block in found] for name, found in blocks.items()}
    return list(page(FAMILIES, bare, _HEADERS[fmt], fmt))


def _blocks(asked: Asked) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for _, slots in asked:
        for slot in slots.values():
            for part in slot.parts():
                for name, block in part.blocks.items():
                    if name in found:
                        found[name].append(block)
                    else:
                        found[name] = [block]
    return found
