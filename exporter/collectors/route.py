"""Routes, counted on the router: a full BGP table is never sent.

RouterOS 7 leaves a false flag out, and says a true one as ``true`` or with no value at all; what is counted are
therefore the rows that have the flag, unless it is there and false.
"""

from exporter.collectors.table import Collector, Label, Table, gauge

_PATHS = {"4": "/ip/route", "6": "/ipv6/route"}
_PROTOCOLS = {
    "4": ("connect", "static", "dhcp", "vpn", "bgp", "ospf", "rip"),
    "6": ("connect", "static", "dhcp", "slaac", "bgp", "ospf"),
}


def _has(flag: str) -> tuple[str, ...]:
    return f"?{flag}", f"?{flag}=false", "?#!"


def _count(version: str, name: str, help_text: str, *flags: str, protocol: str = "") -> Table:
    return Table(
        name=" ".join((version, *flags)),
        path=_PATHS[version],
        counted=True,
        queries=tuple(word for flag in flags for word in _has(flag)),
        labels=(
            Label("ip_version", value=version),
            *((Label("protocol", value=protocol),) if protocol else ()),
        ),
        rows=(gauge(name, help_text, "@count"),),
    )


def _tables(version: str) -> tuple[Table, ...]:
    return (
        _count(version, "mikrotik_routes", "Routes, active or not."),
        _count(version, "mikrotik_routes_active", "Routes that are in use.", "active"),
        *(
            _count(
                version,
                "mikrotik_routes_active_by_protocol",
                "Routes in use, by where they come from.",
                "active",
                protocol,
                protocol=protocol,
            )
            for protocol in _PROTOCOLS[version]
        ),
    )


ROUTE = Collector(
    name="route",
    help="Routes by IP version and protocol, counted on the router; slow where the table is a full one.",
    ttl_s=300,
    tables=(*_tables("4"), *_tables("6")),
    on_by_default=False,
)
