"""The table of transitions, and what is said of a channel."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.deliver.channel.announcements import Announcement
from alertbridge.deliver.channel.standing import (
    TRANSITIONS,
    ChannelEvent,
    ChannelState,
    Happening,
    Phase,
    Standing,
    step,
)

happenings = st.builds(
    Happening,
    st.sampled_from([event for event in ChannelEvent if event is not ChannelEvent.FAILED_OFTEN]),
    st.floats(1.0, 1e6),
    st.sampled_from(["a", "b"]),
    st.floats(1.0, 1e6),
    st.booleans(),
)


def test_every_phase_can_be_left_and_reached() -> None:
    """No channel is lost for ever: an operator's word ends every trouble."""
    for phase in Phase:
        assert phase in TRANSITIONS.values()
        if phase is not Phase.HEALTHY:
            assert TRANSITIONS[phase, ChannelEvent.RESUMED] is Phase.HEALTHY


def test_a_verdict_stops_from_everywhere() -> None:
    """And only two events end it: a session that works, and an operator."""
    for phase in Phase:
        if phase is not Phase.STOPPED:
            assert TRANSITIONS[phase, ChannelEvent.CONDEMNED] is Phase.STOPPED
    ends = {event for phase, event in TRANSITIONS if phase is Phase.STOPPED}
    assert ends == {ChannelEvent.WORKING, ChannelEvent.RESUMED}


@settings(deadline=None)
@given(st.lists(happenings, max_size=30))
def test_a_standing_makes_sense_after_anything(seen: list[Happening]) -> None:
    """Only a pause has an end, failures are never negative, and nobody is told of a channel that was always well."""
    standing = Standing()
    for happening in seen:
        before = standing
        standing = step(standing, happening, failure_limit=5)
        assert (standing.until_s is None) is (standing.phase is not Phase.PAUSED)
        assert standing.failures >= 0
        assert standing.told_at_s is None
        if standing.phase is not before.phase:
            assert any(
                (before.phase, event) in TRANSITIONS and TRANSITIONS[before.phase, event] is standing.phase
                for event in (happening.event, ChannelEvent.FAILED_OFTEN)
            )


@pytest.mark.parametrize("state", ChannelState)
@pytest.mark.parametrize("language", ["id", "en", "fr"])
def test_every_state_has_its_words(state: ChannelState, language: str) -> None:
    """With the channel's name; with the way to pair when the channel cannot be used."""
    said = Announcement("wa-1", state, "logged_out", "401", "http://bot.example/qr").text(language)
    assert "wa-1" in said
    assert ("http://bot.example/qr" in said) is (state is not ChannelState.OK)


def test_without_a_page_it_still_says_to_pair() -> None:
    """In both languages."""
    announcement = Announcement("wa", ChannelState.STOPPED, "needs_pairing")
    assert "paired again" in announcement.text("en")
    assert "dipasangkan ulang" in announcement.text("id")
