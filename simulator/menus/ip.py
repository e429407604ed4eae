"""/ip other than hotspot: addresses handed out, names resolved, services, connections tracked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from ..formats import duration, ipv4_number, seconds_of
from ..menu import Menu
from ..table import Row
from ..traffic import Moment
from .system import made

if TYPE_CHECKING:
    from ..world import World


def _renewed_s(row: Row, moment: Moment) -> float | None:
    """Seconds since the client last renewed: it does so at half of the lease time."""
    if row.values.get("status") != "bound":
        return None
    return (moment.now_s - row.since_s) % (seconds_of(row.values["lease-time"]) / 2)


def _expires_after(row: Row, moment: Moment) -> str | None:
    renewed_s = _renewed_s(row, moment)
    return None if renewed_s is None else duration(seconds_of(row.values["lease-time"]) - renewed_s)


def _last_seen(row: Row, moment: Moment) -> str | None:
    renewed_s = _renewed_s(row, moment)
    return "never" if renewed_s is None else duration(renewed_s)


def _age(row: Row, moment: Moment) -> str | None:
    return None if row.values.get("status") != "bound" else duration(moment.now_s - row.since_s)


def lease_removed(world: World, row: Row) -> None:
    """The client asks again when it would have renewed."""
    world.table("/ip/dhcp-server/lease").remove(row)
    if row.values.get("dynamic") == "true":
        values = dict(row.values)

        def ask_again() -> None:
            world.table("/ip/dhcp-server/lease").add(values, since_s=world.now_s)

        world.at(world.now_s + world.random.uniform(60, 300), ask_again)


def _pool_used(world: World) -> Iterable[Row]:
    for path, owner, info in (("/ppp/active", "PPP", "name"), ("/ip/hotspot/active", "hotspot", "user")):
        for row in world.table(path):
            if "pool" in row.values and "address" in row.values:
                yield made(
                    pool=row.values["pool"], address=row.values["address"], owner=owner, info=row.values[info]
                )
    for row in world.table("/ip/dhcp-server/lease"):
        if (
            row.values.get("status") == "bound"
            and row.values.get("dynamic") == "true"
            and "pool" in row.values
        ):
            yield made(
                pool=row.values["pool"],
                address=row.values["address"],
                owner="DHCP",
                info=row.values.get("mac-address", ""),
            )


def _size(ranges: str) -> int:
    size = 0
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        size += ipv4_number(last or first) - ipv4_number(first) + 1
    return size


def _used(row: Row) -> int:
    """Rows of a pool carry the world as their owner, since what is used is in other tables."""
    used = _pool_used(cast("World", row.owner))
    return sum(each.values["pool"] == row.values["name"] for each in used)


def _connections(world: World) -> Iterable[Row]:
    """Since 7.10 each open connection is a row of its service as well."""
    if world.version < (7, 10):
        return ()
    return [
        Row(
            f"*{0x100 + number:X}",
            {
                "name": "api",
                "port": "8728",
                "address": "",
                "dynamic": "true",
                "connection": f"{peer or '127.0.0.1'}:{40000 + number}",
                "local": "127.0.0.1:8728",
                "remote": f"{peer}:{40000 + number}",
            },
        )
        for number, (_, peer, _) in enumerate(world.sessions())
    ]


def _tracking(world: World) -> Iterable[Row]:
    entries = int(
        (150 + 20 * (len(world.table("/ppp/active")) + len(world.table("/ip/hotspot/active"))))
        * world.moment.slopes[2]
    )
    values = {
        "enabled": "auto",
        "active-ipv4": "true",
        "active-ipv6": "true",
        "tcp-established-timeout": "1d",
        "udp-timeout": "10s" if world.version < (7,) else "30s",
        "icmp-timeout": "10s",
        "max-entries": str(min(1048576, world.board.memory_mib * 1024)),
        "total-entries": str(entries),
    }
    if world.version >= (7, 18):
        values |= {"total-ip4-entries": str(entries - entries // 9), "total-ip6-entries": str(entries // 9)}
    return [Row("*0", values)]


def _dns_used(row: Row, moment: Moment) -> str | None:
    return str(int(180 + 60 * (moment.slopes[5] - 1.0)))


IP = (
    Menu(
        "/ip/dhcp-server",
        "name interface lease-time=30m address-pool=static-only authoritative=yes use-radius=no lease-script= "
        "dynamic=false invalid=false disabled=false comment",
        package="dhcp",
    ),
    Menu(
        "/ip/dhcp-server/lease",
        "address mac-address client-id address-lists= server dhcp-option= rate-limit status expires-after last-seen "
        "age@7 active-address active-mac-address active-client-id active-server host-name class-id radius=false "
        "dynamic=false blocked=false disabled=false comment",
        moving={"expires-after": _expires_after, "last-seen": _last_seen, "age": _age},
        active=lambda row: row.values.get("status") == "bound",
        package="dhcp",
        on_remove=lease_removed,
    ),
    Menu(
        "/ip/pool",
        "name ranges next-pool total@7.18 used@7.18 available@7.18 comment",
        moving={
            "total": lambda row, moment: str(_size(row.values["ranges"])),
            "used": lambda row, moment: str(_used(row)),
            "available": lambda row, moment: str(_size(row.values["ranges"]) - _used(row)),
        },
    ),
    Menu("/ip/pool/used", "pool address owner info", rows=_pool_used, editable=False),
    Menu(
        "/ip/arp",
        "address mac-address interface status@7 published=false invalid=false DHCP=false dynamic=false complete=false "
        "disabled=false comment",
    ),
    Menu(
        "/ip/dns",
        "servers= dynamic-servers= use-doh-server@6.47= verify-doh-cert@6.47=false allow-remote-requests=true "
        "max-udp-packet-size=4096 query-server-timeout=2s query-total-timeout=10s max-concurrent-queries=100 "
        "max-concurrent-tcp-sessions=20 cache-size=2048 cache-max-ttl=1w cache-used",
        moving={"cache-used": _dns_used},
        singleton=True,
    ),
    Menu(
        "/ip/service",
        "name port address= vrf@7 certificate tls-version max-sessions@7.16=20 dynamic@7.10 connection@7.10 "
        "local@7.10 remote@7.10 invalid=false disabled=false",
        rows=_connections,
        editable=False,
    ),
    Menu(
        "/ip/address",
        "address network interface actual-interface dynamic=false invalid=false slave@7 disabled=false comment",
    ),
    Menu("/ip/firewall", "", commands_only=True),
    Menu(
        "/ip/firewall/connection/tracking",
        "enabled active-ipv4@7 active-ipv6@7 tcp-established-timeout udp-timeout icmp-timeout max-entries "
        "total-entries total-ip4-entries total-ip6-entries",
        rows=_tracking,
        singleton=True,
    ),
)
