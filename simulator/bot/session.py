"""The session with WhatsApp as a table of states and events."""

from __future__ import annotations

from enum import Enum


class SessionState(Enum):
    """Where a session is; the value is the word in `status` of ``GET /health``."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSE = "down"
    NEEDS_QR = "needs_qr"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"


class Event(Enum):
    """What happens to a session."""

    OPENED = "opened"
    DROPPED = "dropped"
    RETRIED = "retried"
    LOGGED_OUT = "logged_out"
    QR_SHOWN = "qr_shown"
    SCANNED = "scanned"
    BANNED = "banned"
    MENDED = "mended"


_S, _E = SessionState, Event

TRANSITIONS: dict[tuple[SessionState, Event], SessionState] = {
    (_S.CONNECTING, _E.OPENED): _S.OPEN,
    (_S.CONNECTING, _E.DROPPED): _S.CLOSE,
    (_S.OPEN, _E.DROPPED): _S.CLOSE,
    (_S.OPEN, _E.RETRIED): _S.CONNECTING,
    (_S.CLOSE, _E.RETRIED): _S.CONNECTING,
    (_S.LOGGED_OUT, _E.QR_SHOWN): _S.NEEDS_QR,
    (_S.LOGGED_OUT, _E.SCANNED): _S.CONNECTING,
    (_S.NEEDS_QR, _E.SCANNED): _S.CONNECTING,
    (_S.LOGGED_OUT, _E.MENDED): _S.CONNECTING,
    (_S.NEEDS_QR, _E.MENDED): _S.CONNECTING,
    (_S.BANNED, _E.MENDED): _S.CONNECTING,
    (_S.CLOSE, _E.MENDED): _S.CONNECTING,
    **{(state, _E.LOGGED_OUT): _S.LOGGED_OUT for state in _S},
    **{(state, _E.BANNED): _S.BANNED for state in _S},
}
"""What is not listed does not happen: reconnecting, for instance, mends neither a logout nor a ban."""
