"""BGP: peers of RouterOS 6 and sessions of 7, those that should be there and are not included.

In RouterOS 7 the row of a session is gone while the session is down. What is set up under
`/routing/bgp/connection` and has no session is therefore told as not established.
"""

import re

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    counter,
    duration,
    gauge,
    info,
    local_date,
    state,
    switch,
)

_TRUE = ("true", "yes", "")
_LABELS = (Label("peer", "@peer"), Label("remote_address", "@remote"))
_SESSION_NAME = re.compile(r"(.+)-\d+")
_HOST_LENGTHS = ("32", "128")

_SESSIONS = Table(
    name="sessions",
    path="/routing/bgp/session",
    labels=_LABELS,
    also=("name", "remote.address", "established"),
    rows=(
        gauge(
            "mikrotik_bgp_established",
            "1 while the session with the peer stands, 0 while one that is set up does not.",
            "@established",
            source="/routing/bgp/session established, /routing/bgp/connection, /routing/bgp/peer",
        ),
        gauge("mikrotik_bgp_uptime_seconds", "Time since the session came up.", "uptime", duration),
        gauge("mikrotik_bgp_prefixes", "Prefixes that the peer has sent.", "prefix-count"),
        counter("mikrotik_bgp_receive_messages_total", "Messages from the peer.", "remote.messages"),
        counter("mikrotik_bgp_transmit_messages_total", "Messages to the peer.", "local.messages"),
        counter("mikrotik_bgp_receive_bytes_total", "Bytes of messages from the peer.", "remote.bytes"),
        counter("mikrotik_bgp_transmit_bytes_total", "Bytes of messages to the peer.", "local.bytes"),
        gauge(
            "mikrotik_bgp_last_started_timestamp_seconds",
            "When the session last began.",
            "last-started",
            local_date,
        ),
        gauge(
            "mikrotik_bgp_last_stopped_timestamp_seconds",
            "When the session last ended.",
            "last-stopped",
            local_date,
        ),
        switch(
            "mikrotik_bgp_prefix_limit_exceeded",
            "1 if the peer sent more prefixes than it may.",
            "limit-exceeded",
        ),
        info(
            "mikrotik_bgp_session_info",
            "Numbers of the two autonomous systems, and the peer's identity.",
            Label("remote_as", "remote.as"),
            Label("local_as", "local.as"),
            Label("remote_id", "remote.id"),
            Label("local_address", "local.address"),
        ),
    ),
)

_CONNECTIONS = Table(
    name="connections",
    path="/routing/bgp/connection",
    also=("name", "remote.address", "disabled", "inactive"),
    rows=(),
)

_PEERS = Table(
    name="peers",
    path="/routing/bgp/peer",
    labels=_LABELS,
    also=("name", "remote-address", "established", "disabled"),
    rows=(
        gauge(
            "mikrotik_bgp_established",
            "1 while the session with the peer stands, 0 while one that is set up does not.",
            "@established",
        ),
        gauge("mikrotik_bgp_uptime_seconds", "Time since the session came up.", "uptime", duration),
        gauge("mikrotik_bgp_prefixes", "Prefixes that the peer has sent.", "prefix-count"),
        state(
            "mikrotik_bgp_state",
            "State of the session (RouterOS 6): 1 for the one that holds.",
            "state",
            ("idle", "connect", "active", "opensent", "openconfirm", "established"),
        ),
        counter(
            "mikrotik_bgp_receive_updates_total",
            "Updates from the peer (RouterOS 6).",
            "updates-received",
        ),
        counter("mikrotik_bgp_transmit_updates_total", "Updates to the peer (RouterOS 6).", "updates-sent"),
        counter(
            "mikrotik_bgp_receive_withdrawals_total",
            "Prefixes that the peer took back (RouterOS 6).",
            "withdrawn-received",
        ),
        counter(
            "mikrotik_bgp_transmit_withdrawals_total",
            "Prefixes taken back from the peer (RouterOS 6).",
            "withdrawn-sent",
        ),
        info(
            "mikrotik_bgp_peer_info",
            "Autonomous system and instance of a peer (RouterOS 6).",
            Label("remote_as"),
            Label("bgp_instance", "instance"),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for record in (peers := replies.get("peers", [])):
        record["@peer"], record["@remote"] = record.get("name", ""), record.get("remote-address", "")
        standing = record.get("established", "false") in _TRUE or record.get("state") == "established"
        record["@established"] = str(int(standing))
    peers[:] = [record for record in peers if record.get("disabled", "false") not in _TRUE]
    if (sessions := replies.get("sessions")) is None:
        return
    connections = {record.get("name", ""): record for record in replies.get("connections", ())}
    for record in sessions:
        record["@peer"] = _connection_of(record.get("name", ""), connections)
        record["@remote"] = _host(record.get("remote.address", "")) or ""
        record["@established"] = str(int(record.get("established", "false") in _TRUE))
    seen = {record["@peer"] for record in sessions}
    for name, connection in connections.items():
        remote = _host(connection.get("remote.address", ""))
        is_off = any(connection.get(field, "false") in _TRUE for field in ("disabled", "inactive"))
        if name not in seen and remote and not is_off:
            sessions.append({"@peer": name, "@remote": remote, "@established": "0"})


def _connection_of(session: str, connections: dict[str, Record]) -> str:
    """RouterOS names a session after its connection, with ``-1`` and so on behind."""
    match = _SESSION_NAME.fullmatch(session)
    if match is None or (match[1] not in connections and session in connections):
        return session
    return match[1]


def _host(address: str) -> str | None:
    """`address` without the length of a host's prefix; None for a network, from which anyone may come or nobody."""
    host, _, length = address.partition("/")
    return host if not length or length in _HOST_LENGTHS else None


BGP = Collector(
    name="bgp",
    help="BGP peers: established or not, prefixes, messages.",
    ttl_s=30,
    tables=(_SESSIONS, _CONNECTIONS, _PEERS),
    derive=_derive,
    on_by_default=False,
)
