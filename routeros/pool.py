"""The connections of one router, and who may use them: one queue, one in-flight limit, one breaker.

Decisions are synchronous: `_dispatch` gives the requests whose turn it is to connections until there is no slot
or no connection, and is called whenever one of them comes free. Mutable state is `_queue` (who waits for a
slot) and `_held` (large requests that wait for a connection of their own); the connections are the roster's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from routeros.backoff import backoff
from routeros.breaker import Breaker, BreakerState
from routeros.connection import Connection
from routeros.errors import (
    BreakerOpen,
    CommandDeadline,
    PoolClosed,
    PoolExhausted,
    RouterError,
    RouterUnreachable,
    UnreachableReason,
    failure_class,
)
from routeros.limit import InFlightLimit
from routeros.observer import NullObserver, Observer
from routeros.protocol import Command
from routeros.queue import RequestQueue
from routeros.replies import Reply, RouterStats
from routeros.request import Request, RequestState, RequestStep
from routeros.roster import Dials, Roster
from routeros.settings import PoolSettings, RetrySettings
from routeros.traps import trap_error


class Pool:
    """Runs requests on as many connections as needed and allowed.

    What counts for the breaker: a connection that cannot be opened, one that is lost or hangs with commands on
    it, bytes that cannot be right, and a command that had all of `command_timeout_s` and got no answer. A
    caller's own shorter deadline says nothing about the router; when it does not answer the cancel either, the
    connection counts as hanging. A trap is an answer.
    """

    def __init__(
        self,
        *,
        router: str,
        dialer: Dials,
        settings: PoolSettings,
        retry: RetrySettings,
        breaker: Breaker,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._router = router
        self._dialer = dialer
        self._settings = settings
        self._retry = retry
        self._backoff = backoff(retry)
        self._breaker = breaker
        self._observer = observer or NullObserver()
        self._clock = clock
        self.limit = InFlightLimit(
            pinned=settings.max_in_flight, changed=lambda limit: self._observer.limit_changed(router, limit)
        )
        self._roster = Roster(
            owner=self,
            router=router,
            dialer=dialer,
            settings=settings,
            retry=retry,
            breaker=breaker,
            limit=self.limit,
            observer=self._observer,
            clock=clock,
        )
        self._queue = RequestQueue()
        self._held: dict[Request, None] = {}
        self._grow_timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open"
        return (
            f"<Pool {self._router} {state} connections={len(self.connections)} opening={self._roster.opening} "
            f"waiting={len(self._queue) + len(self._held)} {self.limit!r} {self._breaker!r}>"
        )

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def connections(self) -> tuple[Connection, ...]:
        return self._roster.connections

    def stats(self) -> RouterStats:
        connections = tuple(connection.stats() for connection in self.connections)
        totals = self._roster.totals.with_open(self.connections)
        return RouterStats(
            connections_open=len(connections),
            connections_busy=sum(1 for connection in connections if connection.in_flight),
            connections_opening=self._roster.opening,
            in_flight=self.limit.in_flight,
            waiting=len(self._queue) + len(self._held),
            limit=self.limit.limit,
            connects_total=totals.connects,
            connect_failures_total=totals.connect_failures,
            login_failures_total=totals.login_failures,
            commands_total=totals.commands,
            bytes_received_total=totals.bytes_received,
            bytes_sent_total=totals.bytes_sent,
            rows_received_total=totals.rows_received,
            unknown_tags_total=totals.unknown_tags,
            unknown_replies_total=totals.unknown_replies,
            discarded_rows_total=totals.discarded_rows,
            connections=connections,
        )

    async def run(self, request: Request) -> Reply:
        """The answer to a request.

        Raises: any RouterError. A caller that is cancelled cancels the command on the router, too.
        """
        self.start(request)
        try:
            return await request.future
        except asyncio.CancelledError:
            self.abandon(request)
            raise

    def start(self, request: Request) -> None:
        """Give the request a slot, or a place in the queue. Raises: PoolClosed, PoolExhausted, BreakerOpen."""
        if self._is_closed:
            raise PoolClosed("the router object is closed", router=self._router)
        if request.deadline_s is not None and request.deadline_s <= self._clock():
            raise PoolExhausted(
                f"{request.path}: the deadline had passed before it began", router=self._router
            )
        request.generation = self._breaker.admit()
        self._queue.put(request)
        self._dispatch()
        if request.state is RequestState.WAITING:
            wait_s = self._settings.acquire_timeout_s
            if request.deadline_s is not None:
                wait_s = min(wait_s, max(0.0, request.deadline_s - self._clock()))
            request.timer = asyncio.get_running_loop().call_later(wait_s, self._waited_too_long, request)

    def abandon(self, request: Request) -> None:
        """Nobody waits for it any more."""
        if request.state is RequestState.WAITING:
            self._withdraw(request)
        elif request.state is RequestState.SENT:
            self._cancel(request, "cancelled")
            self._dispatch()

    async def reset(self) -> None:
        """Every connection is closed and the breaker too; what waits goes on over new ones."""
        await self._roster.reset()
        self._breaker.reset()
        self._dispatch()

    async def close(self) -> None:
        """Nothing is open, nobody waits, no timer runs."""
        self._is_closed = True
        self._refuse_waiting(PoolClosed("the router object was closed", router=self._router))
        if self._grow_timer is not None:
            self._grow_timer.cancel()
            self._grow_timer = None
        await self._roster.close()

    # what the roster tells

    @property
    def has_waiting(self) -> bool:
        """Somebody waits for a connection."""
        return bool(self._queue or self._held)

    def connections_changed(self) -> None:
        """A connection came, was found healthy, or went; or one more could not be had."""
        self._heed_breaker()
        self._release_held()
        self._dispatch()

    def none_to_be_had(self, failure: RouterError) -> None:
        """There is no connection, and none could be opened: those that wait hear why."""
        self._refuse_waiting(failure)

    # what a request's command tells

    def answered(self, request: Request, command: Command) -> None:
        """The whole answer is there."""
        now_s = self._clock()
        request.apply(RequestStep.END)
        self._free(request, answered_s=None if command.traps else now_s)
        self._breaker.succeeded(request.generation)
        if command.traps:
            error = trap_error(request.path, command.traps, router=self._router)
            self._report(request, failure_class(error), command.rows, now_s)
            request.reject(error)
        else:
            self._report(request, "ok", command.rows, now_s)
            request.resolve(Reply(command.records, command.ret))
        if request.stream is not None:
            request.stream.end()
        self._dispatch()
        self._roster.arm_shrinking()

    def lost(self, request: Request, error: RouterError) -> None:
        """The connection ended under it."""
        request.apply(RequestStep.END)
        self._free(request)
        error.sent = True
        self._report(request, failure_class(error), request.command.rows if request.command else 0)
        self._breaker.failed(request.generation, error, begun_s=request.sent_s)
        request.reject(error)

    def alive(self, request: Request) -> None:
        """Its cancel was answered: if it was the breaker's probe, the probe told nothing, but not a failure."""
        self._breaker.abandoned(request.generation)

    def given_up_and_lost(self, request: Request, error: RouterError) -> None:
        """The connection ended after its cancel: no answer will come, so if it was the probe, the probe failed."""
        self._breaker.failed(request.generation, error, begun_s=request.sent_s)

    # decisions

    def _dispatch(self) -> None:
        """Give whose turn it is to a connection, until there is no slot or no connection."""
        if self._is_closed:
            return
        while (request := self._queue.first()) is not None:
            if not self.limit.has_room and request.stream is None:
                return
            connection = self._roster.choose(large=request.large)
            if connection is not None:
                self._queue.discard(request)
                self._send(request, connection)
            elif request.large and self.connections and self._roster.is_expecting:
                self._queue.discard(request)
                self._held[request] = None
            else:
                self._want_connection(request)
                return

    def _want_connection(self, request: Request) -> None:
        """Open a connection now when there is none for small requests, else when this one waited too long."""
        roster = self._roster
        if roster.is_expecting:
            return
        if not roster.has_one_for_small:
            if roster.may_grow or not roster.connections:
                roster.open_one()
        elif self._grow_timer is None and roster.may_grow:
            wait_s = max(0.0, self._growth_due_s(request) - self._clock())
            self._grow_timer = asyncio.get_running_loop().call_later(wait_s, self._grow)

    def _growth_due_s(self, request: Request) -> float:
        """When this request has waited long enough, also since the last connection was begun."""
        return max(request.enqueued_s, self._roster.dialled_s) + self._settings.grow_after_s

    def _grow(self) -> None:
        """The queue has waited long enough for a connection, if it still waits for one."""
        self._grow_timer = None
        first = self._queue.first()
        if first is None or not self.limit.has_room or not self._roster.may_grow or self._roster.is_expecting:
            return
        if self._clock() >= self._growth_due_s(first):
            self._roster.open_one()
        else:
            self._want_connection(first)

    def _send(self, request: Request, connection: Connection) -> None:
        now_s = self._clock()
        request.apply(RequestStep.SEND)
        request.connection, request.sent_s = connection, now_s
        if request.stream is None:
            request.flight = self.limit.started(request.menu, now_s, telling=not request.large)
            request.allowed_s = self._settings.command_timeout_s
            if request.deadline_s is not None:
                request.allowed_s = max(0.0, min(request.allowed_s, request.deadline_s - now_s))
            loop = asyncio.get_running_loop()
            request.timer = loop.call_later(request.allowed_s, self._deadline_passed, request)
        if request.large:
            self._roster.lend(connection)
        request.command = connection.submit(
            request.words, request, encoded=request.encoded, streaming=request.stream is not None
        )
        if request.stream is not None:  # it may say nothing for hours: no probe
            self._breaker.abandoned(request.generation)

    def _free(self, request: Request, *, answered_s: float | None = None) -> None:
        """Its slot is free, and its connection when it was large."""
        flight, request.flight = request.flight, None
        if flight is not None:
            if answered_s is None:
                self.limit.ended(flight)
            else:
                self.limit.answered(flight, answered_s)
        connection = request.connection
        if request.large and connection is not None and self._roster.take_back(connection):
            self._release_held()

    def _cancel(self, request: Request, outcome: str) -> None:
        """Take a sent request off its connection."""
        request.apply(RequestStep.END)
        self._free(request)
        if request.connection is not None and request.command is not None:
            self._report(request, outcome, request.command.rows)
            request.connection.cancel(request.command)

    def _withdraw(self, request: Request) -> None:
        """Take a waiting request out; a probe that never went out makes room for another."""
        self._queue.discard(request)
        self._held.pop(request, None)
        request.apply(RequestStep.END)
        if not self._roster.opening:
            self._breaker.abandoned(request.generation)

    def _waited_too_long(self, request: Request) -> None:
        waited_s = self._clock() - request.enqueued_s
        self._withdraw(request)
        if self._roster.opening and not self.connections:
            request.reject(
                RouterUnreachable(
                    f"{request.path}: no connection after {waited_s:.3g} s, still trying",
                    reason=UnreachableReason.DEADLINE,
                    router=self._router,
                )
            )
        else:
            message = (
                f"{request.path}: no free slot after {waited_s:.3g} s "
                f"({self.limit.in_flight} in flight, limit {self.limit.limit:.0f})"
            )
            request.reject(PoolExhausted(message, router=self._router))

    def _deadline_passed(self, request: Request) -> None:
        message = f"{request.path}: no complete answer within {request.allowed_s:.3g} s"
        error = CommandDeadline(message, path=request.path, allowed_s=request.allowed_s, router=self._router)
        self._cancel(request, failure_class(error))
        if request.allowed_s >= self._settings.command_timeout_s:
            self._breaker.failed(request.generation, error, begun_s=request.sent_s)
            self._heed_breaker()
        request.reject(error)
        self._dispatch()

    def _refuse_waiting(self, error: RouterError) -> None:
        for request in (*self._queue, *self._held):
            self._queue.discard(request)
            request.apply(RequestStep.END)
            request.reject(error.again())
            self._breaker.abandoned(request.generation)
        self._held.clear()

    def _heed_breaker(self) -> None:
        """While the breaker is open nothing is sent, so nobody waits."""
        if self._breaker.state is BreakerState.OPEN and (self._queue or self._held):
            message = f"not asked: {self._breaker.why}"
            self._refuse_waiting(
                BreakerOpen(message, router=self._router, retry_in_s=self._breaker.retry_in_s)
            )

    def _release_held(self) -> None:
        """Let large requests choose again."""
        for request in reversed(tuple(self._held)):
            self._queue.put(request, in_front=True)
        self._held.clear()

    def _report(self, request: Request, outcome: str, rows: int, now_s: float | None = None) -> None:
        duration_s = (self._clock() if now_s is None else now_s) - request.sent_s
        self._observer.command_finished(self._router, request.path, outcome, duration_s, rows)
