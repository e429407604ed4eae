# ruff: noqa: S311 - seeded dice of tests
"""The pool in virtual time: who goes first, when it grows, shrinks, checks, gives up; and what always holds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routeros.breaker import Breaker, BreakerState
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
)
from routeros.observer import NullObserver
from routeros.pool import Pool
from routeros.replies import Priority, Reply
from routeros.request import Request, RowStream
from routeros.settings import BreakerSettings, PoolSettings, RetrySettings
from tests.fakes.memory_router import MemoryRouter, Service
from tests.fakes.virtual_loop import VirtualLoop, run_virtually


@dataclass
class Ear(NullObserver):
    """Remembers what it was told."""

    finished: list[tuple[str, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def command_finished(self, router: str, path: str, outcome: str, duration_s: float, rows: int) -> None:
        self.finished.append((path, outcome))

    def connection_closed(self, router: str, reason: str) -> None:
        self.closed.append(reason)


class Bench:
    """A pool on a router in memory; use within a running virtual loop."""

    def __init__(
        self,
        pool_settings: PoolSettings | None = None,
        *,
        service: Service = lambda words: 0.05,
        breaker: BreakerSettings | None = None,
        retry: RetrySettings | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.settings = pool_settings or PoolSettings()
        self.router = MemoryRouter(self.settings, service=service)
        self.breaker = Breaker(breaker, router="core", clock=self.loop.time, dice=lambda: 0.5)
        self.ear = Ear()
        self.pool = Pool(
            router="core",
            dialer=self.router,
            settings=self.settings,
            retry=retry or RetrySettings(attempts=1),
            breaker=self.breaker,
            observer=self.ear,
            clock=self.loop.time,
        )

    def request(
        self,
        path: str = "/x/print",
        *,
        priority: Priority = Priority.NORMAL,
        deadline_s: float | None = None,
        large: bool = False,
    ) -> Request:
        return Request(
            (path,),
            owner=self.pool,
            future=self.loop.create_future(),
            enqueued_s=self.loop.time(),
            priority=priority,
            deadline_s=None if deadline_s is None else self.loop.time() + deadline_s,
            large=large,
        )

    async def run(
        self,
        path: str = "/x/print",
        *,
        priority: Priority = Priority.NORMAL,
        deadline_s: float | None = None,
        large: bool = False,
    ) -> Reply:
        return await self.pool.run(self.request(path, priority=priority, deadline_s=deadline_s, large=large))


def takes(seconds: dict[str, float | None], otherwise_s: float = 0.05) -> Service:
    """A router whose menus take these times."""
    return lambda words: seconds.get(words[0], otherwise_s)


def test_first_question_connects_and_the_next_shares() -> None:
    """Nothing is open before the first question; then one connection carries all of them, within the limit."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=8))
        assert bench.router.dials == 0
        replies = await asyncio.gather(*(bench.run(f"/menu{i}/print") for i in range(20)))
        assert [reply.records for reply in replies] == [[{"name": "x"}]] * 20
        assert (bench.router.dials, bench.router.connections_peak, bench.router.in_flight_peak) == (1, 1, 8)
        assert bench.loop.time() == pytest.approx(0.01 + 3 * 0.05)
        await bench.pool.close()

    run_virtually(main())


def test_priorities_are_strict_and_fifo_within() -> None:
    """Whoever waits goes by class, and by arrival within one."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=1))
        order = [
            Priority.LOW,
            Priority.NORMAL,
            Priority.CRITICAL,
            Priority.NORMAL,
            Priority.HIGH,
            Priority.LOW,
        ]
        await asyncio.gather(
            *(bench.run(f"/{i}-{priority.name}", priority=priority) for i, priority in enumerate(order))
        )
        assert bench.router.commands() == [
            "/2-CRITICAL",
            "/4-HIGH",
            "/1-NORMAL",
            "/3-NORMAL",
            "/0-LOW",
            "/5-LOW",
        ]
        await bench.pool.close()

    run_virtually(main())


def test_large_command_takes_a_connection_for_itself() -> None:
    """A large command goes on a second connection, so that the small ones pass it on the first."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=16), service=takes({"/big/print": 5.0}))
        big = asyncio.create_task(bench.run("/big/print", large=True))
        await asyncio.gather(*(bench.run(f"/menu{i}/print") for i in range(6)))
        assert bench.loop.time() < 0.2
        await asyncio.gather(*(bench.run(f"/menu{i}/print") for i in range(6)))
        assert bench.router.connections_peak == 2
        carrying = [connection.in_flight for connection in bench.pool.connections]
        assert sorted(carrying) == [0, 1]
        await big
        await bench.pool.close()

    run_virtually(main())


def test_large_commands_share_their_connection() -> None:
    """Several large commands at once take one extra connection between them, not one each."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=16), service=takes({"/big/print": 1.0}))
        await bench.run()
        await asyncio.gather(*(bench.run("/big/print", large=True) for _ in range(4)), bench.run())
        assert bench.router.connections_peak == 2
        await bench.pool.close()

    run_virtually(main())


def test_large_command_shares_when_it_must() -> None:
    """With a single connection allowed, or no second one to be had, a large command goes among the others."""

    async def main() -> None:
        alone = Bench(PoolSettings(max_size=1))
        await asyncio.gather(alone.run("/big/print", large=True), alone.run())
        assert alone.router.connections_peak == 1
        await alone.pool.close()

        full = Bench()
        await full.run()
        full.router.refuses = True
        await asyncio.gather(full.run("/big/print", large=True), full.run())
        dials = full.router.dials
        await full.run("/big/print", large=True)
        assert full.router.dials == dials == 2
        assert full.breaker.state is BreakerState.CLOSED
        await full.pool.close()

    run_virtually(main())


def test_grows_when_the_queue_waits_too_long() -> None:
    """A connection more is opened when a slot is free, but every connection is full for longer than allowed."""

    async def main() -> None:
        bench = Bench(
            PoolSettings(max_in_flight=16, commands_per_connection=2, grow_after_s=0.5, max_size=3),
            service=takes({}, otherwise_s=2.0),
        )
        waiting = [asyncio.create_task(bench.run()) for _ in range(8)]
        await asyncio.sleep(0.4)
        assert len(bench.pool.connections) == 1
        await asyncio.sleep(0.2)
        assert len(bench.pool.connections) == 2
        await asyncio.gather(*waiting)
        assert bench.router.connections_peak == 3
        await bench.pool.close()

    run_virtually(main())


def test_does_not_grow_for_the_in_flight_limit() -> None:
    """When it is the router that has enough to do, more connections would not help."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=2, grow_after_s=0.5), service=takes({}, otherwise_s=2.0))
        await asyncio.gather(*(bench.run() for _ in range(6)))
        assert bench.router.connections_peak == 1
        await bench.pool.close()

    run_virtually(main())


def test_keeps_its_least_size_and_shrinks_to_it() -> None:
    """It opens its least size in the background, and closes what stays idle beyond it."""

    async def main() -> None:
        bench = Bench(PoolSettings(min_size=2, idle_timeout_s=300.0), service=takes({"/big/print": 1.0}))
        await bench.run()
        await asyncio.sleep(0.1)
        assert len(bench.pool.connections) == 2
        big = [asyncio.create_task(bench.run("/big/print", large=True)) for _ in range(2)]
        await asyncio.gather(*big)
        assert len(bench.pool.connections) == 2

        grown = Bench(PoolSettings(min_size=1, idle_timeout_s=300.0), service=takes({"/big/print": 1.0}))
        await grown.run()
        await grown.run("/big/print", large=True)
        assert len(grown.pool.connections) == 2
        await asyncio.sleep(298.0)
        assert len(grown.pool.connections) == 2
        await asyncio.sleep(4.0)
        assert len(grown.pool.connections) == 1
        assert grown.ear.closed == ["idle"]
        assert isinstance(grown.loop, VirtualLoop)
        assert grown.loop.timers() == 0, "an idle pool of least size has no timer"
        await asyncio.gather(bench.pool.close(), grown.pool.close())

    run_virtually(main())


def test_idle_connection_is_checked_before_use() -> None:
    """After the interval a cheap command goes first; before it, nothing extra is asked."""

    async def main() -> None:
        bench = Bench(PoolSettings(health_check_interval_s=30.0))
        await bench.run("/a/print")
        await asyncio.sleep(29.0)
        await bench.run("/b/print")
        await asyncio.sleep(31.0)
        await bench.run("/c/print")
        assert bench.router.commands() == ["/a/print", "/b/print", "/system/identity/print", "/c/print"]
        assert bench.router.dials == 1
        await bench.pool.close()

    run_virtually(main())


def test_connection_that_fails_its_check_is_replaced() -> None:
    """A connection that died while idle costs its check, not the command, and is no failure of the router."""

    async def main() -> None:
        bench = Bench(service=takes({"/system/identity/print": None}))
        await bench.run()
        await asyncio.sleep(60.0)
        begun_s = bench.loop.time()
        reply = await bench.run()
        assert reply.records
        assert bench.loop.time() - begun_s == pytest.approx(5.0 + 0.01 + 0.05)
        assert bench.ear.closed == ["unhealthy"]
        assert bench.router.dials == 2
        assert bench.breaker.failures == 0
        await bench.pool.close()

    run_virtually(main())


def test_deadline_cancels_the_command_and_keeps_the_connection() -> None:
    """A command past its deadline is cancelled, its slot is free, and the connection goes on."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=1), service=takes({"/slow/print": None}))
        with pytest.raises(CommandDeadline, match="no complete answer within 2 s") as late:
            await bench.run("/slow/print", deadline_s=2.01)
        assert late.value.path == "/slow/print"
        assert late.value.reason is UnreachableReason.DEADLINE
        await bench.run()
        assert bench.router.dials == 1
        assert bench.router.in_flight == 0
        assert bench.ear.finished == [("/slow/print", "deadline"), ("/x/print", "ok")]
        await bench.pool.close()

    run_virtually(main())


def test_short_deadlines_of_callers_do_not_open_the_breaker() -> None:
    """A scrape with a millisecond to spare says nothing about the router."""

    async def main() -> None:
        bench = Bench()
        await bench.run()
        for _ in range(50):
            with pytest.raises(CommandDeadline):
                await bench.run(deadline_s=0.001)
        assert bench.breaker.failures == 0
        await bench.run()
        assert bench.router.dials == 1
        await bench.pool.close()

    run_virtually(main())


def test_commands_that_never_end_open_the_breaker() -> None:
    """A command that had all its time and got no answer counts, one of a moment for all."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=16), service=lambda words: None)
        for turn in range(5):
            assert bench.breaker.failures == turn
            results = await asyncio.gather(*(bench.run() for _ in range(10)), return_exceptions=True)
            assert {type(result) for result in results} == {CommandDeadline}
        assert bench.breaker.state is BreakerState.OPEN
        with pytest.raises(BreakerOpen, match="5 failures in a row"):
            await bench.run()
        await bench.pool.close()

    run_virtually(main())


def test_hanging_connection_is_dropped() -> None:
    """When the cancel is not answered either, the connection goes, and that counts even after a short deadline."""

    async def main() -> None:
        bench = Bench(service=lambda words: None)
        bench.router.answers_cancel = False
        with pytest.raises(CommandDeadline):
            await bench.run(deadline_s=1.0)
        await asyncio.sleep(4.9)
        assert len(bench.pool.connections) == 1
        await asyncio.sleep(0.2)
        assert len(bench.pool.connections) == 0
        assert bench.ear.closed == ["hanging"]
        assert bench.breaker.failures == 1
        await bench.pool.close()

    run_virtually(main())


def test_waiting_is_bounded() -> None:
    """Who waits for a slot gives up after the acquire timeout, or at the caller's deadline."""

    async def main() -> None:
        bench = Bench(
            PoolSettings(max_in_flight=1, acquire_timeout_s=10.0), service=takes({"/slow/print": 29.0})
        )
        slow = asyncio.create_task(bench.run("/slow/print"))
        await asyncio.sleep(0.1)
        with pytest.raises(PoolExhausted, match=r"no free slot after 10 s \(1 in flight, limit 1\)"):
            await bench.run()
        with pytest.raises(PoolExhausted, match="no free slot after 3 s"):
            await bench.run(deadline_s=3.0)
        with pytest.raises(PoolExhausted, match="had passed before"):
            await bench.run(deadline_s=0.0)
        await slow
        assert bench.router.commands() == ["/slow/print"]
        await bench.pool.close()

    run_virtually(main())


def test_waiting_for_a_router_that_does_not_answer() -> None:
    """Who waits for the very first connection is told that it is still being tried, not that the pool is full."""

    async def main() -> None:
        bench = Bench()
        bench.router.connect_s = 14.0
        with pytest.raises(RouterUnreachable, match="no connection after 10 s, still trying") as late:
            await bench.run()
        assert late.value.reason is UnreachableReason.DEADLINE
        assert not late.value.sent
        await asyncio.sleep(5.0)
        await bench.run()
        assert bench.router.dials == 1
        await bench.pool.close()

    run_virtually(main())


def test_connecting_is_tried_again() -> None:
    """While somebody waits, a refused connection is tried again with growing waits; each try counts."""

    async def main() -> None:
        bench = Bench(retry=RetrySettings(attempts=3, min_wait_s=1.0))
        bench.router.refuses = True
        begun_s = bench.loop.time()
        results = await asyncio.gather(*(bench.run() for _ in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [RouterUnreachable] * 5
        assert len({id(result) for result in results}) == 5
        assert bench.router.dials == 3
        assert bench.breaker.failures == 3
        assert 3.0 <= bench.loop.time() - begun_s <= 4.1
        bench.router.refuses = False
        await bench.run()
        assert bench.breaker.failures == 0
        await bench.pool.close()

    run_virtually(main())


def test_unreachable_router_is_left_alone() -> None:
    """After five failures nothing is dialled until the cooldown is over, then once."""

    async def main() -> None:
        bench = Bench(retry=RetrySettings(attempts=1))
        bench.router.refuses = True
        for _ in range(20):
            with pytest.raises((RouterUnreachable, BreakerOpen)):
                await bench.run()
        assert bench.router.dials == 5
        await asyncio.sleep(61.0)
        results = await asyncio.gather(*(bench.run() for _ in range(10)), return_exceptions=True)
        assert bench.router.dials == 6
        assert sum(isinstance(result, BreakerOpen) for result in results) == 9
        assert bench.breaker.retry_in_s == pytest.approx(120.0, rel=0.01)
        bench.router.refuses = False
        await asyncio.sleep(121.0)
        await bench.run()
        assert bench.breaker.state is BreakerState.CLOSED
        await bench.pool.close()

    run_virtually(main())


def test_refused_login_opens_the_breaker() -> None:
    """A refused login is tried once, told as such, and not again until the cooldown is over."""

    async def main() -> None:
        bench = Bench(retry=RetrySettings(attempts=3))
        bench.router.refuses_login = True
        results = await asyncio.gather(*(bench.run() for _ in range(4)), return_exceptions=True)
        assert [type(result) for result in results] == [LoginRefused] * 4
        with pytest.raises(BreakerOpen, match="the login was refused"):
            await bench.run()
        assert bench.router.dials == 1
        await bench.pool.close()

    run_virtually(main())


def test_short_deadline_of_a_probe_does_not_hammer() -> None:
    """A probe given up by its caller while dialling stays the only one until the dialling is over."""

    async def main() -> None:
        bench = Bench(breaker=BreakerSettings(failure_limit=1, jitter_ratio=0.0))
        bench.router.refuses = True
        with pytest.raises(RouterUnreachable):
            await bench.run()
        bench.router.connect_s = 10.0
        await asyncio.sleep(60.0)
        with pytest.raises(RouterUnreachable, match="still trying"):
            await bench.run(deadline_s=1.0)
        assert bench.breaker.state is BreakerState.HALF_OPEN
        with pytest.raises(BreakerOpen, match="a single probe"):
            await bench.run()
        await asyncio.sleep(10.0)
        assert bench.breaker.state is BreakerState.OPEN
        assert bench.breaker.retry_in_s == pytest.approx(119.0, abs=1.5)
        assert bench.router.dials == 2
        await bench.pool.close()

    run_virtually(main())


def test_given_up_probe_on_a_living_router_makes_room() -> None:
    """A probe whose short deadline passes tells nothing; the answered cancel lets the next one go at once."""

    async def main() -> None:
        bench = Bench(breaker=BreakerSettings(failure_limit=1), service=takes({"/slow/print": 20.0}))
        bench.router.refuses = True
        with pytest.raises(RouterUnreachable):
            await bench.run()
        bench.router.refuses = False
        await asyncio.sleep(70.0)
        with pytest.raises(CommandDeadline):
            await bench.run("/slow/print", deadline_s=1.0)
        await asyncio.sleep(0.1)
        await bench.run()
        assert bench.breaker.state is BreakerState.CLOSED
        await bench.pool.close()

    run_virtually(main())


def test_probe_lost_after_it_was_given_up_failed() -> None:
    """When the connection ends before the cancel of a probe is answered, the breaker opens again: it is not stuck."""

    async def main() -> None:
        bench = Bench(
            breaker=BreakerSettings(failure_limit=1, jitter_ratio=0.0), service=takes({"/never/print": None})
        )
        bench.router.refuses = True
        with pytest.raises(RouterUnreachable):
            await bench.run()
        bench.router.refuses = bench.router.answers_cancel = False
        await asyncio.sleep(60.0)
        with pytest.raises(CommandDeadline):
            await bench.run("/never/print", deadline_s=1.0)
        assert bench.breaker.state is BreakerState.HALF_OPEN
        bench.router.links[0].drop(ConnectionResetError("reset"))
        await asyncio.sleep(0.1)
        assert bench.breaker.state is BreakerState.OPEN
        assert bench.breaker.retry_in_s == pytest.approx(120.0, abs=0.2)
        await asyncio.sleep(120.0)
        await bench.run()
        assert bench.breaker.state is BreakerState.CLOSED
        await bench.pool.close()

    run_virtually(main())


@pytest.mark.parametrize("patience_s", [1.0, None], ids=["gone before the dial ends", "refused with it"])
def test_probe_that_waits_for_an_old_dial_makes_room(patience_s: float | None) -> None:
    """A dial from before the breaker opened does not count; the probe that hoped for it does not block the next."""

    async def main() -> None:
        bench = Bench(
            PoolSettings(max_in_flight=8, commands_per_connection=1, connect_timeout_s=60.0),
            breaker=BreakerSettings(failure_limit=1, cooldown_s=1.0, jitter_ratio=0.0),
            service=takes({"/slow/print": 20.0}),
        )
        await bench.run()
        bench.router.connect_s, bench.router.refuses = 5.0, True
        asking = [asyncio.create_task(bench.run("/slow/print")) for _ in range(2)]
        await asyncio.sleep(0.6)
        assert bench.pool.stats().connections_opening == 1
        bench.router.links[0].drop(ConnectionResetError("reset"))
        assert {type(error) for error in await asyncio.gather(*asking, return_exceptions=True)} == {
            RouterUnreachable,
            BreakerOpen,
        }
        await asyncio.sleep(1.5)
        with pytest.raises(RouterUnreachable):
            await bench.run(deadline_s=patience_s)
        await asyncio.sleep(4.0)
        assert bench.pool.stats().connections_opening == 0
        bench.router.refuses, bench.router.connect_s = False, 0.01
        assert (await bench.run()).records
        assert bench.breaker.state is BreakerState.CLOSED
        await bench.pool.close()

    run_virtually(main())


def test_stream_is_no_probe() -> None:
    """Listening to a quiet menu after the cooldown does not keep everybody else from asking."""

    async def main() -> None:
        bench = Bench(breaker=BreakerSettings(failure_limit=1), service=takes({"/log/listen": None}))
        bench.router.refuses = True
        with pytest.raises(RouterUnreachable):
            await bench.run()
        bench.router.refuses = False
        await asyncio.sleep(70.0)
        stream = bench.request("/log/listen")
        stream.stream = RowStream("/log/listen", 10)
        bench.pool.start(stream)
        await asyncio.sleep(1.0)
        assert bench.router.commands() == ["/log/listen"]
        await bench.run()
        assert bench.breaker.state is BreakerState.CLOSED
        bench.pool.abandon(stream)
        await bench.pool.close()

    run_virtually(main())


def test_lost_connection_is_one_failure() -> None:
    """All commands of a lost connection hear of it, each with an error of its own; the breaker counts one."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=16), service=lambda words: None)
        tasks = [asyncio.create_task(bench.run()) for _ in range(10)]
        await asyncio.sleep(1.0)
        bench.router.links[0].drop(ConnectionResetError("reset by peer"))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, RouterUnreachable) and result.sent for result in results)
        assert {result.reason for result in results if isinstance(result, RouterUnreachable)} == {
            UnreachableReason.RESET
        }
        assert len({id(result) for result in results}) == 10
        assert bench.breaker.failures == 1
        assert bench.ear.closed == ["lost"]
        await bench.pool.close()

    run_virtually(main())


def test_garbage_drops_the_connection_and_halves_the_limit() -> None:
    """Bytes that cannot be right end the connection; the router gets half as much at once from then on."""

    async def main() -> None:
        bench = Bench(service=lambda words: None)
        task = asyncio.create_task(bench.run())
        await asyncio.sleep(1.0)
        bench.router.links[0].send(b"\xff\xff\xff")
        with pytest.raises(ProtocolViolation, match="reserved control byte") as violation:
            await task
        assert violation.value.router == "core"
        assert violation.value.sent
        assert bench.pool.limit.limit == 2.0
        assert bench.ear.closed == ["protocol"]
        assert bench.breaker.failures == 1
        await bench.pool.close()

    run_virtually(main())


def test_reset_starts_afresh() -> None:
    """A reset closes connections and breaker; what was in flight is lost, what waits goes on."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=1), service=takes({"/slow/print": 25.0}))
        slow = asyncio.create_task(bench.run("/slow/print"))
        await asyncio.sleep(1.0)
        waiting = asyncio.create_task(bench.run())
        await asyncio.sleep(0)
        await bench.pool.reset()
        with pytest.raises(RouterUnreachable, match="closed on this side"):
            await slow
        assert (await waiting).records
        assert bench.router.dials == 2
        assert bench.breaker.failures == 0
        await bench.pool.close()

    run_virtually(main())


def test_closed_pool_sends_nothing() -> None:
    """Closing ends waiting, dialling and running requests; later ones are refused."""

    async def main() -> None:
        bench = Bench(PoolSettings(max_in_flight=1), service=takes({}, otherwise_s=20.0))
        tasks = [asyncio.create_task(bench.run()) for _ in range(3)]
        await asyncio.sleep(1.0)
        await bench.pool.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [RouterUnreachable, PoolClosed, PoolClosed]
        with pytest.raises(PoolClosed):
            await bench.run()

        dialling = Bench()
        dialling.router.connect_s = 9.0
        task = asyncio.create_task(dialling.run())
        await asyncio.sleep(1.0)
        await dialling.pool.close()
        with pytest.raises(PoolClosed):
            await task
        assert "closed" in repr(dialling.pool)

    run_virtually(main())


def test_stats_outlive_connections() -> None:
    """Totals count what closed connections did."""

    async def main() -> None:
        bench = Bench()
        await bench.run()
        before = bench.pool.stats()
        assert (before.connections_open, before.connects_total, before.rows_received_total) == (1, 1, 1)
        await bench.pool.reset()
        after = bench.pool.stats()
        assert after.connections_open == 0
        assert after.commands_total == before.commands_total == 1
        assert after.bytes_received_total == before.bytes_received_total > 0
        await bench.pool.close()

    run_virtually(main())


OPERATION = st.one_of(
    st.tuples(
        st.just("ask"),
        st.sampled_from(Priority),
        st.booleans(),
        st.sampled_from([None, 0.02, 0.5, 5.0]),
        st.sampled_from(["/quick/print", "/slow/print", "/never/print"]),
    ),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.3, 2.0, 40.0, 400.0])),
    st.tuples(st.just("cancel"), st.integers(0, 50)),
    st.tuples(st.just("drop"), st.integers(0, 5)),
    st.tuples(st.just("garbage"), st.integers(0, 5)),
    st.tuples(st.just("refuse"), st.booleans()),
    st.tuples(st.just("mute"), st.booleans()),
    st.tuples(st.just("reset")),
)


@settings(max_examples=200)
@given(
    st.lists(OPERATION, min_size=3, max_size=40),
    st.integers(0, 2),
    st.integers(2, 4),
    st.sampled_from([None, 1, 3]),
)
def test_pool_invariants(
    operations: list[tuple[object, ...]], min_size: int, max_size: int, max_in_flight: int | None
) -> None:
    """Through any faults: never too many connections or commands, every caller gets an end, nothing leaks."""

    async def main() -> None:
        bench = Bench(
            PoolSettings(
                min_size=min_size, max_size=max_size, max_in_flight=max_in_flight, commands_per_connection=3
            ),
            service=takes({"/slow/print": 3.0, "/never/print": None}),
            retry=RetrySettings(attempts=2),
        )
        tasks: list[asyncio.Task[Reply]] = []
        for kind, *values in operations:
            await OPERATIONS[str(kind)](bench, tasks, values)
            check(bench, max_size, max_in_flight)
        bench.router.refuses = bench.router.answers_cancel = True
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, Reply | RouterError | asyncio.CancelledError) for result in results)
        stats = bench.pool.stats()
        assert (stats.in_flight, stats.waiting) == (0, 0)
        await bench.pool.close()
        check(bench, max_size, max_in_flight)
        assert not bench.router.links
        assert bench.pool.limit.in_flight == 0

    run_virtually(main())


def draw(dice: random.Random) -> tuple[object, ...]:
    """An operation as in OPERATION, faults rarer than questions."""
    kind = dice.choice(
        ["ask"] * 12 + ["wait"] * 6 + ["cancel"] * 2 + ["drop", "garbage", "refuse", "mute", "reset"]
    )
    match kind:
        case "ask":
            path = dice.choice(["/quick/print", "/quick/print", "/slow/print", "/never/print"])
            deadline_s = dice.choice([None, 0.02, 0.5, 5.0])
            return (kind, dice.choice(list(Priority)), dice.random() < 0.2, deadline_s, path)
        case "wait":
            return (kind, dice.choice([0.0, 0.01, 0.01, 0.3, 0.3, 2.0, 40.0, 400.0]))
        case "refuse" | "mute":
            return (kind, dice.random() < 0.3)
        case _:
            return (kind, dice.randrange(50))


@pytest.mark.parametrize("seed", range(6))
def test_pool_soak(seed: int) -> None:
    """Thousands of questions and hundreds of faults later the same holds, and nothing has piled up."""

    async def main() -> None:
        dice = random.Random(seed)
        bench = Bench(
            PoolSettings(max_size=3, max_in_flight=dice.choice([None, 2, 5]), commands_per_connection=4),
            service=takes({"/slow/print": 3.0, "/never/print": None}),
            retry=RetrySettings(attempts=2),
        )
        tasks: list[asyncio.Task[Reply]] = []
        for _ in range(4000):
            kind, *values = draw(dice)
            await OPERATIONS[str(kind)](bench, tasks, values)
            check(bench, 3, bench.settings.max_in_flight)
        bench.router.refuses, bench.router.answers_cancel = False, True
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(1000.0)
        assert (await bench.run("/quick/print")).records, "it works again when the faults are over"
        assert bench.router.in_flight == 0
        assert "draining=0" in repr(bench.pool.connections[0])
        assert len(bench.ear.finished) > 300
        assert {outcome for _, outcome in bench.ear.finished} >= {"ok", "deadline", "unreachable"}
        await bench.pool.close()
        assert bench.pool.limit.in_flight == 0

    run_virtually(main())


def check(bench: Bench, max_size: int, max_in_flight: int | None) -> None:
    assert bench.router.connections_peak <= max_size
    assert bench.router.in_flight_peak <= (max_in_flight or 16)
    assert bench.pool.limit.in_flight <= (max_in_flight or 16)


async def _ask(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    priority, large, deadline_s, path = values
    assert isinstance(priority, Priority)
    assert deadline_s is None or isinstance(deadline_s, float)
    asking = bench.run(str(path), priority=priority, large=bool(large), deadline_s=deadline_s)
    tasks.append(asyncio.create_task(asking))


async def _wait(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    assert isinstance(values[0], float)
    await asyncio.sleep(values[0])


async def _cancel(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    if tasks:
        assert isinstance(values[0], int)
        tasks[-1 - values[0] % len(tasks)].cancel()


async def _drop(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    if bench.router.links:
        assert isinstance(values[0], int)
        bench.router.links[values[0] % len(bench.router.links)].drop(ConnectionResetError("reset"))


async def _garbage(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    if bench.router.links:
        assert isinstance(values[0], int)
        bench.router.links[values[0] % len(bench.router.links)].send(b"\xfe")


async def _refuse(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    bench.router.refuses = bool(values[0])


async def _mute(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    bench.router.answers_cancel = not values[0]


async def _reset(bench: Bench, tasks: list[asyncio.Task[Reply]], values: list[object]) -> None:
    await bench.pool.reset()


OPERATIONS: dict[str, Callable[[Bench, list[asyncio.Task[Reply]], list[object]], Awaitable[None]]] = {
    "ask": _ask,
    "wait": _wait,
    "cancel": _cancel,
    "drop": _drop,
    "garbage": _garbage,
    "refuse": _refuse,
    "mute": _mute,
    "reset": _reset,
}
