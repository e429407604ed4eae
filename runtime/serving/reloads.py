"""Reading the configuration again: one after the other, and all of it or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Generic, Protocol, TypeVar

import structlog
from aiohttp import web

from runtime.loading import ConfigError

_log = structlog.stdlib.get_logger("runtime.reload")

Config = TypeVar("Config")


class Listener(Protocol):
    """Counts reloads."""

    def taken(self) -> None:
        """A new configuration is in force."""
        ...

    def refused(self) -> None:
        """A new one cannot be used; the old one stays in force."""
        ...


class Reloads(Generic[Config]):
    """`load` reads and checks the file; `take` puts a configuration in force and says what has to wait for a restart.

    Both raise ConfigError for what cannot be used; `take` then has changed nothing.
    """

    def __init__(
        self,
        load: Callable[[], Config],
        take: Callable[[Config], Awaitable[Sequence[str]]],
        listener: Listener,
        threads: Executor,
    ) -> None:
        self._load = load
        self._take = take
        self._listener = listener
        self._threads = threads
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Reloads {'under way' if self._turn.locked() else 'idle'}>"

    async def run(self) -> Sequence[str]:
        """Take the configuration as the file is now; returns what will only change with a restart.

        Raises ConfigError, and the configuration in force stays as it is.
        """
        async with self._turn:
            try:
                config = await asyncio.get_running_loop().run_in_executor(self._threads, self._load)
                notes = await self._take(config)
            except ConfigError as error:
                self._listener.refused()
                _log.error(
                    "config.refused",
                    source=error.source,
                    problems=[str(problem) for problem in error.problems],
                )
                raise
            self._listener.taken()
        _log.info("config.taken", needs_restart=list(notes))
        return notes

    async def run_for_signal(self) -> None:
        """As `run`, for whom there is nobody to tell: the log already says what is wrong."""
        try:
            await self.run()
        except ConfigError:
            return


RELOADS: web.AppKey[Reloads[Any]] = web.AppKey("reloads", Reloads)
"""Where handlers find it."""
