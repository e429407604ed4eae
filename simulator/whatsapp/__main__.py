"""Command line of the simulated providers."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Sequence

from aiohttp import web

from .app import SimulatorApp
from .faults import COMMON
from .providers import PROVIDERS, Cloud, SettingsError
from .world import Timing, World

EXIT_USAGE = 2
EXIT_PORT = 3
SHUTDOWN_S = 1.0
TIMING = Timing()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 after a clean end, 2 for wrong arguments, 3 when a port is taken."""
    options = _parser().parse_args(argv)
    try:
        return asyncio.run(_list_faults() if options.list_faults else _serve(options))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    except OSError as error:
        sys.stderr.write(f"cannot listen: {error}\n")
        return EXIT_PORT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tikwatch-simulator-whatsapp",
        description="WhatsApp providers to try things on, and a phone that shows what they send. Nothing goes "
        f"anywhere. Providers, each under its own prefix: {', '.join(PROVIDERS)}.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=18791, help="port; 0 is any free one")
    parser.add_argument(
        "--webhook",
        action="append",
        default=[],
        metavar="[PROVIDER=]URL",
        help="where webhooks go; {provider} in it becomes the provider's name",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PROVIDER.KEY=VALUE",
        help="a setting, as /control/settings lists",
    )
    parser.add_argument(
        "--alone",
        action="append",
        default=[],
        metavar="PROVIDER=PORT",
        help="serve this provider at the root of a port of its own, too",
    )
    parser.add_argument(
        "--via", default="cloud", choices=PROVIDERS, help="provider of a chat that has none yet"
    )
    parser.add_argument("--verify-webhook", action="store_true", help="begin with Meta's handshake")
    parser.add_argument("--ack-after", type=float, default=TIMING.ack_s, metavar="SECONDS")
    parser.add_argument("--deliver-after", type=float, default=TIMING.delivered_s, metavar="SECONDS")
    parser.add_argument(
        "--read-after", type=float, metavar="SECONDS", help="without it: when the chat is opened"
    )
    parser.add_argument("--list-faults", action="store_true", help="say what can be wrong, and end")
    return parser


async def _list_faults() -> int:
    for name, provider in SimulatorApp().providers.items():
        sys.stdout.write(f"{name}: {provider.about}\n")
        for fault, about in provider.faults.known.items():
            parameters = ", ".join(f"{key}={value:g}" for key, value in about.parameters.items())
            sys.stdout.write(f"  {fault:22} {about.description}{f' ({parameters})' if parameters else ''}\n")
    sys.stdout.write(f"every fault also takes {' and '.join(COMMON)}\n")
    return 0


def _settings(options: argparse.Namespace) -> dict[str, dict[str, str]]:
    settings: dict[str, dict[str, str]] = {}
    for hook in options.webhook:
        name, equals, url = hook.partition("=")
        chosen: Iterable[str] = (name,)
        if not equals or "/" in name:
            chosen, url = [one for one, kind in PROVIDERS.items() if kind.tells], hook
        for one in chosen:
            settings.setdefault(one, {})["webhook"] = url.replace("{provider}", one)
    for word in options.set:
        path, _, value = word.partition("=")
        name, _, key = path.partition(".")
        settings.setdefault(name, {})[key] = value
    return settings


async def _serve(options: argparse.Namespace) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    timing = Timing(ack_s=options.ack_after, delivered_s=options.deliver_after, read_s=options.read_after)
    simulator = SimulatorApp(World(timing), _settings(options), default_via=options.via)
    served: list[tuple[str, web.Application, int]] = [("phone", simulator.app(), options.port)]
    for word in options.alone:
        name, _, port = word.partition("=")
        if name not in PROVIDERS or not port.isdigit():
            raise SettingsError(f"--alone {word}: wanted PROVIDER=PORT")
        served.append((name, simulator.alone(name), int(port)))
    runners: list[web.AppRunner] = []
    try:
        for name, app, port in served:
            runner = web.AppRunner(
                app, access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True
            )
            runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, options.host, port).start()
            sys.stdout.write(
                f"{name}: http://{options.host}:{runner.addresses[0][1]}/ (process {os.getpid()})\n"
            )
            sys.stdout.flush()
        if options.verify_webhook:
            await _verify(simulator)
        await ended.wait()
    finally:
        for runner in reversed(runners):
            await runner.cleanup()
    return 0


async def _verify(simulator: SimulatorApp) -> None:
    cloud = simulator.providers["cloud"]
    verified = isinstance(cloud, Cloud) and await cloud.shake_hands()
    sys.stdout.write(f"webhook {'verified' if verified else 'not verified'}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
