"""One router, ready to be asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
)
from tenacity.stop import stop_base

from routeros.backoff import backoff
from routeros.breaker import Breaker, BreakerState
from routeros.connection import CHECK_COMMAND
from routeros.dialer import Dialer, DialTimes
from routeros.errors import (
    CommandDeadline,
    CommandFailed,
    NotAttempted,
    ProtocolViolation,
    RouterError,
    RouterUnreachable,
    UnreachableReason,
)
from routeros.observer import NullObserver, Observer
from routeros.pool import Pool
from routeros.replies import ConnectionTest, Priority, Record, Reply, RouterStats
from routeros.request import Request, RowStream
from routeros.settings import BreakerSettings, PoolSettings, RetrySettings, Target

NO_ARGS: Mapping[str, str] = MappingProxyType({})


class Router:
    """Asks one router over a pool of connections; every method raises only the tree of `routeros.errors`.

    It connects at the first question and opens nothing before; `close` it, or use it with `async with`.
    Deadlines cover everything: waiting, connecting, the command and its retries. `clock` must run with the
    event loop's (seconds, monotonic).
    """

    def __init__(
        self,
        target: Target,
        *,
        pool: PoolSettings | None = None,
        breaker: BreakerSettings | None = None,
        retry: RetrySettings | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = target
        self._settings = pool or PoolSettings()
        self._retry = retry or RetrySettings()
        self._backoff = backoff(self._retry)
        self._observer = observer or NullObserver()
        self._clock = clock
        self._dialer = Dialer(target, self._settings, clock=clock)
        self.breaker = Breaker(breaker, router=target.name, clock=clock, changed=self._breaker_changed)
        self._pool = Pool(
            router=target.name,
            dialer=self._dialer,
            settings=self._settings,
            retry=self._retry,
            breaker=self.breaker,
            observer=self._observer,
            clock=clock,
        )

    def __repr__(self) -> str:
        return (
            f"<Router {self.target.name} {self.target.address}:{self.target.effective_port} {self._pool!r}>"
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def print(
        self,
        path: str,
        *,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        args: Mapping[str, str] = NO_ARGS,
        deadline_s: float | None = None,
        priority: Priority = Priority.NORMAL,
        large: bool = False,
    ) -> list[Record]:
        """The rows of a menu such as "/ip/hotspot/active"; "/print" is appended.

        `proplist` names the fields that are wanted: give it, some fields are slow. `queries` are words such as
        "?disabled=false". `large` says that the reply may be huge, so that it gets a connection of its own
        where the pool may grow. Tried again when the connection is lost under it.
        """
        words = _words(f"{path.rstrip('/')}/print", args, proplist, queries)
        reply = await self._run(words, deadline_s, priority, idempotent=True, large=large)
        return reply.records

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = NO_ARGS,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        deadline_s: float | None = None,
        priority: Priority = Priority.NORMAL,
        idempotent: bool = False,
        large: bool = False,
    ) -> Reply:
        """The answer to any command, given by its full path such as "/interface/ethernet/monitor".

        It is sent at most once unless `idempotent`: after a RouterUnreachable whose `sent` is true, nobody
        knows whether the router has carried it out.
        """
        words = _words(command, args, proplist, queries)
        return await self._run(words, deadline_s, priority, idempotent=idempotent, large=large)

    async def count(
        self,
        path: str,
        *,
        queries: Sequence[str] = (),
        args: Mapping[str, str] = NO_ARGS,
        deadline_s: float | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> int:
        """How many rows a menu has; the router counts, no row is sent."""
        words = _words(f"{path.rstrip('/')}/print", {"count-only": "", **args}, (), queries)
        reply = await self._run(words, deadline_s, priority, idempotent=True, menu=f"{path} count")
        if reply.ret is None or not reply.ret.isdecimal():
            message = f"{words[0]}: a count was asked for, the router said {reply.ret!r}"
            raise CommandFailed(message, path=words[0], router=self.target.name)
        return int(reply.ret)

    async def listen(
        self,
        path: str,
        *,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        priority: Priority = Priority.NORMAL,
    ) -> AsyncGenerator[Record, None]:
        """Changes of a menu as they happen, without end; a removed row comes with ".dead" = "true".

        Closing the iterator cancels the command on the router. Streams take no slot of the in-flight limit.
        Raises: CommandFailed also when more than `listen_queue_rows` changes wait for the reader.
        """
        words = _words(f"{path.rstrip('/')}/listen", NO_ARGS, proplist, queries)
        stream = RowStream(words[0], self._settings.listen_queue_rows, router=self.target.name)
        request = self._request(words, None, priority, stream=stream)
        self._pool.start(request)
        try:
            while (row := await stream.next()) is not None:
                yield row
        finally:
            self._pool.abandon(request)

    async def test(self, *, deadline_s: float | None = None) -> ConnectionTest:
        """How a fresh connection goes: dialled, logged in, asked for its identity and closed.

        The pool and the breaker neither help nor learn from it. Without a deadline it may take the time of a
        connect and of a command.
        """
        if deadline_s is None:
            deadline_s = self._settings.connect_timeout_s + self._settings.command_timeout_s
        times = DialTimes()
        try:
            async with asyncio.timeout(deadline_s):
                connection = await self._dialer.open(None, times)
                try:
                    begun_s = self._clock()
                    command = await connection.ask(CHECK_COMMAND)
                    command_s = self._clock() - begun_s
                finally:
                    connection.close("shutdown")
                    await connection.wait_closed()
        except TimeoutError as error:
            message = f"no answer to the connection test within {deadline_s:g} s"
            raise RouterUnreachable(
                message, reason=UnreachableReason.DEADLINE, router=self.target.name
            ) from error
        identity = command.records[0].get("name", "") if command.records else ""
        return ConnectionTest(identity, times.connect_s, times.tls_s, times.login_s, command_s)

    async def reset(self) -> None:
        """Every connection is closed and the breaker, too; the next question connects anew."""
        await self._pool.reset()

    async def close(self) -> None:
        """No socket, task or timer is left; further questions raise PoolClosed."""
        await self._pool.close()

    def stats(self) -> RouterStats:
        """The numbers of this moment."""
        return self._pool.stats()

    # inside

    def _request(
        self,
        words: tuple[str, ...],
        deadline_at_s: float | None,
        priority: Priority,
        *,
        large: bool = False,
        stream: RowStream | None = None,
        menu: str = "",
    ) -> Request:
        return Request(
            words,
            owner=self._pool,
            future=asyncio.get_running_loop().create_future(),
            enqueued_s=self._clock(),
            priority=priority,
            deadline_s=deadline_at_s,
            large=large,
            stream=stream,
            menu=menu,
        )

    async def _run(
        self,
        words: tuple[str, ...],
        deadline_s: float | None,
        priority: Priority,
        *,
        idempotent: bool,
        large: bool = False,
        menu: str = "",
    ) -> Reply:
        deadline_at_s = None if deadline_s is None else self._clock() + deadline_s

        async def attempt() -> Reply:
            return await self._pool.run(self._request(words, deadline_at_s, priority, large=large, menu=menu))

        try:
            return await attempt()
        except (RouterUnreachable, ProtocolViolation) as error:
            if not idempotent or not self._is_worth_asking_again(error):
                raise
            return await self._run_again(words[0], attempt, error, deadline_at_s)

    async def _run_again(
        self,
        path: str,
        attempt: Callable[[], Awaitable[Reply]],
        failure: RouterError,
        deadline_at_s: float | None,
    ) -> Reply:
        """Retries after a first failure, which counts as the first attempt; kept off the path of success."""
        last: RouterError = failure

        async def again(*, first: bool) -> Reply:
            nonlocal last
            if first:
                raise failure
            try:
                return await attempt()
            except NotAttempted as refusal:
                raise last from refusal  # what went wrong on the router tells more than why it is left alone
            except RouterError as error:
                last = error
                raise

        def before_sleep(state: RetryCallState) -> None:
            state.kwargs["first"] = False
            self._observer.command_retried(self.target.name, path, state.attempt_number + 1)

        stop: stop_base = stop_after_attempt(self._retry.attempts)
        if deadline_at_s is not None:
            stop = stop_any(stop, stop_before_delay(max(0.0, deadline_at_s - self._clock())))
        retrying = AsyncRetrying(
            stop=stop,
            wait=self._backoff,
            retry=retry_if_exception(self._is_worth_asking_again),
            before_sleep=before_sleep,
            reraise=True,
        )
        return await retrying(again, first=True)

    def _is_worth_asking_again(self, error: BaseException) -> bool:
        """The connection was lost under a command; dialling has its own retries, and a slow answer stays slow."""
        is_lost = isinstance(error, RouterError) and error.sent and not isinstance(error, CommandDeadline)
        return is_lost and not self._pool.is_closed

    def _breaker_changed(self, old: BreakerState, new: BreakerState) -> None:
        self._observer.breaker_changed(self.target.name, old.value, new.value)


def _words(
    command: str, args: Mapping[str, str], proplist: Sequence[str], queries: Sequence[str]
) -> tuple[str, ...]:
    words = [command]
    words += [f"={key}={value}" for key, value in args.items()]
    if proplist:
        words.append(f"=.proplist={','.join(proplist)}")
    words += queries
    return tuple(words)
