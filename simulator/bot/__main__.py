"""Command line of the simulated bot: one process that can be killed, with a supervisor before it if wanted."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from .faults import FAULTS
from .news import Reporter
from .server import BotServer
from .state import SimulatedBot

EXIT_PORT = 3
RESPAWN_AFTER_S = 0.5
SHUTDOWN_S = 1.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 after a clean end or a restart, 2 for wrong arguments, 3 when the port is taken."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(words)
    if options.list_faults:
        for name, fault in FAULTS.items():
            parameters = ", ".join(f"{key}={value:g}" for key, value in fault.parameters.items())
            sys.stdout.write(f"{name:12} {fault.description}{f' ({parameters})' if parameters else ''}\n")
        return 0
    if options.respawn:
        return _supervise([word for word in words if word != "--respawn"])
    try:
        return asyncio.run(_serve(options))
    except OSError as error:
        sys.stderr.write(f"cannot listen: {error}\n")
        return EXIT_PORT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tikwatch-simulator-bot",
        description="A WhatsApp bot to try things on; it sends nothing anywhere.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=18790, help="port; 0 is any free one")
    parser.add_argument("--token", default="", help="ask for this bearer token (not for /control)")
    parser.add_argument(
        "--webhook", default="", metavar="URL", help="tell acknowledgements and messages there"
    )
    parser.add_argument(
        "--phone", default="", metavar="URL", help="show what is sent on this simulated phone"
    )
    parser.add_argument("--pid-file", type=Path, metavar="FILE", help="write the process's number there")
    parser.add_argument("--respawn", action="store_true", help="start it again whenever it ends or is killed")
    parser.add_argument("--list-faults", action="store_true", help="say what can be wrong with it, and end")
    return parser


async def _serve(options: argparse.Namespace) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    reporter = Reporter(webhook=options.webhook, phone=options.phone, token=options.token)
    server = BotServer(SimulatedBot(time.time()), token=options.token, restart=ended.set, reporter=reporter)
    runner = web.AppRunner(
        server.app(), access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
        port = runner.addresses[0][1]
        reporter.register(f"http://{options.host}:{port}")
        if options.pid_file is not None:
            options.pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        sys.stdout.write(f"bot: http://{options.host}:{port}/health (process {os.getpid()})\n")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await runner.cleanup()
    return 0


def _supervise(words: Sequence[str]) -> int:
    """Start the bot again and again until this process is told to end."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        child = subprocess.Popen([sys.executable, "-m", "simulator.bot", *words])  # noqa: S603  itself
        while child.poll() is None and not stop.wait(0.05):
            pass
        if child.poll() is None:
            child.terminate()
            child.wait()
        if child.returncode == EXIT_PORT:
            return EXIT_PORT
        stop.wait(RESPAWN_AFTER_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
