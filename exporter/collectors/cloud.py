"""IP cloud: dynamic DNS and the address that the world sees."""

from exporter.collectors.table import Collector, Facts, Label, Record, Table, gauge, info, state, switch

_CLOUD = Table(
    name="cloud",
    path="/ip/cloud",
    also=("status", "warning"),
    rows=(
        switch(
            "mikrotik_cloud_ddns_enabled",
            "1 if the router keeps its name in DNS up to date.",
            "ddns-enabled",
            absent=None,
        ),
        state(
            "mikrotik_cloud_status",
            "How the latest update went: 1 for the state that holds.",
            "@status",
            ("updated", "updating", "requesting", "error"),
        ),
        gauge(
            "mikrotik_cloud_warning",
            "1 if there is a warning, as when the router is behind another's address translation.",
            "@warning",
            source="/ip/cloud warning",
        ),
        info(
            "mikrotik_cloud_info",
            "Public addresses and the name that stands for them.",
            Label("public_address"),
            Label("public_address_ipv6"),
            Label("dns_name"),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for row in replies.get("cloud", ()):
        row["@warning"] = str(int(bool(row.get("warning"))))
        if status := row.get("status"):
            row["@status"] = "error" if status.lower().startswith("error") else status.rstrip(".")


CLOUD = Collector(
    name="cloud",
    help="Dynamic DNS status and public address.",
    ttl_s=300,
    tables=(_CLOUD,),
    derive=_derive,
    on_by_default=False,
)
