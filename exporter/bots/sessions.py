"""What state a bot's session is in, from what the bot says of it and from what proves it (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.bots.fields import Field, Values
from exporter.bots.presets import Session

OTHER = "other"
"""A state that the bot names and nobody listed."""

_LOGGED_OUT_CODES = frozenset({401})
_BANNED_CODES = frozenset({402, 403, 406})


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds without proof an open session counts as half dead; None: that proof is not asked for."""

    frame_s: float | None = None
    ack_s: float | None = None
    unacked_s: float | None = None


def session_of(
    values: Values, states: Mapping[str, Session], patience: Patience, *, now_s: float
) -> str | None:
    """The state, or None when the bot told nothing that says it; `now_s` is Unix time by the bot's clock.

    Flags that contradict the word go before it: a session that calls itself open and is not connected is closed.
    """
    state = _told(values, states)
    if state is Session.OPEN:
        return (_denied(values) or _proved(values, patience, now_s)).value
    if state is Session.CLOSE:
        return _ended(values).value
    return state.value if isinstance(state, Session) else state


def _told(values: Values, states: Mapping[str, Session]) -> Session | str | None:
    """By the word if there is one, else by the flags."""
    if (word := values.get(Field.STATE)) is not None:
        return states.get(str(word)) or states.get(str(word).lower()) or _same_name(str(word)) or OTHER
    connected, logged_in = values.get(Field.CONNECTED), values.get(Field.LOGGED_IN)
    if values.get(Field.NEEDS_QR):
        return Session.NEEDS_QR
    if connected is None and logged_in is None:
        return None
    if connected is False:
        return Session.CONNECTING if logged_in else Session.CLOSE
    return Session.NEEDS_QR if logged_in is False else Session.OPEN


def _same_name(word: str) -> Session | None:
    try:
        return Session(word.lower())
    except ValueError:
        return None


def _denied(values: Values) -> Session | None:
    """What the flags make of a session that calls itself open, if they deny it."""
    if values.get(Field.NEEDS_QR):
        return Session.NEEDS_QR
    if values.get(Field.LOGGED_IN) is False:
        return Session.LOGGED_OUT
    return Session.CLOSE if values.get(Field.CONNECTED) is False else None


def _proved(values: Values, patience: Patience, now_s: float) -> Session:
    """Open or half dead. What the bot does not tell is not held against it."""
    waited = (
        (Field.LAST_FRAME_AT, patience.frame_s),
        (Field.LAST_ACK_AT, patience.ack_s),
        (Field.OLDEST_UNACKED_AT, patience.unacked_s),
    )
    for field, allowed_s in waited:
        at_s = values.get(field)
        if allowed_s is not None and isinstance(at_s, int | float) and now_s - at_s > allowed_s:
            return Session.HALF_DEAD
    return Session.HALF_DEAD if values.get(Field.SELF_PROBE_OK) is False else Session.OPEN


def _ended(values: Values) -> Session:
    """Why a session is closed, where the code of the disconnect tells that it will not come back by itself."""
    code = values.get(Field.DISCONNECT_CODE)
    if code in _LOGGED_OUT_CODES:
        return Session.LOGGED_OUT
    return Session.BANNED if code in _BANNED_CODES else Session.CLOSE
