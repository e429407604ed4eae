"""What changes too often is told once, then not until it is calm; times are driven by hand."""

from hypothesis import given
from hypothesis import strategies as st

from alertbridge.accept.flapping import FlappingRules, Flaps, Voice, calmed, changed, forgettable
from alertbridge.alerts import AlertStatus

RULES = FlappingRules()
T0 = 1_700_000_000.0
BOTH = (AlertStatus.FIRING, AlertStatus.RESOLVED)


def course(times_s: list[float], rules: FlappingRules = RULES) -> tuple[Flaps, list[Voice]]:
    """How changes at these times are told, and what is known in the end."""
    flaps, voices = Flaps(), []
    for number, at_s in enumerate(times_s):
        flaps, voice = changed(flaps, BOTH[number % 2], T0 + at_s, rules)
        voices.append(voice)
    return flaps, voices


def test_four_changes_are_told_the_fifth_is_flapping_the_rest_is_silent() -> None:
    """The defaults: more than four within ten minutes."""
    flaps, voices = course([0, 60, 120, 180, 240, 300, 360])
    assert voices == [Voice.PLAIN] * 4 + [Voice.FLAPPING] + [Voice.SILENT] * 2
    assert (flaps.since_s, flaps.told) == (T0 + 240, AlertStatus.FIRING)


def test_changes_that_are_further_apart_are_told_all() -> None:
    """Never more than four of them lie within ten minutes."""
    assert set(course([200.0 * n for n in range(50)])[1]) == {Voice.PLAIN}


def test_it_is_calm_when_nothing_changed_for_long_enough() -> None:
    """Counted from the last change, told or not."""
    flaps, _ = course([0, 60, 120, 180, 240, 300])
    assert not calmed(flaps, T0 + 899, RULES)
    assert calmed(flaps, T0 + 900, RULES)
    assert not calmed(Flaps((T0,)), T0 + 9000, RULES)


def test_a_change_after_a_calm_that_nobody_told_is_told() -> None:
    """The bridge was down while it calmed: what comes next is told as what it is, and counting begins anew."""
    flaps, voices = course([0, 60, 120, 180, 240, 1000, 1060, 1120, 1180, 1240])
    assert voices[5:] == [Voice.PLAIN] * 4 + [Voice.FLAPPING]
    assert flaps.since_s == T0 + 1240


def test_a_clock_that_was_set_back_ends_the_silence() -> None:
    """A step of an hour must not add an hour of silence."""
    flaps, _ = course([0, 60, 120, 180, 240])
    assert calmed(flaps, T0 + 240 - 3600, RULES)
    assert changed(flaps, AlertStatus.FIRING, T0 + 240 - 3600, RULES)[1] is Voice.PLAIN


def test_what_is_old_may_be_forgotten() -> None:
    """Unless the calm is still to be told."""
    assert not forgettable(Flaps((T0,)), T0 + 600, RULES)
    assert forgettable(Flaps((T0,)), T0 + 601, RULES)
    assert not forgettable(course([0, 60, 120, 180, 240])[0], T0 + 9000, RULES)


@given(
    st.lists(st.floats(0, 1000), max_size=60),
    st.integers(1, 6),
    st.floats(1, 900),
    st.floats(1, 900),
)
def test_what_people_hear_is_bounded(gaps_s: list[float], most: int, window_s: float, calm_s: float) -> None:
    """In any window no more than the allowed changes are told plainly; silence comes only after it was said why;
    and little is kept."""
    rules = FlappingRules(most, window_s, calm_s)
    flaps, at_s = Flaps(), T0
    spoken: list[float] = []
    for number, gap_s in enumerate(gaps_s):
        at_s += gap_s
        was_calm, was_flapping = calmed(flaps, at_s, rules), flaps.flapping
        flaps, voice = changed(flaps, BOTH[number % 2], at_s, rules)
        if was_calm:
            spoken = []
        if voice is Voice.PLAIN:
            spoken.append(at_s)
            assert sum(1 for told_s in spoken if at_s - told_s <= window_s) <= most
        assert (voice is Voice.SILENT) == (was_flapping and not was_calm)
        assert flaps.flapping == (voice is not Voice.PLAIN)
        assert len(flaps.changes) <= most + 1
