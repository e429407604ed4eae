"""The circuit breaker under a clock that the test moves."""

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from routeros.breaker import TRANSITIONS, Breaker, BreakerEvent, BreakerState
from routeros.errors import BreakerOpen, LoginRefused, RouterError
from routeros.settings import BreakerSettings
from tests.fakes.clock import FakeClock

SETTINGS = BreakerSettings(failure_limit=3, cooldown_s=60.0, max_cooldown_s=600.0, jitter_ratio=0.1)
FAILURE = RouterError("no answer")


def breaker(
    clock: FakeClock,
    *,
    dice: Callable[[], float] = lambda: 0.5,
    changes: list[tuple[BreakerState, BreakerState]] | None = None,
) -> Breaker:
    """A breaker without jitter, unless the dice are given."""
    changed = None if changes is None else lambda old, new: changes.append((old, new))
    return Breaker(SETTINGS, router="core", clock=clock, dice=dice, changed=changed)


def fail(it: Breaker, clock: FakeClock) -> None:
    generation, begun_s = it.admit(), clock()
    clock.advance(0.1)
    it.failed(generation, FAILURE, begun_s=begun_s)


def open_it(it: Breaker, clock: FakeClock) -> None:
    for _ in range(SETTINGS.failure_limit):
        fail(it, clock)
    assert it.state is BreakerState.OPEN


def test_opens_after_failures_in_a_row() -> None:
    """The limit of consecutive failures opens it; the caller learns when the next try is."""
    clock = FakeClock()
    it = breaker(clock)
    open_it(it, clock)
    clock.advance(20.0)
    with pytest.raises(BreakerOpen, match="3 failures in a row, last no answer") as refused:
        it.admit()
    assert refused.value.retry_in_s == pytest.approx(40.0)
    assert it.retry_in_s == pytest.approx(40.0)
    assert refused.value.router == "core"


def test_success_ends_the_run() -> None:
    """An answer in between starts the count again."""
    clock = FakeClock()
    it = breaker(clock)
    for _ in range(10):
        fail(it, clock)
        fail(it, clock)
        it.succeeded(it.admit())
    assert it.state is BreakerState.CLOSED
    assert it.failures == 0


def test_one_incident_counts_once() -> None:
    """What was under way when a failure was counted belongs to that failure."""
    clock = FakeClock()
    it = breaker(clock)
    generation, begun_s = it.admit(), clock()
    clock.advance(5.0)
    for _ in range(15):
        it.failed(generation, FAILURE, begun_s=begun_s)
    assert it.failures == 1


def test_refused_login_opens_at_once() -> None:
    """A refused login opens it and the next caller is told so."""
    clock = FakeClock()
    it = breaker(clock)
    it.refused(it.admit(), LoginRefused("login refused: invalid user name or password (6)", router="core"))
    with pytest.raises(BreakerOpen, match=r"the login was refused .*invalid user name or password"):
        it.admit()


def test_one_probe_after_the_cooldown() -> None:
    """After the cooldown one request goes; the others are refused until it is known how it went."""
    clock = FakeClock()
    it = breaker(clock)
    open_it(it, clock)
    clock.advance(60.0)
    assert it.retry_in_s == 0
    probe = it.admit()
    assert it.state is BreakerState.HALF_OPEN
    with pytest.raises(BreakerOpen, match="a single probe"):
        it.admit()
    it.succeeded(probe)
    assert it.state is BreakerState.CLOSED
    assert it.retry_in_s is None
    it.admit()


def test_cooldown_doubles_up_to_its_limit() -> None:
    """Each failed probe doubles the wait, up to ten minutes; a success makes it short again."""
    clock = FakeClock()
    it = breaker(clock)
    open_it(it, clock)
    waits = []
    for _ in range(6):
        wait_s = it.retry_in_s
        assert wait_s is not None
        waits.append(round(wait_s))
        clock.advance(wait_s)
        fail(it, clock)
    assert waits == [60, 120, 240, 480, 600, 600]
    clock.advance(600.0)
    it.succeeded(it.admit())
    open_it(it, clock)
    assert it.retry_in_s == pytest.approx(60.0)


@pytest.mark.parametrize(("dice", "wait_s"), [(0.0, 54.0), (0.5, 60.0), (1.0, 66.0)])
def test_jitter(dice: float, wait_s: float) -> None:
    """The wait varies by its ratio, so that a fleet does not knock at the same moment."""
    clock = FakeClock()
    it = breaker(clock, dice=lambda: dice)
    open_it(it, clock)
    assert it.retry_in_s == pytest.approx(wait_s)


def test_late_results_change_nothing() -> None:
    """What was permitted before the last change of state cannot open or close it any more."""
    clock = FakeClock()
    it = breaker(clock)
    old = it.admit()
    open_it(it, clock)
    it.succeeded(old)
    assert it.state is BreakerState.OPEN
    clock.advance(60.0)
    probe = it.admit()
    it.succeeded(old)
    it.failed(old, FAILURE, begun_s=clock())
    it.refused(old, FAILURE)
    assert it.state is BreakerState.HALF_OPEN
    it.succeeded(probe)
    it.failed(probe, FAILURE, begun_s=clock())
    assert it.failures == 0


def test_abandoned_probe_makes_room() -> None:
    """A probe that told nothing neither closes it nor lengthens the wait."""
    clock = FakeClock()
    it = breaker(clock)
    open_it(it, clock)
    clock.advance(60.0)
    it.abandoned(it.admit())
    assert it.state is BreakerState.OPEN
    assert it.retry_in_s == 0
    it.succeeded(it.admit())
    assert it.state is BreakerState.CLOSED


def test_reset_by_hand() -> None:
    """A reset closes it whatever its state."""
    clock = FakeClock()
    it = breaker(clock)
    for prepare in (
        lambda: None,
        lambda: open_it(it, clock),
        lambda: (open_it(it, clock), clock.advance(99), it.admit()),
    ):
        prepare()
        it.reset()
        assert it.state is BreakerState.CLOSED
        assert it.failures == 0


def test_changes_are_told() -> None:
    """Whoever listens hears of each change, and of nothing else."""
    clock, changes = FakeClock(), []
    it = breaker(clock, changes=changes)
    it.reset()
    open_it(it, clock)
    clock.advance(60.0)
    it.succeeded(it.admit())
    closed, opened, half = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
    assert changes == [(closed, opened), (opened, half), (half, closed)]


def test_repr_tells_the_state() -> None:
    """State, failures, wait and reason can be read from it."""
    clock = FakeClock()
    it = breaker(clock)
    assert repr(it) == "<Breaker closed failures=0>"
    open_it(it, clock)
    assert repr(it) == ("<Breaker open failures=3 retry_in_s=60.0 why='3 failures in a row, last no answer'>")


def test_table_has_a_way_back_from_everywhere() -> None:
    """From each state a reset leads to closed."""
    assert {TRANSITIONS[state, BreakerEvent.RESET] for state in BreakerState} == {BreakerState.CLOSED}


class BreakerMachine(RuleBasedStateMachine):
    """Any sequence of permissions, results (late ones too) and time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.it = breaker(self.clock)
        self.permissions: list[tuple[int, float]] = []
        self.probes = 0

    @rule()
    def ask(self) -> None:
        state = self.it.state
        try:
            generation = self.it.admit()
        except BreakerOpen as refusal:
            wait_s = refusal.retry_in_s or 0.0
            if state is BreakerState.CLOSED or (state is BreakerState.OPEN and wait_s <= 0):
                pytest.fail(f"refused while {state.value} with {wait_s} s to wait")
        else:
            assert state is not BreakerState.HALF_OPEN, "a second probe"
            self.permissions.append((generation, self.clock()))

    @rule(seconds=st.floats(0.01, 700))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(pick=st.integers(0), result=st.sampled_from(["succeeded", "failed", "refused", "abandoned"]))
    def tell(self, pick: int, result: str) -> None:
        if not self.permissions:
            return
        generation, begun_s = self.permissions.pop(pick % len(self.permissions))
        match result:
            case "succeeded":
                self.it.succeeded(generation)
            case "failed":
                self.it.failed(generation, FAILURE, begun_s=begun_s)
            case "refused":
                self.it.refused(generation, FAILURE)
            case _:
                self.it.abandoned(generation)

    @rule()
    def reset(self) -> None:
        self.it.reset()

    @invariant()
    def waits_are_bounded(self) -> None:
        retry_in_s = self.it.retry_in_s
        assert (retry_in_s is None) == (self.it.state is BreakerState.CLOSED)
        assert retry_in_s is None or 0 <= retry_in_s <= SETTINGS.max_cooldown_s * 1.1
        assert self.it.state is not BreakerState.CLOSED or self.it.failures < SETTINGS.failure_limit


TestBreakerMachine = BreakerMachine.TestCase
