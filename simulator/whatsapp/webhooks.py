"""Webhooks on their way out: in order per provider, repeated as the provider would, or spoilt by a fault."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from .faults import FaultBoard

TIMEOUT = aiohttp.ClientTimeout(total=10)
LOG_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook: where to, and the body and headers that go there."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Waits before each repeat (s), and the answers after which there is none."""

    waits_s: Sequence[float] = (1.0, 2.0, 4.0, 8.0)
    final: frozenset[int] = frozenset()


@dataclass(slots=True)
class Delivery:
    """What became of one webhook; `statuses` holds 0 for an attempt without an answer."""

    provider: str
    url: str
    at_s: float
    statuses: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """What ``GET /control/webhooks`` lists."""
        return {"provider": self.provider, "url": self.url, "at": self.at_s, "statuses": self.statuses}


class Courier:
    """Posts webhooks; `open` before the first."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self.log: deque[Delivery] = deque(maxlen=LOG_LIMIT)
        self._wall = wall
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, asyncio.Lock] = {}
        self._count = 0

    async def open(self) -> None:
        """Ready to post."""
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)

    async def close(self) -> None:
        """Drop what is not out yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(
        self, hook: Hook, faults: FaultBoard, repeats: Repeats, done: Callable[[bool], None] | None = None
    ) -> None:
        """Post it in the background; `done` hears at the end whether it was taken."""
        if self._session is None or faults.use("webhooks_silent") is not None:
            return
        self._count += 1
        reordered = faults.look("webhooks_reordered")
        delay_s = reordered["seconds"] if reordered is not None and self._count % 2 else 0.0
        duplicate = faults.use("webhooks_duplicate")
        copies = 1 + int(duplicate["copies"] if duplicate is not None else 0)
        task = asyncio.create_task(
            self._carry(self._session, hook, faults.provider, repeats, delay_s, copies, done)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self,
        session: aiohttp.ClientSession,
        hook: Hook,
        provider: str,
        repeats: Repeats,
        delay_s: float,
        copies: int,
        done: Callable[[bool], None] | None,
    ) -> None:
        delivery = Delivery(provider, hook.url.partition("?")[0], self._wall())
        self.log.append(delivery)
        if delay_s:
            await asyncio.sleep(delay_s)
        async with self._lanes.setdefault(provider, asyncio.Lock()):
            for _ in range(copies):
                delivery.statuses.append(await _post(session, hook))
        for wait_s in repeats.waits_s:
            if _taken(delivery) or delivery.statuses[-1] in repeats.final:
                break
            await asyncio.sleep(wait_s)
            delivery.statuses.append(await _post(session, hook))
        if done is not None:
            done(_taken(delivery))

    async def get(self, url: str, query: Mapping[str, str]) -> tuple[int, str]:
        """Status and text of a GET; 0 for no answer."""
        if self._session is None:
            return 0, ""
        try:
            async with self._session.get(url, params=query) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""


def _taken(delivery: Delivery) -> bool:
    return 200 <= delivery.statuses[-1] < 300


async def _post(session: aiohttp.ClientSession, hook: Hook) -> int:
    try:
        async with session.post(
            hook.url, data=hook.body, headers=hook.headers, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return 0
