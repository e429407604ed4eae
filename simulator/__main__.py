"""Command line: start a network, print where it is, stay until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .exporterconfig import exporter_config
from .formats import seconds_of
from .network import Network
from .profiles import ALIASES, PROFILES
from .spec import Account, LatencyRange, RouterSpec, SpecError, TlsFiles

EXIT_USAGE = 2
EXIT_PORT = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 after a clean end, 2 for wrong arguments, 3 when a port is taken."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.list_profiles:
        for profile in PROFILES.values():
            names = [profile.name, *(alias for alias, name in ALIASES.items() if name == profile.name)]
            Console().print(f"[bold]{', '.join(names)}[/] {profile.description} (RouterOS {profile.version})")
        return 0
    try:
        specs = specs_of(options)
        host, port = _host_port(options.control)
        network = Network(specs, control_host=host, control_port=port)
    except (SpecError, ValueError) as error:
        parser.error(str(error))
    _allow_sockets(4 * len(specs) + 256)
    try:
        return asyncio.run(_stay(network, options))
    except OSError as error:
        Console(stderr=True).print(f"cannot listen: {error}", style="red")
        return EXIT_PORT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tikwatch-simulator", description="RouterOS devices to try things on, as many as wanted."
    )
    parser.add_argument(
        "--profile",
        action="append",
        metavar="NAME[:COUNT]",
        help="kind and number of routers, may be repeated; "
        f"kinds: {', '.join([*PROFILES, *ALIASES])} (default home:3)",
    )
    parser.add_argument("--base-port", type=int, default=18728, help="first port; 0 is any free ports")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--control", default="127.0.0.1:18080", metavar="HOST:PORT", help="HTTP control")
    parser.add_argument(
        "--latency-ms", default="0", metavar="MS[-MS]", help="time of a command, or a range of it"
    )
    parser.add_argument("--rtt-ms", type=float, default=0.0, help="round-trip time, added to each reply")
    parser.add_argument("--serial", action="store_true", help="routers do one command at a time")
    parser.add_argument("--concurrency", type=int, help="routers do so many commands at a time")
    parser.add_argument(
        "--version", dest="routeros", default="", help="RouterOS version instead of the profile's"
    )
    parser.add_argument("--username", default="monitor")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--policies", default="api,read,test", help="of that user, with commas")
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="NAME:PASSWORD",
        help="one more user, who may also write, test and reboot; may be repeated",
    )
    parser.add_argument("--max-sessions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tls-cert", help="PEM file; with --tls-key the routers speak api-ssl")
    parser.add_argument("--tls-key", help="PEM file")
    parser.add_argument(
        "--rows", action="append", default=[], metavar="WHAT=N", help="override a size, such as pppoe=1000"
    )
    parser.add_argument("--write-config", type=Path, metavar="FILE", help="write an exporter configuration")
    parser.add_argument("--list-profiles", action="store_true", help="say what kinds there are, and end")
    return parser


def specs_of(options: argparse.Namespace) -> list[RouterSpec]:
    """The routers that the arguments ask for.

    Raises:
        SpecError: something that cannot be.
        ValueError: a number that is none.
    """
    counts = dict(_pair(text) for text in options.rows)
    accounts = tuple(_account(text) for text in options.account)
    tls = TlsFiles(options.tls_cert, options.tls_key) if options.tls_cert and options.tls_key else None
    specs: list[RouterSpec] = []
    for asked in options.profile or ["home:3"]:
        profile, _, number = asked.partition(":")
        for index in range(1, int(number or 1) + 1):
            port = options.base_port + len(specs) if options.base_port else 0
            specs.append(
                RouterSpec(
                    name=profile if not number or number == "1" else f"{profile}-{index}",
                    profile=profile,
                    version=options.routeros,
                    username=options.username,
                    password=options.password,
                    policies=tuple(options.policies.split(",")),
                    host=options.host,
                    port=port,
                    latency_s=_latency_s(options.latency_ms),
                    rtt_s=options.rtt_ms / 1000,
                    concurrency=1 if options.serial else options.concurrency,
                    tls=tls,
                    max_sessions=options.max_sessions,
                    seed=options.seed + len(specs),
                    counts=counts,
                    accounts=accounts,
                )
            )
    return specs


def _pair(text: str) -> tuple[str, int]:
    what, equals, number = text.partition("=")
    if not equals or not number.isdigit():
        raise ValueError(f"--rows {text}: wanted WHAT=NUMBER, such as pppoe=1000")
    return what, int(number)


def _account(text: str) -> Account:
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise ValueError("--account: wanted NAME:PASSWORD")
    return Account(name, password)


def _latency_s(text: str) -> float | LatencyRange:
    low, dash, high = text.partition("-")
    shortest = seconds_of(f"{low}ms")
    return (shortest, seconds_of(f"{high}ms")) if dash else shortest


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"--control {text}: wanted HOST:PORT")
    return host, int(port)


def _allow_sockets(wanted: int) -> None:
    """Raise the soft limit of open files as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), hard), hard))


async def _stay(network: Network, options: argparse.Namespace) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with network:
        _show(network)
        if options.write_config is not None:
            options.write_config.write_text(exporter_config(network), encoding="utf-8")
            Console().print(f"exporter configuration written to {options.write_config}")
        sys.stdout.flush()
        await ended.wait()
    return 0


def _show(network: Network) -> None:
    console = Console()
    table = Table(title=f"{len(network)} simulated routers")
    for column in ("name", "profile", "RouterOS", "address", "latency", "commands at once"):
        table.add_column(column)
    for device in network:
        spec = device.spec
        low_s, high_s = spec.latency_range
        latency = f"{low_s * 1000:g} ms" if low_s == high_s else f"{low_s * 1000:g}-{high_s * 1000:g} ms"
        address = f"{spec.host}:{device.port}{' (TLS)' if spec.tls else ''}"
        table.add_row(spec.name, spec.profile, spec.version, address, latency, str(spec.concurrency or "any"))
    console.print(table)
    if network.control is not None:
        console.print(f"control: {network.control.url}/routers   faults: {network.control.url}/faults")


if __name__ == "__main__":
    sys.exit(main())
