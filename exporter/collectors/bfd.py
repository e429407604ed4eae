"""BFD sessions."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    Where,
    count,
    counter,
    duration,
    gauge,
    number,
    state,
)


def _sessions(name: str, path: str, instead_of: str = "") -> Table:
    return Table(
        name=name,
        path=path,
        instead_of=instead_of,
        labels=(Label("remote_address", "@remote"), Label("interface")),
        also=("remote-address", "address", "up", "state"),
        rows=(
            count("mikrotik_bfd_sessions", "Sessions, up or not."),
            count("mikrotik_bfd_sessions_up", "Sessions that are up.", where=Where("@up", ("1",))),
            gauge("mikrotik_bfd_up", "1 while the session is up.", "@up", source=f"{path} up"),
            state(
                "mikrotik_bfd_state",
                "State of the session: 1 for the one that holds.",
                "state",
                ("up", "init", "down", "admin-down"),
            ),
            counter("mikrotik_bfd_state_changes_total", "Times that the state changed.", "state-changes"),
            gauge("mikrotik_bfd_uptime_seconds", "Time since the session came up.", "uptime", duration),
            counter("mikrotik_bfd_receive_packets_total", "Control packets received.", "packets-rx"),
            counter("mikrotik_bfd_transmit_packets_total", "Control packets sent.", "packets-tx"),
            gauge(
                "mikrotik_bfd_hold_seconds", "Silence after which the session is down.", "hold-time", duration
            ),
            gauge(
                "mikrotik_bfd_transmit_interval_seconds",
                "Time between control packets sent.",
                "actual-tx-interval",
                duration,
            ),
            gauge(
                "mikrotik_bfd_desired_transmit_interval_seconds",
                "Time between control packets that this side wishes.",
                "desired-tx-interval",
                duration,
            ),
            gauge(
                "mikrotik_bfd_multiplier",
                "Control packets that may be lost in a row.",
                "multiplier",
                number,
            ),
        ),
    )


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for name in ("sessions", "neighbors"):
        for record in replies.get(name, ()):
            record["@remote"] = record.get("remote-address") or record.get("address") or ""
            is_up = record.get("up", "false") in ("true", "yes", "") or record.get("state") == "up"
            record["@up"] = str(int(is_up))


BFD = Collector(
    name="bfd",
    help="BFD sessions: up or not, changes, packets, intervals.",
    ttl_s=15,
    tables=(
        _sessions("sessions", "/routing/bfd/session"),
        _sessions("neighbors", "/routing/bfd/neighbor", instead_of="sessions"),
    ),
    derive=_derive,
    on_by_default=False,
)
