# ruff: noqa: S311 - seeded dice of tests
"""The adaptive in-flight limit against simulated routers; no time passes."""

import heapq
import random
from collections.abc import Callable, Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routeros.limit import CEILING, FLOOR, Flight, InFlightLimit

MENUS = tuple(f"/menu{i}/print" for i in range(15))
Finish = Callable[[float], float]
"""Sent at this time, finished at that time."""


def side_by_side(cost_s: float = 0.05, jitter: Callable[[], float] = lambda: 1.0) -> Finish:
    """A router whose commands do not disturb each other."""
    return lambda sent_s: sent_s + cost_s * jitter()


def one_at_a_time(
    cost_s: float = 0.05, jitter: Callable[[], float] = lambda: 1.0, workers: int = 1
) -> Finish:
    """A router that works off its commands with so many workers, first come first served."""
    free_s = [0.0] * workers

    def finish(sent_s: float) -> float:
        worker = min(range(workers), key=free_s.__getitem__)
        free_s[worker] = max(sent_s, free_s[worker]) + cost_s * jitter()
        return free_s[worker]

    return finish


def scrape(limit: InFlightLimit, router: Finish, begun_s: float, menus: Sequence[str]) -> float:
    """Send all commands as the limit lets them; returns when the last is answered."""
    waiting, flights, order, now_s = list(menus), [], count(), begun_s
    while waiting or flights:
        while waiting and limit.has_room:
            flight = limit.started(waiting.pop(0), now_s)
            heapq.heappush(flights, (router(now_s), next(order), flight))
        now_s, _, done = heapq.heappop(flights)
        limit.answered(done, now_s)
    return now_s


def run(router: Finish, scrapes: int, menus: Sequence[str] = MENUS) -> tuple[list[float], list[float]]:
    """The limit after each scrape, and how long each took; the order of commands rotates."""
    limit, limits, durations, now_s = InFlightLimit(), [], [], 0.0
    for turn in range(scrapes):
        first = turn % len(menus)
        ended_s = scrape(limit, router, now_s, (*menus[first:], *menus[:first]))
        limits.append(limit.limit)
        durations.append(ended_s - now_s)
        now_s = ended_s + 15.0
    assert limit.in_flight == 0
    return limits, durations


def test_parallel_router_is_used() -> None:
    """Fifteen commands of 50 ms side by side: 12 or more at once within ten scrapes, in the end nearly all."""
    limits, durations = run(side_by_side(), 40)
    assert limits[9] >= 12
    assert limits[-1] >= 15
    assert durations[-1] == pytest.approx(0.05)


def test_serial_router_is_left_in_peace() -> None:
    """A router that works one at a time gets at most two, after the first scrapes and for good."""
    limits, durations = run(one_at_a_time(), 200)
    assert max(limits[3:]) <= 2
    assert max(durations[3:]) <= 15 * 0.05 * 1.05


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("spread", [2.0, 3.0])
def test_jitter_does_not_look_like_a_queue(seed: int, spread: float) -> None:
    """Latencies that vary up to threefold on a parallel router do not pull the limit under 8."""
    rng = random.Random(seed)
    limits, _ = run(side_by_side(jitter=lambda: rng.uniform(1.0, spread)), 100)
    assert limits[12] >= 8
    assert min(limits[12:]) >= 8


@pytest.mark.parametrize("seed", range(8))
def test_outliers_do_not_look_like_a_queue(seed: int) -> None:
    """A third of all commands taking three times as long at random is no queue either."""
    rng = random.Random(seed)
    limits, _ = run(side_by_side(jitter=lambda: rng.choice((1.0, 1.0, 3.0))), 100)
    assert min(limits[15:]) >= 8


@pytest.mark.parametrize("seed", range(5))
def test_serial_router_with_jitter(seed: int) -> None:
    """Jitter does not hide that a router works one at a time."""
    rng = random.Random(seed)
    limits, _ = run(one_at_a_time(jitter=lambda: rng.uniform(1.0, 3.0)), 100)
    assert max(limits[5:]) <= 3


@pytest.mark.parametrize("workers", [2, 4, 8])
def test_few_workers_are_kept_busy(workers: int) -> None:
    """With some workers the limit settles where they all have work, without a long queue."""
    limits, _ = run(one_at_a_time(workers=workers), 80)
    assert workers <= limits[-1] <= 2 * workers + 1


def test_router_that_becomes_serial() -> None:
    """When a parallel router turns serial the limit comes down within a few scrapes."""
    state: dict[str, Finish] = {"router": side_by_side()}
    limit, now_s = InFlightLimit(), 0.0
    for turn in range(60):
        if turn == 40:
            assert limit.limit >= 15
            state["router"] = one_at_a_time()
        first = turn % len(MENUS)
        now_s = 15.0 + scrape(limit, state["router"], now_s, (*MENUS[first:], *MENUS[:first]))
    assert limit.limit <= 3


def test_router_that_becomes_parallel() -> None:
    """When a serial router turns parallel the limit finds out by itself."""
    state: dict[str, Finish] = {"router": one_at_a_time()}
    limit, now_s = InFlightLimit(), 0.0
    for turn in range(120):
        if turn == 30:
            assert limit.limit <= 2
            state["router"] = side_by_side()
        first = turn % len(MENUS)
        now_s = 15.0 + scrape(limit, state["router"], now_s, (*MENUS[first:], *MENUS[:first]))
    assert limit.limit >= 12


def test_pinned_limit_never_moves() -> None:
    """What the operator fixed stays, whatever happens."""
    limit = InFlightLimit(pinned=3)
    for turn in range(20):
        scrape(limit, one_at_a_time(), turn * 15.0, MENUS)
    limit.halve()
    assert limit.limit == 3
    assert repr(limit) == "<InFlightLimit 3.0 in_flight=0 pinned>"


def test_halving() -> None:
    """A framing violation halves the limit, not below 1; each new limit is told."""
    heard: list[float] = []
    limit = InFlightLimit(changed=heard.append)
    for _ in range(4):
        limit.halve()
    assert heard == [2.0, 1.0]


def test_untold_latencies_do_not_count() -> None:
    """Commands that ended without an answer, and huge replies, free their slot and teach nothing."""
    limit = InFlightLimit()
    for _ in range(50):
        quiet = limit.started("/a/print", 0.0, telling=False)
        lost = limit.started("/a/print", 0.0)
        limit.answered(quiet, 9.0)
        limit.ended(lost)
    assert limit.baseline_s("/a/print") is None
    assert (limit.limit, limit.in_flight) == (4.0, 0)


def test_menus_are_bounded() -> None:
    """Baselines of menus do not pile up."""
    limit = InFlightLimit()
    for i in range(2000):
        limit.answered(limit.started(f"/menu{i}", 0.0), 0.1)
    assert limit.baseline_s("/menu0") is None
    assert limit.baseline_s("/menu1999") == pytest.approx(0.1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.floats(0, 100)), max_size=200))
def test_limit_stays_in_bounds(steps: list[tuple[int, int, float]]) -> None:
    """Whatever is sent, answered, lost or halved, the limit stays in its bounds and slots add up."""
    limit, flights, now_s = InFlightLimit(), [], 0.0
    for kind, pick, seconds in steps:
        now_s += seconds
        if kind == 0 and limit.has_room:
            flights.append(limit.started(f"/menu{pick % 3}", now_s))
        elif kind == 1 and flights:
            flight: Flight = flights.pop(pick % len(flights))
            limit.answered(flight, now_s)
        elif kind == 2 and flights:
            limit.ended(flights.pop(pick % len(flights)))
        elif kind == 3:
            limit.halve()
        assert FLOOR <= limit.limit <= CEILING
        assert limit.in_flight == len(flights)
