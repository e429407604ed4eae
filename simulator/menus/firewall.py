"""/ip/firewall and /ipv6/firewall: rules that count what they match, and address lists."""

from __future__ import annotations

from ..formats import duration
from ..menu import Menu
from ..table import Row
from ..traffic import Moment
from .moving import rx_bytes, rx_packets

_TIMEOUT_S = 86400.0
_RULE = (
    "chain action connection-state src-address dst-address protocol dst-port in-interface out-interface "
    "src-address-list to-addresses new-packet-mark log=false log-prefix= bytes packets invalid=false "
    "dynamic=false disabled=false comment"
)


def _timeout(row: Row, moment: Moment) -> str | None:
    """What a rule has put on a list stays for a day, and is put there again."""
    if row.values.get("dynamic") != "true":
        return None
    return duration(_TIMEOUT_S - (moment.now_s - row.since_s) % _TIMEOUT_S)


def _rules(path: str, package: str, since: tuple[int, ...] = ()) -> Menu:
    return Menu(
        path,
        _RULE,
        moving={"bytes": rx_bytes, "packets": rx_packets},
        stats="bytes packets",
        package=package,
        since=since,
        has_traffic=True,
    )


def _list(path: str, package: str) -> Menu:
    return Menu(
        path,
        "list address creation-time timeout dynamic=false disabled=false comment",
        moving={"timeout": _timeout},
        package=package,
    )


FIREWALL = (
    *(_rules(f"/ip/firewall/{name}", "") for name in ("filter", "nat", "mangle", "raw")),
    *(_rules(f"/ipv6/firewall/{name}", "ipv6") for name in ("filter", "mangle", "raw")),
    _rules("/ipv6/firewall/nat", "ipv6", (7, 1)),
    _list("/ip/firewall/address-list", ""),
    _list("/ipv6/firewall/address-list", "ipv6"),
)
