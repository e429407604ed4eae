"""OSPF neighbours."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    Where,
    count,
    counter,
    duration,
    gauge,
    info,
    state,
)

_STATES = ("down", "attempt", "init", "2-way", "exstart", "exchange", "loading", "full")
_INSTANCE = Label("ospf_instance", "instance")  # `instance` is what Prometheus calls the target

_NEIGHBORS = Table(
    name="neighbors",
    path="/routing/ospf/neighbor",
    labels=(_INSTANCE, Label("router_id"), Label("address")),
    also=("state",),
    rows=(
        count("mikrotik_ospf_neighbors", "Neighbours heard of.", _INSTANCE, over="instances"),
        count(
            "mikrotik_ospf_neighbors_full",
            "Neighbours whose database is the same as ours.",
            _INSTANCE,
            where=Where("@state", ("full",)),
            over="instances",
        ),
        state(
            "mikrotik_ospf_neighbor_state",
            "How far adjacency has come: 1 for the state that holds.",
            "@state",
            _STATES,
        ),
        counter(
            "mikrotik_ospf_neighbor_state_changes_total",
            "Times that the state changed.",
            "state-changes",
        ),
        gauge(
            "mikrotik_ospf_neighbor_adjacency_seconds",
            "Time since adjacency was reached.",
            "adjacency",
            duration,
        ),
        gauge(
            "mikrotik_ospf_neighbor_retransmits",
            "Link states that wait for the neighbour's word and are sent again.",
            "ls-retransmits",
        ),
        info(
            "mikrotik_ospf_neighbor_info",
            "Area and interface of a neighbour.",
            Label("ospf_area", "area"),
            Label("interface"),
        ),
    ),
)

_INSTANCES = Table(name="instances", path="/routing/ospf/instance", also=("name",), rows=())


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for record in replies.get("neighbors", ()):
        if current := record.get("state"):
            record["@state"] = current.lower()


OSPF = Collector(
    name="ospf",
    help="OSPF neighbours: state, changes, adjacency.",
    ttl_s=30,
    tables=(_INSTANCES, _NEIGHBORS),
    derive=_derive,
    on_by_default=False,
)
