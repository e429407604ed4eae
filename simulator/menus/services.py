"""What a router does beside routing: time, its own name in DNS, disks, power, containers, block lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..formats import duration, fine_duration
from ..menu import Menu
from ..table import Row
from ..traffic import Moment
from .interface import monitor
from .moving import idle_time, rx_bytes, tx_bytes
from .system import hash_of, made

if TYPE_CHECKING:
    from ..world import World

_JOB_S = 34.0
"""How long a script runs."""
_CLIENT_LEASE_S = 86400.0
_MODE_FEATURES = (
    "container=false email=true fetch=true hotspot=true ipsec=true l2tp=true pptp=true proxy=true romon=true "
    "scheduler=true smb=true sniffer=true socks=true bandwidth-test=true traffic-gen=false zerotier=true "
    "install-any-version@7.17=false partitions@7.17=false routerboard@7.17=false"
)


def _ntp(world: World) -> Iterable[Row]:
    offset_ms = 4 * (world.moment.slopes[6] - 1.0)
    server = "192.0.2.123"
    if world.version >= (7,):
        return [
            made(
                servers=server,
                freq_drift="-3.109",
                status="synchronized",
                synced_server=server,
                synced_stratum="2",
                system_offset=f"{offset_ms:.3f}",
            )
        ]
    return [
        made(
            primary_ntp=server,
            secondary_ntp="0.0.0.0",  # noqa: S104 - none, in RouterOS's words
            poll_interval="15m",
            active_server=server,
            last_update_from=server,
            last_update_before=duration(world.uptime_s % 900),
            last_adjustment=("-" if offset_ms < 0 else "") + fine_duration(abs(offset_ms) / 1000),
        )
    ]


def _cloud(world: World) -> Iterable[Row]:
    number = hash_of(world) % 10**8
    behind = world.spec.profile in ("home", "legacy")
    return [
        made(
            public_address=f"203.0.113.{number % 250 + 1}",
            dns_name=f"ex{number:08d}.sn.example.net",
            status="updated",
            **({"warning": "DDNS server received request from another address"} if behind else {}),
        )
    ]


def _mode(world: World) -> Iterable[Row]:
    return [made(mode="advanced" if world.version >= (7, 17) else "enterprise")]


def _jobs(world: World) -> Iterable[Row]:
    """A script that the scheduler starts runs for a while."""
    for number, row in enumerate(world.table("/system/scheduler"), start=1):
        every_s = float(row.values.get("every", "0"))
        running_s = (world.now_s - row.since_s) % every_s if every_s else every_s
        if every_s and running_s < _JOB_S:
            started = world.date(world.now_s - running_s)
            yield Row(
                f"*{number:X}",
                {"script": row.values["on-event"], "owner": "admin", "started": started, "type": "scheduler"},
            )


def _v6_used(world: World) -> Iterable[Row]:
    for row in world.table("/ipv6/dhcp-server/binding"):
        if row.values.get("status") == "bound":
            values = row.values
            yield made(pool="pd", prefix=values["address"], owner="DHCP", info=values["duid"])


def _ups_sample(world: World, _row: Row) -> list[tuple[str, str]]:
    swing = world.moment.slopes[7] - 1.0
    return [
        ("on-line", "true"),
        ("on-battery", "false"),
        ("low-battery", "false"),
        ("overload", "false"),
        ("replace-battery", "false"),
        ("runtime-left", duration(2490 - 200 * swing)),
        ("battery-charge", "100"),
        ("battery-voltage", f"{27.3 + 0.4 * swing:.1f}"),
        ("line-voltage", f"{229 + 8 * swing:.0f}"),
        ("output-voltage", f"{230 + 2 * swing:.0f}"),
        ("load", f"{17 + 8 * swing:.0f}"),
        ("temperature", f"{29 + 4 * swing:.0f}"),
        ("frequency", "50"),
    ]


def _memory(row: Row, moment: Moment) -> str | None:
    base = int(row.values.get("memory", "0"))
    return str(int(base * moment.slopes[1]))


def _cpu(row: Row, moment: Moment) -> str | None:
    return f"{2.5 * moment.slopes[2]:.1f}%" if row.values.get("memory", "0") != "0" else "0%"


def _client_expires(row: Row, moment: Moment) -> str | None:
    if row.values.get("status") != "bound":
        return None
    return duration(_CLIENT_LEASE_S - (moment.now_s - row.since_s) % (_CLIENT_LEASE_S / 2))


def _binding_expires(row: Row, moment: Moment) -> str | None:
    if row.values.get("status") != "bound":
        return None
    return duration(3 * 86400 - (moment.now_s - row.since_s) % 86400)


def _matches(row: Row, moment: Moment) -> str | None:
    return str(int((moment.now_s - row.since_s) * 0.8))


def _rate_down(row: Row, moment: Moment) -> str | None:
    return str(int(row.flow.rate(moment).tx_bytes_per_s * 8)) if row.flow else "0"


def _rate_up(row: Row, moment: Moment) -> str | None:
    return str(int(row.flow.rate(moment).rx_bytes_per_s * 8)) if row.flow else "0"


SERVICES = (
    Menu(
        "/system/ntp/client",
        "enabled=true mode=unicast servers@7 vrf@7=main freq-drift@7 status@7 synced-server@7 synced-stratum@7 "
        "system-offset@7 primary-ntp@<7 secondary-ntp@<7 poll-interval@<7 active-server@<7 last-update-from@<7 "
        "last-update-before@<7 last-adjustment@<7",
        rows=_ntp,
        singleton=True,
    ),
    Menu(
        "/ip/cloud",
        "ddns-enabled=true ddns-update-interval=none update-time=true public-address dns-name status warning",
        rows=_cloud,
        singleton=True,
    ),
    Menu(
        "/system/device-mode",
        f"mode flagged=false flagging-enabled=true {_MODE_FEATURES} attempt-count=0",
        rows=_mode,
        singleton=True,
        since=(7, 1),
    ),
    Menu("/disk", "slot@7 name@<7 type model fs size free use", editable=False),
    Menu(
        "/system/ups",
        "name port offline-time=5m min-runtime=never alarm-setting=immediate model version "
        "nominal-battery-voltage invalid=false disabled=false",
        commands={"monitor": monitor(_ups_sample)},
        package="ups",
        extra_package="ups",
    ),
    Menu(
        "/container",
        "name tag os arch interface root-dir memory-current cpu-usage@7.18 restart-count@7.18=0 status@<7.18 "
        "running@7.18 stopped@7.18 healthy@7.18 unhealthy@7.18 comment",
        moving={"memory-current": _memory, "cpu-usage": _cpu},
        since=(7, 4),
        extra_package="container",
    ),
    Menu("/system/script/job", "script owner policy started type", rows=_jobs, editable=False),
    Menu(
        "/ip/dhcp-client",
        "interface add-default-route=yes use-peer-dns=true status address gateway dhcp-server primary-dns "
        "expires-after dynamic=false invalid=false disabled=false comment",
        moving={"expires-after": _client_expires},
        package="dhcp",
    ),
    Menu(
        "/ipv6/dhcp-server/binding",
        "address duid iaid server status expires-after last-seen dynamic=false disabled=false comment",
        moving={"expires-after": _binding_expires},
        package="ipv6",
    ),
    Menu("/ipv6/pool", "name prefix prefix-length dynamic=false", package="ipv6"),
    Menu("/ipv6/pool/used", "pool prefix owner info", rows=_v6_used, package="ipv6", editable=False),
    Menu(
        "/ip/dns/adlist",
        "url file ssl-verify=true match-count name-count disabled=false",
        moving={"match-count": _matches},
        since=(7, 15),
    ),
    Menu(
        "/ip/kid-control/device",
        "name mac-address user ip-address activity bytes-down bytes-up rate-down rate-up idle-time blocked=false "
        "limited=false inactive=false dynamic=true disabled=false",
        moving={
            "bytes-down": tx_bytes,
            "bytes-up": rx_bytes,
            "rate-down": _rate_down,
            "rate-up": _rate_up,
            "idle-time": idle_time,
        },
        editable=False,
    ),
)
