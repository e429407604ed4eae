"""Disks besides the system's own: size and what is free."""

from exporter.collectors.table import Collector, Facts, Label, Record, Table, gauge, info, size

_DISKS = Table(
    name="disks",
    path="/disk",
    labels=(Label("disk", "@disk"),),
    also=("slot", "name"),
    rows=(
        gauge("mikrotik_disk_size_bytes", "Size of a disk.", "size", size),
        gauge("mikrotik_disk_free_bytes", "What is free on a disk.", "free", size),
        info(
            "mikrotik_disk_info",
            "Kind, model and file system of a disk.",
            Label("type"),
            Label("model"),
            Label("fs"),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for row in replies.get("disks", ()):
        row["@disk"] = row.get("slot") or row.get("name", "")  # RouterOS 6 knows no slots


DISK = Collector(
    name="disk",
    help="Size and free space of disks.",
    ttl_s=300,
    tables=(_DISKS,),
    derive=_derive,
    on_by_default=False,
)
