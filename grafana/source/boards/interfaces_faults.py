"""Interfaces: errors, optics, power."""

from typing import Final

from grafana.source import links
from grafana.source.colours import CRITICAL, OK
from grafana.source.expressions import port
from grafana.source.limits import Limits, falling, rising
from grafana.source.panels import Text, graph
from grafana.source.queries import Query
from grafana.source.tables import Column, Label, table
from grafana.source.units import Unit

_BY: Final = "router, interface"
_NAME: Final = "{{router}} {{interface}}"
_OF: Final = [links.interface_of(), links.router_of()]


ERRORS: Final = (
    graph(
        "Broken packets",
        "Share of packets that came or went broken; the lines are those of InterfaceErrors.",
        Unit.RATIO,
        Query(f"topk(10, {port('router_interface:errors:ratio_rate5m')} > 0)", _NAME),
        limits=rising("interface_errors"),
        low=0,
        links=_OF,
        width=8,
    ),
    graph(
        "Errors and drops by kind",
        "All interfaces chosen together. Drops mean a queue that is too full; errors mean a cable or a module.",
        Unit.PACKETS_PER_S,
        *(
            Query(f"sum(rate({port(f'mikrotik_interface_{name}_total')}[$__rate_interval]))", word)
            for name, word in (
                ("receive_errors", "Received broken"),
                ("transmit_errors", "Not sent"),
                ("receive_drops", "Received, dropped"),
                ("transmit_drops", "Dropped before sending"),
                ("transmit_queue_drops", "Dropped in the queue"),
            )
        ),
        low=0,
        width=8,
    ),
    graph(
        "What the chip counts",
        "Frames with a wrong checksum, fragments, jabbers, collisions, overflows.",
        Unit.PACKETS_PER_S,
        *(
            Query(f"sum(rate({port(f'mikrotik_ethernet_{name}_total')}[$__rate_interval]))", word)
            for name, word in (
                ("receive_fcs_errors", "Wrong checksum"),
                ("receive_fragments", "Fragments"),
                ("receive_jabbers", "Jabbers"),
                ("transmit_late_collisions", "Late collisions"),
                ("receive_overflows", "Overflows"),
            )
        ),
        low=0,
        width=8,
    ),
)

OPTICS: Final = (
    graph(
        "Optical power received",
        Text(
            (
                "Below the lines light is too weak: dirt, a bend, or a module that ages. Fell it at once, somebody "
                "moved it."
            ),
            "Daya optik yang diterima. Di bawah garis berarti terlalu lemah.",
        ),
        Unit.DBM,
        Query(port("mikrotik_sfp_receive_power_dbm"), _NAME),
        limits=falling("optical_power"),
        links=_OF,
        width=8,
    ),
    graph(
        "Optical power sent",
        "What each laser sends.",
        Unit.DBM,
        Query(port("mikrotik_sfp_transmit_power_dbm"), _NAME),
        links=_OF,
        width=8,
    ),
    graph(
        "Modules' temperature",
        "Most modules bear 70 degrees.",
        Unit.CELSIUS,
        Query(port("mikrotik_sfp_temperature_celsius"), _NAME),
        limits=Limits(OK, (70, CRITICAL)),
        links=_OF,
        width=8,
    ),
    table(
        "Modules",
        "What each module says of itself.",
        [
            Label("router", "Router"),
            Label("interface", "Interface", least=110),
            Label("vendor", "Vendor"),
            Label("part_number", "Part"),
            Label("serial_number", "Serial"),
            Label("type", "Type"),
        ],
        [
            Column(
                "Power",
                f"{port('mikrotik_sfp_info')} * on ({_BY}) group_left () "
                f"{port('mikrotik_sfp_receive_power_dbm')}",
                Unit.DBM,
                limits=falling("optical_power"),
            )
        ],
        width=12,
        height=6,
    ),
    graph(
        "Power over ethernet",
        "What each port feeds.",
        Unit.WATTS,
        Query(port("mikrotik_poe_out_power_watts"), _NAME),
        low=0,
        links=_OF,
        width=12,
        height=6,
    ),
)
