"""Routing protocols: BGP, OSPF, BFD, and what routing costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..formats import duration, fine_duration
from ..menu import Menu
from ..table import Row
from ..traffic import Moment
from .moving import rx_bytes, rx_packets, tx_bytes, tx_packets, uptime

if TYPE_CHECKING:
    from ..world import World

_PROCESSES = (
    ("main", "routing tables\n rib\n connected networks", 0.4),
    ("fib", "fib", 2.0),
    ("policy", "policy\n configuration", 0.1),
    ("bgp", "bgp\n 203.0.113.9", 1.1),
)


def _uptime_ms(row: Row, moment: Moment) -> str | None:
    return f"{duration(moment.now_s - row.since_s)}720ms"


def _if_up(row: Row, moment: Moment) -> str | None:
    return uptime(row, moment) if row.values.get("state") in ("established", "up") else None


def _prefixes(row: Row, moment: Moment) -> str | None:
    base = row.values.get("prefixes")
    return None if base is None else str(int(int(base) * (0.75 + 0.25 * moment.slopes[5])))


def _adjacency(row: Row, moment: Moment) -> str | None:
    return uptime(row, moment) if row.values["state"] == "Full" else None


def _dead_time(row: Row, moment: Moment) -> str | None:
    return f"{40 - int(moment.now_s + row.since_s) % 10}s"


def _processes(world: World) -> Iterable[Row]:
    for number, (name, tasks, share) in enumerate(_PROCESSES, start=1):
        if name == "bgp" and not len(world.table("/routing/bgp/connection")):
            continue
        spent_s = world.uptime_s * share / 4000
        resident = int((9.5 + 4 * share) * 1024 * 1024)
        yield Row(
            f"*{number}",
            {
                "tasks": tasks,
                "private-mem-blocks": f"{1200 + 400 * number}.0KiB",
                "shared-mem-blocks": "2560.0KiB",
                "rss": f"{resident / 1048576:.1f}MiB",
                "vms": f"{3 * resident / 1048576:.1f}MiB",
                "id": name,
                "pid": str(150 + number),
                "process-time": fine_duration(spent_s),
                "kernel-time": fine_duration(spent_s / 3),
                "max-busy": "20ms",
                "max-calc": "10ms",
            },
        )


_BFD = {"uptime": _if_up, "packets-rx": rx_packets, "packets-tx": tx_packets}

ROUTING = (
    Menu(
        "/routing/bgp/peer",
        "name instance=default remote-address remote-as tcp-md5-key nexthop-choice=default ttl=default "
        "hold-time=3m in-filter= out-filter= uptime prefix-count updates-sent updates-received withdrawn-sent "
        "withdrawn-received state established disabled=false comment",
        moving={
            "uptime": _if_up,
            "prefix-count": _prefixes,
            "updates-sent": tx_packets,
            "updates-received": rx_packets,
        },
        sensitive="tcp-md5-key",
        package="routing",
        until=(7,),
    ),
    Menu(
        "/routing/bgp/connection",
        "name instance@7.20 remote.address remote.as local.address local.role as router-id hold-time tcp-md5-key "
        "inactive disabled=false comment",
        sensitive="tcp-md5-key",
        since=(7,),
    ),
    Menu(
        "/routing/bgp/session",
        "name remote.address remote.as remote.id remote.messages remote.bytes local.address local.as "
        "local.messages local.bytes ebgp ibgp hold-time=3m uptime prefix-count last-started last-stopped established",
        moving={
            "uptime": _uptime_ms,
            "prefix-count": _prefixes,
            "remote.messages": rx_packets,
            "remote.bytes": rx_bytes,
            "local.messages": tx_packets,
            "local.bytes": tx_bytes,
        },
        since=(7,),
        editable=False,
        first_id=0x2800001,
    ),
    Menu("/routing/ospf/instance", "name version@7=2 vrf@7=main router-id disabled=false", package="routing"),
    Menu(
        "/routing/ospf/neighbor",
        "instance area@7 interface@<7 address router-id priority=1 dr=0.0.0.0 bdr=0.0.0.0 state state-changes "
        "ls-retransmits=0 ls-requests=0 db-summaries=0 adjacency timeout@7",
        moving={"adjacency": _adjacency, "timeout": _dead_time},
        package="routing",
        editable=False,
    ),
    Menu(
        "/routing/bfd/session",
        "remote-address local-address state up state-changes uptime desired-tx-interval actual-tx-interval "
        "required-min-rx remote-min-rx multiplier hold-time packets-rx packets-tx",
        moving=_BFD,
        since=(7, 11),
        editable=False,
    ),
    Menu(
        "/routing/bfd/neighbor",
        "interface address state up state-changes uptime multiplier hold-time packets-rx packets-tx",
        moving=_BFD,
        table="/routing/bfd/session",
        until=(7,),
        package="routing",
        editable=False,
    ),
    Menu(
        "/routing/stats/process",
        "tasks private-mem-blocks shared-mem-blocks pss rss vms retired id pid process-time kernel-time max-busy "
        "max-calc",
        rows=_processes,
        since=(7,),
        editable=False,
    ),
)
