"""Ports, bridges, VLANs: the interfaces that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import mac
from ..links import gain_link, lose_link
from ..table import Row
from ..traffic import Flow, seeded
from ..wire import raw_text

if TYPE_CHECKING:
    from ..world import World

_MODULES = ("optical", "dac", "copper", "empty")
_COMMENTS = {
    1: "uplink\nfibre, second line",
    2: raw_text(b"B\xfcro, 1. Stock"),
    3: 'printer "hall" \\ left',
    4: "café ☕",
}


def bridge_name(world: World) -> str:
    """The bridge that the LAN hangs on."""
    return "bridge" if world.spec.profile in ("home", "chr", "legacy", "ancient") else "bridge1"


def add_ports(world: World) -> None:
    """Every port, and the bridge; the first port is the uplink."""
    random = seeded("ports", world.spec.seed, world.spec.name)
    if world.version >= (7,):
        add_interface(
            world,
            "lo",
            "loopback",
            40.0,
            40.0,
            mtu="65536",
            actual_mtu="65536",
            mac_address="00:00:00:00:00:00",
        )
    board = world.board
    for number in range(1, board.ethers + 1):
        _ethernet(
            world,
            number,
            f"ether{number}",
            random.uniform(2e4, 2e6),
            cable=number == 1 or number != board.ethers,
        )
    for number in range(1, board.sfps + 1):
        module = _MODULES[(number - 1) % len(_MODULES)]
        row = _ethernet(
            world, board.ethers + number, f"{board.sfp_name}{number}", random.uniform(1e6, 9e6),
            cable=module != "empty", module=module, link_rate="10Gbps" if module != "copper" else "2.5Gbps",
        )  # fmt: skip
        row.values["sfp-shutdown-temperature"] = "95"
    for number in board.poe_ports:
        row = world.table("/interface").named(f"ether{number}") or _none(number)
        draw = random.randint(90, 420) if number % 3 and row.values["running"] == "true" else 0
        row.values |= {"poe-out": "off" if number == 1 else "auto-on", "poe-draw": str(draw)}
    bridge = bridge_name(world)
    add_interface(world, bridge, "bridge", 6e5, 3e6, mtu="auto", l2mtu="1592", mac_address=mac(0x10, 255))
    if world.spec.profile not in ("ancient", "chr"):
        _flap_now_and_then(world, f"ether{max(2, board.ethers - 1)}")


def add_vlans(world: World) -> None:
    """VLANs of the bridge: as many as the profile counts, or more to reach its number of interfaces."""
    random = seeded("vlans", world.spec.seed, world.spec.name)
    vlans = world.spec.count("vlans")
    wanted = world.spec.count("interfaces")
    vlans = max(vlans, wanted - len(world.table("/interface")))
    for number in range(1, vlans + 1):
        _vlan(world, number, bridge_name(world), random.uniform(1e3, 4e5))


def _none(number: int) -> Row:
    raise LookupError(f"the board has no ether{number}")


def add_interface(world: World, name: str, kind: str, rx: float, tx: float, **values: str) -> Row:
    """An interface that runs and has carried traffic since the boot, at mean rates in bytes per second.

    `values` are its other fields, underscores for hyphens; they come last.
    """
    age_s = world.uptime_s
    phase = len(world.table("/interface"))
    flow = Flow(rx, tx, world.moment, phase=phase, age_s=age_s)
    running = {
        "name": name,
        "type": kind,
        "running": "true",
        "last-link-up-time": world.date(world.boot_s + 30),
    }
    if kind in ("loopback", "vlan"):
        del running["last-link-up-time"]
    return world.add("/interface", flow=flow, since_s=world.boot_s, **{**running, **values})


def _ethernet(world: World, number: int, name: str, rate: float, *, cable: bool, **values: str) -> Row:
    shown = f"{name}-wan" if number == 1 and world.spec.profile in ("isp", "large") else name
    row = add_interface(
        world, shown, "ether", rate * (3 if number == 1 else 0.3), rate, default_name=name, l2mtu="1598",
        max_l2mtu="9214", mac_address=mac(0x10, number), orig_mac_address=mac(0x10, number),
        advertise="10M-baseT-half,10M-baseT-full,100M-baseT-half,100M-baseT-full,1G-baseT-full", **values,
    )  # fmt: skip
    if number > 1:
        row.values["slave"] = "true"
    if number in _COMMENTS:
        row.values["comment"] = _COMMENTS[number]
    if not cable:
        row.values |= {"running": "false", "cable": "false"}
        row.values.pop("last-link-up-time")
        if row.flow is not None:
            row.flow.reset(world.moment)
            row.flow.stop(world.moment)
    elif number % 4 == 2:
        row.values |= {
            "link-downs": str(number % 5 + 1),
            "last-link-down-time": world.date(world.boot_s + 3600),
            "last-link-up-time": world.date(world.boot_s + 3640),
        }
    return row


def _vlan(world: World, number: int, bridge: str, rate: float) -> None:
    vlan_id = 10 * number if number <= 40 else 400 + number
    name = 'guest "Café" vlan' if number == 1 else f"vlan{vlan_id}"
    add_interface(
        world, name, "vlan", rate * 0.2, rate, l2mtu="1588", mac_address=mac(0x10, 1), interface=bridge,
        vlan_id=str(vlan_id),
    )  # fmt: skip


def _flap_now_and_then(world: World, name: str) -> None:
    """The link of one access port is lost a few times a day, for some seconds."""
    random = seeded("flap", world.spec.seed, world.spec.name)
    row = world.table("/interface").named(name)
    if row is None or row.values["running"] != "true":
        return

    def down() -> None:
        lose_link(world, row)
        world.at(world.now_s + random.uniform(4, 30), up)

    def up() -> None:
        gain_link(world, row)
        world.at(world.now_s + random.expovariate(1 / 7200), down)

    world.at(world.now_s + random.expovariate(1 / 7200), down)
