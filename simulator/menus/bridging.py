"""What hangs together on layer 2: bridges, bonds, switch chips."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..formats import duration, flag
from ..menu import Menu
from ..table import Row
from .interface import is_type, monitor, switched
from .moving import rx_bytes, rx_packets, rx_part, tx_bytes, tx_packets, tx_part

if TYPE_CHECKING:
    from ..world import World

_PORTS = "/interface/bridge/port"
_DRIVER = {
    "driver-rx-byte": rx_bytes,
    "driver-tx-byte": tx_bytes,
    "driver-rx-packet": rx_packets,
    "driver-tx-packet": tx_packets,
}
_QUIET = (
    *("rx-pause", "rx-align-error", "rx-fragment", "rx-overflow", "rx-too-short", "rx-too-long", "rx-jabber"),
    *("tx-pause", "tx-collision", "tx-deferred", "tx-underrun", "tx-late-collision"),
)


def _runs(world: World, interface: str) -> bool:
    row = world.table("/interface").named(interface)
    return row is not None and row.values.get("running") == "true"


def _role(world: World, port: Row) -> str:
    """The uplink leads to the root where there is one; ports without link forward nothing."""
    if not _runs(world, port.values["interface"]):
        return "disabled-port"
    return port.values.get("intended-role", "designated-port")


def _ports(world: World) -> Iterable[Row]:
    """Ports as they are now; what is stored is where they belong."""
    for stored in world.table("/bridge-ports"):
        running = _runs(world, stored.values["interface"])
        state = {"role": _role(world, stored)}
        if world.version < (7,):
            state["status"] = "in-bridge" if running else "inactive"
        elif not running:
            state["inactive"] = "true"
        yield Row(stored.id, {**stored.values, **state})


def _bridge_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One bridge; it does not say its name."""
    ports = [port for port in world.table("/bridge-ports") if port.values["bridge"] == row.values["name"]]
    roles = [_role(world, port) for port in ports]
    is_root = "root-port" not in roles
    pairs = [("state", "enabled"), ("current-mac-address", row.values["mac-address"])]
    pairs += [("root-bridge", flag(is_root)), ("root-path-cost", "0" if is_root else "20000")]
    pairs.append(("root-port", "none" if is_root else ports[roles.index("root-port")].values["interface"]))
    return [
        *pairs,
        ("port-count", str(len(ports))),
        ("designated-port-count", str(roles.count("designated-port"))),
    ]


def _hosts(world: World) -> Iterable[Row]:
    """The ports' own addresses, and every neighbour in the address table."""
    for number, port in enumerate(world.table("/bridge-ports"), start=1):
        named = world.table("/interface").named(port.values["interface"])
        yield Row(
            f"*{number:X}",
            {
                "mac-address": named.values.get("mac-address", "") if named else "",
                "on-interface": port.values["interface"],
                "bridge": port.values["bridge"],
                "local": "true",
            },
        )
    first = next(iter(world.table("/bridge-ports")), None)
    if first is None:
        return
    for number, row in enumerate(world.table("/ip/arp"), start=0x1000):
        if "mac-address" in row.values:
            yield Row(
                f"*{number:X}",
                {
                    "mac-address": row.values["mac-address"],
                    "on-interface": row.values.get("port", first.values["interface"]),
                    "bridge": first.values["bridge"],
                    "dynamic": "true",
                    "age": duration(number % 280),
                },
            )


def _bond_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One bond; it does not say its name."""
    members = row.values["slaves"].split(",")
    active = [name for name in members if _runs(world, name)]
    return [
        ("mode", row.values["mode"]),
        ("active-ports", ",".join(active)),
        ("inactive-ports", ",".join(name for name in members if name not in active)),
        ("lacp-system-id", row.values["mac-address"]),
        ("lacp-system-priority", "65535"),
        ("lacp-partner-system-id", "02:00:90:00:00:01" if active else "00:00:00:00:00:00"),
    ]


def _chips(world: World) -> Iterable[Row]:
    """The chip, and what passes between it and the processor: all that its ports carry."""
    kind = "Marvell-98DX3236" if world.version >= (7,) else "Atheros-8327"
    ports = [row for row in world.table("/interface") if row.values["type"] == "ether"]
    values = {"name": "switch1", "type": kind, "mirror-source": "none", "mirror-target": "none"}
    for field, compute in _DRIVER.items():
        values[field] = str(sum(int(compute(row, world.moment) or 0) for row in ports))
    return [Row("*0", values)]


BRIDGING = (
    Menu(
        "/interface/bridge",
        "name mtu=auto actual-mtu=1500 l2mtu mac-address arp=enabled protocol-mode=rstp priority=0x8000 "
        "auto-mac=true vlan-filtering=false fast-forward=true igmp-snooping=false ageing-time=5m "
        "dhcp-snooping=false running=false disabled=false comment",
        table="/interface",
        where=is_type("bridge"),
        on_change=switched,
        editable=False,
        commands={"monitor": monitor(_bridge_sample)},
    ),
    Menu(
        _PORTS,
        "interface bridge priority=0x80 path-cost=10 edge=auto point-to-point=auto pvid=1 hw=true hw-offload "
        "status@<7 role inactive@7 dynamic@<7=false dynamic@7 disabled=false comment",
        rows=_ports,
        editable=False,
    ),
    Menu(
        "/interface/bridge/vlan",
        "bridge vlan-ids tagged= untagged= current-tagged= current-untagged= dynamic@<7=false dynamic@7 "
        "disabled=false comment",
        since=(6, 41),
    ),
    Menu(
        "/interface/bridge/host",
        "mac-address vid on-interface bridge age local dynamic invalid@<7=false disabled=false",
        rows=_hosts,
        editable=False,
    ),
    Menu(
        "/interface/bonding",
        "name mtu=1500 mac-address arp=enabled slaves mode=balance-rr primary=none link-monitoring=mii "
        "transmit-hash-policy=layer-2 min-links=0 running=false disabled=false comment",
        table="/interface",
        where=is_type("bond"),
        on_change=switched,
        editable=False,
        commands={"monitor": monitor(_bond_sample)},
    ),
    Menu(
        "/interface/ethernet/switch",
        "name type mirror-source mirror-target driver-rx-byte driver-tx-byte driver-rx-packet driver-tx-packet",
        rows=_chips,
        hardware="switch",
        editable=False,
    ),
    Menu(
        "/interface/ethernet/switch/port",
        "name switch=switch1 vlan-mode=disabled vlan-header=leave-as-is driver-rx-byte driver-rx-packet "
        "driver-tx-byte driver-tx-packet rx-bytes rx-packet rx-broadcast rx-multicast rx-pause rx-fcs-error "
        "rx-align-error rx-fragment rx-overflow rx-too-short rx-too-long rx-jabber rx-drop tx-bytes tx-packet "
        "tx-broadcast tx-multicast tx-pause tx-collision tx-deferred tx-underrun tx-late-collision tx-drop",
        moving={
            **_DRIVER,
            "rx-bytes": rx_bytes,
            "tx-bytes": tx_bytes,
            "rx-packet": rx_packets,
            "tx-packet": tx_packets,
            "rx-broadcast": rx_part(5000),
            "tx-broadcast": tx_part(5000),
            "rx-multicast": rx_part(2000),
            "tx-multicast": tx_part(2000),
            "rx-fcs-error": rx_part(2_000_000),
            "rx-drop": rx_part(400_000),
            "tx-drop": tx_part(900_000),
            **{name: (lambda row, moment: "0") for name in _QUIET},
        },
        table="/interface",
        where=is_type("ether"),
        hardware="switch",
        editable=False,
    ),
)
