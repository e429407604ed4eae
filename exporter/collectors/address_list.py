"""Firewall address lists, counted. Every entry is read, so this is for long intervals."""

from exporter.collectors.table import Collector, Label, Table, Where, count


def _table(version: str, path: str) -> Table:
    labels = (Label("ip_version", value=version), Label("list"))
    return Table(
        name=f"v{version}",
        path=path,
        rows=(
            count("mikrotik_address_list_entries", "Addresses on a list.", *labels),
            count(
                "mikrotik_address_list_entries_dynamic",
                "Addresses that a rule, a lease or a session has put on a list; absent while there are none.",
                *labels,
                where=Where("dynamic", ("true", "yes")),
            ),
        ),
    )


ADDRESS_LIST = Collector(
    name="address_list",
    help="Entries of each firewall address list.",
    ttl_s=300,
    tables=(_table("4", "/ip/firewall/address-list"), _table("6", "/ipv6/firewall/address-list")),
    on_by_default=False,
)
