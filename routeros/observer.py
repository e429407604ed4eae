"""What happens inside a router object, told to whoever counts it; hooks run inline, so they must be cheap."""

from __future__ import annotations

from typing import Protocol

from routeros.errors import UnreachableReason


class Observer(Protocol):
    """Synchronous hooks; `router` is the target's name. A hook must not raise and must not block."""

    def command_finished(self, router: str, path: str, outcome: str, duration_s: float, rows: int) -> None:
        """A command that was sent came to its end; `outcome` is "ok" or a word of `failure_class`."""

    def command_retried(self, router: str, path: str, attempt: int) -> None:
        """An idempotent command whose connection was lost is sent again; `attempt` is 2 for the first retry."""

    def connection_opened(self, router: str, duration_s: float) -> None:
        """A connection is logged in; the duration covers TCP, TLS and login."""

    def connection_closed(self, router: str, reason: str) -> None:
        """A logged-in connection is gone; `reason` is one of `CLOSE_REASONS`."""

    def connect_failed(self, router: str, reason: UnreachableReason | None) -> None:
        """A connection could not be opened; None when the bytes were wrong rather than missing."""

    def login_failed(self, router: str) -> None:
        """The router refused the login."""

    def breaker_changed(self, router: str, old: str, new: str) -> None:
        """The breaker moved between "closed", "open" and "half_open"."""

    def limit_changed(self, router: str, limit: float) -> None:
        """The in-flight limit moved."""


CLOSE_REASONS: tuple[str, ...] = (
    "idle",
    "unhealthy",
    "reset",
    "shutdown",
    "lost",
    "fatal",
    "protocol",
    "hanging",
)
"""Why a connection ended: the first four by our own will, the others not."""


class NullObserver:
    """Nobody is listening."""

    def command_finished(
        self, router: str, path: str, outcome: str, duration_s: float, rows: int
    ) -> None: ...

    def command_retried(self, router: str, path: str, attempt: int) -> None: ...

    def connection_opened(self, router: str, duration_s: float) -> None: ...

    def connection_closed(self, router: str, reason: str) -> None: ...

    def connect_failed(self, router: str, reason: UnreachableReason | None) -> None: ...

    def login_failed(self, router: str) -> None: ...

    def breaker_changed(self, router: str, old: str, new: str) -> None: ...

    def limit_changed(self, router: str, limit: float) -> None: ...
