"""DHCP: servers, leases by server and status, and what the router's own clients got."""

from exporter.collectors.table import (
    LEASES,
    Collector,
    Facts,
    Label,
    Record,
    Subscribers,
    Table,
    Where,
    count,
    duration,
    gauge,
    info,
    negated,
    state,
    switch,
)

_SERVER = Label("server", "@server")
_STATUS = Label("status")

_SERVERS = Table(
    name="servers",
    path="/ip/dhcp-server",
    labels=(Label("server", "name"),),
    rows=(
        switch("mikrotik_dhcp_server_enabled", "1 unless the server is disabled.", "disabled", negated),
        switch(
            "mikrotik_dhcp_server_valid",
            "0 if the server cannot work, as when its interface is gone.",
            "invalid",
            negated,
        ),
        gauge(
            "mikrotik_dhcp_server_lease_time_seconds", "For how long a lease holds.", "lease-time", duration
        ),
        info(
            "mikrotik_dhcp_server_info",
            "Interface and address pool of a server.",
            Label("interface"),
            Label("address_pool"),
        ),
    ),
)

_LEASES = Table(
    name=LEASES,
    path="/ip/dhcp-server/lease",
    tells_clients=True,
    labels=(_SERVER, Label("address"), Label("mac_address")),
    subscribers=Subscribers(key=("address", "mac-address"), traffic=(), who="address"),
    also=("server", "active-server"),
    rows=(
        count("mikrotik_dhcp_leases", "Leases, by what has become of them.", _SERVER, _STATUS),
        count(
            "mikrotik_dhcp_leases_bound",
            "Leases that a client holds.",
            _SERVER,
            where=Where("status", ("bound",)),
            over="servers",
        ),
        count(
            "mikrotik_dhcp_leases_static",
            "Leases that were made by hand.",
            _SERVER,
            where=Where("dynamic", ("", "false", "no")),
            over="servers",
        ),
        info("mikrotik_dhcp_lease_info", "Address, client and comment of a lease.", Label("comment")),
    ),
)

_CLIENTS = Table(
    name="clients",
    path="/ip/dhcp-client",
    labels=(Label("interface"),),
    also=("status",),
    rows=(
        switch("mikrotik_dhcp_client_enabled", "1 unless the client is disabled.", "disabled", negated),
        state(
            "mikrotik_dhcp_client_status",
            "How far the client has come: 1 for the state that holds.",
            "@status",
            (
                "bound",
                "searching",
                "selecting",
                "requesting",
                "renewing",
                "rebinding",
                "stopped",
                "error",
            ),
        ),
        info(
            "mikrotik_dhcp_client_info",
            "Address that the client got, and from whom.",
            Label("address"),
            Label("gateway"),
            Label("dhcp_server"),
        ),
    ),
)

_BINDINGS = Table(
    name="bindings",
    path="/ipv6/dhcp-server/binding",
    rows=(count("mikrotik_dhcpv6_bindings", "DHCPv6 bindings, by status.", Label("server"), _STATUS),),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for lease in replies.get(LEASES, ()):  # a static lease may be for any server; the one that gave it counts
        lease["@server"] = lease.get("active-server") or lease.get("server", "")
    for client in replies.get("clients", ()):
        if status := client.get("status"):
            client["@status"] = status.rstrip(".")  # RouterOS says "searching..."


DHCP = Collector(
    name="dhcp",
    help="DHCP servers, leases by server and status, clients, DHCPv6 bindings; on request each lease.",
    ttl_s=60,
    tables=(_SERVERS, _LEASES, _CLIENTS, _BINDINGS),
    derive=_derive,
    on_by_default=False,
    mode="off",
)
