"""Tunnels: WireGuard, EoIP, GRE, IPIP and IPsec."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..formats import duration
from ..menu import Menu, Moving
from ..table import Row
from ..traffic import Moment
from .interface import is_type, switched
from .moving import rx_bytes, rx_packets, tx_bytes, tx_packets, uptime

if TYPE_CHECKING:
    from ..world import World

_STATISTICS = (
    *("in-errors", "in-buffer-errors", "in-header-errors", "in-no-states", "in-state-protocol-errors"),
    *("in-state-sequence-errors", "out-errors", "out-no-states", "out-policy-errors"),
)
_REKEY_S = 120.0
"""A peer in use shakes hands this often."""


def _last_handshake(row: Row, moment: Moment) -> str | None:
    """Time since the last handshake; one that never was, or one long ago, are stored."""
    if "silent-since" in row.values:
        since = float(row.values["silent-since"])
        return duration(moment.now_s - since) if since else None
    return duration((moment.now_s - row.since_s) % _REKEY_S)


def _in_use(compute: Moving) -> Moving:
    def maybe(row: Row, moment: Moment) -> str | None:
        return compute(row, moment) if row.values.get("state") == "established" else None

    return maybe


def _last_seen(row: Row, moment: Moment) -> str | None:
    return duration((moment.now_s - row.since_s) % 20)


def _statistics(world: World) -> Iterable[Row]:
    hours = int(world.uptime_s / 3600) if len(world.table("/ip/ipsec/active-peers")) else 0
    values = dict.fromkeys(_STATISTICS, "0")
    values |= {"in-no-states": str(hours // 3), "out-no-states": str(hours // 2)}
    return [Row("*0", values)]


_TUNNEL = "name mtu=auto actual-mtu=1476 local-address=0.0.0.0 remote-address keepalive dscp=inherit "
_FLAGS = " running@<7=false running@7 disabled=false comment"

TUNNEL = (
    Menu(
        "/interface/wireguard",
        "name mtu=1420 listen-port private-key public-key running disabled=false comment",
        table="/interface",
        where=is_type("wg"),
        since=(7, 1),
        sensitive="private-key",
        editable=False,
        on_change=switched,
    ),
    Menu(
        "/interface/wireguard/peers",
        "interface name@7.14 public-key private-key endpoint-address= endpoint-port=0 current-endpoint-address "
        "current-endpoint-port allowed-address preshared-key persistent-keepalive rx tx last-handshake dynamic "
        "disabled=false comment",
        moving={"rx": rx_bytes, "tx": tx_bytes, "last-handshake": _last_handshake},
        since=(7, 1),
        sensitive="private-key preshared-key",
    ),
    *(
        Menu(
            f"/interface/{protocol}",
            _TUNNEL + more + _FLAGS,
            table="/interface",
            where=is_type(kind),
            editable=False,
            on_change=switched,
        )
        for protocol, kind, more in (
            ("eoip", "eoip", "tunnel-id mac-address"),
            ("gre", "gre-tunnel", "allow-fast-path=true"),
            ("ipip", "ipip-tunnel", "allow-fast-path=true"),
        )
    ),
    Menu(
        "/ip/ipsec/active-peers",
        "id local-address remote-address state side uptime last-seen ph2-total responder natt-peer rx-bytes "
        "rx-packets tx-bytes tx-packets",
        moving={
            "uptime": _in_use(uptime),
            "last-seen": _last_seen,
            "rx-bytes": rx_bytes,
            "tx-bytes": tx_bytes,
            "rx-packets": rx_packets,
            "tx-packets": tx_packets,
        },
        package="security",
        editable=False,
    ),
    Menu(
        "/ip/ipsec/policy",
        "peer tunnel=true src-address dst-address protocol=all action=encrypt level=require proposal=default "
        "ph2-count ph2-state template@<7=false template@7 dynamic@<7=false dynamic@7 active@<7=false active@7 "
        "invalid@<7=false invalid@7 disabled=false comment",
        package="security",
    ),
    Menu(
        "/ip/ipsec/statistics",
        " ".join(_STATISTICS),
        rows=_statistics,
        package="security",
        singleton=True,
    ),
)
