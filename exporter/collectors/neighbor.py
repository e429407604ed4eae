"""Devices that announce themselves by MNDP, CDP or LLDP, counted: what they say of themselves is not exported."""

from exporter.collectors.table import Collector, Facts, Label, Record, Table, count


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for row in replies.get(
        "neighbor", ()
    ):  # "ether2,bridge" where a port is in a bridge: the port comes first
        row["@interface"] = row.get("interface", "").split(",", 1)[0]


NEIGHBOR = Collector(
    name="neighbor",
    help="Neighbours per interface.",
    ttl_s=60,
    tables=(
        Table(
            name="neighbor",
            path="/ip/neighbor",
            also=("interface",),
            rows=(
                count(
                    "mikrotik_neighbors",
                    "Devices that announce themselves on an interface.",
                    Label("interface", "@interface"),
                ),
            ),
        ),
    ),
    derive=_derive,
    on_by_default=False,
)
