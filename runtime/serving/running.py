"""Serving until told to stop: listen, signals, and an orderly end."""

import asyncio
import errno
import gc
import signal
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog
from aiohttp import web

from runtime.serving.life import LIFE, Phase
from runtime.serving.reloads import RELOADS
from runtime.web import ListenAddress

SHUTDOWN_TIMEOUT_S = 5.0
"""Longest wait for answers under way; what they wait for is ended first, so it is rarely more than the sending."""
NAME_THREADS = 64
"""Threads of the loop itself, in which names are looked up: each host whose name server is silent holds one."""
COLLECT_EVERY = 10_000
"""New objects between two looks for garbage in cycles, of which there is hardly any here: at Python's own 700 the
looking takes half of the processor time of a fleet of 1,000 routers."""

_log = structlog.stdlib.get_logger("runtime.service")

_REASONS = {
    errno.EADDRINUSE: "the port is taken by another program",
    errno.EACCES: "this user may not listen on that port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class CannotListen(Exception):
    """The address of `web.listen` cannot be listened on; the message is one line for the operator."""


class Service:
    """One run of a program. `make_app` runs inside the loop and gives an application with `LIFE` and `RELOADS`;
    `program` begins the names of its log events, `about` are the pairs that the log tells when it listens."""

    def __init__(
        self,
        program: str,
        make_app: Callable[[], web.Application],
        address: ListenAddress,
        context: ssl.SSLContext | None,
        about: Mapping[str, object],
    ) -> None:
        self._program = program
        self._make_app = make_app
        self._address = address
        self._context = context
        self._about = about
        self._stop = asyncio.Event()
        self._reloading: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Returns when told to stop and all is closed. Raises CannotListen."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(NAME_THREADS, thread_name_prefix="loop"))
        app = self._make_app()
        self._take_signals(app)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S, handle_signals=False
        )
        try:
            await runner.setup()
            await self._serve(app, runner)
        finally:
            app[LIFE].move_to(Phase.STOPPING)
            for task in self._reloading:
                task.cancel()
            await runner.cleanup()
        _log.info(self._program + ".stopped")

    async def _serve(self, app: web.Application, runner: web.AppRunner) -> None:
        address = self._address
        site = web.TCPSite(runner, address.host, address.port, ssl_context=self._context)
        try:
            await site.start()
        except OSError as error:
            reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
            raise CannotListen(f"cannot listen on {address}: {reason}") from error
        app[LIFE].move_to(Phase.SERVING)
        urls = _urls(runner, address, secure=self._context is not None)
        _log.info(self._program + ".listening", urls=urls, **self._about)
        gc.freeze()  # what is there after the start stays, and need not be looked at again
        gc.set_threshold(COLLECT_EVERY, 20, 20)
        await self._stop.wait()
        _log.info(self._program + ".stopping")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)  # a second one does not wait for the orderly end

    def _take_signals(self, app: web.Application) -> None:
        loop = asyncio.get_running_loop()
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
