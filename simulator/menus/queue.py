"""/queue. In pairs the first is the target's upload, which the router receives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..call import Answer, Call, Outcome
from ..commands import targets
from ..menu import Command, Menu
from ..table import Row
from ..traffic import Flow, Moment
from .moving import (
    bytes_pair,
    dropped_pair,
    packet_rate_pair,
    packets_pair,
    queued_bytes_pair,
    queued_packets,
    queued_packets_pair,
    rate_pair,
    tx_bytes,
    tx_packets,
    tx_part,
)

if TYPE_CHECKING:
    from ..world import World


def _reset(world: World, menu: Menu, call: Call) -> Outcome:
    for row in targets(world, menu, call):
        _zero(world, row)
    return Answer()


def _reset_all(world: World, menu: Menu, call: Call) -> Outcome:
    world.advance()
    for row in world.table(menu.source):
        _zero(world, row)
    return Answer()


def _zero(world: World, row: Row) -> None:
    """Counters of this queue only: the flow of a subscriber is also counted elsewhere."""
    if row.flow is not None:
        old = row.flow
        row.flow = Flow(old.rx_mean, old.tx_mean, world.moment, phase=old.phase)


def _rate(row: Row, moment: Moment) -> str | None:
    return str(int(row.flow.rate(moment).tx_bytes_per_s * 8)) if row.flow else None


def _packet_rate(row: Row, moment: Moment) -> str | None:
    flow = row.flow
    return str(int(flow.rate(moment).tx_bytes_per_s / flow.packet_bytes)) if flow else None


def _queued_bytes(row: Row, moment: Moment) -> str | None:
    return str(queued_packets(row, moment) * row.flow.packet_bytes) if row.flow else None


_NOW = "bytes packets dropped rate packet-rate queued-bytes queued-packets"
_RESETS = {"reset-counters": Command(_reset, "write"), "reset-counters-all": Command(_reset_all, "write")}

QUEUE = (
    Menu(
        "/queue/simple",
        "name target dst parent=none packet-marks= priority=8/8 queue=default-small/default-small limit-at=0/0 "
        "max-limit=0/0 burst-limit=0/0 burst-threshold=0/0 burst-time=0s/0s bucket-size=0.1/0.1 "
        "bytes total-bytes=0 packets total-packets=0 dropped total-dropped=0 rate total-rate=0 packet-rate "
        "total-packet-rate=0 queued-packets total-queued-packets=0 queued-bytes total-queued-bytes=0 pcq-queues=0/0 "
        "invalid=false dynamic=false disabled=false comment",
        moving={
            "bytes": bytes_pair,
            "packets": packets_pair,
            "dropped": dropped_pair,
            "rate": rate_pair,
            "packet-rate": packet_rate_pair,
            "queued-packets": queued_packets_pair,
            "queued-bytes": queued_bytes_pair,
        },
        stats=f"name {_NOW} total-bytes total-packets total-dropped total-rate total-packet-rate pcq-queues",
        commands=_RESETS,
        on_change=_zero,
        has_traffic=True,
    ),
    Menu(
        "/queue/tree",
        "name parent packet-mark= limit-at=0 max-limit=0 burst-limit=0 burst-threshold=0 burst-time=0s "
        f"bucket-size=0.1 priority=8 queue=default-small {_NOW} pcq-queues=0 invalid=false disabled=false comment",
        moving={
            "bytes": tx_bytes,
            "packets": tx_packets,
            "dropped": tx_part(800),
            "rate": _rate,
            "packet-rate": _packet_rate,
            "queued-packets": lambda row, moment: str(queued_packets(row, moment)),
            "queued-bytes": _queued_bytes,
        },
        stats=f"name {_NOW}",
        commands=_RESETS,
        on_change=_zero,
        has_traffic=True,
        first_id=0x1000000,
    ),
    Menu(
        "/queue/type",
        "name kind pfifo-limit bfifo-limit sfq-perturb sfq-allot red-limit red-min-threshold red-max-threshold "
        "red-burst red-avg-packet pcq-rate pcq-limit pcq-classifier pcq-total-limit mq-pfifo-limit "
        "fq-codel-limit@7 fq-codel-target@7 fq-codel-interval@7 cake-bandwidth@7 default=false",
    ),
    Menu(
        "/queue/interface",
        "interface queue=only-hardware-queue active-queue=only-hardware-queue default-queue",
    ),
)
