"""One observer that tells several."""

from exporter.performance import Performance
from routeros import Observer
from routeros.errors import UnreachableReason


class Observers:
    """Hands what a `routeros.Router` does to its full observers, and the ends of commands to `performance`."""

    def __init__(self, *full: Observer, performance: Performance) -> None:
        self._full = full
        self._performance = performance

    def command_finished(self, router: str, path: str, outcome: str, duration_s: float, rows: int) -> None:
        """See `routeros.Observer`."""
        self._performance.command_finished(router, path, outcome, duration_s, rows)
        for observer in self._full:
            observer.command_finished(router, path, outcome, duration_s, rows)

    def command_retried(self, router: str, path: str, attempt: int) -> None:
        """See `routeros.Observer`."""
        for observer in self._full:
            observer.command_retried(router, path, attempt)

    def connection_opened(self, router: str, duration_s: float) -> None:
        """See `routeros.Observer`."""
        for observer in self._full:
            observer.connection_opened(router, duration_s)

    def connection_closed(self, router: str, reason: str) -> None:
        """See `routeros.Observer`."""
        for observer in self._full:
            observer.connection_closed(router, reason)

    def connect_failed(self, router: str, reason: UnreachableReason | None) -> None:
        """See `routeros.Observer`."""
        for observer in self._full:
            observer.connect_failed(router, reason)

    def login_failed(self, router: str) -> None:
        """See `routeros.Observer`."""
        for observer in self._full:
            observer.login_failed(router)

    def breaker_changed(self, router: str, old: str, new: str) -> None:
        """See `routeros.Observer`."""
        for observer in self._full:
            observer.breaker_changed(router, old, new)

    def limit_changed(self, router: str, limit: float) -> None:
        """See `routeros.Observer`."""
        for observer in self._full:
            observer.limit_changed(router, limit)
