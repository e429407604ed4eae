"""/interface and what lies below it. All sub-menus show rows of the one interface table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..call import Answer, Call, Outcome, Stream, Trap
from ..commands import seconds, targets
from ..formats import flag
from ..links import gain_link, lose_link
from ..menu import Command, Menu
from ..table import Row
from .moving import rx_bytes, rx_packets, rx_part, tx_bytes, tx_packets, tx_part, uptime

if TYPE_CHECKING:
    from ..world import World

Sample = Callable[["World", Row], list[tuple[str, str]]]


def is_type(*types: str) -> Callable[[Row], bool]:
    """Rows of these interface types."""
    wanted = frozenset(types)
    return lambda row: row.values["type"] in wanted


def monitor(sample: Sample, *names: str) -> Command:
    """A monitor command: one frame with `=once=`, frames for `=duration=`, else a stream.

    One unknown name fails the whole call, as on real routers.
    """

    def run(world: World, menu: Menu, call: Call) -> Outcome:
        rows = [Row("*0", {})] if menu.singleton else targets(world, menu, call, *names)
        wanted = call.args[".proplist"].split(",") if ".proplist" in call.args else None

        def frame(number: int) -> Iterator[bytes]:
            world.advance()
            section = () if "once" in call.args else ((".section", str(number)),)
            for row in rows:
                said = sample(world, row)
                yield call.row(*(said if wanted is None else [p for p in said if p[0] in wanted]), *section)

        if "once" in call.args:
            return Answer(frame(0))
        count = seconds(call, "duration") if "duration" in call.args else None
        step_s = max(0.01, seconds(call, "interval", 1.0))
        return Stream(lambda n: None if count is not None and n * step_s >= count else frame(n), step_s)

    return Command(run)


def traffic_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """Rates of one interface now."""
    if row.flow is None:
        return [("name", row.values["name"])]
    rate, size = row.flow.rate(world.moment), row.flow.packet_bytes
    rx, tx = rate.rx_bytes_per_s, rate.tx_bytes_per_s
    return [
        ("name", row.values["name"]),
        ("rx-packets-per-second", str(int(rx / size))),
        ("rx-bits-per-second", str(int(rx * 8))),
        ("fp-rx-packets-per-second", str(int(rx / size))),
        ("fp-rx-bits-per-second", str(int(rx * 8))),
        ("rx-drops-per-second", "0"),
        ("rx-errors-per-second", "0"),
        ("tx-packets-per-second", str(int(tx / size))),
        ("tx-bits-per-second", str(int(tx * 8))),
        ("fp-tx-packets-per-second", "0"),
        ("fp-tx-bits-per-second", "0"),
        ("tx-drops-per-second", "0"),
        ("tx-queue-drops-per-second", "0"),
        ("tx-errors-per-second", "0"),
    ]


def ethernet_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """Link of one port; optics where there is a module that has them."""
    values, up = row.values, row.values.get("running") == "true"
    pairs = [("name", values["name"]), ("status", "link-ok" if up else "no-link")]
    module = values.get("module", "")
    if not module or up:
        pairs.append(("auto-negotiation", "done" if up else "incomplete"))
    if up:
        pairs += [("rate", values.get("link-rate", "1Gbps")), ("full-duplex", "true")]
        pairs += [("tx-flow-control", "false"), ("rx-flow-control", "false")]
    if not module:
        pairs += [("supported", _SPEEDS), ("advertising", _SPEEDS)]
        if up:
            pairs.append(("link-partner-advertising", _SPEEDS))
        return pairs
    return [*pairs, *_module(world, row, module, up)]


_SPEEDS = "10M-baseT-half,10M-baseT-full,100M-baseT-half,100M-baseT-full,1G-baseT-full"
_SFP_TYPES = {
    "optical": ("SFP/SFP+/SFP28", "LC", "Example Optics", "EO-10G-LR"),
    "dac": ("SFP/SFP+/SFP28", "copper-pigtail", "Example Cables", "EC-DAC-1M"),
    "copper": ("SFP/SFP+/SFP28", "RJ45", "Example Copper", "ER-10G-T"),
}


def _module(world: World, row: Row, module: str, up: bool) -> list[tuple[str, str]]:
    if module == "empty":
        return [("sfp-module-present", "false")]
    kind, connector, vendor, part = _SFP_TYPES[module]
    pairs = [
        ("sfp-module-present", "true"),
        ("sfp-rx-loss", flag(not up)),
        ("sfp-tx-fault", "false"),
        ("sfp-type", kind),
        ("sfp-connector-type", connector),
        ("sfp-vendor-name", vendor),
        ("sfp-vendor-part-number", part),
        ("sfp-vendor-revision", "A"),
        ("sfp-vendor-serial", f"EX{int(row.id[1:], 16):06d}"),
        ("sfp-manufacturing-date", "23-04-01"),
        ("eeprom-checksum", "good"),
    ]
    if module == "optical":
        swing = world.moment.slopes[row.flow.phase if row.flow else 0] - 1.0
        pairs += [
            ("sfp-link-length-sm", "10km"),
            ("sfp-wavelength", "1310"),
            ("sfp-temperature", str(int(38 + 8 * swing))),
            ("sfp-supply-voltage", f"{3.29 + 0.04 * swing:.3f}"),
            ("sfp-tx-bias-current", str(int(31 + 4 * swing))),
            ("sfp-tx-power", f"{-2.31 + 0.4 * swing:.3f}"),
            ("sfp-rx-power", f"{(-5.87 if up else -40.0) + 0.4 * swing:.3f}"),
            ("sfp-power-class", "1"),
        ]
    elif module == "dac":
        pairs.append(("sfp-link-length-copper", "1m"))
    return pairs


def poe_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """PoE of one port; the measurements only while it gives power."""
    values, now_s = row.values, world.now_s
    out = values.get("poe-out", "off")
    pairs = [("name", values["name"]), ("poe-out", out)]
    draw_ma = int(values.get("poe-draw", "0"))
    dark = now_s < float(values.get("poe-off-until", "0"))
    if out == "off" or dark:
        return [*pairs, ("poe-out-status", "disabled")]
    if not draw_ma:
        return [*pairs, ("poe-out-status", "waiting-for-load")]
    current = int(draw_ma * world.moment.slopes[row.flow.phase if row.flow else 0])
    return [
        *pairs,
        ("poe-out-status", "powered-on"),
        ("poe-out-voltage", "24.1"),
        ("poe-out-current", str(current)),
        ("poe-out-power", f"{24.1 * current / 1000:.1f}"),
    ]


def pppoe_server_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One PPPoE session."""
    values = row.values
    return [
        ("status", "connected"),
        ("uptime", uptime(row, world.moment) or "0s"),
        ("user", values["user"]),
        ("caller-id", values["remote-address"]),
        ("service", values["service"]),
        ("interface", values["interface"]),
        ("mtu", values["mtu"]),
        ("mru", values["mru"]),
    ]


def switched(world: World, row: Row) -> None:
    """A disabled interface stops, an enabled one runs when its cable is there."""
    if row.values.get("disabled") == "true":
        lose_link(world, row)
    elif row.values.get("cable", "true") == "true":
        gain_link(world, row)
    world.switched(row)


def _reset_counters(world: World, menu: Menu, call: Call) -> Outcome:
    rows = targets(world, menu, call) if call.args else list(world.table("/interface"))
    for row in rows:
        if row.flow is not None:
            row.flow.reset(world.moment)
    return Answer()


def _power_cycle(world: World, menu: Menu, call: Call) -> Outcome:
    rows, off_s = targets(world, menu, call), seconds(call, "duration", 5.0)
    for row in rows:
        world.table("/interface").change(row, poe_off_until=str(world.now_s + off_s))
        lose_link(world, row)
        world.at(world.now_s + off_s, _Relight(world, row))
    return Answer(delay_s=off_s)


class _Relight:
    """The powered device comes back after its port has power again."""

    def __init__(self, world: World, row: Row) -> None:
        self._world, self._row = world, row

    def __call__(self) -> None:
        gain_link(self._world, self._row)


def _no_interface(world: World, menu: Menu, call: Call) -> Outcome:
    if "interface" not in call.args:
        raise Trap("missing =interface=", 1)
    return _TRAFFIC.run(world, menu, call)


_TRAFFIC = monitor(traffic_sample, "interface")
_COUNTERS = (
    "rx-byte tx-byte rx-packet tx-packet rx-drop tx-drop tx-queue-drop rx-error tx-error "
    "fp-rx-byte fp-tx-byte fp-rx-packet fp-tx-packet"
)
_HARDWARE_COUNTERS = (
    "driver-rx-byte driver-rx-packet driver-tx-byte driver-tx-packet rx-bytes rx-packet rx-unicast "
    "rx-broadcast rx-multicast rx-pause rx-too-short rx-64 rx-65-127 rx-128-255 rx-256-511 rx-512-1023 "
    "rx-1024-1518 rx-1519-max rx-too-long rx-fcs-error rx-align-error rx-fragment rx-overflow rx-jabber "
    "rx-drop tx-bytes tx-packet tx-unicast tx-broadcast tx-multicast tx-pause tx-collision "
    "tx-late-collision tx-excessive-collision tx-multiple-collision tx-single-collision tx-deferred "
    "tx-underrun tx-64 tx-65-127 tx-128-255 tx-256-511 tx-512-1023 tx-1024-1518 tx-drop"
)
_ZERO = (
    *("rx-pause", "rx-too-short", "rx-too-long", "rx-align-error", "rx-fragment", "rx-overflow", "rx-jabber"),
    *("tx-pause", "tx-collision", "tx-late-collision", "tx-excessive-collision", "tx-multiple-collision"),
    *("tx-single-collision", "tx-deferred", "tx-underrun", "tx-drop", "rx-1519-max"),
)

INTERFACE = (
    Menu(
        "/interface",
        "name default-name type mtu=1500 actual-mtu=1500 l2mtu max-l2mtu mac-address last-link-down-time "
        "last-link-up-time link-downs=0 vrf@7.20=main "
        f"{_COUNTERS} running=false dynamic@<7=false dynamic@7 slave@<7=false slave@7 inactive@7 passthrough@7 "
        "disabled=false comment",
        moving={
            "rx-byte": rx_bytes,
            "tx-byte": tx_bytes,
            "rx-packet": rx_packets,
            "tx-packet": tx_packets,
            "rx-drop": rx_part(400_000),
            "tx-drop": tx_part(900_000),
            "tx-queue-drop": tx_part(30_000),
            "rx-error": rx_part(2_000_000),
            "tx-error": tx_part(9_000_000),
            "fp-rx-byte": rx_bytes,
            "fp-tx-byte": tx_part(2, 700),
            "fp-rx-packet": rx_packets,
            "fp-tx-packet": tx_part(2),
        },
        stats=f"name {_COUNTERS}",
        editable=False,
        on_change=switched,
        commands={
            "monitor-traffic": Command(_no_interface),
            "reset-counters": Command(_reset_counters, "write"),
            "reset-counters-all": Command(_reset_counters, "write"),
        },
    ),
    Menu(
        "/interface/ethernet",
        "name default-name mtu=1500 l2mtu mac-address orig-mac-address arp=enabled auto-negotiation=true "
        "advertise speed full-duplex=true tx-flow-control=off rx-flow-control=off poe-out poe-priority "
        "sfp-shutdown-temperature cable-settings=default bandwidth=unlimited/unlimited switch "
        "loop-protect=default "
        f"{_HARDWARE_COUNTERS} running=false slave=false disabled=false comment",
        moving={
            **dict.fromkeys(("driver-rx-byte", "rx-bytes"), rx_bytes),
            **dict.fromkeys(("driver-tx-byte", "tx-bytes"), tx_bytes),
            **dict.fromkeys(("driver-rx-packet", "rx-packet"), rx_packets),
            **dict.fromkeys(("driver-tx-packet", "tx-packet"), tx_packets),
            **{
                name: rx_part(10)
                for name in ("rx-64", "rx-65-127", "rx-128-255", "rx-256-511", "rx-512-1023")
            },
            **{
                name: tx_part(10)
                for name in ("tx-64", "tx-65-127", "tx-128-255", "tx-256-511", "tx-512-1023")
            },
            "rx-1024-1518": rx_part(2),
            "tx-1024-1518": tx_part(2),
            "rx-unicast": rx_packets,
            "tx-unicast": tx_packets,
            "rx-broadcast": rx_part(5000),
            "tx-broadcast": tx_part(5000),
            "rx-multicast": rx_part(2000),
            "tx-multicast": tx_part(2000),
            "rx-fcs-error": rx_part(2_000_000),
            "rx-drop": rx_part(400_000),
            **{name: (lambda row, moment: "0") for name in _ZERO},
        },
        table="/interface",
        where=is_type("ether"),
        stats=f"name {_HARDWARE_COUNTERS}",
        editable=False,
        on_change=switched,
        commands={"monitor": monitor(ethernet_sample)},
    ),
    Menu(
        "/interface/ethernet/poe",
        "name poe-out=off poe-voltage=auto poe-priority=10 poe-lldp-enabled@7=false power-cycle-ping-enabled=false "
        "power-cycle-interval=none",
        table="/interface",
        where=lambda row: "poe-out" in row.values,
        editable=False,
        hardware="poe",
        commands={"monitor": monitor(poe_sample), "power-cycle": Command(_power_cycle, "write")},
    ),
    Menu(
        "/interface/vlan",
        "name mtu=1500 l2mtu mac-address arp=enabled vlan-id interface use-service-tag=false loop-protect=default "
        "running=false disabled=false comment",
        table="/interface",
        where=is_type("vlan"),
        on_change=switched,
        editable=False,
    ),
    Menu(
        "/interface/pppoe-server",
        "name user service interface remote-address mtu=1480 mru=1480 uptime encoding= vid@7 dynamic=true "
        "running=true disabled=false",
        moving={"uptime": uptime},
        table="/interface",
        where=is_type("pppoe-in"),
        package="ppp",
        editable=False,
        commands={"monitor": monitor(pppoe_server_sample)},
    ),
)
