"""The connections of one router: which one carries a request, when there are more, when fewer.

Mutable state: `_open` (logged-in connections), `_opening` (tasks that dial), `_checks` (idle ones being checked
before use, with the slot that each takes) and `_large` (how many large commands a connection carries).
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
from routeros.errors import LoginRefused, ProtocolViolation, RouterError, RouterUnreachable, UnreachableReason
from routeros.limit import Flight, InFlightLimit
from routeros.observer import Observer
from routeros.settings import PoolSettings, RetrySettings
from routeros.totals import Totals

_GROWTH_PAUSE_S = 30.0
"""After a further connection could not be opened, how long the open ones are made do with."""


class Dials(Interface):
    """What opens connections: a Dialer."""

    async def open(
        self,
        closed: Callable[[Connection, str, RouterError], None] | None = None,
        times: DialTimes | None = None,
    ) -> Connection: ...


class RosterOwner(Interface):
    """Who uses the connections: the pool."""

    @property
    def has_waiting(self) -> bool:
        """Somebody waits for a connection."""

    def connections_changed(self) -> None:
        """A connection came, was found healthy, or went; or one more could not be had."""

    def none_to_be_had(self, failure: RouterError) -> None:
        """There is no connection, and none could be opened."""


class Roster:
    """Opens, lends, checks and closes the connections of one router; never more than `max_size`."""

    def __init__(
        self,
        *,
        owner: RosterOwner,
        router: str,
        dialer: Dials,
        settings: PoolSettings,
        retry: RetrySettings,
        breaker: Breaker,
        limit: InFlightLimit,
        observer: Observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owner = owner
        self._router = router
        self._dialer = dialer
        self._settings = settings
        self._attempts = retry.attempts
        self._backoff = backoff(retry)
        self._breaker = breaker
        self._limit = limit
        self._observer = observer
        self._clock = clock
        self.totals = Totals()
        self._open: list[Connection] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._checks: dict[Connection, Flight] = {}
        self._large: dict[Connection, int] = {}
        self._shrink_timer: asyncio.TimerHandle | None = None
        self._no_growth_before_s = float("-inf")
        self.dialled_s = float("-inf")
        """When a connection was last begun to be opened."""
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Roster connections={len(self._open)} opening={len(self._opening)} checking={len(self._checks)}>"

    @property
    def connections(self) -> tuple[Connection, ...]:
        return tuple(self._open)

    @property
    def opening(self) -> int:
        """Connections on their way."""
        return len(self._opening)

    @property
    def is_expecting(self) -> bool:
        """A connection is on its way, or is being checked: it makes sense to wait."""
        return bool(self._opening or self._checks)

    @property
    def may_grow(self) -> bool:
        return (
            len(self._open) + len(self._opening) < self._settings.max_size
            and self._breaker.state is not BreakerState.OPEN
            and self._clock() >= self._no_growth_before_s
        )

    @property
    def has_one_for_small(self) -> bool:
        """At least one connection carries nothing large."""
        return any(connection not in self._large for connection in self._open)

    def choose(self, *, large: bool) -> Connection | None:
        """The connection for a command; None when it is better to wait for one."""
        now_s = self._clock()
        cap, check_after_s = self._settings.commands_per_connection, self._settings.health_check_interval_s
        usable: list[Connection] = []
        stale: list[Connection] = []
        for connection in self._open:
            if connection.is_ready and connection.in_flight < cap:
                (stale if connection.idle_s(now_s) >= check_after_s else usable).append(connection)
        chosen = self._choose_large(usable) if large else self._choose_small(usable)
        if chosen is None and stale and not self._checks:
            self._check(min(stale, key=lambda connection: connection.idle_s(now_s)), now_s)
        return chosen

    def lend(self, connection: Connection) -> None:
        """The connection carries one large command more."""
        self._large[connection] = self._large.get(connection, 0) + 1

    def take_back(self, connection: Connection) -> bool:
        """It carries one large command less; True when that was the last."""
        if connection not in self._large:
            return False
        self._large[connection] -= 1
        if self._large[connection]:
            return False
        del self._large[connection]
        return True

    def open_one(self) -> None:
        """Begin to open a connection; its end is told to the owner."""
        self.dialled_s = self._clock()
        self._opening.add(
            asyncio.get_running_loop().create_task(self._dial_and_adopt(), name=f"dial {self._router}")
        )

    def arm_shrinking(self) -> None:
        """A timer runs only while there are more connections than are kept in any case."""
        if self._shrink_timer is None and len(self._open) > self._settings.min_size and not self._is_closed:
            now_s = self._clock()
            longest_s = max(connection.idle_s(now_s) for connection in self._open)
            wait_s = max(0.01, self._settings.idle_timeout_s - longest_s)
            self._shrink_timer = asyncio.get_running_loop().call_later(wait_s, self._shrink)

    async def reset(self) -> None:
        """Every connection is closed; the next one may be opened at once."""
        self._no_growth_before_s = float("-inf")
        await self._close_connections("reset")

    async def close(self) -> None:
        """Nothing is open or on its way, and no timer runs."""
        self._is_closed = True
        if self._shrink_timer is not None:
            self._shrink_timer.cancel()
            self._shrink_timer = None
        tasks = tuple(self._opening)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._close_connections("shutdown")

    # inside

    def _choose_small(self, usable: list[Connection]) -> Connection | None:
        """The least busy one that carries nothing large; beside something large only when it must be."""
        free = [connection for connection in usable if connection not in self._large]
        if not free and (self._checks or self._opening or self.may_grow):
            return None
        return min(free or usable, key=_business, default=None)

    def _choose_large(self, usable: list[Connection]) -> Connection | None:
        """The one that carries large ones already, else an idle one while another is left for the small."""
        if self._settings.max_size > 1:
            carrying = [connection for connection in usable if connection in self._large]
            if carrying:
                return min(carrying, key=_business)
            if len(self._open) > 1:
                idle = next((connection for connection in usable if not connection.in_flight), None)
                if idle is not None:
                    return idle
            if self._open and not self._opening and self.may_grow:
                self.open_one()
            if self._opening or self._checks:
                return None
        return min(usable, key=_business, default=None)

    async def _dial_and_adopt(self) -> None:
        """One more connection, tried again while somebody waits and there is no other."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
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
            and self._owner.has_waiting
            and not self._open
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
            message = "the router closed the connection right after the login"
            failure = RouterUnreachable(message, reason=UnreachableReason.CLOSED, router=self._router)
            self._breaker.failed(self._breaker.generation, failure, begun_s=self._clock())
            self._do_without(failure)
            return
        self._no_growth_before_s = float("-inf")
        self._open.append(connection)
        if not self._owner.has_waiting:
            self._breaker.abandoned(self._breaker.generation)
        self._owner.connections_changed()
        if len(self._open) + len(self._opening) < self._settings.min_size and self.may_grow:
            self.open_one()
        self.arm_shrinking()

    def _do_without(self, failure: RouterError) -> None:
        """No new connection: make do with those that are open, or tell those that wait."""
        self._no_growth_before_s = self._clock() + _GROWTH_PAUSE_S
        if not self._open and not self._opening:
            self._owner.none_to_be_had(failure)
            # Dialled before the breaker opened, the failure did not count; a probe that is gone must not be waited for.
            self._breaker.abandoned(self._breaker.generation)
        self._owner.connections_changed()

    def _check(self, connection: Connection, now_s: float) -> None:
        """See whether an idle connection still lives; it takes a slot, like any command."""
        self._checks[connection] = self._limit.started(CHECK_COMMAND[0], now_s)
        connection.begin_check(self._check_passed)

    def _check_passed(self, connection: Connection) -> None:
        flight = self._checks.pop(connection, None)
        if flight is not None:
            self._limit.answered(flight, self._clock())
        self._owner.connections_changed()
        self.arm_shrinking()

    def _connection_closed(self, connection: Connection, reason: str, error: RouterError) -> None:
        """Hears of every end; those that were never logged in are the dialler's affair."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._large.pop(connection, None)
        flight = self._checks.pop(connection, None)
        if flight is not None:
            self._limit.ended(flight)
        self.totals.add(connection)
        self._observer.connection_closed(self._router, reason)
        if reason == "protocol":
            self._limit.halve()
        if reason in ("protocol", "hanging"):
            self._breaker.failed(self._breaker.generation, error, begun_s=self._clock())
        # Its requests hear of the end right after this; what waits is looked after when they have.
        asyncio.get_running_loop().call_soon(self._owner.connections_changed)

    async def _close_connections(self, reason: str) -> None:
        closing = tuple(self._open)
        for connection in closing:
            connection.close(reason)
        await asyncio.gather(*(connection.wait_closed() for connection in closing))

    def _shrink(self) -> None:
        """Close what was idle too long, longest idle first."""
        self._shrink_timer = None
        now_s = self._clock()
        for connection in sorted(self._open, key=lambda each: each.idle_s(now_s), reverse=True):
            is_surplus = len(self._open) > self._settings.min_size
            if (
                is_surplus
                and connection.is_ready
                and connection.idle_s(now_s) >= self._settings.idle_timeout_s
            ):
                connection.close("idle")
        self.arm_shrinking()


def _business(connection: Connection) -> int:
    return connection.in_flight
