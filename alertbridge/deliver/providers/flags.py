"""A session of whatsmeow, by whether it is connected and whether it is logged in, over time.

Right after a connection was lost or made anew it is not logged in for some seconds, which is no reason to ask for
a scan; and down and logged out look alike until a reconnect was tried.
"""

from collections.abc import Mapping

from alertbridge.deliver.providers.base import SessionState
from runtime.clock import Clock

SETTLING_S = 15.0
"""How long a login may take."""
STATES: Mapping[tuple[bool, bool], tuple[SessionState, str]] = {
    (True, True): (SessionState.WORKING, ""),
    (True, False): (SessionState.NEEDS_PAIRING, "connected, but not logged in"),
    (False, True): (SessionState.DISCONNECTED, "logged in, but not connected"),
    (False, False): (SessionState.DISCONNECTED, "neither connected nor logged in"),
}
"""By connected and logged in."""


class FlagHistory:
    """What the two flags mean now, given what was before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._worked = False
        self._reconnected = False
        self._settling_until_s = 0.0

    def state(self, *, connected: bool, logged_in: bool) -> tuple[SessionState, str]:
        """State and why; LOGGED_OUT when a reconnect has not brought the login back."""
        state, detail = STATES[connected, logged_in]
        if state is SessionState.WORKING:
            self._worked, self._reconnected = True, False
            return state, detail
        if self._worked:
            self._worked = False
            self._settle()
        if logged_in:
            return state, detail
        if self._clock.monotonic() < self._settling_until_s:
            return SessionState.STARTING, detail
        return (
            (SessionState.LOGGED_OUT, f"{detail}, after a reconnect")
            if self._reconnected
            else (state, detail)
        )

    def reconnected(self) -> None:
        """It was told to connect again."""
        self._reconnected = True
        self._settle()

    def _settle(self) -> None:
        self._settling_until_s = self._clock.monotonic() + SETTLING_S
