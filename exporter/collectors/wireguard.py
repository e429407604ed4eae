"""WireGuard: interfaces and peers. Keys are never asked for, neither private nor public ones."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Subscribers,
    Table,
    Where,
    count,
    counter,
    gauge,
    info,
    negated,
    size,
    switch,
    whole,
)
from routeros.values import parse_bool, parse_duration

_INTERFACE = Label("interface")
_ACTIVE_WITHIN_S = 180.0
"""A session key is good for this long (WireGuard's own limit), so a peer in use shook hands since then."""

_INTERFACES = Table(
    name="interfaces",
    path="/interface/wireguard",
    labels=(Label("interface", "name"),),
    rows=(
        switch("mikrotik_wireguard_interface_running", "1 while the interface runs.", "running"),
        switch("mikrotik_wireguard_interface_enabled", "1 unless disabled by hand.", "disabled", negated),
        gauge("mikrotik_wireguard_interface_listen_port", "UDP port listened on.", "listen-port", whole),
    ),
)

_PEERS = Table(
    name="peers",
    path="/interface/wireguard/peers",
    labels=(_INTERFACE, Label("peer", "@peer")),
    subscribers=Subscribers(
        key=("interface", "@peer"), traffic=("rx", "tx"), who="@peer", group=("interface",)
    ),
    also=("name", "comment", "allowed-address", "last-handshake", "disabled"),
    rows=(
        count("mikrotik_wireguard_peers", "Peers set up.", _INTERFACE, over="interfaces"),
        count(
            "mikrotik_wireguard_peers_active",
            "Peers whose last handshake is at most three minutes old, as it is while a peer is in use.",
            _INTERFACE,
            where=Where("@active", ("true",)),
            over="interfaces",
        ),
        gauge(
            "mikrotik_wireguard_peer_enabled",
            "1 unless the peer is disabled by hand.",
            "@enabled",
            source="/interface/wireguard/peers disabled",
        ),
        counter("mikrotik_wireguard_peer_receive_bytes_total", "Bytes received from the peer.", "rx", size),
        counter("mikrotik_wireguard_peer_transmit_bytes_total", "Bytes sent to the peer.", "tx", size),
        gauge(
            "mikrotik_wireguard_peer_last_handshake_timestamp_seconds",
            "When the peer last shook hands, good to a second; absent if it never did.",
            "@handshake-at",
            source="/interface/wireguard/peers last-handshake",
        ),
        info(
            "mikrotik_wireguard_peer_info",
            "Addresses that a peer may use, the endpoint it is dialled at, and comment.",
            Label("allowed_address"),
            Label("endpoint_address"),
            Label("comment"),
        ),
        info(
            "mikrotik_wireguard_peer_endpoint_info",
            "Address that the peer's packets come from now; another series when it roams.",
            Label("current_endpoint_address"),
            where=Where("@has-endpoint", ("true",)),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    taken: set[tuple[str, str]] = set()
    for record in replies.get("peers", ()):
        _name(record, taken)
        if record.get("current-endpoint-address"):
            record["@has-endpoint"] = "true"
        record["@enabled"] = str(int(not _is_true(record.get("disabled", "false"))))
        try:
            age_s = parse_duration(record.get("last-handshake", ""))
        except ValueError:
            continue
        if age_s is not None:
            record["@handshake-at"] = str(round(facts.now_s - age_s))
            if age_s <= _ACTIVE_WITHIN_S:
                record["@active"] = "true"


def _name(record: Record, taken: set[tuple[str, str]]) -> None:
    """Peers have had names since 7.14; before, the comment, and where that is not one of a kind the addresses."""
    interface, addresses = record.get("interface", ""), record.get("allowed-address", "")
    name = record.get("name") or record.get("comment") or addresses
    if (interface, name) in taken and name != addresses:
        name = f"{name} {addresses}"
    taken.add((interface, name))
    record["@peer"] = name


def _is_true(text: str) -> bool:
    try:
        return bool(parse_bool(text))
    except ValueError:
        return False


WIREGUARD = Collector(
    name="wireguard",
    help="WireGuard interfaces and peers: traffic, last handshake, endpoint.",
    ttl_s=30,
    tables=(_INTERFACES, _PEERS),
    derive=_derive,
    on_by_default=False,
)
