"""Bridges: spanning tree, ports, VLANs and how many hosts they know."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    Where,
    count,
    flag,
    gauge,
    info,
    state,
    switch,
)

_TRUE = ("true", "yes", "")
_BRIDGE = Label("bridge")

_BRIDGES = Table(
    name="bridges",
    path="/interface/bridge",
    labels=(Label("bridge", "name"),),
    also=(".id", "disabled"),
    rows=(
        switch("mikrotik_bridge_vlan_filtering", "1 if the bridge keeps VLANs apart.", "vlan-filtering"),
        info(
            "mikrotik_bridge_info", "Spanning tree protocol of a bridge.", Label("protocol", "protocol-mode")
        ),
    ),
)

_MONITOR = Table(
    name="monitor",
    path="/interface/bridge",
    numbers="bridges",
    numbers_where=Where("disabled", ("", "false", "no")),
    each=True,
    labels=(Label("bridge", "name"),),
    rows=(
        gauge("mikrotik_bridge_is_root", "1 while the bridge is the root of the tree.", "root-bridge", flag),
        gauge("mikrotik_bridge_root_path_cost", "Cost of the way to the root.", "root-path-cost"),
        gauge("mikrotik_bridge_ports", "Ports of the bridge.", "port-count"),
        gauge(
            "mikrotik_bridge_designated_ports",
            "Ports that forward away from the root.",
            "designated-port-count",
        ),
    ),
)

_PORTS = Table(
    name="ports",
    path="/interface/bridge/port",
    labels=(_BRIDGE, Label("interface")),
    also=("status", "inactive"),
    rows=(
        gauge(
            "mikrotik_bridge_port_active",
            "1 while the port takes part in the bridge.",
            "@active",
            source="/interface/bridge/port inactive, status",
        ),
        state(
            "mikrotik_bridge_port_role",
            "What the port does in the spanning tree: 1 for the role that holds.",
            "role",
            ("root-port", "designated-port", "alternate-port", "backup-port", "disabled-port"),
        ),
        switch(
            "mikrotik_bridge_port_hardware_offload",
            "1 while the switch chip forwards for the port.",
            "hw-offload",
        ),
        gauge("mikrotik_bridge_port_vlan_id", "VLAN of frames that come untagged.", "pvid"),
    ),
)

_VLANS = Table(
    name="vlans",
    path="/interface/bridge/vlan",
    labels=(_BRIDGE, Label("vlan_ids")),
    also=("current-tagged", "current-untagged"),
    rows=(
        count(
            "mikrotik_bridge_vlans",
            "VLAN entries, those that RouterOS made included.",
            _BRIDGE,
            over="bridges",
        ),
        gauge(
            "mikrotik_bridge_vlan_tagged_ports",
            "Ports that are in the VLAN now, tagged.",
            "@tagged",
            source="/interface/bridge/vlan current-tagged",
        ),
        gauge(
            "mikrotik_bridge_vlan_untagged_ports",
            "Ports that are in the VLAN now, untagged.",
            "@untagged",
            source="/interface/bridge/vlan current-untagged",
        ),
        info(
            "mikrotik_bridge_vlan_info",
            "Ports that are set up for a VLAN, and comment.",
            Label("tagged"),
            Label("untagged"),
            Label("comment"),
        ),
    ),
)

_HOSTS = Table(
    name="hosts",
    path="/interface/bridge/host",
    counted=True,  # the rows themselves would be the heaviest table of a switch
    rows=(
        gauge(
            "mikrotik_bridge_hosts",
            "MAC addresses that all bridges together know, their own included.",
            "@count",
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for record in replies.get("ports", ()):
        inactive = record.get("inactive", "false") in _TRUE or record.get("status") == "inactive"
        record["@active"] = str(int(not inactive))
    for record in replies.get("vlans", ()):
        for field, target in (("current-tagged", "@tagged"), ("current-untagged", "@untagged")):
            record[target] = str(len([name for name in record.get(field, "").split(",") if name]))


BRIDGE = Collector(
    name="bridge",
    help="Bridges: spanning tree, port roles, VLANs, number of hosts.",
    ttl_s=60,
    tables=(_BRIDGES, _MONITOR, _PORTS, _VLANS, _HOSTS),
    derive=_derive,
    policies=("read", "test"),
    on_by_default=False,
)
