"""One stream of one menu: listened to, begun again when it ends, and switched off when it ends too often."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import structlog

from exporter.collectors.reader import Source
from exporter.events.tallies import Tally
from routeros import CommandUnsupported, PoolClosed, Priority, Record, RouterError, failure_class

_log = structlog.stdlib.get_logger("exporter.events")


class Streams(Source, Protocol):
    """Where changes come from: `routeros.Router`."""

    def listen(
        self,
        path: str,
        *,
        proplist: Sequence[str] = ...,
        queries: Sequence[str] = ...,
        priority: Priority = ...,
    ) -> AsyncGenerator[Record, None]:
        """Changes of a menu without end; raises `routeros.RouterError`."""


class State(Enum):
    """What a stream does."""

    WAITING = "waiting"
    BEGINNING = "beginning"
    LISTENING = "listening"
    SWITCHED_OFF = "switched off"


class Step(Enum):
    """What happens to a stream."""

    TRY = "try"
    BEGUN = "begun"
    END = "end"
    GIVE_UP = "give up"


TRANSITIONS = {
    (State.WAITING, Step.TRY): State.BEGINNING,
    (State.BEGINNING, Step.BEGUN): State.LISTENING,
    (State.BEGINNING, Step.END): State.WAITING,
    (State.LISTENING, Step.END): State.WAITING,
    (State.WAITING, Step.GIVE_UP): State.SWITCHED_OFF,
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How a stream is begun again. Times are seconds."""

    min_wait_s: float = 1.0
    max_wait_s: float = 60.0
    unsupported_wait_s: float = 3600.0
    ends_limit: int = 5
    ends_within_s: float = 60.0
    quiet_s: float = 600.0
    """A stream that brought nothing for so long is begun anew: a dead one is as quiet as an idle one."""


class Stream:
    """Listens to one menu until cancelled. `run` ends by itself when the stream is switched off or the router gone."""

    def __init__(
        self,
        router: str,
        path: str,
        tally: Tally,
        client: Streams,
        *,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.tally = tally
        self.received = 0
        self.gaps = 0
        self._router = router
        self._client = client
        self._patience = patience
        self._clock = clock
        self._state = State.WAITING
        self._ends: deque[float] = deque(maxlen=patience.ends_limit)
        self._wait_s = patience.min_wait_s
        self._began_s = 0.0

    def __repr__(self) -> str:
        return f"<Stream {self._router} {self.path} {self._state.value} gaps={self.gaps} {self.tally!r}>"

    @property
    def state(self) -> State:
        return self._state

    def _apply(self, step: Step) -> None:
        """The only place that assigns the state."""
        self._state = TRANSITIONS[self._state, step]

    async def run(self) -> None:
        """Listen, again and again."""
        while self._state is not State.SWITCHED_OFF:
            self._apply(Step.TRY)
            error = await self._listen()
            was_listening = self._state is State.LISTENING
            self._apply(Step.END)
            if isinstance(error, PoolClosed):
                return
            wait_s = self._after(error, was_listening=was_listening)
            if self._state is State.WAITING and wait_s > 0:
                await asyncio.sleep(wait_s)

    async def _listen(self) -> RouterError | None:
        """Follow one stream to its end; None when it was only quiet for too long, or ended without an error."""
        rows = self._client.listen(self.path, proplist=self.tally.fields, priority=Priority.NORMAL)
        first = asyncio.ensure_future(anext(rows))
        try:
            await asyncio.sleep(0)  # so that the stream is asked for before the table: nothing falls between
            if self.tally.wants_snapshot:
                await self._snapshot()
            self._apply(Step.BEGUN)
            self._began_s = self._clock()
            self._take(await asyncio.wait_for(first, self._patience.quiet_s))
            while True:
                self._take(await asyncio.wait_for(anext(rows), self._patience.quiet_s))
        except RouterError as error:
            return error
        except TimeoutError:
            return _QUIET
        except StopAsyncIteration:
            return None
        finally:
            await _settle(first)
            await rows.aclose()

    async def _snapshot(self) -> None:
        reply = await self._client.call(
            f"{self.path}/print",
            proplist=self.tally.fields,
            priority=Priority.NORMAL,
            idempotent=True,
            large=True,
        )
        self.tally.snapshot(reply.records)

    def _take(self, row: Record) -> None:
        self.received += 1
        self.tally.row(row)

    def _after(self, error: RouterError | None, *, was_listening: bool) -> float:
        """What the end of a stream means; returns the seconds to wait before the next."""
        patience = self._patience
        if error is _QUIET:
            return 0.0
        if isinstance(error, CommandUnsupported):
            return patience.unsupported_wait_s
        now_s = self._clock()
        if was_listening:
            self.gaps += 1
            self._ends.append(now_s)
            if now_s - self._began_s >= patience.ends_within_s:
                self._wait_s = patience.min_wait_s
        if len(self._ends) == patience.ends_limit and now_s - self._ends[0] <= patience.ends_within_s:
            self._apply(Step.GIVE_UP)
            _log.warning(
                "events.switched_off",
                router=self._router,
                menu=self.path,
                ends=len(self._ends),
                within_s=patience.ends_within_s,
                error=str(error) if error is not None else "the stream ended without a reason",
                remedy="set it to false under the router's `events` in the configuration",
            )
            return 0.0
        _log.info(
            "events.interrupted",
            router=self._router,
            menu=self.path,
            failure=failure_class(error) if error is not None else "ended",
            again_in_s=self._wait_s,
        )
        wait_s, self._wait_s = self._wait_s, min(patience.max_wait_s, self._wait_s * 2)
        return wait_s


_QUIET = RouterError("nothing came for long")
"""Stands for the end that we made ourselves."""


async def _settle(first: asyncio.Future[Record]) -> None:
    """End what still waits for the first row, and let its error be known to have been seen."""
    first.cancel()
    await asyncio.wait([first])
    if not first.cancelled():
        first.exception()
