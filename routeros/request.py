"""One command of a caller, from the queue to its result."""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum
from typing import Protocol as Interface

from routeros.connection import Connection
from routeros.errors import CommandFailed, RouterError
from routeros.limit import Flight
from routeros.protocol import Command
from routeros.replies import Priority, Record, Reply
from routeros.sentences import encode_words


class RequestState(Enum):
    WAITING = "waiting"
    SENT = "sent"
    ENDED = "ended"


class RequestStep(Enum):
    SEND = "send"
    END = "end"


REQUEST_TRANSITIONS: dict[tuple[RequestState, RequestStep], RequestState] = {
    (RequestState.WAITING, RequestStep.SEND): RequestState.SENT,
    (RequestState.WAITING, RequestStep.END): RequestState.ENDED,
    (RequestState.SENT, RequestStep.END): RequestState.ENDED,
}


class RequestOwner(Interface):
    """Who is told how a request's command went: the pool."""

    def answered(self, request: Request, command: Command) -> None: ...

    def lost(self, request: Request, error: RouterError) -> None: ...

    def alive(self, request: Request) -> None: ...

    def given_up_and_lost(self, request: Request, error: RouterError) -> None: ...


class Request:
    """A command that waits for a slot, runs, or is over; the sink of its command on a connection.

    Times are of the pool's clock; `deadline_s` is a point in time, None for no deadline. `menu` is under what
    its latency is compared with others. Raises ValueError for words that cannot be sent.
    """

    __slots__ = (
        "allowed_s",
        "command",
        "connection",
        "deadline_s",
        "encoded",
        "enqueued_s",
        "flight",
        "future",
        "generation",
        "large",
        "menu",
        "owner",
        "priority",
        "sent_s",
        "state",
        "stream",
        "timer",
        "words",
    )

    def __init__(
        self,
        words: tuple[str, ...],
        *,
        owner: RequestOwner,
        future: asyncio.Future[Reply],
        enqueued_s: float,
        generation: int = 0,
        priority: Priority = Priority.NORMAL,
        deadline_s: float | None = None,
        large: bool = False,
        stream: RowStream | None = None,
        menu: str = "",
    ) -> None:
        self.words = words
        self.encoded = encode_words(words)
        self.menu = menu or words[0]
        self.owner = owner
        self.future = future
        self.enqueued_s = enqueued_s
        self.generation = generation
        self.priority = priority
        self.deadline_s = deadline_s
        self.large = large
        self.stream = stream
        self.state = RequestState.WAITING
        self.sent_s = 0.0
        self.allowed_s = 0.0
        self.connection: Connection | None = None
        self.command: Command | None = None
        self.flight: Flight | None = None
        self.timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Request {self.words[0]} {self.priority.name.lower()} {self.state.value}>"

    @property
    def path(self) -> str:
        return self.words[0]

    def apply(self, step: RequestStep) -> None:
        """The only place that assigns the state; a request's timer never outlives a state."""
        self.state = REQUEST_TRANSITIONS[self.state, step]
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def resolve(self, reply: Reply) -> None:
        if not self.future.done():
            self.future.set_result(reply)

    def reject(self, error: RouterError) -> None:
        if self.stream is not None:
            self.stream.end(error)
        if not self.future.done():
            self.future.set_exception(error)
            if self.stream is not None:
                self.future.exception()  # the stream's reader hears of it, nobody awaits the future

    # the sink of the command

    def arrived(self, records: list[Record]) -> None:
        if self.stream is not None:
            self.stream.put(records)

    def finished(self, command: Command) -> None:
        self.owner.answered(self, command)

    def lost(self, error: RouterError) -> None:
        self.owner.lost(self, error)

    def cancel_answered(self) -> None:
        self.owner.alive(self)

    def cancel_lost(self, error: RouterError) -> None:
        self.owner.given_up_and_lost(self, error)


class RowStream:
    """Rows of a streaming command on their way to one reader; at most `limit_rows` wait."""

    def __init__(self, path: str, limit_rows: int, *, router: str = "") -> None:
        self._path = path
        self._limit_rows = limit_rows
        self._router = router
        self._rows: deque[Record] = deque()
        self._arrival = asyncio.Event()
        self._error: RouterError | None = None
        self._over = False

    def __repr__(self) -> str:
        return f"<RowStream {self._path} waiting={len(self._rows)} over={self._over}>"

    @property
    def is_over(self) -> bool:
        return self._over

    def put(self, records: list[Record]) -> None:
        if self._over:
            return
        self._rows.extend(records)
        if len(self._rows) > self._limit_rows:
            message = f"{self._path}: more than {self._limit_rows} changes wait for a reader that is too slow"
            self.end(CommandFailed(message, path=self._path, router=self._router))
        self._arrival.set()

    def end(self, error: RouterError | None = None) -> None:
        """No more rows will come; those that wait can still be read."""
        if not self._over:
            self._over, self._error = True, error
            self._arrival.set()

    async def next(self) -> Record | None:
        """The next row; None at the end. Raises: what ended the stream, when it was an error."""
        while not self._rows:
            if self._over:
                if self._error is not None:
                    raise self._error
                return None
            self._arrival.clear()
            await self._arrival.wait()
        return self._rows.popleft()
