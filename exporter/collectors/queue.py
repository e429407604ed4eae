"""Simple queues and the queue tree: traffic, drops, what waits, rates and limits."""

from exporter.collectors.table import (
    Collector,
    Convert,
    Label,
    Row,
    Subscribers,
    Table,
    Unit,
    byte_limit,
    byte_rate,
    counter,
    gauge,
    info,
    integer,
    negated,
    switch,
)

_QUEUE = (Label("queue", "name"),)


_WAYS = (("upload", "from the target (client upload)", 0), ("download", "to the target (client download)", 1))


def _totals(of: str, what: str, field: str) -> tuple[Row, ...]:
    return tuple(
        counter(f"mikrotik_simple_queue_{way}_{of}_total", f"{what} {side}.", field, part=part)
        for way, side, part in _WAYS
    )


def _now(of: str, what: str, field: str, convert: Convert | Unit = integer) -> tuple[Row, ...]:
    return tuple(
        gauge(f"mikrotik_simple_queue_{way}_{of}", what.format(side=side), field, convert, part=part)
        for way, side, part in _WAYS
    )


_SIMPLE = Table(
    name="simple",
    path="/queue/simple",
    labels=_QUEUE,
    subscribers=Subscribers(key=("name",), traffic=("bytes", "packets", "dropped"), who="name", paired=True),
    rows=(
        *_totals("bytes", "Bytes passed", "bytes"),
        *_totals("packets", "Packets passed", "packets"),
        *_totals("dropped_packets", "Packets dropped", "dropped"),
        *_now("queued_bytes", "Bytes waiting {side}.", "queued-bytes"),
        *_now("queued_packets", "Packets waiting {side}.", "queued-packets"),
        *_now("rate_bytes_per_second", "Traffic {side}, as the router averages it.", "rate", byte_rate),
        *_now(
            "max_limit_bytes_per_second",
            "Most traffic allowed {side}; absent without a limit.",
            "max-limit",
            byte_limit,
        ),
        switch("mikrotik_simple_queue_enabled", "1 unless the queue is disabled.", "disabled", negated),
        info(
            "mikrotik_simple_queue_info",
            "Target, parent and comment of a queue.",
            Label("target"),
            Label("parent"),
            Label("comment"),
        ),
    ),
)

_TREE = Table(
    name="tree",
    path="/queue/tree",
    labels=_QUEUE,
    rows=(
        counter("mikrotik_queue_tree_bytes_total", "Bytes passed.", "bytes"),
        counter("mikrotik_queue_tree_packets_total", "Packets passed.", "packets"),
        counter("mikrotik_queue_tree_dropped_packets_total", "Packets dropped.", "dropped"),
        gauge("mikrotik_queue_tree_queued_bytes", "Bytes waiting.", "queued-bytes", integer),
        gauge("mikrotik_queue_tree_queued_packets", "Packets waiting.", "queued-packets", integer),
        gauge(
            "mikrotik_queue_tree_rate_bytes_per_second",
            "Traffic, as the router averages it.",
            "rate",
            byte_rate,
        ),
        gauge(
            "mikrotik_queue_tree_max_limit_bytes_per_second",
            "Most traffic allowed; absent without a limit.",
            "max-limit",
            byte_limit,
        ),
        switch("mikrotik_queue_tree_enabled", "1 unless the queue is disabled.", "disabled", negated),
        info(
            "mikrotik_queue_tree_info",
            "Parent, packet mark and comment of a queue.",
            Label("parent"),
            Label("packet_mark"),
            Label("comment"),
        ),
    ),
)

QUEUE = Collector(
    name="queue",
    help="Simple queues and queue tree: bytes, packets, drops, backlog, rates and limits.",
    ttl_s=30,
    tables=(_SIMPLE, _TREE),
)
