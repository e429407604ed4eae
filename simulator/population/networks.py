"""Addresses: DHCP servers and leases, pools, ARP, DNS, services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import ipv4, ipv4_number, mac
from ..traffic import seeded
from .names import host_name
from .ports import bridge_name

if TYPE_CHECKING:
    from ..world import World

LAN = ipv4_number("10.30.0.0")
_SERVICES = (
    ("telnet", 23, True),
    ("ftp", 21, True),
    ("www", 80, False),
    ("ssh", 22, False),
    ("www-ssl", 443, True),
    ("api", 8728, False),
    ("winbox", 8291, False),
    ("api-ssl", 8729, True),
)


def add_networks(world: World) -> None:
    """Everything that hands out, resolves or remembers addresses."""
    _services(world)
    world.add("/ip/dns", servers="192.0.2.53,192.0.2.54")
    bridge = bridge_name(world)
    size = max(253, world.spec.count("leases") * 5 // 4)
    world.table("/ip/pool").add(
        {"name": "dhcp-pool", "ranges": f"{ipv4(LAN + 2)}-{ipv4(LAN + 1 + size)}"}, owner=world
    )
    world.add(
        "/ip/address", address="10.30.0.1/16", network="10.30.0.0", interface=bridge, actual_interface=bridge
    )
    if world.spec.count("leases"):
        world.add(
            "/ip/dhcp-server", name="dhcp-lan", interface=bridge, address_pool="dhcp-pool", lease_time="30m"
        )
    _leases(world)
    _arp(world, bridge)


def _services(world: World) -> None:
    for name, port, disabled in _SERVICES:
        world.add("/ip/service", name=name, port=str(port), disabled="true" if disabled else "false")


def _leases(world: World) -> None:
    random = seeded("leases", world.spec.seed, world.spec.name)
    table = world.table("/ip/dhcp-server/lease")
    for number in range(1, world.spec.count("leases") + 1):
        address, hardware = ipv4(LAN + 1 + number), mac(0x50, number)
        values = {"address": address, "mac-address": hardware, "server": "dhcp-lan", "lease-time": "30m"}
        if number % 10 == 4:
            values |= {"status": "waiting", "comment": f"static {number}"}
        elif number % 97 == 0:
            values |= {"status": "offered", "dynamic": "true"}
        else:
            values |= {
                "status": "bound",
                "active-address": address,
                "active-mac-address": hardware,
                "active-server": "dhcp-lan",
                "host-name": host_name(number),
                "pool": "dhcp-pool",
            }
            if number % 10 != 7:
                values |= {"dynamic": "true", "client-id": f"1:{hardware.lower()}"}
        table.add(values, since_s=world.now_s - random.uniform(60, 80_000))


def _arp(world: World, bridge: str) -> None:
    table = world.table("/ip/arp")
    for number in range(1, world.spec.count("arp") + 1):
        alive = number % 12 != 5
        values = {
            "address": ipv4(LAN + 1 + number),
            "mac-address": mac(0x50, number),
            "interface": bridge,
            "dynamic": "true",
            "complete": "true" if alive else "false",
            "status": "failed" if not alive else "stale" if number % 4 == 1 else "reachable",
        }
        if not alive:
            del values["mac-address"]
        if number % 12 == 1:
            values["DHCP"] = "true"
        table.add(values)
    if world.spec.management:
        ours = {
            "address": world.spec.host,
            "mac-address": mac(0x5A, 1),
            "dynamic": "true",
            "complete": "true",
        }
        table.add({**ours, "status": "reachable", "interface": bridge, "port": world.spec.management})
