"""Breaks and mends: sends a fault's requests, holds the lock, and mends by itself what nobody watches.

`crash_bridge` is for whoever plays a fault in which the bridge is killed, at the moment that it is about.
"""

import threading
from collections.abc import Callable, Mapping

from scripts.demo.billing import LockHolder
from scripts.demo.calls import Unreachable, fetch
from scripts.demo.faults import FAULTS, Fault, Request

Alarm = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Calls something after so many seconds; what it returns calls that off."""


class UnknownFault(Exception):
    """There is no such fault; the message names those that there are."""


def after(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
    """In a thread of its own."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer.cancel


class Breaker:
    """What is broken now. Threads may share it. Leaving its context lets go of the lock."""

    def __init__(
        self,
        urls: Mapping[str, str],
        lock_holder: LockHolder,
        *,
        crash_bridge: Callable[[], None],
        alarm: Alarm = after,
    ) -> None:
        self.crash_bridge = crash_bridge
        self._urls = urls
        self._lock_holder = lock_holder
        self._alarm = alarm
        self._guard = threading.RLock()
        self._broken: dict[str, Callable[[], None]] = {}

    def __enter__(self) -> "Breaker":
        return self

    def __exit__(self, *_: object) -> None:
        with self._guard:
            for call_off in self._broken.values():
                call_off()
            self._lock_holder.end()

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of what was broken and not mended by us since."""
        with self._guard:
            return tuple(self._broken)

    def break_(self, name: str, *, mend_after_s: float | None = None) -> None:
        """Raises UnknownFault, Unreachable, OSError."""
        fault = known(name)
        with self._guard:
            if fault.holds_lock:
                self._lock_holder.hold()
            for request in fault.breaks:
                self.send(request)
            self._broken.pop(name, _nothing)()
            self._broken[name] = _nothing
            if mend_after_s is not None:
                self._broken[name] = self._alarm(mend_after_s, lambda: self._mend_late(name))

    def mend(self, name: str) -> None:
        """Also what is whole. Raises UnknownFault, Unreachable."""
        fault = known(name)
        with self._guard:
            self._broken.pop(name, _nothing)()
            if fault.holds_lock:
                self._lock_holder.end()
            for request in fault.mends:
                self.send(request)

    def _mend_late(self, name: str) -> None:
        try:
            self.mend(name)
        except Unreachable:
            return  # the demo is ending

    def send(self, request: Request) -> None:
        """Raises Unreachable."""
        fetch(request.method, self._urls[request.program] + request.path, request.body)


def known(name: str) -> Fault:
    """Raises UnknownFault."""
    if name not in FAULTS:
        raise UnknownFault(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    return FAULTS[name]


def _nothing() -> None:
    """There is nothing to call off."""
