"""/ip/hotspot. Everywhere bytes-in is what comes from the client: its upload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import duration
from ..menu import Menu
from ..table import Occupant, Row
from ..traffic import Moment
from .moving import idle_time, rx_bytes, rx_packets, tx_bytes, tx_packets, uptime

if TYPE_CHECKING:
    from ..world import World


def _time_left(row: Row, moment: Moment) -> str | None:
    """Only for sessions with a limit, which is stored as `until`."""
    until = row.values.get("until")
    return None if until is None else duration(float(until) - moment.now_s)


def _expires_in(row: Row, moment: Moment) -> str | None:
    return duration(row.since_s - moment.now_s)


def _lifetime_up(row: Row, moment: Moment) -> str | None:
    return str(int(row.values.get("past-in", "0")) + (row.flow.rx(moment) if row.flow else 0))


def _lifetime_down(row: Row, moment: Moment) -> str | None:
    return str(int(row.values.get("past-out", "0")) + (row.flow.tx(moment) if row.flow else 0))


def _lifetime_packets_up(row: Row, moment: Moment) -> str | None:
    return str(int(_lifetime_up(row, moment) or 0) // 900)


def _lifetime_packets_down(row: Row, moment: Moment) -> str | None:
    return str(int(_lifetime_down(row, moment) or 0) // 900)


def _lifetime(row: Row, moment: Moment) -> str | None:
    running = moment.now_s - row.since_s if row.flow else 0.0
    return duration(float(row.values.get("past-uptime", "0")) + running)


def end_session(world: World, row: Row) -> None:
    """An operator throws a guest out; with a cookie he is back at once."""
    if isinstance(row.owner, Occupant):
        row.owner.thrown_out(world)
    else:
        world.table("/ip/hotspot/host").remove(row)


_COUNTERS = "bytes-in bytes-out packets-in packets-out"
_SESSION = {
    "uptime": uptime,
    "idle-time": idle_time,
    "session-time-left": _time_left,
    "bytes-in": rx_bytes,
    "bytes-out": tx_bytes,
    "packets-in": rx_packets,
    "packets-out": tx_packets,
}

HOTSPOT = (
    Menu(
        "/ip/hotspot",
        "name interface address-pool=none profile=default idle-timeout=5m keepalive-timeout=none "
        "login-timeout=none addresses-per-mac=2 ip-of-dns-name proxy-status=running invalid=false HTTPS=false "
        "disabled=false comment",
        package="hotspot",
    ),
    Menu(
        "/ip/hotspot/active",
        "server user domain address mac-address login-by uptime idle-time session-time-left idle-timeout "
        f"keepalive-timeout {_COUNTERS} limit-bytes-in limit-bytes-out limit-bytes-total advertisement=disabled "
        "radius=false blocked=false comment",
        moving=_SESSION,
        package="hotspot",
        editable=False,
        on_remove=end_session,
        stats=f"user uptime {_COUNTERS}",
        first_id=0xA140A00,
    ),
    Menu(
        "/ip/hotspot/host",
        "mac-address address to-address server uptime idle-time idle-timeout keepalive-timeout host-dead-time "
        f"bridge-port vlan-id@7 {_COUNTERS} found-by DHCP=false authorized=false bypassed=false static=false "
        "dynamic=true blocked@7.10=false comment",
        moving={key: value for key, value in _SESSION.items() if key != "session-time-left"},
        package="hotspot",
        editable=False,
        on_remove=end_session,
        first_id=0x7000,
    ),
    Menu(
        "/ip/hotspot/user",
        "server=all name password profile=default address mac-address email limit-uptime limit-bytes-in "
        f"limit-bytes-out limit-bytes-total uptime {_COUNTERS} default=false dynamic=false disabled=false comment",
        moving={
            "uptime": _lifetime,
            "bytes-in": _lifetime_up,
            "bytes-out": _lifetime_down,
            "packets-in": _lifetime_packets_up,
            "packets-out": _lifetime_packets_down,
        },
        sensitive="password",
        package="hotspot",
    ),
    Menu(
        "/ip/hotspot/user/profile",
        "name shared-users=1 rate-limit session-timeout idle-timeout=none keepalive-timeout=2m address-pool=none "
        "parent-queue status-autorefresh=1m transparent-proxy=false add-mac-cookie=true mac-cookie-timeout=3d "
        "default=false",
        package="hotspot",
    ),
    Menu(
        "/ip/hotspot/cookie",
        "user domain= mac-address expires-in mac-cookie=false",
        moving={"expires-in": _expires_in},
        package="hotspot",
        first_id=0x500,
    ),
    Menu(
        "/ip/hotspot/profile",
        "name hotspot-address=0.0.0.0 dns-name html-directory=hotspot rate-limit "
        "login-by=cookie,http-chap,mac-cookie http-cookie-lifetime=3d use-radius=false radius-accounting=true "
        "trial-uptime-limit trial-uptime-reset split-user-domain=false install-hotspot-queue=false ssl-certificate "
        "default=false",
        package="hotspot",
    ),
    Menu(
        "/ip/hotspot/ip-binding",
        "mac-address address to-address server=all type=regular bypassed=false blocked=false disabled=false comment",
        package="hotspot",
    ),
    Menu(
        "/ip/hotspot/walled-garden",
        "action=allow dst-host server dst-port path method hits=0 dynamic=false disabled=false comment",
        package="hotspot",
    ),
)
