"""Who waits for a command on a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol as Interface

from routeros.errors import RouterError
from routeros.protocol import Command
from routeros.replies import Record


class Sink(Interface):
    """Who waits for a command; each command ends with exactly one of `finished` and `lost`, a cancelled one with
    exactly one of `cancel_answered` and `cancel_lost`."""

    def arrived(self, records: list[Record]) -> None:
        """Rows of a streaming command."""

    def finished(self, command: Command) -> None:
        """The whole answer is there."""

    def lost(self, error: RouterError) -> None:
        """The connection ended before the answer."""

    def cancel_answered(self) -> None:
        """After a cancel: the router has shown that it is alive."""

    def cancel_lost(self, error: RouterError) -> None:
        """After a cancel: the connection ended before its answer."""


class Answer(Sink):
    """A sink that resolves a future."""

    def __init__(self, future: asyncio.Future[Command]) -> None:
        self.future = future

    def arrived(self, records: list[Record]) -> None: ...

    def cancel_answered(self) -> None: ...

    def cancel_lost(self, error: RouterError) -> None: ...

    def finished(self, command: Command) -> None:
        if not self.future.done():
            self.future.set_result(command)

    def lost(self, error: RouterError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Check(Sink):
    """The sink of a health check; losing it needs no word here, the connection's end says it."""

    def __init__(self, passed: Callable[[], None]) -> None:
        self._passed = passed

    def arrived(self, records: list[Record]) -> None: ...

    def cancel_answered(self) -> None: ...

    def cancel_lost(self, error: RouterError) -> None: ...

    def lost(self, error: RouterError) -> None: ...

    def finished(self, command: Command) -> None:
        self._passed()
