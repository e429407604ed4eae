"""Firewall rules: what each static one has matched. Rules that RouterOS makes by itself are left out."""

from exporter.collectors.table import Collector, Label, Table, Where, count, counter

_TRUE = ("true", "yes")
_MENUS = {"4": "/ip/firewall", "6": "/ipv6/firewall"}
_TABLES = ("filter", "nat", "mangle", "raw")


def _table(version: str, name: str) -> Table:
    where = (Label("ip_version", value=version), Label("table", value=name))
    path = f"{_MENUS[version]}/{name}"
    return Table(
        name=f"{version} {name}",
        path=path,
        # A query and not a filter of ours: a hotspot makes dozens. Some builds leave the flag out when false.
        queries=("?dynamic=true", "?#!"),
        # Comments repeat or are empty; the id stays with a rule when others are put before it.
        labels=(*where, Label("chain"), Label("action"), Label("comment"), Label("rule", ".id")),
        rows=(
            counter(
                "mikrotik_firewall_rule_bytes_total",
                "Bytes of packets that matched the rule.",
                "bytes",
                source="/ip/firewall, /ipv6/firewall bytes",
            ),
            counter(
                "mikrotik_firewall_rule_packets_total",
                "Packets that matched the rule.",
                "packets",
                source="/ip/firewall, /ipv6/firewall packets",
            ),
            count("mikrotik_firewall_rules", "Rules that somebody has made.", *where),
            count(
                "mikrotik_firewall_rules_disabled",
                "Rules that are disabled.",
                *where,
                where=Where("disabled", _TRUE),
            ),
            count(
                "mikrotik_firewall_rules_invalid",
                "Rules that cannot work, as when their interface is gone.",
                *where,
                where=Where("invalid", _TRUE),
            ),
        ),
    )


FIREWALL = Collector(
    name="firewall",
    help="Bytes and packets of each filter, NAT, mangle and raw rule, IPv4 and IPv6.",
    ttl_s=60,
    tables=tuple(_table(version, name) for version in _MENUS for name in _TABLES),
    on_by_default=False,
)
