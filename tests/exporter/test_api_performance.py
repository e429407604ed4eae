"""The window over a router's recent commands."""

import pytest

from exporter.observers import Observers
from exporter.performance import NOTHING_RECENT, WINDOW_COMMANDS, Performance, Ring, quantile
from routeros import NullObserver, UnreachableReason
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([1.0], 0.5, 1.0),
        ([1.0], 0.99, 1.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.95, 95.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
    ],
)
def test_quantile_is_the_nearest_rank(values: list[float], share: float, expected: float) -> None:
    """A quantile is one of the values: the smallest that the share of them does not exceed."""
    assert quantile(values, share) == expected


def test_a_router_never_asked_has_nothing_recent(clock: FakeClock) -> None:
    """Where no command was sent there is neither a ratio nor a quantile."""
    recent = Performance(clock=clock).recent("core")
    assert recent == NOTHING_RECENT
    assert recent.success_ratio is None


def test_the_window_tells_rate_latency_and_load(clock: FakeClock) -> None:
    """Ten commands of 0.1 to 1.0 s, one after the other, two of which failed."""
    performance = Performance(clock=clock)
    for n in range(1, 11):
        clock.advance(n / 10)
        performance.command_finished("core", "/x", "deadline" if n > 8 else "ok", n / 10, 1)
    recent = performance.recent("core")
    assert (recent.commands, recent.answered, recent.success_ratio) == (10, 8, 0.8)
    assert (recent.p50_s, recent.p95_s, recent.p99_s) == (0.5, 1.0, 1.0)
    assert recent.span_s == pytest.approx(5.5)
    assert recent.mean_in_flight == pytest.approx(1.0)


def test_a_missing_menu_is_an_answer_and_a_cancelled_command_is_nothing(clock: FakeClock) -> None:
    """Only what the router did or failed to do counts."""
    performance = Performance(clock=clock)
    for outcome in ("ok", "unsupported", "cancelled"):
        performance.command_finished("core", "/x", outcome, 0.1, 0)
    recent = performance.recent("core")
    assert (recent.commands, recent.success_ratio) == (2, 1.0)


def test_commands_leave_the_window_with_time(clock: FakeClock) -> None:
    """What is older than the window is forgotten, the rest is not."""
    performance = Performance(window_s=60, clock=clock)
    performance.command_finished("core", "/x", "deadline", 9.0, 0)
    clock.advance(50)
    performance.command_finished("core", "/x", "ok", 0.1, 1)
    assert performance.recent("core").commands == 2
    clock.advance(11)
    assert performance.recent("core").p99_s == 0.1
    clock.advance(60)
    assert performance.recent("core") == NOTHING_RECENT


@pytest.mark.parametrize("commands", [1, 7, 8, 9, 20, 16])
def test_the_ring_keeps_the_latest(commands: int) -> None:
    """A full ring drops its oldest commands and keeps the order of the others."""
    ring = Ring(capacity=8)
    for n in range(commands):
        ring.add(float(n), float(n), n % 2 == 0)
    kept = list(range(commands))[-8:]
    recent = ring.since(0.0)
    assert recent.commands == len(kept)
    assert recent.p99_s == kept[-1]
    assert recent.answered == sum(n % 2 == 0 for n in kept)


def test_memory_is_bounded(clock: FakeClock) -> None:
    """However many commands a router gets, the window holds the latest few hundred."""
    performance = Performance(clock=clock)
    for _ in range(3 * WINDOW_COMMANDS):
        performance.command_finished("core", "/x", "ok", 0.1, 1)
    assert performance.recent("core").commands == WINDOW_COMMANDS


def test_routers_that_are_gone_are_forgotten(clock: FakeClock) -> None:
    """After a reload only the routers that are left keep their window."""
    performance = Performance(clock=clock)
    for name in ("a", "b"):
        performance.command_finished(name, "/x", "ok", 0.1, 1)
    performance.keep(["b", "c"])
    assert performance.recent("a") == NOTHING_RECENT
    assert performance.recent("b").commands == 1


class Hears(NullObserver):
    """Notes the name of every hook that was called, with its arguments."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def command_finished(self, router: str, path: str, outcome: str, duration_s: float, rows: int) -> None:
        self.heard.append(("command_finished", router, path, outcome, duration_s, rows))

    def command_retried(self, router: str, path: str, attempt: int) -> None:
        self.heard.append(("command_retried", router, path, attempt))

    def connection_opened(self, router: str, duration_s: float) -> None:
        self.heard.append(("connection_opened", router, duration_s))

    def connection_closed(self, router: str, reason: str) -> None:
        self.heard.append(("connection_closed", router, reason))

    def connect_failed(self, router: str, reason: UnreachableReason | None) -> None:
        self.heard.append(("connect_failed", router, reason))

    def login_failed(self, router: str) -> None:
        self.heard.append(("login_failed", router))

    def breaker_changed(self, router: str, old: str, new: str) -> None:
        self.heard.append(("breaker_changed", router, old, new))

    def limit_changed(self, router: str, limit: float) -> None:
        self.heard.append(("limit_changed", router, limit))


def test_every_hook_reaches_every_observer(clock: FakeClock) -> None:
    """The composite hands each hook on as it came, and commands to the window as well."""
    first, second, performance = Hears(), Hears(), Performance(clock=clock)
    observers = Observers(first, second, performance=performance)
    observers.command_finished("core", "/x", "ok", 0.1, 3)
    observers.command_retried("core", "/x", 2)
    observers.connection_opened("core", 0.5)
    observers.connection_closed("core", "idle")
    observers.connect_failed("core", UnreachableReason.REFUSED)
    observers.login_failed("core")
    observers.breaker_changed("core", "closed", "open")
    observers.limit_changed("core", 5.0)
    hooks = {name for name in vars(NullObserver) if not name.startswith("_")}
    assert {call[0] for call in first.heard} == hooks
    assert first.heard == second.heard
    assert ("connect_failed", "core", UnreachableReason.REFUSED) in first.heard
    assert performance.recent("core").commands == 1
