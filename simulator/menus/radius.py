"""/radius: servers that say who may log in, and what they ask of the router by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..menu import Menu
from ..table import Row
from .interface import monitor

if TYPE_CHECKING:
    from ..world import World

_INCOMING_EVERY_S = 1800.0


def _sample(world: World, row: Row) -> list[tuple[str, str]]:
    """Counters of one server. They do not say whose they are."""
    requests = row.flow.rx(world.moment) if row.flow else 0
    rejects, timeouts = requests // 31, requests // 900
    rtt_ms = int(18 * world.moment.slopes[4])
    return [
        ("pending", "0"),
        ("requests", str(requests)),
        ("accepts", str(requests - rejects - timeouts)),
        ("rejects", str(rejects)),
        ("resends", str(timeouts * 2)),
        ("timeouts", str(timeouts)),
        ("bad-replies", "0"),
        ("last-request-rtt", f"{rtt_ms}ms" if requests else "0s"),
    ]


def _incoming(world: World, _row: Row) -> list[tuple[str, str]]:
    """Every half hour a server ends a session."""
    requests = int(world.uptime_s / _INCOMING_EVERY_S) if len(world.table("/radius")) else 0
    refused = requests // 40
    return [
        ("requests", str(requests)),
        ("bad-requests", "0"),
        ("acks", str(requests - refused)),
        ("naks", str(refused)),
    ]


RADIUS = (
    Menu(
        "/radius",
        "service called-id= domain= address secret authentication-port=1812 accounting-port=1813 timeout=300ms "
        "accounting-backup=false realm= protocol@6.44=udp disabled=false comment",
        sensitive="secret",
        commands={"monitor": monitor(_sample)},
    ),
    Menu(
        "/radius/incoming",
        "accept=true port=3799 vrf@7=main",
        singleton=True,
        commands={"monitor": monitor(_incoming)},
    ),
)
