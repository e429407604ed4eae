"""Who is logged in to the router, counted; names and addresses are not exported."""

from exporter.collectors.table import Collector, Label, Table, count

USER = Collector(
    name="user",
    help="Sessions of the router's own users by way and group.",
    ttl_s=60,
    tables=(
        Table(
            name="active",
            path="/user/active",
            rows=(
                count(
                    "mikrotik_user_sessions",
                    "Sessions of the router's users, the exporter's own among them.",
                    Label("via"),
                    Label("group"),
                ),
            ),
        ),
    ),
    on_by_default=False,
)
