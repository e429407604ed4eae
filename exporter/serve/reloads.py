"""Reading the configuration again: one after the other, and all of it or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor

import structlog

from exporter.config import Config
from exporter.selfmetrics import SelfMetrics
from runtime.loading import ConfigError

_log = structlog.stdlib.get_logger("exporter.reload")

Load = Callable[[], Config]
Take = Callable[[Config], Awaitable[Sequence[str]]]


class Reloads:
    """`load` reads and checks the file; `take` puts a configuration in force and says what has to wait for a restart.

    Both raise ConfigError for what cannot be used; `take` then has changed nothing.
    """

    def __init__(self, load: Load, take: Take, metrics: SelfMetrics, threads: Executor) -> None:
        self._load = load
        self._take = take
        self._metrics = metrics
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
                self._metrics.reload_failures.inc()
                _log.error(
                    "config.refused",
                    source=error.source,
                    problems=[str(problem) for problem in error.problems],
                )
                raise
            self._metrics.reloads.inc()
            self._metrics.loaded_at.set_to_current_time()
        _log.info("config.taken", routers=len(config.routers), needs_restart=list(notes))
        return notes

    async def run_for_signal(self) -> None:
        """The same, for who cannot be answered: the log tells how it went."""
        try:
            await self.run()
        except ConfigError:
            return  # it is in the log
