"""Serving until told to stop: listen, signals, and an orderly end."""

import asyncio
import errno
import gc
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from aiohttp import web

from exporter.app import make_app
from exporter.config import Config, load_config
from exporter.fleet import KNOWN_COLLECTORS
from exporter.serve.keys import LIFE, RELOADS
from exporter.serve.life import Phase
from runtime.guards import warn_if_exposed
from runtime.logs import LogSection, Redactor, configure
from runtime.sections import secret_values
from runtime.web import ListenAddress

SHUTDOWN_TIMEOUT_S = 5.0
"""Longest wait for answers under way; refreshes are cancelled first, so it is rarely more than the sending."""
NAME_THREADS = 64
"""Threads of the loop itself, in which names are looked up: routers whose name server is silent each hold one."""
COLLECT_EVERY = 10_000
"""New objects between two looks for garbage in cycles, of which there is hardly any here: at Python's own 700 the
looking takes half of the processor time of a fleet of 1,000 routers."""

_log = structlog.stdlib.get_logger("exporter.service")

_REASONS = {
    errno.EADDRINUSE: "the port is taken by another program",
    errno.EACCES: "this user may not listen on that port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class CannotListen(Exception):
    """The address of `web.listen` cannot be listened on; the message is one line for the operator."""


def read_config(path: Path, *, listen: str | None = None) -> Config:
    """The configuration in `path`, checked against the collectors there are; `listen` goes before `web.listen`.

    Raises ConfigError.
    """
    config = load_config(path, collectors=KNOWN_COLLECTORS)
    if listen is None:
        return config
    return config.model_copy(update={"web": config.web.model_copy(update={"listen": listen})})


def serve(path: Path, *, listen: str | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigError and CannotListen before anything is served."""
    redactor = Redactor()
    configure(LogSection(), redactor)
    config = read_config(path, listen=listen)
    redactor.register(secret_values(config))
    configure(config.log, redactor)
    asyncio.run(_Service(path, listen, config, redactor).run())


class _Service:
    """One run of the exporter."""

    def __init__(self, path: Path, listen: str | None, config: Config, redactor: Redactor) -> None:
        self._path = path
        self._listen = listen
        self._config = config
        self._redactor = redactor
        self._stop = asyncio.Event()
        self._reloading: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Returns when told to stop and all is closed. Raises CannotListen."""
        section = self._config.web
        context = section.tls.context() if section.tls is not None else None
        app = make_app(
            self._config,
            load=lambda: read_config(self._path, listen=self._listen),
            redactor=self._redactor,
            context=context,
        )
        self._take_signals(app)
        warn_if_exposed(section)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S, handle_signals=False
        )
        await runner.setup()
        try:
            await self._serve(app, runner, section.address, context)
        finally:
            app[LIFE].move_to(Phase.STOPPING)
            for task in self._reloading:
                task.cancel()
            await runner.cleanup()
        _log.info("exporter.stopped")

    async def _serve(
        self,
        app: web.Application,
        runner: web.AppRunner,
        address: ListenAddress,
        context: ssl.SSLContext | None,
    ) -> None:
        site = web.TCPSite(runner, address.host, address.port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
            raise CannotListen(f"cannot listen on {address}: {reason}") from error
        app[LIFE].move_to(Phase.SERVING)
        _log.info(
            "exporter.listening",
            urls=_urls(runner, address, secure=context is not None),
            routers=len(self._config.routers),
            config=str(self._path),
        )
        gc.freeze()  # what is there after the start stays, and need not be looked at again
        gc.set_threshold(COLLECT_EVERY, 20, 20)
        await self._stop.wait()
        _log.info("exporter.stopping")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)  # a second one does not wait for the orderly end

    def _take_signals(self, app: web.Application) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(NAME_THREADS, thread_name_prefix="loop"))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload, app)

    def _reload(self, app: web.Application) -> None:
        task = asyncio.get_running_loop().create_task(app[RELOADS].run_for_signal())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)


def _urls(runner: web.AppRunner, address: ListenAddress, *, secure: bool) -> list[str]:
    """Where it can be reached; tells the port that was found when any free one was asked for."""
    scheme = "https" if secure else "http"
    ports = sorted({name[1] for name in runner.addresses})
    return [f"{scheme}://{ListenAddress(address.host or 'localhost', port)}/" for port in ports]
