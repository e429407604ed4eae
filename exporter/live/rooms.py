"""The hubs of all routers, and how many viewers there may be."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from exporter.live.choices import Catalogue
from exporter.live.counts import LiveCounts
from exporter.live.hub import Hub, Pace
from exporter.live.viewer import Viewer
from exporter.watch import Watched


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most viewers of one router and of all, most things watched by one viewer and on one router."""

    viewers_per_router: int = 250
    viewers: int = 500
    subjects_per_viewer: int = 8
    subjects_per_router: int = 256


class TooMany(Exception):
    """One viewer more than there may be; the message says of what there is too much."""


class Live:
    """Everybody who watches anything."""

    def __init__(
        self,
        counts: LiveCounts,
        *,
        pace: Pace | None = None,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.counts = counts
        self.pace = pace or Pace()
        self.bounds = bounds or Bounds()
        self._clock = clock
        self._wall_clock = wall_clock
        self._hubs: dict[Watched, Hub] = {}
        self._catalogues: dict[Watched, Catalogue] = {}
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Live viewers={self.counts.viewers} routers={len(self._hubs)}>"

    def join(self, watched: Watched, viewer: Viewer) -> Hub:
        """The hub that `viewer` has joined. Raises TooMany."""
        self._forget_idle()
        hub = self._hubs.get(watched)
        try:
            self._check(hub, viewer)
        except TooMany:
            self.counts.refused += 1
            raise
        if hub is None:
            hub = self._hubs[watched] = Hub(
                watched.name,
                watched.client,
                self.counts,
                pace=self.pace,
                clock=self._clock,
                wall_clock=self._wall_clock,
            )
        hub.join(viewer)
        return hub

    def _check(self, hub: Hub | None, viewer: Viewer) -> None:
        if self._is_closed:
            raise TooMany("the exporter is stopping")
        if self.counts.viewers >= self.bounds.viewers:
            raise TooMany(f"{self.counts.viewers} viewers are watching already")
        if hub is None:
            return
        if len(hub) >= self.bounds.viewers_per_router:
            raise TooMany(f"{len(hub)} viewers are watching {hub.router!r} already")
        if len(hub.subjects | set(viewer.subjects)) > self.bounds.subjects_per_router:
            raise TooMany(f"too many different things are watched on {hub.router!r} already")

    def catalogue(self, watched: Watched) -> Catalogue:
        """What there is to watch on a router."""
        found = self._catalogues.get(watched)
        if found is None:
            found = self._catalogues[watched] = Catalogue(watched.client, clock=self._clock)
        return found

    def _forget_idle(self) -> None:
        self._hubs = {watched: hub for watched, hub in self._hubs.items() if not hub.is_idle}
        self._catalogues = {w: found for w, found in self._catalogues.items() if not found.is_old}

    async def renew(self) -> None:
        """End every stream, as after a reload: viewers come back at once, and are asked anew who they are."""
        hubs, self._hubs = self._hubs, {}
        catalogues, self._catalogues = self._catalogues, {}
        await asyncio.gather(
            *[hub.close() for hub in hubs.values()], *[found.close() for found in catalogues.values()]
        )

    async def close(self) -> None:
        """End every stream for good."""
        self._is_closed = True
        await self.renew()
