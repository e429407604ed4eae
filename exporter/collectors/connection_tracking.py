"""Connection tracking: how full its table is. The connections themselves are never read."""

from exporter.collectors.table import Collector, Table, gauge, state, switch

CONNECTION_TRACKING = Collector(
    name="connection_tracking",
    help="Entries of the connection table against its limit.",
    ttl_s=30,
    tables=(
        Table(
            name="tracking",
            path="/ip/firewall/connection/tracking",
            rows=(
                gauge("mikrotik_connection_tracking_entries", "Connections tracked.", "total-entries"),
                gauge(
                    "mikrotik_connection_tracking_max_entries",
                    "Connections that can be tracked.",
                    "max-entries",
                ),
                gauge(
                    "mikrotik_connection_tracking_ipv4_entries",
                    "IPv4 connections tracked.",
                    "total-ip4-entries",
                ),
                gauge(
                    "mikrotik_connection_tracking_ipv6_entries",
                    "IPv6 connections tracked.",
                    "total-ip6-entries",
                ),
                switch(
                    "mikrotik_connection_tracking_ipv4_active",
                    "1 while IPv4 connections are tracked.",
                    "active-ipv4",
                    absent=None,
                ),
                switch(
                    "mikrotik_connection_tracking_ipv6_active",
                    "1 while IPv6 connections are tracked.",
                    "active-ipv6",
                    absent=None,
                ),
                state(
                    "mikrotik_connection_tracking_setting",
                    "Whether connections are tracked always, never, or once a rule needs it.",
                    "enabled",
                    ("auto", "yes", "no"),
                ),
            ),
        ),
    ),
    on_by_default=False,
)
