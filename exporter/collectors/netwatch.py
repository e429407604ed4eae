"""Netwatch: what the router's own probes say of hosts."""

from collections import Counter

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
    negated,
    ratio,
    state,
    switch,
)

_ROUND_TRIPS = (
    ("average", "Mean round-trip time in the last test.", "rtt-avg"),
    ("min", "Shortest round-trip time in the last test.", "rtt-min"),
    ("max", "Longest round-trip time in the last test.", "rtt-max"),
    ("jitter", "Difference between the longest and the shortest round trip in the last test.", "rtt-jitter"),
    ("stddev", "Standard deviation of the round trips in the last test.", "rtt-stdev"),
)

_NETWATCH = Table(
    name="netwatch",
    path="/tool/netwatch",
    labels=(Label("probe", "@probe"), Label("host")),
    also=("name", "comment", "type"),
    rows=(
        gauge(
            "mikrotik_netwatch_up",
            "1 if the last test succeeded, 0 if it failed; absent while nothing is known.",
            "@up",
            source="/tool/netwatch status",
        ),
        state(
            "mikrotik_netwatch_status",
            "What the last test said: 1 for the state that holds.",
            "status",
            ("up", "down", "unknown"),
        ),
        switch("mikrotik_netwatch_enabled", "1 unless the probe is disabled.", "disabled", negated),
        gauge(
            "mikrotik_netwatch_since_timestamp_seconds", "Since when the status holds.", "since", local_date
        ),
        counter("mikrotik_netwatch_tests_total", "Tests made.", "done-tests"),
        counter("mikrotik_netwatch_failed_tests_total", "Tests that failed.", "failed-tests"),
        gauge("mikrotik_netwatch_loss_ratio", "Packets lost in the last test (0-1).", "loss-percent", ratio),
        *(
            gauge(f"mikrotik_netwatch_rtt_{name}_seconds", text, field, duration)
            for name, text, field in _ROUND_TRIPS
        ),
        gauge(
            "mikrotik_netwatch_tcp_connect_seconds",
            "Time that the last TCP connection took.",
            "tcp-connect-time",
            duration,
        ),
        gauge(
            "mikrotik_netwatch_http_response_seconds",
            "Time until the last HTTP answer.",
            "http-resp-time",
            duration,
        ),
        gauge("mikrotik_netwatch_http_status_code", "Status of the last HTTP answer.", "http-status-code"),
        info("mikrotik_netwatch_info", "Kind of a probe.", Label("type")),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    rows = replies.get("netwatch", [])
    for row in rows:
        row["@probe"] = row.get("name") or row.get("comment") or row.get("host", "")
        if (status := row.get("status")) in ("up", "down"):
            row["@up"] = str(int(status == "up"))
    same = Counter([(row["@probe"], row.get("host")) for row in rows])
    for row in rows:
        if same[row["@probe"], row.get("host")] > 1 and (kind := row.get("type")):
            row["@probe"] = f"{row['@probe']} ({kind})"


NETWATCH = Collector(
    name="netwatch",
    help="Status, tests, loss and round-trip times of netwatch probes.",
    ttl_s=30,
    tables=(_NETWATCH,),
    derive=_derive,
    on_by_default=False,
)
