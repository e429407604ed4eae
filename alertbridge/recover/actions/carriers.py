"""Which interfaces a session needs: the one that its address is reached over, and all that this one stands on.

Nothing here asks anything: it works on rows that were read.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Sequence

from alertbridge.recover.actions.routerwork import is_on
from routeros import Record

_GROUND = frozenset(
    {"ether", "bridge", "vlan", "bond", "wlan", "wifi", "lte", "w60g", "cap", "pppoe-out", "vrrp"}
)
"""Types whose ground is a port or is found in their own menu; what runs over another is a tunnel."""


def addresses_of(users: Iterable[Record], username: str) -> frozenset[str]:
    """Where API sessions of this user come from, as the router sees it. Sessions of a second bridge count, too."""
    return frozenset(
        user["address"]
        for user in users
        if user.get("name") == username and user.get("address") and "api" in user.get("via", "api")
    )


def prefix_queries(address: str) -> tuple[str, ...]:
    """Query words for every IPv4 route that could hold `address`: 33 exact comparisons instead of the whole table."""
    nets = [str(ipaddress.ip_network(f"{address}/{bits}", strict=False)) for bits in range(33)]
    return (*(f"?dst-address={net}" for net in nets), *["?#|"] * 32)


class Wiring:
    """How a router's interfaces stand on one another."""

    def __init__(
        self,
        *,
        interfaces: Iterable[Record],
        vlans: Iterable[Record],
        bonds: Iterable[Record],
        ports: Iterable[Record],
        clients: Iterable[Record],
        addresses: Iterable[Record],
    ) -> None:
        self._types = {row["name"]: row.get("type", "") for row in interfaces if "name" in row}
        self._below: dict[str, set[str]] = defaultdict(set)
        self._addresses = tuple(addresses)
        for row in (*vlans, *clients):
            self._below[row.get("name", "")].add(row.get("interface", ""))
        for row in bonds:
            self._below[row.get("name", "")].update(row.get("slaves", "").split(","))
        for row in ports:
            self._below[row.get("bridge", "")].add(row.get("interface", ""))

    def __repr__(self) -> str:
        return f"<Wiring {len(self._types)} interfaces>"

    def needed_by(self, names: Iterable[str], hosts: Sequence[Record] = ()) -> frozenset[str]:
        """`names` and everything beneath them. Of a bridge only the port behind which `hosts` says that the other
        side is; every port where it does not say."""
        learned: dict[str, set[str]] = defaultdict(set)
        for host in hosts:
            if port := host.get("on-interface") or host.get("interface"):
                learned[host.get("bridge", "")].add(port)
        found: set[str] = set()
        waiting = [name for name in names if name]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            waiting += filter(None, learned[name] or self._below[name])
        return frozenset(found)

    def tunnel_among(self, names: Iterable[str]) -> str:
        """One of `names` that runs over the network rather than over a port; empty when there is none."""
        return next((name for name in sorted(names) if self._types.get(name, "ether") not in _GROUND), "")

    def way_out(self, routes: Iterable[Record], address: str) -> str:
        """The interface that the most special active route to `address` leads over; empty when it is not told."""
        usable = [row for row in routes if is_on(row, "active") and not is_on(row, "disabled")]
        if not usable:
            return self._connected(address)
        best = max(usable, key=lambda row: int(row.get("dst-address", "/0").rpartition("/")[2] or 0))
        said = best.get("immediate-gw", ""), best.get("gateway-status", ""), best.get("gateway", "")
        for text, mark in zip(said, ("%", " via ", "%"), strict=True):
            gateway, _, interface = text.split(",")[0].partition(mark)
            if interface.strip() in self._types:
                return interface.strip()
            if gateway.strip() in self._types:
                return gateway.strip()
        return self._connected(best.get("gateway", "").partition(",")[0])

    def _connected(self, address: str) -> str:
        """The interface with the narrowest network of our own that holds `address`."""
        found: list[tuple[int, str]] = []
        for row in self._addresses:
            try:
                net = ipaddress.ip_interface(row.get("address", "")).network
                if ipaddress.ip_address(address) in net:
                    found.append((net.prefixlen, row.get("interface", "")))
            except ValueError:
                continue
        return max(found, default=(0, ""))[1]
