"""The link between a gateway and WhatsApp: what it is now follows from the faults and from who asked for what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from .faults import FaultBoard

QR_SHOWN_S = 180.0
"""One code for a minute, then six for 20 s each."""


class Link(Enum):
    """Where the link is."""

    OPEN = "open"
    CONNECTING = "connecting"
    BROKEN = "broken"
    NEEDS_QR = "needs_qr"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    STOPPED = "stopped"


class Session:
    """One device of one gateway; `told` hears each new state.

    A state that came by time alone is told by a timer, a moment after it is true: who changes the state
    refreshes first, so that no state that could be seen goes untold.
    """

    def __init__(
        self,
        faults: FaultBoard,
        *,
        connect_s: float,
        monotonic: Callable[[], float],
        told: Callable[[Link], None],
    ) -> None:
        self.restarts = 0
        self._faults = faults
        self._connect_s = connect_s
        self._monotonic = monotonic
        self._told = told
        self._stopped = False
        self._connecting_until_s = 0.0
        self._qr_until_s = 0.0
        self._last = Link.OPEN

    def __repr__(self) -> str:
        return f"<Session {self.link.value} restarts={self.restarts}>"

    @property
    def link(self) -> Link:
        """Where the link is now."""
        now_s = self._monotonic()
        connecting = now_s < self._connecting_until_s
        if "banned" in self._faults:
            return Link.BANNED
        if self._stopped:
            return Link.STOPPED
        if "logged_out" in self._faults:
            shown = now_s < self._qr_until_s
            return Link.CONNECTING if shown and connecting else Link.NEEDS_QR if shown else Link.LOGGED_OUT
        if connecting:
            return Link.CONNECTING
        return Link.BROKEN if "disconnected" in self._faults else Link.OPEN

    @property
    def code(self) -> int | None:
        """Why it is not open, as Baileys numbers it."""
        for name in ("banned", "logged_out", "disconnected"):
            if (numbers := self._faults.look(name)) is not None:
                return int(numbers["code"])
        return None

    def restart(self) -> Link:
        """Close and open; mends what can be mended so."""
        self.refresh()
        self.restarts += 1
        self._connect()  # before the fault goes, or it would be told open in between
        for name in ("disconnected", "no_ack"):
            if (numbers := self._faults.look(name)) is not None and numbers["curable"]:
                self._faults.clear(name)
        return self.link

    def start(self) -> Link:
        """Open it; shows a code when the device has to be paired again."""
        self.refresh()
        self._connect()
        return self.link

    def stop(self) -> Link:
        """Close it and keep the pairing."""
        self.refresh()
        self._stopped = True
        self.refresh()
        return self.link

    def log_out(self) -> Link:
        """Give up the pairing."""
        self.refresh()
        self._qr_until_s = 0.0
        self._faults.set("logged_out")
        return self.link

    def scan(self) -> bool:
        """Somebody pairs it with the phone; False when there is nothing to pair."""
        if "logged_out" not in self._faults:
            return False
        self.refresh()
        self._connect()
        self._faults.clear("logged_out")
        self._qr_until_s = 0.0
        return True

    def refresh(self) -> None:
        """Tell what changed."""
        link = self.link
        if link is not self._last:
            self._last = link
            self._told(link)

    def _connect(self) -> None:
        self._stopped = False
        self._connecting_until_s = self._monotonic() + self._connect_s
        if "logged_out" in self._faults:
            self._qr_until_s = self._connecting_until_s + QR_SHOWN_S
            self._later(self._connect_s + QR_SHOWN_S)
        self._later(self._connect_s)
        self.refresh()

    def _later(self, after_s: float) -> None:
        asyncio.get_running_loop().call_later(after_s + 0.001, self.refresh)
