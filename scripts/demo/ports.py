"""Where the programs of the demo listen: the usual ports, or those that variables name."""

import itertools
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields

HOST = "127.0.0.1"
PROFILES = ("home", "wisp", "large", "isp")
"""Kinds of simulated routers, one of each, called after it."""
ROUTERS = len(PROFILES)


FIRST_FREE, SPAN = 20_000, 12_000
"""Where free ports are looked for: below those from which the system takes ports of outgoing connections."""
_offsets = itertools.count(secrets.randbelow(SPAN))


class CannotStart(Exception):
    """The demo cannot run as things are; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for each program; `first_router` is the first of `ROUTERS` in a row."""

    exporter: int
    bridge: int
    prometheus: int
    alertmanager: int
    phone: int
    bot: int
    simulator: int
    control: int
    first_router: int

    @classmethod
    def chosen(cls, environment: Mapping[str, str]) -> "Ports":
        """The ports that the variables name, or the usual ones; 0 means any free one.

        Raises:
            CannotStart: a variable holds no port, or a port is taken.
        """
        return cls(**{name: _port(environment, *row) for name, row in VARIABLES.items()})

    def url(self, name: str) -> str:
        """Where a program is reached."""
        return f"http://{HOST}:{getattr(self, name)}"

    def urls(self) -> dict[str, str]:
        """All of them by name."""
        return {field.name: self.url(field.name) for field in fields(self)}


VARIABLES: Mapping[str, tuple[str, int, int]] = {
    "exporter": ("EXPORTER_PORT", 9436, 1),
    "bridge": ("BRIDGE_PORT", 9437, 1),
    "prometheus": ("PROMETHEUS_PORT", 9090, 1),
    "alertmanager": ("ALERTMANAGER_PORT", 9093, 1),
    "phone": ("PHONE_PORT", 18791, 1),
    "bot": ("BOT_PORT", 18790, 1),
    "simulator": ("SIMULATOR_PORT", 18080, 1),
    "control": ("DEMO_PORT", 18792, 1),
    "first_router": ("ROUTER_PORT", 18728, ROUTERS),
}
"""Program -> the variable that names its port, the usual one, and how many in a row it takes."""


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
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that is only winding down is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> int:
    """The first of `count` free ports in a row; none is given twice, nor by the system to a connection meanwhile."""
    while True:
        first = FIRST_FREE + next(_offsets) % SPAN
        if all(_is_free(port) for port in range(first, first + count)):
            for _ in range(1, count):
                next(_offsets)
            return first
