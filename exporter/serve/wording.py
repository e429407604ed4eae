"""Times as people read them."""

from datetime import UTC, datetime
from itertools import pairwise

_SPANS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def duration(seconds: float) -> str:
    """How long something took: ``0.4 ms``, ``52 ms``, ``1.25 s``."""
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"


def span(seconds: float) -> str:
    """A long time in its two largest units: ``12 d 4 h``, ``3 min 20 s``."""
    left = max(0.0, seconds)
    for (unit_s, unit), (next_s, following) in pairwise(_SPANS):
        if left >= unit_s:
            rest = int(left % unit_s // next_s)
            return (
                f"{int(left // unit_s)} {unit} {rest} {following}"
                if rest
                else f"{int(left // unit_s)} {unit}"
            )
    return f"{int(left)} s"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago a moment is, in its largest unit: ``now``, ``14 s ago``, ``3 h ago``."""
    left = (now - moment).total_seconds()
    for unit_s, unit in _SPANS:
        if left >= unit_s:
            return f"{int(left // unit_s)} {unit} ago"
    return "now"


def clock_time(moment: datetime) -> str:
    """A moment in full, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
