"""What an alert means for what is known of it: rule by rule, and against a world whose truth is known."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.accept.episodes import EpisodeRules, History, Verdict, after, judge
from alertbridge.alerts import Alert
from tests.fakes.accepting import firing, resolved

RULES = EpisodeRules()
T0 = 1_700_000_000.0


def told(*words: tuple[float, Alert], reason: str = "") -> list[Verdict]:
    """The verdicts on alerts that come at these times (seconds after T0)."""
    history, verdicts = History(), []
    for at_s, alert in words:
        verdict = judge(alert, history, reason=reason, now_s=T0 + at_s, rules=RULES)
        history = after(history, alert, verdict, T0 + at_s)
        verdicts.append(verdict)
    return verdicts


def fires(starts_s: float) -> Alert:
    return firing("f", T0 + starts_s)


def ends(starts_s: float, ends_s: float) -> Alert:
    return resolved("f", T0 + starts_s, T0 + ends_s)


def test_a_firing_opens_and_a_resolved_closes() -> None:
    """The plain course."""
    assert told((0, fires(-5)), (300, ends(-5, 280))) == [Verdict.OPENS, Verdict.CLOSES]


def test_an_end_with_an_earlier_beginning_closes() -> None:
    """Seen with two Prometheus: the earlier start is kept when the second one reports."""
    assert told((0, fires(-5)), (300, ends(-3000, 280)))[1] is Verdict.CLOSES


def test_an_end_of_what_nobody_announced_closes_what_is_open() -> None:
    """Seen when an alert comes back within one group interval: told firing at T1, then resolved at T2."""
    assert told((0, fires(-5)), (300, ends(120, 280)))[1] is Verdict.CLOSES


@pytest.mark.parametrize("starts_s", [-5.0, -5.004, -4.997, -65.0, 120.0])
def test_while_it_is_open_a_firing_is_a_copy(starts_s: float) -> None:
    """Whatever its startsAt: a peer's milliseconds, a second Prometheus, a return that was not seen."""
    assert told((0, fires(-5)), (15, fires(starts_s)))[1] is Verdict.COPY


@pytest.mark.parametrize(
    ("at_s", "starts_s", "verdict"),
    [
        (0.1, -5.0, Verdict.LATE),
        (59, -5.004, Verdict.LATE),
        (59, 280.5, Verdict.LATE),
        (5, 282.0, Verdict.OPENS),  # it begins after the end: it is another one
        (61, -5.0, Verdict.OPENS),  # nobody is that late: it fires again, told with its old start
        (4000, -5.0, Verdict.OPENS),
    ],
)
def test_a_firing_after_the_end(at_s: float, starts_s: float, verdict: Verdict) -> None:
    """Soon and from before the end it is a late copy; later, or from after the end, it is real."""
    assert told((0, fires(-5)), (300, ends(-5, 280)), (300 + at_s, fires(starts_s)))[2] is verdict


@pytest.mark.parametrize(
    ("at_s", "ends_s", "verdict"),
    [
        (20, 280.0, Verdict.LATE),  # the copy of the first end
        (20, 390.0, Verdict.CLOSES),
        (70, 280.0, Verdict.CLOSES),  # nobody is that late: clocks differ, and it is over
    ],
)
def test_an_end_after_it_opened_again(at_s: float, ends_s: float, verdict: Verdict) -> None:
    """A late copy of the first end does not end the second episode."""
    course = ((0, fires(-5)), (300, ends(-5, 280)), (400, fires(380)), (400 + at_s, ends(-5, ends_s)))
    assert told(*course)[3] is verdict


def test_an_end_without_a_beginning_opens_nothing_and_keeps_its_late_firing_out() -> None:
    """It is counted by itself; the firing that comes behind it is over already."""
    assert told((0, ends(-60, -1)), (10, ends(-60, -1)), (20, fires(-60)), (30, fires(5))) == [
        Verdict.UNOPENED,
        Verdict.COPY,
        Verdict.LATE,
        Verdict.OPENS,
    ]


def test_a_second_end_is_a_copy() -> None:
    """Soon after the first whatever it says, later when it tells the same end."""
    course = ((0, fires(-5)), (300, ends(-5, 280)))
    assert told(*course, (310, ends(-5, 295)))[2] is Verdict.COPY
    assert told(*course, (1000, ends(-5, 280.5)))[2] is Verdict.COPY
    assert told(*course, (1000, ends(700, 900)))[2] is Verdict.UNOPENED


def test_an_end_without_a_time_ends_now() -> None:
    """Alertmanager always names one; whoever does not still ends what is open."""
    nameless = replace(ends(-5, 280), ends_at_s=None)
    assert told((0, fires(-5)), (300, nameless), (310, fires(299)), (320, fires(305))) == [
        Verdict.OPENS,
        Verdict.CLOSES,
        Verdict.LATE,
        Verdict.OPENS,
    ]


@pytest.mark.parametrize(
    ("at_s", "reason", "verdict"),
    [
        (3599, "", Verdict.COPY),
        (3600, "", Verdict.REPEAT),
        (3600, "unknown", Verdict.REPEAT),
        (119, "repeat interval elapsed", Verdict.COPY),
        (120, "repeat interval elapsed", Verdict.REPEAT),
        (14_399, "new alerts added", Verdict.COPY),
        (14_400, "new alerts added", Verdict.REPEAT),
        (14_399, "a reason of the future", Verdict.COPY),
        (-3600, "", Verdict.REPEAT),  # the clock was set back: better twice than never
    ],
)
def test_what_is_a_repeat(at_s: float, reason: str, verdict: Verdict) -> None:
    """By Alertmanager's reason where it names one, else by the time since the last notice."""
    assert told((0, fires(-5)), (at_s, fires(-5)), reason=reason)[1] is verdict


def test_a_repeat_counts_from_the_last_notice() -> None:
    """The hour begins anew with each repeat."""
    course = [(at_s, fires(-5)) for at_s in (0, 3600, 3610, 7199, 7200)]
    assert told(*course)[1:] == [Verdict.REPEAT, Verdict.COPY, Verdict.COPY, Verdict.REPEAT]


def test_a_clock_that_was_set_back_silences_nobody() -> None:
    """After a step of an hour back a new firing opens, and an end closes, though both lie before what is known."""
    back = -3600.0
    assert told((0, fires(-5)), (300, ends(-5, 280)), (310 + back, fires(305 + back)))[2] is Verdict.OPENS
    course = ((0, fires(-50)), (20, ends(-50, 10)), (100, fires(90)), (200 + back, ends(90, 190 + back)))
    assert told(*course)[3] is Verdict.CLOSES


@dataclass(frozen=True)
class Word:
    """What one Alertmanager tells at a time: an episode's number, and whether it begins or ends."""

    at_s: float
    episode: int
    alert: Alert


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, list[Word]]:
    """True episodes of one alert, and what two Alertmanagers tell of them.

    Each tells every change at its own moment and perhaps again (retries, notifications of the group), each with
    starts and ends that differ by milliseconds or, from a second Prometheus, by seconds. What one still had on its
    way comes up to 55 s after the other told the next change. One of them may miss anything, not both.
    """
    count = draw(st.integers(1, 5))
    words: list[Word] = []
    now_s = 0.0
    skew = st.floats(-0.4, 0.4)
    for episode in range(count):
        starts_s = now_s + draw(st.floats(5, 600))
        length_s = draw(st.floats(1, 900))
        told_s = starts_s + draw(st.floats(0, 30))
        end_told_s = max(told_s, starts_s + length_s) + draw(st.floats(0.5, 300))
        next_told_s = end_told_s + draw(st.floats(0.5, 300))
        first, second = draw(st.permutations([0, 1]))
        shift_s = draw(st.sampled_from([0.0, 0.0, -7.0]))
        for changed_s, limit_s, is_end in ((told_s, end_told_s, False), (end_told_s, next_told_s, True)):
            times = {first: [changed_s], second: []}
            if draw(st.booleans()):
                times[second].append(draw(st.floats(changed_s, limit_s + 55)))
            if draw(st.booleans()):
                times[first].append(draw(st.floats(changed_s, limit_s + 55)))
            for member, moments in times.items():
                begins_s = starts_s + draw(skew) / 2 + (shift_s if member == second else 0)
                ends_s = starts_s + length_s + draw(skew) / 2
                alert = (
                    resolved("f", T0 + begins_s, T0 + max(ends_s, begins_s))
                    if is_end
                    else firing("f", T0 + begins_s)
                )
                words += [Word(at_s, episode, alert) for at_s in moments]
        now_s = max(next_told_s, starts_s + length_s + 2)
    return count, sorted(words, key=lambda word: word.at_s)


@settings(max_examples=600)
@given(worlds())
def test_two_alertmanagers_tell_each_episode_once(world: tuple[int, list[Word]]) -> None:
    """However copies, retries and late words mix: one beginning and one end of each, in their order."""
    count, words = world
    verdicts = told(*((word.at_s, word.alert) for word in words))
    changes = [
        (word.episode, verdict)
        for word, verdict in zip(words, verdicts, strict=True)
        if verdict in (Verdict.OPENS, Verdict.CLOSES)
    ]
    expected = [(n, verdict) for n in range(count) for verdict in (Verdict.OPENS, Verdict.CLOSES)]
    assert changes == expected


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.floats(0, 600), st.booleans(), st.floats(-900, 900), st.floats(0, 900)), max_size=30
    )
)
def test_whatever_comes_beginnings_and_ends_alternate(
    course: list[tuple[float, bool, float, float]],
) -> None:
    """Also of nonsense nobody is told an end without its beginning, nor two beginnings in a row."""
    now_s, words = 0.0, []
    for wait_s, is_end, starts_s, length_s in course:
        now_s += wait_s
        begins_s = now_s + starts_s
        words.append((now_s, ends(begins_s, begins_s + length_s) if is_end else fires(begins_s)))
    changes = [verdict for verdict in told(*words) if verdict in (Verdict.OPENS, Verdict.CLOSES)]
    assert changes == [(Verdict.OPENS, Verdict.CLOSES)[n % 2] for n in range(len(changes))]
