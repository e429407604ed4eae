"""The ARP table, counted: how many neighbours each interface knows, and how many of them answer."""

from exporter.collectors.table import Collector, Label, Table, Where, count

_INTERFACE = Label("interface")

ARP = Collector(
    name="arp",
    help="ARP entries by interface and status.",
    ttl_s=60,
    tables=(
        Table(
            name="arp",
            path="/ip/arp",
            rows=(
                count(
                    "mikrotik_arp_entries",
                    "ARP entries; RouterOS 6 tells no status.",
                    _INTERFACE,
                    Label("status"),
                ),
                count(
                    "mikrotik_arp_entries_complete",
                    "ARP entries whose MAC address is known.",
                    _INTERFACE,
                    where=Where("complete", ("true", "yes")),
                ),
            ),
        ),
    ),
    on_by_default=False,
)
