"""The router as a PPP client: PPPoE uplinks and what state they are in; L2TP, PPTP, SSTP and OpenVPN clients."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    Where,
    duration,
    gauge,
    info,
    negated,
    state,
    switch,
    whole,
)

_NAME = Label("interface", "name")
STATES = (
    "connected",
    "dialing",
    "connecting",
    "authenticating",
    "verifying-password",
    "waiting-for-packets",
    "terminating",
    "disconnected",
    "disabled",
)


def _clients(service: str, *about: Label, also: tuple[str, ...] = ()) -> Table:
    return Table(
        name=service,
        path=f"/interface/{service}-client",
        labels=(_NAME, Label("service", value=service)),
        also=also,
        rows=(
            switch("mikrotik_ppp_client_running", "1 while the client is connected.", "running"),
            switch("mikrotik_ppp_client_enabled", "1 unless disabled by hand.", "disabled", negated),
            info("mikrotik_ppp_client_info", "Whom a client dials, and over what.", *about),
        ),
    )


_SERVER = (Label("server", "connect-to"), Label("profile"))

_MONITOR = Table(
    name="monitor",
    path="/interface/pppoe-client",
    numbers="pppoe",
    each=True,
    labels=(_NAME,),
    also=("status",),
    rows=(
        state(
            "mikrotik_pppoe_client_status",
            "How far a PPPoE client has come: 1 for the state that holds.",
            "@status",
            STATES,
        ),
        gauge(
            "mikrotik_pppoe_client_uptime_seconds",
            "Time since the client connected; absent while it is not.",
            "uptime",
            duration,
        ),
        gauge("mikrotik_pppoe_client_active_links", "Links of a bundle that are up.", "active-links"),
        gauge("mikrotik_pppoe_client_mtu_bytes", "MTU agreed on.", "mtu", whole),
        gauge("mikrotik_pppoe_client_mru_bytes", "MRU agreed on.", "mru", whole),
        info(
            "mikrotik_pppoe_client_peer_info",
            "The server that the client is connected to.",
            Label("access_concentrator", "ac-name"),
            Label("access_concentrator_mac", "ac-mac"),
            Label("encoding"),
            where=Where("@status", ("connected",)),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for record in replies.get("monitor", ()):
        if text := record.get("status"):
            record["@status"] = text.rstrip(".").replace(" ", "-")


PPP_CLIENT = Collector(
    name="ppp_client",
    help="PPPoE uplinks: status, uptime, MTU; other PPP clients: running or not.",
    ttl_s=30,
    tables=(
        _clients(
            "pppoe",
            Label("server", "service-name"),
            Label("profile"),
            Label("parent", "interface"),
            also=(".id",),
        ),
        _MONITOR,
        _clients("l2tp", *_SERVER),
        _clients("pptp", *_SERVER),
        _clients("sstp", *_SERVER),
        _clients("ovpn", *_SERVER),
    ),
    derive=_derive,
    policies=("read", "test"),
    on_by_default=False,
)
