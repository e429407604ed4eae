"""The connections of one router, and who may use them: one queue, one in-flight limit, one breaker.

Decisions are synchronous: `_dispatch` gives the requests whose turn it is to connections until there is no slot
or no connection, and is called whenever one of them comes free. Mutable state is `_queue` (who waits for a
slot), `_held` (large requests that wait for a connection of their own), `_connections` (open ones),
`_opening` (tasks that dial) and `_check_flights` (connections being checked).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol as Interface

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from routeros.backoff import backoff
from routeros.breaker import Breaker, BreakerState
from routeros.connection import CHECK_COMMAND, Connection
from routeros.dialer import DialTimes
from routeros.errors import (
    BreakerOpen,
    CommandDeadline,
    LoginRefused,
    PoolClosed,
    PoolExhausted,
    ProtocolViolation,
    RouterError,
    RouterUnreachable,
    UnreachableReason,
    failure_class,
)
from routeros.limit import Flight, InFlightLimit
from routeros.observer import NullObserver, Observer
from routeros.protocol import Command
from routeros.queue import RequestQueue
from routeros.replies import Reply, RouterStats
from routeros.request import Request, RequestState, RequestStep
from routeros.settings import PoolSettings, RetrySettings
from routeros.totals import Totals
from routeros.traps import trap_error

_GROWTH_PAUSE_S = 30.0
"""After a further connection could not be opened, how long the open ones are made do with."""


class Dials(Interface):
    """What opens connections: a Dialer."""

    async def open(
        self,
        closed: Callable[[Connection, str, RouterError], None] | None = None,
        times: DialTimes | None = None,
    ) -> Connection: ...


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
        self.totals = Totals()
        self._queue = RequestQueue()
        self._held: dict[Request, None] = {}
        self._connections: list[Connection] = []
        self._large: dict[Connection, int] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._check_flights: dict[Connection, Flight] = {}
        self._grow_timer: asyncio.TimerHandle | None = None
        self._shrink_timer: asyncio.TimerHandle | None = None
        self._no_growth_before_s = float("-inf")
        self._dialled_s = float("-inf")
        self._is_closed = False

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open"
        return (
            f"<Pool {self._router} {state} connections={len(self._connections)} opening={len(self._opening)} "
            f"waiting={len(self._queue) + len(self._held)} {self.limit!r} {self._breaker!r}>"
        )

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def connections(self) -> tuple[Connection, ...]:
        return tuple(self._connections)

    def stats(self) -> RouterStats:
        connections = tuple(connection.stats() for connection in self._connections)
        totals = self.totals.with_open(self._connections)
        return RouterStats(
            connections_open=len(connections),
            connections_busy=sum(1 for connection in connections if connection.in_flight),
            connections_opening=len(self._opening),
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
        await self._close_connections("reset")
        self._breaker.reset()
        self._no_growth_before_s = float("-inf")
        self._dispatch()

    async def close(self) -> None:
        """Nothing is open, nobody waits, no timer runs."""
        self._is_closed = True
        self._refuse_waiting(PoolClosed("the router object was closed", router=self._router))
        for timer in (self._grow_timer, self._shrink_timer):
            if timer is not None:
                timer.cancel()
        self._grow_timer = self._shrink_timer = None
        tasks = tuple(self._opening)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._close_connections("shutdown")

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
        self._arm_shrinking()

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

    # decisions

    def _dispatch(self) -> None:
        """Give whose turn it is to a connection, until there is no slot or no connection."""
        if self._is_closed:
            return
        while (request := self._queue.first()) is not None:
            if not self.limit.has_room and request.stream is None:
                return
            connection = self._choose(request)
            if connection is not None:
                self._queue.discard(request)
                self._send(request, connection)
            elif request.large and self._connections and (self._opening or self._check_flights):
                self._queue.discard(request)
                self._held[request] = None
            else:
                self._want_connection(request)
                return

    def _choose(self, request: Request) -> Connection | None:
        """The connection for this request; None when it is better to wait for one that is on its way."""
        now_s = self._clock()
        cap, check_after_s = self._settings.commands_per_connection, self._settings.health_check_interval_s
        usable: list[Connection] = []
        stale: list[Connection] = []
        for connection in self._connections:
            if connection.is_ready and connection.in_flight < cap:
                (stale if connection.idle_s(now_s) >= check_after_s else usable).append(connection)
        chosen = self._choose_large(usable) if request.large else self._choose_small(usable)
        if chosen is None and stale and not self._check_flights:
            self._check(min(stale, key=lambda connection: connection.idle_s(now_s)), now_s)
        return chosen

    def _choose_small(self, usable: list[Connection]) -> Connection | None:
        """The least busy one that carries nothing large; beside something large only when it must be."""
        free = [connection for connection in usable if connection not in self._large]
        if not free and (self._check_flights or self._opening or self._may_grow):
            return None
        return min(free or usable, key=_business, default=None)

    def _choose_large(self, usable: list[Connection]) -> Connection | None:
        """The one that carries large ones already, else an idle one while another is left for the small."""
        if self._settings.max_size > 1:
            carrying = [connection for connection in usable if connection in self._large]
            if carrying:
                return min(carrying, key=_business)
            if len(self._connections) > 1:
                idle = next((connection for connection in usable if not connection.in_flight), None)
                if idle is not None:
                    return idle
            if self._connections and not self._opening and self._may_grow:
                self._open_one()
            if self._opening or self._check_flights:
                return None
        return min(usable, key=_business, default=None)

    @property
    def _may_grow(self) -> bool:
        return (
            len(self._connections) + len(self._opening) < self._settings.max_size
            and self._breaker.state is not BreakerState.OPEN
            and self._clock() >= self._no_growth_before_s
        )

    def _want_connection(self, request: Request) -> None:
        """Open a connection now when there is none for small requests, else when this one waited too long."""
        if self._opening or self._check_flights:
            return
        if all(connection in self._large for connection in self._connections):
            if self._may_grow or not self._connections:
                self._open_one()
        elif self._grow_timer is None and self._may_grow:
            due_s = max(request.enqueued_s, self._dialled_s) + self._settings.grow_after_s
            wait_s = max(0.0, due_s - self._clock())
            self._grow_timer = asyncio.get_running_loop().call_later(wait_s, self._grow)

    def _grow(self) -> None:
        """The queue has waited long enough for a connection, if it still waits for one."""
        self._grow_timer = None
        first = self._queue.first()
        if first is None or not self.limit.has_room or not self._may_grow or self._opening:
            return
        if self._clock() - max(first.enqueued_s, self._dialled_s) >= self._settings.grow_after_s:
            self._open_one()
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
            self._large[connection] = self._large.get(connection, 0) + 1
        request.command = connection.submit(
            request.words, request, encoded=request.encoded, streaming=request.stream is not None
        )

    def _free(self, request: Request, *, answered_s: float | None = None) -> None:
        """Its slot is free, and its connection when it was large."""
        flight, request.flight = request.flight, None
        if flight is not None:
            if answered_s is None:
                self.limit.ended(flight)
            else:
                self.limit.answered(flight, answered_s)
        connection = request.connection
        if request.large and connection is not None and connection in self._large:
            self._large[connection] -= 1
            if not self._large[connection]:
                del self._large[connection]
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
        if not self._opening:
            self._breaker.abandoned(request.generation)

    def _waited_too_long(self, request: Request) -> None:
        waited_s = self._clock() - request.enqueued_s
        self._withdraw(request)
        if self._opening and not self._connections:
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

    # connections

    def _open_one(self) -> None:
        self._dialled_s = self._clock()
        task = asyncio.get_running_loop().create_task(self._open(), name=f"dial {self._router}")
        self._opening.add(task)

    async def _open(self) -> None:
        """One more connection, tried again while somebody waits and there is no other."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._retry.attempts),
            wait=self._backoff,
            retry=retry_if_exception(self._is_worth_dialling_again),
            reraise=True,
        )
        failure: RouterError | None = None
        connection: Connection | None = None
        try:
            connection = await retrying(self._dial)
        except RouterError as error:
            failure = error
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._opening.discard(task)
        if connection is not None:
            self._adopt(connection)
        elif failure is not None:
            self._do_without(failure)

    def _is_worth_dialling_again(self, error: BaseException) -> bool:
        return (
            isinstance(error, RouterUnreachable | ProtocolViolation)
            and self._breaker.state is BreakerState.CLOSED
            and bool(self._queue)
            and not self._connections
        )

    async def _dial(self) -> Connection:
        generation, begun_s = self._breaker.generation, self._clock()
        try:
            connection = await self._dialer.open(self._connection_closed)
        except LoginRefused as error:
            self.totals.login_failures += 1
            self.totals.connect_failures += 1
            self._observer.login_failed(self._router)
            self._breaker.refused(generation, error)
            raise
        except RouterError as error:
            self.totals.connect_failures += 1
            reason = error.reason if isinstance(error, RouterUnreachable) else None
            self._observer.connect_failed(self._router, reason)
            self._breaker.failed(generation, error, begun_s=begun_s)
            raise
        self.totals.connects += 1
        self._observer.connection_opened(self._router, self._clock() - begun_s)
        return connection

    def _adopt(self, connection: Connection) -> None:
        """A new connection is ready."""
        if self._is_closed:
            connection.close("shutdown")
            return
        if not connection.is_ready:  # lost between its login and now
            self._do_without(
                RouterUnreachable(
                    "the connection was lost right after login",
                    reason=UnreachableReason.CLOSED,
                    router=self._router,
                )
            )
            return
        self._connections.append(connection)
        if not self._queue and not self._held:
            self._breaker.abandoned(self._breaker.generation)
        self._release_held()
        self._dispatch()
        if len(self._connections) + len(self._opening) < self._settings.min_size and self._may_grow:
            self._open_one()
        self._arm_shrinking()

    def _do_without(self, failure: RouterError) -> None:
        """No new connection: make do with those that are open, or tell those that wait."""
        self._no_growth_before_s = self._clock() + _GROWTH_PAUSE_S
        if not self._connections and not self._opening:
            self._refuse_waiting(failure)
        self._heed_breaker()
        self._release_held()
        self._dispatch()

    def _check(self, connection: Connection, now_s: float) -> None:
        """See whether an idle connection still lives; it takes a slot, like any command."""
        self._check_flights[connection] = self.limit.started(CHECK_COMMAND[0], now_s)
        connection.begin_check(self._check_passed)

    def _check_passed(self, connection: Connection) -> None:
        flight = self._check_flights.pop(connection, None)
        if flight is not None:
            self.limit.answered(flight, self._clock())
        self._release_held()
        self._dispatch()
        self._arm_shrinking()

    def _connection_closed(self, connection: Connection, reason: str, error: RouterError) -> None:
        """Hears of every end; those that were never logged in are the dialler's affair."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        self._large.pop(connection, None)
        flight = self._check_flights.pop(connection, None)
        if flight is not None:
            self.limit.ended(flight)
        self.totals.add(connection)
        self._observer.connection_closed(self._router, reason)
        if reason == "protocol":
            self.limit.halve()
        if reason in ("protocol", "hanging"):
            self._breaker.failed(self._breaker.generation, error, begun_s=self._clock())
        # Its requests hear of the end right after this; what waits is looked after when they have.
        asyncio.get_running_loop().call_soon(self._after_loss)

    def _after_loss(self) -> None:
        self._heed_breaker()
        self._release_held()
        self._dispatch()

    async def _close_connections(self, reason: str) -> None:
        closing = tuple(self._connections)
        for connection in closing:
            connection.close(reason)
        await asyncio.gather(*(connection.wait_closed() for connection in closing))

    def _arm_shrinking(self) -> None:
        """A timer runs only while there are more connections than are kept in any case."""
        if (
            self._shrink_timer is None
            and len(self._connections) > self._settings.min_size
            and not self._is_closed
        ):
            now_s = self._clock()
            longest_s = max(connection.idle_s(now_s) for connection in self._connections)
            wait_s = max(0.01, self._settings.idle_timeout_s - longest_s)
            self._shrink_timer = asyncio.get_running_loop().call_later(wait_s, self._shrink)

    def _shrink(self) -> None:
        """Close what was idle too long, longest idle first."""
        self._shrink_timer = None
        now_s = self._clock()
        for connection in sorted(self._connections, key=lambda each: each.idle_s(now_s), reverse=True):
            is_surplus = len(self._connections) > self._settings.min_size
            if (
                is_surplus
                and connection.is_ready
                and connection.idle_s(now_s) >= self._settings.idle_timeout_s
            ):
                connection.close("idle")
        self._arm_shrinking()


def _business(connection: Connection) -> int:
    return connection.in_flight
