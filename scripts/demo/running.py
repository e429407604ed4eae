"""A simulated network of routers, a simulated WhatsApp bot, and the exporter on them, until Ctrl-C.

    make demo                                        on the usual ports
    EXPORTER_PORT=9500 SIMULATOR_PORT=18090 make demo  on others; ROUTER_PORT is the first router's,
                                                     BOT_PORT the bot's
    make demo DEMO_ARGS="--for 20"                   ends by itself after 20 s

Exit code 0 when it was asked to end, 1 when it could not start or a program of it died, 2 on wrong arguments.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from scripts.children import Child, ChildDied

HOST = "127.0.0.1"
PROFILES = {"home": 2, "hotspot": 1, "isp": 1, "legacy": 1}
ROUTERS = sum(PROFILES.values())
READY_TIMEOUT_S = 30.0
POLL_INTERVAL_S = 0.1
LATENCY_MS = "20-80"  # what a small router takes for a command
BREAKER_COOLDOWN_S = 5.0  # a minute is right for a network, and long for somebody who watches


class CannotStart(Exception):
    """The demo cannot run as things are; the message says why and what to do."""


@dataclass(frozen=True)
class Ports:
    """Where the demo listens: the exporter, the simulator's control page, the routers in a row, the bot."""

    exporter: int
    control: int
    first_router: int
    bot: int

    @classmethod
    def chosen(cls, environment: Mapping[str, str]) -> "Ports":
        """The ports that the variables name, or the usual ones; 0 means any free one.

        Raises:
            CannotStart: a variable holds no port, or a port is taken.
        """
        return cls(
            exporter=_port(environment, "EXPORTER_PORT", 9436, 1),
            control=_port(environment, "SIMULATOR_PORT", 18080, 1),
            first_router=_port(environment, "ROUTER_PORT", 18728, ROUTERS),
            bot=_port(environment, "BOT_PORT", 18790, 1),
        )


def _port(environment: Mapping[str, str], variable: str, usual: int, count: int) -> int:
    text = environment.get(variable, str(usual))
    if not (text.isascii() and text.isdigit() and int(text) + count - 1 <= 65535):
        raise CannotStart(
            f"{variable}={text} is no port; give a number up to {65536 - count}, or 0 for any free one"
        )
    if int(text) == 0:
        return free_ports(count)
    taken = next((port for port in range(int(text), int(text) + count) if not _is_free(port)), None)
    if taken is not None:
        raise CannotStart(
            f"port {taken} is taken by another program; choose another, for example\n"
            f"  {variable}={free_ports(count)} make demo"
        )
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # a port that is only winding down is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            first = int(probe.getsockname()[1])
        if first + count <= 65536 and all(_is_free(port) for port in range(first, first + count)):
            return first


def _answers(url: str) -> bool:
    """Whether an address of this machine answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http:// address
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _wait(condition: Callable[[], bool], what: str, children: Sequence[Child], stop: threading.Event) -> None:
    """Returns when the condition holds or somebody asked to stop.

    Raises:
        ChildDied: a program ended meanwhile.
        CannotStart: it does not hold within `READY_TIMEOUT_S`.
    """
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while not stop.is_set() and not condition():
        for child in children:
            child.check()
        if time.monotonic() > deadline_s:
            last = "\n".join(f"{child.name} said last:\n{child.tail()}" for child in children)
            raise CannotStart(f"{what} is not there after {READY_TIMEOUT_S:.0f} s\n{last}")
        stop.wait(POLL_INTERVAL_S)


def exporter_config(simulator_config: str, port: int, *bots: Mapping[str, object]) -> str:
    """What the simulator wrote for its routers, with the exporter's place to listen, a breaker for the impatient,
    and the bots to watch."""
    config = yaml.safe_load(simulator_config)
    config["breaker"] = {"cooldown_s": BREAKER_COOLDOWN_S, "max_cooldown_s": BREAKER_COOLDOWN_S}
    config["web"] = {**config.get("web", {}), "listen": f"{HOST}:{port}"}
    if bots:
        config["bots"] = [dict(bot) for bot in bots]
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def bot_section(port: int, pid_file: Path) -> dict[str, object]:
    """The simulated bot as the exporter's configuration names it, with proof asked for while one watches."""
    return {
        "name": "noc",
        "kind": "baileys",
        "url": f"http://{HOST}:{port}",
        "ttl_s": 1,
        "proof": {"frame_s": 10, "unacked_s": 10},
        "process": {"pid_file": str(pid_file)},
    }


def welcome(ports: Ports, routers: Sequence[str]) -> str:
    """What is running and what to try."""
    exporter, control = f"http://{HOST}:{ports.exporter}", f"http://{HOST}:{ports.control}"
    bot, victim = f"http://{HOST}:{ports.bot}", routers[0]
    return f"""
{len(routers)} simulated routers, a WhatsApp bot and the exporter are running: {", ".join(routers)}

  the routers at a glance   {exporter}/
  metrics of all routers    {exporter}/metrics
  metrics of one            {exporter}/probe?target={victim}
  state as JSON             {exporter}/api/v1/routers
  the simulator             {control}/routers
  the bot's own health      {bot}/health

Break a router, see what the exporter says of it, and mend it:

  curl -X POST {control}/routers/{victim}/faults -H 'Content-Type: application/json' -d '{{"fault": "refuse"}}'
  curl -s {exporter}/metrics | grep '^mikrotik_up'
  curl -X DELETE {control}/routers/{victim}/faults

The same with the bot (GET {bot}/control/faults lists what can be wrong with it):

  curl -X POST {bot}/control/faults -H 'Content-Type: application/json' -d '{{"fault": "disconnect"}}'
  curl -s {exporter}/metrics | grep -E '^whatsapp_bot_(up|connected|session_state)'
  curl -X POST {bot}/reconnect

Ctrl-C ends everything."""


def run(ports: Ports, stop: threading.Event, *, for_s: float | None) -> None:
    """Runs the demo until `stop` is set or `for_s` seconds have passed since it was ready.

    Raises:
        ChildDied: one of its programs ended by itself.
        CannotStart: one of them did not become ready.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tikwatch-demo-")))
        written, config = folder / "simulator.yml", folder / "exporter.yml"
        profiles = [word for name, count in PROFILES.items() for word in ("--profile", f"{name}:{count}")]
        simulator = Child(
            "the simulator",
            [
                *(sys.executable, "-m", "simulator", *profiles, "--base-port", str(ports.first_router)),
                *("--latency-ms", LATENCY_MS),
                *("--control", f"{HOST}:{ports.control}", "--write-config", str(written)),
            ],
            folder / "simulator.log",
        )
        stack.enter_context(simulator)
        pid_file = folder / "bot.pid"
        bot = Child(
            "the bot",
            [
                *(sys.executable, "-m", "simulator.bot", "--respawn", "--host", HOST),
                *("--port", str(ports.bot), "--pid-file", str(pid_file)),
            ],
            folder / "bot.log",
        )
        stack.enter_context(bot)
        listing = f"http://{HOST}:{ports.control}/routers"
        _wait(lambda: written.is_file() and _answers(listing), "the simulator", [simulator, bot], stop)
        _wait(pid_file.is_file, "the bot", [simulator, bot], stop)
        if stop.is_set():
            return

        watched = bot_section(ports.bot, pid_file)
        text = exporter_config(written.read_text(encoding="utf-8"), ports.exporter, watched)
        config.write_text(text, encoding="utf-8")
        exporter = Child(
            "the exporter",
            [sys.executable, "-m", "exporter", "serve", "--config", str(config)],
            folder / "exporter.log",
        )
        stack.enter_context(exporter)
        children = [simulator, bot, exporter]
        _wait(lambda: _answers(f"http://{HOST}:{ports.exporter}/-/ready"), "the exporter", children, stop)
        if stop.is_set():
            return

        print(welcome(ports, [router["name"] for router in yaml.safe_load(text)["routers"]]), flush=True)
        end_s = None if for_s is None else time.monotonic() + for_s
        while not stop.wait(POLL_INTERVAL_S) and (end_s is None or time.monotonic() < end_s):
            for child in children:
                child.check()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="make demo", description="A simulated network of routers and the exporter on it"
    )
    parser.add_argument(
        "--for", dest="for_s", type=float, metavar="SECONDS", help="end by itself after that time"
    )
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(Ports.chosen(os.environ), stop, for_s=options.for_s)
    except (CannotStart, ChildDied) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print("\ndemo: ended, nothing is left running", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
