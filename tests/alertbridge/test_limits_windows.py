"""Sliding windows, spacing, reserved rooms and pace, on stamps that are handed in."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.deliver.limit.limits import COURTESY, Policy, Room, Stamp, Window, left, pruned, wait_s

C, N, R = Room.CRITICAL, Room.NORMAL, Room.REPLY


def drive(policy: Policy, asks: list[tuple[Room, float]]) -> list[Stamp]:
    """Sends of `asks` (room, seconds after the one before), each as soon as it may; stamps in the end."""
    now_s, stamps = 0.0, list[Stamp]()
    for room, after_s in asks:
        now_s += after_s
        while (wait := wait_s(policy, stamps, room, now_s)) > 0:
            now_s += wait
        stamps.append(Stamp(now_s, room))
    return stamps


def test_twenty_in_any_minute() -> None:
    """The twenty-first waits until the first is 60 s old, to the millisecond."""
    policy = Policy(windows=(Window(20, 60.0),))
    stamps = [Stamp(float(second), N) for second in range(20)]
    assert wait_s(policy, stamps, N, 20.0) == pytest.approx(40.0)
    assert wait_s(policy, stamps, N, 60.0) == 0.0
    assert left(policy, stamps, N, 20.0) == 0
    assert left(policy, stamps, N, 61.5) == 2


def test_spacing_lets_the_urgent_go_first() -> None:
    """After 3 s a critical message may go; an ordinary one waits a little longer, so that it does not win the race."""
    policy = Policy(spacing_s=3.0)
    assert wait_s(policy, [Stamp(0.0, N)], C, 3.0) == 0.0
    assert wait_s(policy, [Stamp(0.0, N)], N, 3.0) == pytest.approx(3.0 * COURTESY[N])


def test_reserved_room_is_kept_until_it_is_used() -> None:
    """Ordinary messages leave the reserved room free, critical ones find it, and use the rest too when it is free."""
    policy = Policy(windows=(Window(10, 60.0, {C: 3, R: 2}),))
    stamps = [Stamp(0.0, N)] * 5
    assert wait_s(policy, stamps, N, 1.0) > 0
    assert left(policy, stamps, C, 1.0) == 3
    assert left(policy, stamps, R, 1.0) == 2
    assert left(policy, [Stamp(0.0, C)] * 5, C, 1.0) == 3
    assert left(policy, [Stamp(0.0, C)] * 5, N, 1.0) == 3


def test_beyond_the_burst_the_rest_is_spread() -> None:
    """A storm of critical messages waits 37.5 s at most for the next, instead of 5 minutes after ten at once."""
    policy = Policy(windows=(Window(10, 300.0, {C: 4}, burst=3),))
    at_s = [stamp.at_s for stamp in drive(policy, [(C, 0.0)] * 40)]
    assert at_s[:3] == [0.0, 0.0, 0.0]
    assert max(later - earlier for earlier, later in pairwise(at_s)) <= 37.6


def test_slack_makes_every_limit_longer() -> None:
    """A message that leaves late does not break the window where it arrives."""
    policy = Policy(1.0, (Window(1, 60.0),), slack_s=0.5)
    assert wait_s(policy, [Stamp(0.0, C)], C, 1.0) == pytest.approx(59.5)
    assert policy.horizon_s == 60.5


@pytest.mark.parametrize(
    "window",
    [
        pytest.param((0, 60.0, {}, None), id="none at all"),
        pytest.param((5, 0.0, {}, None), id="no time"),
        pytest.param((5, 60.0, {C: -1}, None), id="negative reserve"),
        pytest.param((5, 60.0, {C: 3, R: 2}, None), id="nothing left to others"),
        pytest.param((5, 60.0, {}, 0), id="no burst"),
    ],
)
def test_a_window_that_stops_somebody_for_ever_is_refused(
    window: tuple[int, float, dict[Room, int], int | None],
) -> None:
    """No room may be left without any message."""
    with pytest.raises(ValueError, match=r"zero|leave nothing"):
        Window(*window)


rooms = st.sampled_from(Room)
windows = st.builds(
    lambda spare, seconds, critical, reply, burst: Window(
        critical + reply + spare, seconds, {C: critical, R: reply}, burst
    ),
    st.integers(1, 6),
    st.floats(1.0, 300.0),
    st.integers(0, 4),
    st.integers(0, 3),
    st.none() | st.integers(1, 4),
)
policies = st.builds(
    Policy, st.floats(0.0, 10.0), st.lists(windows, min_size=1, max_size=3).map(tuple), st.floats(0.0, 1.0)
)
asks = st.lists(st.tuples(rooms, st.floats(0.0, 40.0)), max_size=40)


@settings(deadline=None)
@given(policies, asks)
def test_no_window_is_ever_broken(policy: Policy, asked: list[tuple[Room, float]]) -> None:
    """Whoever asks when: in no window are there more than it allows, and none come closer than the spacing."""
    at_s = [stamp.at_s for stamp in drive(policy, asked)]
    for window in policy.windows:
        for earlier, later in zip(at_s, at_s[window.count :], strict=False):
            assert later - earlier >= window.seconds - 1e-6
    for earlier, later in pairwise(at_s):
        assert later - earlier >= policy.spacing_s - 1e-6


@settings(deadline=None)
@given(windows, asks, st.floats(0.0, 30.0))
def test_a_room_with_unused_reserve_never_waits(
    window: Window, asked: list[tuple[Room, float]], later_s: float
) -> None:
    """As long as a room has not used its reserve in the window, its next message goes at once."""
    policy = Policy(windows=(Window(window.count, window.seconds, window.reserved),))
    stamps = drive(policy, asked)
    now_s = (stamps[-1].at_s if stamps else 0.0) + later_s
    for room, reserved in window.reserved.items():
        used = sum(stamp.room is room and stamp.at_s + window.seconds > now_s for stamp in stamps)
        if used < reserved:
            assert wait_s(policy, stamps, room, now_s) == 0.0


@settings(deadline=None)
@given(policies, asks, rooms, st.floats(0.0, 400.0))
def test_pruning_changes_no_answer(
    policy: Policy, asked: list[tuple[Room, float]], room: Room, later_s: float
) -> None:
    """What is forgotten did not matter."""
    stamps = drive(policy, asked)
    now_s = (stamps[-1].at_s if stamps else 0.0) + later_s
    kept = pruned(policy, stamps, now_s)
    assert wait_s(policy, kept, room, now_s) == wait_s(policy, stamps, room, now_s)
    assert left(policy, kept, room, now_s) == left(policy, stamps, room, now_s)


@settings(deadline=None)
@given(policies, asks, rooms)
def test_who_waits_as_told_may_go(policy: Policy, asked: list[tuple[Room, float]], room: Room) -> None:
    """The wait that is told is enough, but for a rounding of a millisecond."""
    stamps = drive(policy, asked)
    now_s = stamps[-1].at_s if stamps else 0.0
    wait = wait_s(policy, stamps, room, now_s)
    assert wait_s(policy, stamps, room, now_s + wait + 0.001) == 0.0
