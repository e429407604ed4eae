"""One browser that watches: what it wants to see, and the few events on their way to it."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from enum import Enum

from exporter.live.subjects import Subject

WAITING_LIMIT = 4
"""Events that may wait for a viewer; one that takes nothing for as long is dropped, since its picture is old anyway."""


def event(name: str, data: str) -> bytes:
    """An event as a stream of server-sent events holds it; `data` is JSON on one line."""
    return f"event: {name}\ndata: {data}\n\n".encode()


def told(name: str, **about: object) -> bytes:
    """An event made of names and values."""
    return event(name, json.dumps(about, ensure_ascii=False, separators=(",", ":")))


class Phase(Enum):
    """Whether a viewer is still there."""

    WATCHING = "watching"
    ENDING = "ending"
    """What waits is still handed over, and then nothing more."""
    DROPPED = "dropped"


_NEXT = {
    Phase.WATCHING: {Phase.ENDING, Phase.DROPPED},
    Phase.ENDING: {Phase.DROPPED},
    Phase.DROPPED: set(),
}


class Viewer:
    """A viewer and its mailbox. `abort` cuts its connection; it is called when the mailbox is full."""

    def __init__(
        self, subjects: tuple[Subject, ...], *, users: bool, words: str, abort: Callable[[], None]
    ) -> None:
        self.subjects = subjects
        self.users = users
        self.words = words
        self._abort = abort
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._phase = Phase.WATCHING

    def __repr__(self) -> str:
        return f"<Viewer {self._phase.value} subjects={len(self.subjects)} waiting={len(self._waiting)}>"

    @property
    def phase(self) -> Phase:
        return self._phase

    def _move_to(self, phase: Phase) -> None:
        """The only place that assigns the phase; there is no way back."""
        if phase in _NEXT[self._phase]:
            self._phase = phase
            self._news.set()

    def offer(self, chunk: bytes) -> bool:
        """Hand over an event; False when the viewer is too slow for it, and now dropped."""
        if self._phase is not Phase.WATCHING:
            return False
        if len(self._waiting) >= WAITING_LIMIT:
            self._move_to(Phase.DROPPED)
            self._waiting.clear()
            self._abort()
            return False
        self._waiting.append(chunk)
        self._news.set()
        return True

    def end(self) -> None:
        """Nothing comes after what waits now."""
        self._move_to(Phase.ENDING)

    async def next(self) -> bytes | None:
        """What waits, joined; None when nothing more will come."""
        while not self._waiting:
            if self._phase is not Phase.WATCHING:
                return None
            self._news.clear()
            await self._news.wait()
        chunks = b"".join(self._waiting)
        self._waiting.clear()
        return chunks
