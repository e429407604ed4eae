"""Address pools: how large they are and how much of them is given out.

Since 7.18 or so RouterOS says so itself. Before that the size follows from the ranges, and what is given out is
counted in `/ip/pool/used`, which is asked only then, since it has a row per address.
"""

from collections import Counter
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from exporter.collectors.table import Collector, Facts, Label, Record, Table, count, gauge, info


def _is_uncounted(replies: Mapping[str, list[Record]]) -> bool:
    return any("used" not in pool for pool in replies.get("pools", ()))


_POOLS = Table(
    name="pools",
    path="/ip/pool",
    labels=(Label("pool", "name"),),
    also=("total", "used", "available"),
    rows=(
        gauge(
            "mikrotik_ip_pool_addresses", "Addresses in the pool.", "@total", source="/ip/pool total, ranges"
        ),
        gauge(
            "mikrotik_ip_pool_used_addresses",
            "Addresses of the pool that are given out.",
            "@used",
            source="/ip/pool used, or rows of /ip/pool/used",
        ),
        gauge(
            "mikrotik_ip_pool_available_addresses",
            "Addresses of the pool that are free.",
            "@available",
            source="/ip/pool available, ranges",
        ),
        info(
            "mikrotik_ip_pool_info",
            "Ranges of a pool, and the one that follows it.",
            Label("ranges"),
            Label("next_pool"),
        ),
    ),
)

_USED = Table(name="used", path="/ip/pool/used", also=("pool",), after=_is_uncounted, rows=())

_V6_POOLS = Table(name="v6 pools", path="/ipv6/pool", also=("name",), rows=())

_V6_USED = Table(
    name="v6 used",
    path="/ipv6/pool/used",
    rows=(
        count(
            "mikrotik_ipv6_pool_used_prefixes",
            "Prefixes of an IPv6 pool that are given out.",
            Label("pool"),
            over="v6 pools",
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    counted = Counter([row.get("pool", "") for row in replies["used"]]) if "used" in replies else None
    for pool in replies.get("pools", ()):
        total = pool.get("total")
        if total is None and (size := pool_size(pool.get("ranges", ""))) is not None:
            total = str(size)
        used = pool.get("used")
        if used is None and counted is not None:
            used = str(counted[pool.get("name", "")])
        available = pool.get("available")
        if available is None and total is not None and used is not None and (total + used).isdecimal():
            available = str(max(0, int(total) - int(used)))
        told = {"@total": total, "@used": used, "@available": available}
        pool.update({name: value for name, value in told.items() if value is not None})


def pool_size(ranges: str) -> int | None:
    """Addresses in ranges such as ``10.0.0.2-10.0.0.9,10.1.0.0/24,10.2.0.1``; None for what cannot be read."""
    try:
        return sum(_range_size(part.strip()) for part in ranges.split(",")) if ranges else None
    except ValueError:
        return None


def _range_size(text: str) -> int:
    if "/" in text:
        return ip_network(text, strict=False).num_addresses
    first, _, last = text.partition("-")
    return int(ip_address(last or first)) - int(ip_address(first)) + 1


POOL = Collector(
    name="pool",
    help="Address pools: size, given out and free.",
    ttl_s=120,
    tables=(_POOLS, _USED, _V6_POOLS, _V6_USED),
    derive=_derive,
    on_by_default=False,
)
