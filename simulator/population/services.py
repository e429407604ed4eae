"""RADIUS servers, uplinks, neighbours, IPv6 clients, disks, power, containers, block lists, children's devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import mac
from ..traffic import Flow, seeded
from .ports import bridge_name

if TYPE_CHECKING:
    from ..world import World

_SERVER_ROOMS = ("hotspot", "isp", "large")
_CHILDREN = ("tablet", 'konsol "game"', "telepon Zoë", "laptop", "", "tv")


def add_services(world: World) -> None:
    """What the profile of the router calls for."""
    _radius(world)
    _uplink(world)
    _neighbors(world)
    _ipv6_clients(world)
    if "/ip/dns/adlist" in world.menus and world.spec.profile in ("home", "isp"):
        world.add(
            "/ip/dns/adlist", since_s=world.boot_s, url="https://lists.example/ads.txt", name_count="120345"
        )
    if world.spec.profile in _SERVER_ROOMS:
        world.add(
            "/disk", slot="usb1", type="hardware", model="Flash Drive", fs="ext4", size="15376318464",
            free="15139758080", use="1",
        )  # fmt: skip
    if "/system/ups" in world.menus:
        world.add(
            "/system/ups", name="ups1", port="usbhid1", model="Example 1500", nominal_battery_voltage="24"
        )
    if "/container" in world.menus:
        _containers(world)
    if world.spec.profile == "home":
        _children(world)


def _radius(world: World) -> None:
    sessions = world.spec.count("pppoe") + world.spec.count("hotspot_active")
    if not sessions:
        return
    for number, service in enumerate(("ppp,hotspot", "login"), start=1):
        flow = Flow(sessions / 3000 if number == 1 else 0.0, 0.0, world.moment, age_s=world.uptime_s)
        values = {"service": service, "address": f"10.0.0.{2 + number}", "secret": f"radius-secret-{number}"}
        if number == 1:
            values["comment"] = "billing"
        world.table("/radius").add(values, flow=flow, since_s=world.boot_s)


def _uplink(world: World) -> None:
    port = next(row.values["name"] for row in world.table("/interface") if row.values["type"] == "ether")
    if "/ip/dhcp-client" in world.menus:
        world.add(
            "/ip/dhcp-client", since_s=world.boot_s, interface=port, status="bound",
            address="198.51.100.7/24", gateway="198.51.100.1", dhcp_server="198.51.100.1",
            primary_dns="192.0.2.53",
        )  # fmt: skip


def _neighbors(world: World) -> None:
    random = seeded("neighbors", world.spec.seed, world.spec.name)
    ports = [
        row.values["name"]
        for row in world.table("/interface")
        if row.values["type"] == "ether" and row.values["running"] == "true"
    ]
    for number, port in enumerate(ports[:6], start=1):
        shown = port if number == 1 else f"{port},{bridge_name(world)}"
        values = {
            "interface": shown,
            "address": f"10.30.0.{200 + number}",
            "mac-address": mac(0x70, number),
            "identity": 'ap "atap"' if number == 3 else f"ap-{number:02d}",
            "platform": "MikroTik",
            "version": "7.16.2 (stable)",
            "interface-name": "ether1",
        }
        world.table("/ip/neighbor").add(values, since_s=world.now_s - random.uniform(0, 30))


def _ipv6_clients(world: World) -> None:
    if "/ipv6/pool" not in world.menus or not world.spec.count("pppoe"):
        return
    world.add("/ipv6/pool", name="pd", prefix="2001:db8::/40", prefix_length="56")
    for number in range(1, world.spec.count("pppoe") // 8 + 1):
        values = {
            "address": f"2001:db8:{number:x}::/56",
            "duid": f"0x0003000102005e40{number:04x}",
            "server": "pd",
            "status": "waiting" if number % 9 == 0 else "bound",
            "dynamic": "true",
        }
        world.table("/ipv6/dhcp-server/binding").add(values, since_s=world.now_s - 411.0 * number)


def _containers(world: World) -> None:
    runs = {"status": "running", "running": "true", "stopped": "false", "healthy": "true"}
    stands = {"status": "stopped", "running": "false", "stopped": "true"}
    for name, memory, state in (("adguard", "73400320", runs), ("old-bot", "0", stands)):
        values = {
            "name": name,
            "tag": f"{name}:1",
            "os": "linux",
            "arch": "arm64",
            "memory": memory,
        }
        world.table("/container").add({**values, **state}, since_s=world.boot_s)


def _children(world: World) -> None:
    random = seeded("children", world.spec.seed, world.spec.name)
    for number, name in enumerate(_CHILDREN, start=1):
        rate = random.uniform(1e3, 2e5)
        flow = Flow(rate / 12, rate, world.moment, phase=number, age_s=world.uptime_s)
        values = {
            "name": name,
            "mac-address": mac(0x60, number),
            "ip-address": f"10.30.0.{number + 1}",
            "activity": "video.example",
            "blocked": "true" if number == 6 else "false",
        }
        world.table("/ip/kid-control/device").add(values, flow=flow, since_s=world.boot_s)
