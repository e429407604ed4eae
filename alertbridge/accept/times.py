"""Times as Go writes them: RFC 3339, to the nanosecond, with year 1 for "none"."""

import re
from datetime import UTC, datetime

_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_ONE_ENDS_S = (datetime(2, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()
MAX_CHARS = 64


def unix_seconds(text: str) -> float | None:
    """`text` as Unix seconds, to the microsecond; None for Go's zero time, in whatever zone it is written.

    Raises ValueError with what is wrong with it.
    """
    if len(text) > MAX_CHARS or not _FORM.fullmatch(text):
        raise ValueError("is not a time such as 2026-11-22T20:00:00.123Z")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(f"is not a time that there is: {error}") from error
    seconds = (moment - _EPOCH).total_seconds()
    return None if seconds < _YEAR_ONE_ENDS_S else seconds
