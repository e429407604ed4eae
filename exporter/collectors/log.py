"""Log lines, counted by topic and severity. What they say is not read."""

from itertools import product

from exporter.collectors.table import Collector, Facts, Label, Record, Table, arrivals

SEVERITIES = ("critical", "error", "warning", "info", "debug")
"""From the worst down; a line that bears several counts as the worst."""

TOPICS = (
    *("system", "account", "interface", "firewall", "dhcp", "dns", "hotspot", "ppp", "pppoe", "l2tp", "pptp"),
    *(
        "sstp",
        "ovpn",
        "radius",
        "wireless",
        "caps",
        "lte",
        "route",
        "bgp",
        "ospf",
        "bfd",
        "ipsec",
        "wireguard",
    ),
    *(
        "bridge",
        "stp",
        "poe-out",
        "certificate",
        "container",
        "script",
        "ntp",
        "netwatch",
        "ups",
        "web-proxy",
    ),
)
"""Topics told by name, so that their number has a bound; of several a line counts for the first that is here."""

_WATCHED = ("system", "interface", "dhcp", "hotspot", "ppp", "radius", "wireless", "ipsec")
_ALARMING = tuple(product(_WATCHED, SEVERITIES[:3]))


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for row in replies.get("log", ()):
        words = row.get("topics", "").split(",")
        row["@topic"] = next((word for word in words if word in TOPICS), "other")
        row["@severity"] = next((word for word in SEVERITIES if word in words), "other")


LOG = Collector(
    name="log",
    help="Log lines by topic and severity, counted since the exporter started.",
    ttl_s=60,
    tables=(
        Table(
            name="log",
            path="/log",
            also=("topics",),
            rows=(
                arrivals(
                    "mikrotik_log_lines_total",
                    "Log lines since the exporter started; those that left the log between two readings are missed.",
                    Label("topic", "@topic"),
                    Label("severity", "@severity"),
                    always=_ALARMING,
                    in_order=True,
                ),
            ),
        ),
    ),
    derive=_derive,
    on_by_default=False,
)
