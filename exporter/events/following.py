"""The streams of every router that asked for them, and what they have counted as blocks for the page."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from exporter.collectors.ppp import SERVICES
from exporter.events.families import FAMILIES, GAPS, RECEIVED, STREAM_OFF, STREAM_UP
from exporter.events.logtally import LogTally
from exporter.events.stream import Patience, State, Stream, Streams
from exporter.events.tallies import LinkTally, SessionTally, Tally
from exporter.exposition import label_text
from exporter.samples import Family
from exporter.watch import Watched


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu that can be followed: its name in the configuration, its path, and what counts it."""

    name: str
    path: str
    make: Callable[[], Tally]


MENUS = (
    Menu("interface", "/interface", LinkTally),
    Menu(
        "ppp",
        "/ppp/active",
        lambda: SessionTally((".id", "name", "service"), service=None, always=SERVICES),
    ),
    Menu(
        "hotspot",
        "/ip/hotspot/active",
        lambda: SessionTally((".id", "user"), service="hotspot", always=("hotspot",)),
    ),
    Menu("log", "/log", LogTally),
)
"""One stream each, at most."""


class Follower:
    """The streams of one router."""

    def __init__(
        self,
        router: str,
        label: str,
        client: Streams,
        names: Iterable[str],
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`label` is the label text that each of the router's series begins with."""
        wanted = set(names)
        self._label = label
        self.streams = {
            menu.name: Stream(
                router, menu.path, menu.make(), client, patience=patience or Patience(), clock=clock
            )
            for menu in MENUS
            if menu.name in wanted
        }
        self._tasks = [
            asyncio.create_task(stream.run(), name=f"events {router} {name}")
            for name, stream in self.streams.items()
        ]

    def __repr__(self) -> str:
        return f"<Follower {list(self.streams.values())}>"

    def blocks(self) -> dict[str, bytes]:
        """The finished lines of each family that there is something to tell of."""
        found: dict[Family, list[str]] = {family: [] for family in FAMILIES}
        for menu, stream in self.streams.items():
            for family, counts in stream.tally.counts().items():
                found[family] += [
                    self._line(family, values, count) for values, count in sorted(counts.items())
                ]
            for family, value in _health(stream):
                found[family].append(self._line(family, (menu,), value))
        return {family.name: "".join(lines).encode() for family, lines in found.items() if lines}

    def _line(self, family: Family, values: tuple[str, ...], value: int) -> str:
        own = label_text(dict(zip(family.labels, values, strict=True)))
        return f"{family.name}{{{self._label},{own}}} {value}\n"

    async def close(self) -> None:
        """End every stream; the router is told."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


def _health(stream: Stream) -> Iterator[tuple[Family, int]]:
    yield RECEIVED, stream.received
    yield GAPS, stream.gaps
    yield STREAM_UP, int(stream.state is State.LISTENING)
    yield STREAM_OFF, int(stream.state is State.SWITCHED_OFF)


class Events:
    """The followers of all routers under watch."""

    def __init__(self, *, patience: Patience | None = None) -> None:
        self._patience = patience
        self._followers: dict[Watched, Follower] = {}

    def __repr__(self) -> str:
        return f"<Events routers={len(self._followers)}>"

    async def follow(self, fleet: Iterable[Watched]) -> None:
        """Follow exactly these routers, as each one's settings ask; those that were followed already go on."""
        watching = list(fleet)
        gone = [self._followers.pop(watched) for watched in set(self._followers) - set(watching)]
        for watched in watching:
            names = watched.section.events.names
            if watched not in self._followers and names:
                follower = self._followers[watched] = Follower(
                    watched.name, watched.label, watched.client, names, patience=self._patience
                )
                watched.beside = follower.blocks
        await asyncio.gather(*[follower.close() for follower in gone])

    async def close(self) -> None:
        """End every stream."""
        await self.follow(())
