"""The router's NTP client: whether the clock is kept right, and by whom.

RouterOS 7 tells a status and the offset in milliseconds; RouterOS 6 the latest adjustment and when it was made.
"""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Number,
    Record,
    Table,
    gauge,
    info,
    state,
    switch,
)
from routeros.values import parse_duration, parse_float

_STATES = ("synchronized", "waiting", "reached", "using-local-clock", "standby", "stopped")


def parts_per_million(text: str) -> Number:
    """A share of one; the unit may stand behind the number."""
    value = parse_float(text.removesuffix("PPM"))
    return None if value is None else round(value / 1e6, 12)


_CLIENT = Table(
    name="client",
    path="/system/ntp/client",
    also=(
        *("status", "system-offset", "synced-server"),
        *("last-adjustment", "last-update-before", "last-update-from", "active-server"),
    ),
    rows=(
        switch("mikrotik_ntp_enabled", "1 unless the NTP client is off.", "enabled", absent=None),
        gauge(
            "mikrotik_ntp_synchronized",
            "1 while the clock follows a server.",
            "@synchronized",
            source="/system/ntp/client status, last-update-from",
        ),
        state(
            "mikrotik_ntp_status",
            "What the client does: 1 for the state that holds; RouterOS 6 tells none.",
            "status",
            _STATES,
        ),
        gauge(
            "mikrotik_ntp_offset_seconds",
            "The server's clock less the router's; in RouterOS 6 the latest adjustment.",
            "@offset",
            source="/system/ntp/client system-offset, last-adjustment",
        ),
        gauge(
            "mikrotik_ntp_frequency_drift_ratio",
            "How much the router's clock runs fast or slow.",
            "freq-drift",
            parts_per_million,
        ),
        gauge("mikrotik_ntp_stratum", "Stratum of the server that the clock follows.", "synced-stratum"),
        gauge(
            "mikrotik_ntp_last_update_timestamp_seconds",
            "When RouterOS 6 last heard from its server.",
            "@updated-at",
            source="/system/ntp/client last-update-before",
        ),
        info(
            "mikrotik_ntp_info",
            "Server that the clock follows.",
            Label("server", "@server"),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    for row in replies.get("client", ()):
        row["@server"] = row.get("synced-server") or row.get("active-server") or ""
        if status := row.get("status"):
            row["@synchronized"] = str(int(status == "synchronized"))
        elif row.get("enabled") in ("true", "yes"):
            row["@synchronized"] = str(int(bool(row.get("last-update-from"))))
        if offset := _offset(row):
            row["@offset"] = offset
        if (age_s := _duration_s(row.get("last-update-before", ""))) is not None:
            row["@updated-at"] = str(round(facts.now_s - age_s))


def _offset(row: Record) -> str | None:
    """Seconds as text; what cannot be read stays as it is, for the row to name it."""
    if offset := row.get("system-offset", "").removesuffix("ms").strip():
        try:
            value = parse_float(offset)
        except ValueError:
            return offset
        return None if value is None else f"{value / 1000:.6f}"
    adjustment_s = _duration_s(row.get("last-adjustment", ""))
    return None if adjustment_s is None else f"{adjustment_s:.6f}"


def _duration_s(text: str) -> float | None:
    try:
        return parse_duration(text)
    except ValueError:
        return None


NTP = Collector(
    name="ntp",
    help="NTP client: synchronised or not, offset, stratum.",
    ttl_s=60,
    tables=(_CLIENT,),
    derive=_derive,
    on_by_default=False,
)
