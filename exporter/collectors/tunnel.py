"""Tunnels without a login: EoIP, GRE and IPIP."""

from exporter.collectors.table import Collector, Label, Table, gauge, info, negated, switch


def _tunnels(protocol: str, *about: Label) -> Table:
    return Table(
        name=protocol,
        path=f"/interface/{protocol}",
        labels=(Label("interface", "name"), Label("protocol", value=protocol)),
        rows=(
            switch(
                "mikrotik_tunnel_running", "1 while the tunnel runs, as far as keepalives tell.", "running"
            ),
            switch("mikrotik_tunnel_enabled", "1 unless disabled by hand.", "disabled", negated),
            gauge("mikrotik_tunnel_mtu_bytes", "MTU in force.", "actual-mtu"),
            info(
                "mikrotik_tunnel_info",
                "Where a tunnel begins and ends.",
                Label("local_address"),
                Label("remote_address"),
                *about,
                Label("comment"),
            ),
        ),
    )


TUNNEL = Collector(
    name="tunnel",
    help="EoIP, GRE and IPIP tunnels: running, enabled, MTU, ends.",
    ttl_s=30,
    tables=(_tunnels("eoip", Label("tunnel_id")), _tunnels("gre"), _tunnels("ipip")),
    on_by_default=False,
)
