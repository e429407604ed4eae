"""IPsec: peers, policies and errors. Security associations are left alone, since their rows hold keys."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Subscribers,
    Table,
    count,
    counter,
    duration,
    flag,
    gauge,
    negated,
    state,
    switch,
)
from routeros.values import parse_duration

_TRUE = ("true", "yes")
_TRAFFIC = ("rx-bytes", "tx-bytes", "rx-packets", "tx-packets")

_PEERS = Table(
    name="peers",
    path="/ip/ipsec/active-peers",
    labels=(Label("remote_address"), Label("local_address"), Label("peer_id", "id")),
    subscribers=Subscribers(
        key=("remote-address", "local-address", "id"), traffic=_TRAFFIC, who="remote-address"
    ),
    also=("last-seen", "state"),
    rows=(
        count("mikrotik_ipsec_active_peers", "Peers that are negotiated or negotiating."),
        count(
            "mikrotik_ipsec_active_peers_by_side",
            "Peers that are negotiated or negotiating, by which side began.",
            Label("side"),
            always=("initiator", "responder"),
        ),
        state(
            "mikrotik_ipsec_peer_state",
            "How far negotiation with the peer has come: 1 for the state that holds.",
            "state",
            ("established", "exchange", "expired", "eap"),
        ),
        gauge(
            "mikrotik_ipsec_peer_uptime_seconds", "Time since the peer was established.", "uptime", duration
        ),
        gauge(
            "mikrotik_ipsec_peer_last_seen_timestamp_seconds",
            "When the peer was last heard of, good to a second.",
            "@seen-at",
            source="/ip/ipsec/active-peers last-seen",
        ),
        gauge(
            "mikrotik_ipsec_peer_security_associations",
            "Security associations (phase 2) with the peer.",
            "ph2-total",
        ),
        gauge("mikrotik_ipsec_peer_responder", "1 if the other side began.", "responder", flag),
        gauge("mikrotik_ipsec_peer_nat_traversal", "1 if there is NAT between.", "natt-peer", flag),
        counter("mikrotik_ipsec_peer_receive_bytes_total", "Bytes received from the peer.", "rx-bytes"),
        counter("mikrotik_ipsec_peer_transmit_bytes_total", "Bytes sent to the peer.", "tx-bytes"),
        counter("mikrotik_ipsec_peer_receive_packets_total", "Packets received from the peer.", "rx-packets"),
        counter("mikrotik_ipsec_peer_transmit_packets_total", "Packets sent to the peer.", "tx-packets"),
    ),
)

_POLICIES = Table(
    name="policies",
    path="/ip/ipsec/policy",
    also=("template", "dynamic", "disabled", "active", "invalid", "src-address", "dst-address", "comment"),
    rows=(
        count(
            "mikrotik_ipsec_policies",
            "Policies, made ones included and templates not, by how phase 2 stands.",
            Label("phase2", "ph2-state"),
            always=("established", "no-phase2"),
        ),
    ),
)

_POLICY = Table(
    name="policy",
    path="/ip/ipsec/policy",
    made=True,
    labels=(
        Label("source", "src-address"),
        Label("destination", "dst-address"),
        Label("comment"),
    ),
    rows=(
        gauge(
            "mikrotik_ipsec_policy_established",
            "1 while there is a security association for the policy.",
            "@established",
            source="/ip/ipsec/policy ph2-state",
        ),
        switch("mikrotik_ipsec_policy_active", "1 while the policy is in force.", "active"),
        switch("mikrotik_ipsec_policy_valid", "0 if the policy cannot work.", "invalid", negated),
        switch("mikrotik_ipsec_policy_enabled", "1 unless disabled by hand.", "disabled", negated),
    ),
)

_ERRORS = (
    ("in", "errors"),
    ("in", "buffer-errors"),
    ("in", "header-errors"),
    ("in", "no-states"),
    ("in", "state-protocol-errors"),
    ("in", "state-mode-errors"),
    ("in", "state-sequence-errors"),
    ("in", "state-expired"),
    ("in", "state-mismatches"),
    ("in", "state-invalid"),
    ("in", "template-mismatches"),
    ("in", "no-policies"),
    ("in", "policy-blocked"),
    ("in", "policy-errors"),
    ("out", "errors"),
    ("out", "bundle-errors"),
    ("out", "bundle-check-errors"),
    ("out", "no-states"),
    ("out", "state-protocol-errors"),
    ("out", "state-mode-errors"),
    ("out", "state-sequence-errors"),
    ("out", "state-expired"),
    ("out", "policy-blocked"),
    ("out", "policy-dead"),
    ("out", "policy-errors"),
)

_STATISTICS = Table(
    name="statistics",
    path="/ip/ipsec/statistics",
    also=tuple(f"{direction}-{reason}" for direction, reason in _ERRORS),
    rows=(),
)

_ERROR_COUNTS = Table(
    name="errors",
    path="/ip/ipsec/statistics",
    made=True,
    labels=(Label("direction", "@direction"), Label("reason", "@reason")),
    rows=(
        counter(
            "mikrotik_ipsec_errors_total",
            "Packets that IPsec could not handle, by direction and reason.",
            "@count",
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    for record in replies.get("peers", ()):
        try:
            age_s = parse_duration(record.get("last-seen", ""))
        except ValueError:
            continue
        if age_s is not None:
            record["@seen-at"] = str(round(facts.now_s - age_s))
    if (policies := replies.get("policies")) is not None:
        policies[:] = [record for record in policies if record.get("template", "false") not in (*_TRUE, "")]
        replies["policy"] = [
            record for record in policies if record.get("dynamic", "false") not in (*_TRUE, "")
        ]
        for record in replies["policy"]:
            if phase2 := record.get("ph2-state"):
                record["@established"] = str(int(phase2 == "established"))
    if (statistics := replies.get("statistics")) is not None:
        replies["errors"] = [
            {"@direction": direction, "@reason": reason, "@count": record[field]}
            for record in statistics
            for direction, reason in _ERRORS
            if (field := f"{direction}-{reason}") in record
        ]


IPSEC = Collector(
    name="ipsec",
    help="IPsec peers, policies by state, errors.",
    ttl_s=60,
    tables=(_PEERS, _POLICIES, _POLICY, _STATISTICS, _ERROR_COUNTS),
    derive=_derive,
    on_by_default=False,
)
