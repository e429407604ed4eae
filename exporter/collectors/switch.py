"""Switch chips: what each port's hardware counts, traffic that never meets the processor included."""

from exporter.collectors.table import Collector, Label, Number, Row, Table, counter, info
from routeros.values import parse_int


def listed(text: str) -> Number:
    """A number, or the sum of several where the port towards the processor has more than one."""
    numbers = [number for part in text.split(",") if (number := parse_int(part)) is not None]
    return sum(numbers) if numbers else None


def _count(name: str, help_text: str, field: str) -> Row:
    return counter(name, help_text, field, listed)


_CHIPS = Table(
    name="chips",
    path="/interface/ethernet/switch",
    labels=(Label("switch", "name"),),
    rows=(
        info("mikrotik_switch_info", "Make of a switch chip.", Label("chip", "type")),
        _count("mikrotik_switch_driver_receive_bytes_total", "Bytes from the chip.", "driver-rx-byte"),
        _count("mikrotik_switch_driver_transmit_bytes_total", "Bytes to the chip.", "driver-tx-byte"),
        _count("mikrotik_switch_driver_receive_packets_total", "Packets from the chip.", "driver-rx-packet"),
        _count("mikrotik_switch_driver_transmit_packets_total", "Packets to the chip.", "driver-tx-packet"),
    ),
)

_PORTS = Table(
    name="ports",
    path="/interface/ethernet/switch/port",
    labels=(Label("switch"), Label("interface", "name")),
    rows=(
        _count("mikrotik_switch_port_receive_bytes_total", "Bytes received.", "rx-bytes"),
        _count("mikrotik_switch_port_transmit_bytes_total", "Bytes sent.", "tx-bytes"),
        _count("mikrotik_switch_port_receive_packets_total", "Frames received.", "rx-packet"),
        _count("mikrotik_switch_port_transmit_packets_total", "Frames sent.", "tx-packet"),
        _count("mikrotik_switch_port_receive_broadcasts_total", "Broadcasts received.", "rx-broadcast"),
        _count("mikrotik_switch_port_transmit_broadcasts_total", "Broadcasts sent.", "tx-broadcast"),
        _count("mikrotik_switch_port_receive_multicasts_total", "Multicasts received.", "rx-multicast"),
        _count("mikrotik_switch_port_transmit_multicasts_total", "Multicasts sent.", "tx-multicast"),
        _count("mikrotik_switch_port_receive_pauses_total", "Pause frames received.", "rx-pause"),
        _count("mikrotik_switch_port_transmit_pauses_total", "Pause frames sent.", "tx-pause"),
        _count("mikrotik_switch_port_receive_drops_total", "Frames received and dropped.", "rx-drop"),
        _count("mikrotik_switch_port_transmit_drops_total", "Frames dropped before sending.", "tx-drop"),
        _count(
            "mikrotik_switch_port_receive_fcs_errors_total",
            "Frames received with a wrong checksum.",
            "rx-fcs-error",
        ),
        _count(
            "mikrotik_switch_port_receive_align_errors_total",
            "Frames received out of alignment.",
            "rx-align-error",
        ),
        _count(
            "mikrotik_switch_port_receive_fragments_total",
            "Frames received short and broken.",
            "rx-fragment",
        ),
        _count(
            "mikrotik_switch_port_receive_overflows_total", "Frames lost for want of buffer.", "rx-overflow"
        ),
        _count("mikrotik_switch_port_transmit_collisions_total", "Collisions while sending.", "tx-collision"),
        _count(
            "mikrotik_switch_port_transmit_deferred_total",
            "Frames that had to wait for the wire.",
            "tx-deferred",
        ),
        _count(
            "mikrotik_switch_port_transmit_underruns_total",
            "Frames that could not be fed in time.",
            "tx-underrun",
        ),
        _count(
            "mikrotik_switch_port_driver_receive_bytes_total",
            "Bytes that the processor had from the port.",
            "driver-rx-byte",
        ),
        _count(
            "mikrotik_switch_port_driver_transmit_bytes_total",
            "Bytes that the processor gave to the port.",
            "driver-tx-byte",
        ),
        _count(
            "mikrotik_switch_port_driver_receive_packets_total",
            "Packets that the processor had from the port.",
            "driver-rx-packet",
        ),
        _count(
            "mikrotik_switch_port_driver_transmit_packets_total",
            "Packets that the processor gave to the port.",
            "driver-tx-packet",
        ),
    ),
)

SWITCH = Collector(
    name="switch",
    help="Switch chips: traffic, errors, pauses and drops as the hardware counts them.",
    ttl_s=60,
    tables=(_CHIPS, _PORTS),
    on_by_default=False,
)
