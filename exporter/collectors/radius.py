"""RADIUS as the router sees it: how each server answers, and what servers ask of the router."""

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
    negated,
    switch,
)

_LABELS = (Label("address"), Label("service", "@service"))

_SERVERS = Table(
    name="servers",
    path="/radius",
    labels=_LABELS,
    also=(".id", "service"),
    rows=(
        switch("mikrotik_radius_enabled", "1 unless the server is disabled.", "disabled", negated),
        info(
            "mikrotik_radius_info",
            "All services and the comment of a server.",
            Label("services", "service"),
            Label("comment"),
        ),
    ),
)

_COUNTERS = Table(
    name="counters",
    path="/radius",
    numbers="servers",
    each=True,
    labels=_LABELS,
    rows=(
        gauge("mikrotik_radius_pending_requests", "Requests that wait for an answer.", "pending"),
        counter("mikrotik_radius_requests_total", "Requests sent to the server.", "requests"),
        counter("mikrotik_radius_accepts_total", "Requests that the server accepted.", "accepts"),
        counter("mikrotik_radius_rejects_total", "Requests that the server rejected.", "rejects"),
        counter("mikrotik_radius_resends_total", "Requests sent once more.", "resends"),
        counter("mikrotik_radius_timeouts_total", "Requests that nobody answered in time.", "timeouts"),
        counter("mikrotik_radius_bad_replies_total", "Answers that were not valid.", "bad-replies"),
        gauge(
            "mikrotik_radius_last_request_rtt_seconds",
            "Time until the answer to the last request.",
            "last-request-rtt",
            duration,
        ),
    ),
)

_INCOMING = Table(
    name="incoming",
    path="/radius/incoming",
    once=True,
    rows=(
        counter(
            "mikrotik_radius_incoming_requests_total",
            "Disconnect and change requests that came from servers.",
            "requests",
        ),
        counter(
            "mikrotik_radius_incoming_bad_requests_total",
            "Disconnect and change requests that were not valid.",
            "bad-requests",
        ),
        counter("mikrotik_radius_incoming_acks_total", "Disconnect and change requests obeyed.", "acks"),
        counter("mikrotik_radius_incoming_naks_total", "Disconnect and change requests refused.", "naks"),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    services: dict[str, str] = {}
    for server in replies.get("servers", ()):
        server["@service"] = services[server.get(".id", "")] = server.get("service", "").split(",", 1)[0]
    for row in replies.get("counters", ()):
        row["@service"] = services.get(row.get(".id", ""), "")


RADIUS = Collector(
    name="radius",
    help="Requests, accepts, rejects, timeouts and round-trip time per RADIUS server; incoming requests.",
    ttl_s=30,
    tables=(_SERVERS, _COUNTERS, _INCOMING),
    derive=_derive,
    policies=("read", "test"),
    on_by_default=False,
)
