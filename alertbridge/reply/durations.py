"""Durations as people write them: ``2h``, ``2 jam``, ``1h30m``, ``setengah jam``. No input, no output."""

import math
import re
from collections.abc import Sequence

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0

_UNITS: dict[str, float] = {
    **dict.fromkeys(("s", "detik", "dtk", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "menit", "mnt", "min", "mins", "minute", "minutes"), MINUTE_S),
    **dict.fromkeys(("h", "j", "jam", "hr", "hrs", "hour", "hours"), HOUR_S),
    **dict.fromkeys(("d", "hari", "day", "days"), DAY_S),
    **dict.fromkeys(("w", "minggu", "mgg", "week", "weeks"), 7 * DAY_S),
    **dict.fromkeys(("bulan", "bln", "month", "months"), 30 * DAY_S),
    **dict.fromkeys(("y", "tahun", "year", "years"), 365 * DAY_S),
}
_WHOLE: dict[str, float] = {
    "semenit": MINUTE_S,
    "sejam": HOUR_S,
    "sehari": DAY_S,
    "seharian": DAY_S,
    "seminggu": 7 * DAY_S,
    "sebulan": 30 * DAY_S,
    "setahun": 365 * DAY_S,
    **dict.fromkeys(("selamanya", "seterusnya", "forever", "permanen", "permanent"), math.inf),
}
_HALF = ("setengah", "half")
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,3})?")
_PIECE = re.compile(rf"({_NUMBER.pattern})([a-z]+)")
_GLUED = re.compile(rf"(?:{_NUMBER.pattern}[a-z]+)+")
_FILLERS = frozenset({"for", "selama", "dan", "and"})


def take_duration(words: Sequence[str]) -> tuple[float | None, list[str]]:
    """Seconds of the duration among `words`, and the words that are none of it; None when there is no duration.

    Several in a row add up (``1 jam 30 menit``); infinite for words such as ``selamanya``.
    """
    lowered = [word.lower() for word in words]
    rest: list[str] = []
    total: float | None = None
    at = 0
    while at < len(words):
        seconds, taken = _at(lowered, at)
        if taken and total is not None and rest and rest[-1] is not _GAP:
            return total, [*_without_gaps(rest), *words[at:]]  # a second one further on is somebody's name
        if taken:
            total = seconds if total is None else total + seconds
            rest.append(_GAP)
            at += taken
            continue
        if lowered[at] not in _FILLERS:
            rest.append(words[at])
        at += 1
    return total, _without_gaps(rest)


_GAP = "\0"


def _without_gaps(words: Sequence[str]) -> list[str]:
    return [word for word in words if word is not _GAP]


def _at(words: Sequence[str], at: int) -> tuple[float, int]:
    """Seconds of what begins at `at`, and how many words it takes; 0 words when it is no duration."""
    word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
    if word in _WHOLE:
        return _WHOLE[word], 1
    if word in _HALF and following in _UNITS:
        return _UNITS[following] / 2, 2
    if _GLUED.fullmatch(word):
        pieces = _PIECE.findall(word)
        if all(unit in _UNITS for _, unit in pieces):
            return sum(_number(number) * _UNITS[unit] for number, unit in pieces), 1
    if _NUMBER.fullmatch(word) and following in _UNITS:
        return _number(word) * _UNITS[following], 2
    return 0.0, 0


def _number(text: str) -> float:
    return float(text.replace(",", "."))
