"""VLAN interfaces: what joins their counters, which the collector `interface` has, with VLAN and parent."""

from exporter.collectors.table import Collector, Label, Table, count, info

VLAN = Collector(
    name="vlan",
    help="VLAN interfaces: id and parent, to be joined with those of `interface`.",
    ttl_s=300,
    tables=(
        Table(
            name="vlans",
            path="/interface/vlan",
            labels=(Label("interface", "name"),),
            rows=(
                count(
                    "mikrotik_vlans", "VLAN interfaces, by the interface below.", Label("parent", "interface")
                ),
                info(
                    "mikrotik_vlan_info",
                    "VLAN, interface below, and comment.",
                    Label("vlan_id"),
                    Label("parent", "interface"),
                    Label("comment"),
                ),
            ),
        ),
    ),
    on_by_default=False,
)
