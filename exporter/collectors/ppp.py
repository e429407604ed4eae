"""PPP and PPPoE: sessions by service, profile and interface, accounts, servers, and each session's traffic.

RouterOS spreads a session over three menus: `/ppp/active` knows the user, `/interface` the bytes, and
`/interface/pppoe-server` where the client came in. They are joined here, within one refresh.
"""

from exporter.collectors.interface import any_session
from exporter.collectors.table import (
    CLIENT,
    Collector,
    Facts,
    Label,
    Record,
    Subscribers,
    Table,
    Where,
    arrivals,
    count,
    counter,
    duration,
    gauge,
    info,
    negated,
    switch,
    whole,
)

_SERVICE = Label("service")
_TRUE = ("true", "yes")
SERVICES = ("pppoe", "l2tp", "pptp", "sstp", "ovpn")
_TRAFFIC = ("rx-byte", "tx-byte", "rx-packet", "tx-packet")


def _traffic(direction: str, unit: str, what: str, field: str) -> tuple[str, str, str]:
    return f"mikrotik_ppp_session_{direction}_{unit}_total", what, f"@{field}"


_ACTIVE = Table(
    name="active",
    path="/ppp/active",
    labels=(Label("user", "name"), Label("interface", "@twin")),
    also=("name", "caller-id"),
    client_by="caller-id",
    subscribers=Subscribers(
        key=("name", "@twin"), traffic=tuple(f"@{field}" for field in _TRAFFIC), who="name"
    ),
    rows=(
        count("mikrotik_ppp_active_sessions", "Sessions that are up.", _SERVICE, always=SERVICES),
        count(
            "mikrotik_ppp_active_sessions_by_profile",
            "Sessions that are up, by the profile of their local account; no profile for RADIUS accounts.",
            Label("profile", "@profile"),
            over="profiles",
        ),
        count(
            "mikrotik_ppp_active_sessions_radius",
            "Sessions that a RADIUS server let in.",
            _SERVICE,
            where=Where("radius", _TRUE),
            always=SERVICES,
        ),
        arrivals(
            "mikrotik_ppp_logins_total",
            "Sessions seen to start since the exporter started; what came and went between two readings is missed.",
            _SERVICE,
            always=SERVICES,
        ),
        counter(
            *_traffic(
                "receive", "bytes", "Bytes received from the client in this session (its upload).", "rx-byte"
            ),
            source="/interface rx-byte",
        ),
        counter(
            *_traffic(
                "transmit", "bytes", "Bytes sent to the client in this session (its download).", "tx-byte"
            ),
            source="/interface tx-byte",
        ),
        counter(
            *_traffic(
                "receive",
                "packets",
                "Packets received from the client in this session (its upload).",
                "rx-packet",
            ),
            source="/interface rx-packet",
        ),
        counter(
            *_traffic(
                "transmit",
                "packets",
                "Packets sent to the client in this session (its download).",
                "tx-packet",
            ),
            source="/interface tx-packet",
        ),
        gauge("mikrotik_ppp_session_uptime_seconds", "Time since the session came up.", "uptime", duration),
        info(
            "mikrotik_ppp_session_info",
            "Service, address, caller and profile of a session.",
            _SERVICE,
            Label("address"),
            Label("caller_id"),
            Label("profile", "@profile"),
            CLIENT,
        ),
    ),
)

_INTERFACES = Table(
    name="interfaces",
    path="/interface",
    detail=True,
    queries=any_session(),
    also=("name", "type", *_TRAFFIC),
    rows=(),
)

_PROFILES = Table(name="profiles", path="/ppp/profile", also=("name",), rows=())

_SECRETS = Table(
    name="secrets",
    path="/ppp/secret",
    also=("name",),
    rows=(
        count("mikrotik_ppp_secrets", "Local accounts.", Label("profile"), over="profiles"),
        count(
            "mikrotik_ppp_secrets_disabled",
            "Local accounts that are disabled.",
            Label("profile"),
            where=Where("disabled", _TRUE),
            over="profiles",
        ),
        count(
            "mikrotik_ppp_secrets_online",
            "Local accounts, not disabled, that have a session.",
            Label("profile"),
            where=Where("@online", _TRUE),
            over="profiles",
        ),
    ),
)

_SUMMARY = Table(
    name="summary",
    path="/ppp/secret",
    made=True,
    rows=(
        gauge(
            "mikrotik_ppp_secrets_online_ratio",
            "Share of the accounts not disabled that have a session (0-1); absent without accounts.",
            "@ratio",
            source="/ppp/secret, /ppp/active name",
        ),
    ),
)

_PPPOE_SESSIONS = Table(
    name="pppoe",
    path="/interface/pppoe-server",
    also=("name", "user", "remote-address"),
    rows=(
        count(
            "mikrotik_pppoe_sessions",
            "PPPoE sessions, by service name of the server and the interface they came in on.",
            _SERVICE,
            Label("interface"),
            over="servers",
            over_fields=("service-name", "interface"),
        ),
    ),
)

_SERVERS = Table(
    name="servers",
    path="/interface/pppoe-server/server",
    labels=(Label("service", "service-name"), Label("interface")),
    rows=(
        switch("mikrotik_pppoe_server_enabled", "1 unless the server is disabled.", "disabled", negated),
        switch(
            "mikrotik_pppoe_server_valid",
            "0 if the server cannot work, as when its interface is gone.",
            "invalid",
            negated,
        ),
        gauge(
            "mikrotik_pppoe_server_max_sessions",
            "Most sessions the server takes; absent if unlimited.",
            "max-sessions",
            whole,
        ),
        info("mikrotik_pppoe_server_info", "Profile of a server.", Label("profile", "default-profile")),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    active = replies.get("active", [])
    secrets = replies.get("secrets", [])
    join_interfaces(active, replies.get("interfaces", []), replies.get("pppoe", []))
    profiles = {secret.get("name"): secret.get("profile", "") for secret in secrets}
    for session in active:
        if profile := profiles.get(session.get("name")):
            session["@profile"] = profile
    if "active" not in replies or "secrets" not in replies:
        return
    online = {session.get("name") for session in active}
    enabled = [secret for secret in secrets if secret.get("disabled") not in _TRUE]
    for secret in enabled:
        if secret.get("name") in online:
            secret["@online"] = "true"
    if enabled:
        ratio = sum("@online" in secret for secret in enabled) / len(enabled)
        replies["summary"] = [{"@ratio": str(ratio)}]


def join_interfaces(active: list[Record], interfaces: list[Record], pppoe: list[Record]) -> None:
    """Give each session the counters of its interface, and a second session of one user the interface's name.

    RouterOS names the interface ``<service-user>``, and appends ``-1`` and so on while that name is taken.
    `/interface/pppoe-server` tells for certain whose a name is, by user and caller.
    """
    by_name = {interface.get("name", ""): interface for interface in interfaces}
    by_caller = {(row.get("user"), row.get("remote-address")): row.get("name", "") for row in pppoe}
    taken: set[str] = set()
    users: set[str] = set()
    for session in active:
        user, service = session.get("name", ""), session.get("service", "")
        plain = f"<{service}-{user}>"
        name = by_caller.get((user, session.get("caller-id")), plain)
        if name in taken:
            name = next((n for i in range(1, 100) if (n := f"<{service}-{user}-{i}>") not in taken), name)
        taken.add(name)
        session["@interface"] = name
        if user in users or name != plain:
            session["@twin"] = name
        users.add(user)
        if (interface := by_name.get(name)) is not None:
            for field in _TRAFFIC:
                if field in interface:
                    session[f"@{field}"] = interface[field]


PPP = Collector(
    name="ppp",
    help="PPPoE and other PPP sessions, accounts, PPPoE servers, traffic per session.",
    ttl_s=30,
    tables=(_SERVERS, _ACTIVE, _INTERFACES, _PPPOE_SESSIONS, _PROFILES, _SECRETS, _SUMMARY),
    derive=_derive,
)
