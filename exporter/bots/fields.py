"""What a bot can tell of itself: fields, and how each is read from JSON that may be anything."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from exporter.pointers import Json, Missing, Pointer, resolve

TEXT_LIMIT_CHARS = 100
"""A version or name that is longer is cut: labels are no place for texts."""
_MILLISECONDS_FROM = 1e11
"""A Unix time from here on is in milliseconds: as seconds it would be the year 5138."""
_COUNT_LIMIT = 2.0**63


class Field(StrEnum):
    """Names of the fields, as the configuration says them under `fields:`."""

    STATE = "state"
    CONNECTED = "connected"
    LOGGED_IN = "logged_in"
    NEEDS_QR = "needs_qr"
    MESSAGES_SENT = "messages_sent"
    MESSAGES_RECEIVED = "messages_received"
    MESSAGES_FAILED = "messages_failed"
    RECONNECTS = "reconnects"
    QUEUE_LENGTH = "queue_length"
    QUEUE_OLDEST_S = "queue_oldest_s"
    LAST_RECEIVED_AT = "last_received_at"
    LAST_SENT_AT = "last_sent_at"
    LAST_FRAME_AT = "last_frame_at"
    LAST_ACK_AT = "last_ack_at"
    OLDEST_UNACKED_AT = "oldest_unacked_at"
    LAST_SELF_PROBE_AT = "last_self_probe_at"
    SELF_PROBE_OK = "self_probe_ok"
    SELF_PROBE_RTT_MS = "self_probe_rtt_ms"
    CONNECTED_SINCE = "connected_since"
    DISCONNECT_CODE = "disconnect_code"
    SENDING_BARRED_UNTIL = "sending_barred_until"
    VERSION = "version"
    LIBRARY_VERSION = "library_version"
    WHATSAPP_VERSION = "whatsapp_version"
    ENGINE = "engine"


Value = bool | float | str
Values = Mapping[Field, Value]

_TRUE: Final = frozenset({"true", "yes", "on", "1", "ok", "open", "connected", "working", "online", "ready"})


def number(given: Json) -> float | None:
    """A finite number, also when it is written as text; None for anything else. True and False are none."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    if isinstance(given, str) and len(given) > TEXT_LIMIT_CHARS:
        return None
    try:
        value = float(given)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def count(given: Json) -> float | None:
    """A number from 0, or the length of a list."""
    value = float(len(given)) if isinstance(given, list) else number(given)
    return value if value is not None and 0 <= value < _COUNT_LIMIT else None


def flag(given: Json) -> bool | None:
    """True or False, also as a number or a word; every word that does not say yes says no."""
    if isinstance(given, bool):
        return given
    if isinstance(given, str):
        return given.strip().lower() in _TRUE
    value = number(given)
    return None if value is None else value != 0


def time_s(given: Json) -> float | None:
    """Unix seconds of a point in time: seconds, milliseconds, or ISO 8601 (UTC where it names no zone)."""
    value = number(given)
    if value is None and isinstance(given, str) and len(given) <= TEXT_LIMIT_CHARS:
        try:
            moment = datetime.fromisoformat(given)
            value = moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            return None
    if value is None or value <= 0 or value >= _MILLISECONDS_FROM * 1000:
        return None  # 0 is how many programs say "never"
    return value / 1000 if value >= _MILLISECONDS_FROM else value


def word(given: Json) -> str | None:
    """Printable text of at most `TEXT_LIMIT_CHARS`; a number as its digits, True as ``true``."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int | float):
        value = number(given)
        return None if value is None else f"{value:g}"
    if not isinstance(given, str):
        return None
    cut = given[:TEXT_LIMIT_CHARS]
    return "".join(c if c.isprintable() else "?" for c in cut).strip() or None


_READ_AS: dict[Field, Callable[[Json], Value | None]] = {
    Field.STATE: word,
    Field.CONNECTED: flag,
    Field.LOGGED_IN: flag,
    Field.NEEDS_QR: flag,
    Field.MESSAGES_SENT: count,
    Field.MESSAGES_RECEIVED: count,
    Field.MESSAGES_FAILED: count,
    Field.RECONNECTS: count,
    Field.QUEUE_LENGTH: count,
    Field.QUEUE_OLDEST_S: count,
    Field.LAST_RECEIVED_AT: time_s,
    Field.LAST_SENT_AT: time_s,
    Field.LAST_FRAME_AT: time_s,
    Field.LAST_ACK_AT: time_s,
    Field.OLDEST_UNACKED_AT: time_s,
    Field.LAST_SELF_PROBE_AT: time_s,
    Field.SELF_PROBE_OK: flag,
    Field.SELF_PROBE_RTT_MS: count,
    Field.CONNECTED_SINCE: time_s,
    Field.DISCONNECT_CODE: count,
    Field.SENDING_BARRED_UNTIL: time_s,
    Field.VERSION: word,
    Field.LIBRARY_VERSION: word,
    Field.WHATSAPP_VERSION: word,
    Field.ENGINE: word,
}


def read(document: Json, pointers: Mapping[Field, Iterable[Pointer]]) -> dict[Field, Value]:
    """The fields that `document` holds, each at the first of its pointers that leads to something usable."""
    values: dict[Field, Value] = {}
    for field, places in pointers.items():
        for place in places:
            found = resolve(document, place)
            if not isinstance(found, Missing) and (value := _READ_AS[field](found)) is not None:
                values[field] = value
                break
    return values
