"""Firewall rules that match traffic, those that a hotspot makes, and addresses on lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import ipv4, ipv4_number
from ..traffic import Flow, seeded

if TYPE_CHECKING:
    from ..world import World

_Rule = tuple[str, str, str, dict[str, str]]
"""Chain, action, comment, what it matches."""

_FILTER: tuple[_Rule, ...] = (
    ("forward", "fasttrack-connection", "", {"connection-state": "established,related"}),
    ("forward", "accept", "established", {"connection-state": "established,related"}),
    ("forward", "drop", "drop invalid", {"connection-state": "invalid"}),
    ("input", "accept", "established", {"connection-state": "established,related"}),
    ("input", "drop", "drop invalid", {"connection-state": "invalid"}),
    ("input", "accept", "", {"protocol": "icmp"}),
    ("input", "accept", 'kantor "pusat" \\ API', {"protocol": "tcp", "dst-port": "8728"}),
    ("input", "drop", "", {"src-address-list": "blocked"}),
    ("input", "drop", "tolak sisanya", {}),
)
_OTHERS: dict[str, tuple[_Rule, ...]] = {
    "nat": (
        ("srcnat", "masquerade", "internet", {"out-interface": "ether1"}),
        ("dstnat", "dst-nat", "kamera", {"protocol": "tcp", "dst-port": "8443", "to-addresses": "10.30.0.7"}),
    ),
    "mangle": (("prerouting", "mark-packet", "voip", {"new-packet-mark": "voip"}),),
    "raw": (("prerouting", "drop", "blocked", {"src-address-list": "blocked"}),),
}
_HOTSPOT = (
    ("hs-unauth", "return"),
    ("hs-unauth", "reject"),
    ("hs-auth", "return"),
    ("pre-hs-input", "accept"),
)
_BLOCKED = {"hotspot": 40, "isp": 300, "large": 3000, "switch": 20, "legacy": 12}


def add_firewall(world: World) -> None:
    """Rules of both IP versions, and lists."""
    random = seeded("firewall", world.spec.seed, world.spec.name)
    for path in ("/ip/firewall", "/ipv6/firewall"):
        share = 1.0 if path == "/ip/firewall" else 0.1
        for name, rules in {"filter": _FILTER, **_OTHERS}.items():
            if f"{path}/{name}" not in world.menus or (
                path == "/ipv6/firewall" and name in ("nat", "mangle")
            ):
                continue
            if world.version >= (7,) and name == "filter" and path == "/ip/firewall":
                _rule(world, f"{path}/{name}", 4e5, chain="forward", action="passthrough", dynamic="true",
                      comment="special dummy rule to show fasttrack counters")  # fmt: skip
            for chain, action, comment, matchers in rules:
                mean = random.uniform(20, 900) if action == "drop" else random.uniform(2e3, 6e5)
                named = {"comment": comment} if comment else {}
                _rule(world, f"{path}/{name}", mean * share, chain=chain, action=action, **matchers, **named)
    if world.spec.count("hotspot_servers"):
        for chain, action in _HOTSPOT:
            _rule(world, "/ip/firewall/filter", 500.0, chain=chain, action=action, dynamic="true")
    _lists(world)


def _rule(world: World, path: str, mean: float, **values: str) -> None:
    flow = Flow(mean, 0.0, world.moment, phase=len(world.table(path)), age_s=world.uptime_s)
    world.table(path).add(values, flow=flow, since_s=world.boot_s)


def _lists(world: World) -> None:
    table = world.table("/ip/firewall/address-list")
    for network in ("10.30.0.0/24", "192.168.88.0/24"):
        table.add({"list": "admin", "address": network, "creation-time": world.date(world.boot_s)})
    first = ipv4_number("203.0.113.0")
    for number in range(_BLOCKED.get(world.spec.profile, 3)):
        since_s = world.now_s - 97.0 * number
        values = {
            "list": "blocked",
            "address": ipv4(first + number * 7),
            "creation-time": world.date(since_s),
            "dynamic": "true",
        }
        table.add(values, since_s=since_s)
    if "/ipv6/firewall/address-list" in world.menus:
        world.add("/ipv6/firewall/address-list", list="blocked", address="2001:db8:bad::/48")
