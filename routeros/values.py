"""RouterOS text -> numbers: pure, strict, no guessing.

Each parser gives None for the words by which RouterOS says "no value" (`SENTINELS`), and raises ValueError for
what cannot be right, so that a caller can tell "nothing to say" from "said something else".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

SENTINELS: Final = frozenset(("", "none", "never", "unlimited", "auto", "disabled", "default", "n/a"))
"""Words that stand where a number could, and mean that there is none."""

_TRUE = frozenset(("true", "yes", ""))
_FALSE = frozenset(("false", "no"))
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_LEADING_DECIMAL = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?![0-9.])", re.ASCII)
_DURATION = re.compile(
    r"(?P<sign>[+-])?(?:(?P<w>[0-9]+)w)?(?:(?P<d>[0-9]+)d)?"
    r"(?:(?P<clock_h>[0-9]+):(?P<clock_m>[0-5][0-9]):(?P<clock_s>[0-5][0-9](?:\.[0-9]+)?)"
    r"|(?:(?P<h>[0-9]+)h)?(?:(?P<m>[0-9]+)m(?!s))?(?:(?P<s>[0-9]+(?:\.[0-9]+)?)s)?"
    r"(?:(?P<ms>[0-9]+(?:\.[0-9]+)?)ms)?(?:(?P<us>[0-9]+(?:\.[0-9]+)?)us)?(?:(?P<ns>[0-9]+)ns)?)",
    re.ASCII,
)
_UNIT_S: Final = {
    "w": 604800.0,
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "clock_h": 3600.0,
    "clock_m": 60.0,
    "clock_s": 1.0,
}
_PARTS_PER_S: Final = {"ms": 1e3, "us": 1e6, "ns": 1e9}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(?:([KMGTP])i?)?B?", re.ASCII | re.IGNORECASE)
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kMGT]?)(?:(?:bps|bit/s)(?:[-*@].*)?|(?<=[kMGT])-.*)?", re.ASCII)
_RATE_POWERS: Final = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?: ([0-9]{2}):([0-9]{2}):([0-9]{2}))?", re.ASCII)
_OLD_DATE = re.compile(r"([a-z]{3})/([0-9]{2})/([0-9]{4})(?: ([0-9]{2}):([0-9]{2}):([0-9]{2}))?", re.ASCII)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_VERSION = re.compile(
    r"([0-9]{1,6})\.([0-9]{1,6})(?:\.([0-9]{1,6}))?(?:(alpha|beta|rc)([0-9]{0,6}))?(?:[ _]?\(([\w-]+)\))?",
    re.ASCII,
)


def is_number(text: str) -> bool:
    """All digits: what most counters are, and fit to be shown as it stands."""
    return text.isdecimal() and text.isascii()


def parse_bool(text: str) -> bool | None:
    """true, yes and present-but-empty are True; false and no are False; "auto" and the like None."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text in SENTINELS:
        return None
    raise _wrong("a yes or no", text)


def parse_int(text: str) -> int | None:
    """A whole number; spaces between groups of digits are ignored."""
    if text.isdecimal() and text.isascii():
        return int(text)
    if text in SENTINELS:
        return None
    digits = text.replace(" ", "")
    if not _INTEGER.fullmatch(digits):
        raise _wrong("a whole number", text)
    return int(digits)


def parse_float(text: str) -> float | None:
    """A decimal number."""
    if text in SENTINELS:
        return None
    digits = text.replace(" ", "")
    if not _DECIMAL.fullmatch(digits):
        raise _wrong("a number", text)
    return _finite(float(digits), text)


def parse_percent(text: str) -> float | None:
    """Percent as it stands: "7" and "7%" are both 7.0."""
    return parse_float(text.removesuffix("%"))


def parse_duration(text: str) -> float | None:
    """Seconds: "1w2d3h4m5s", "170ms", "00:01:02", "1d02:03:04"; a bare number counts seconds."""
    if text in SENTINELS:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        if _DECIMAL.fullmatch(text):
            return _finite(float(text), text)
        raise _wrong("a duration", text)
    parts = {unit: value for unit, value in match.groupdict().items() if value is not None}
    sign = -1.0 if parts.pop("sign", "+") == "-" else 1.0
    if not parts:
        raise _wrong("a duration", text)
    small_s = sum(float(parts.pop(unit)) / per_s for unit, per_s in _PARTS_PER_S.items() if unit in parts)
    return _finite(
        sign * (sum(float(value) * _UNIT_S[unit] for unit, value in parts.items()) + small_s), text
    )


def parse_size(text: str) -> float | None:
    """Bytes: plain, or with KiB, MiB, GiB, TiB (powers of 1024; RouterOS writes K for Ki in limits)."""
    if text.isdecimal() and text.isascii():
        return _finite(float(text), text)
    if text in SENTINELS:
        return None
    match = _SIZE.fullmatch(text)
    if match is None:
        raise _wrong("a size", text)
    power = "KMGTP".index(match[2].upper()) + 1 if match[2] else 0
    return _finite(float(match[1]) * float(1024**power), text)


def parse_rate(text: str) -> float | None:
    """Bits per second: "512k", "10M", "2.5Gbps", "86.6Mbps-20MHz/1S/SGI", "1G-baseT-full", plain digits."""
    if text.isdecimal() and text.isascii():
        return _finite(float(text), text)
    if text in SENTINELS:
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        raise _wrong("a rate", text)
    return _finite(float(match[1]) * _RATE_POWERS[match[2]], text)


def parse_pair(text: str, separator: str = "/") -> tuple[str, str]:
    """The two halves: upload and download of a queue ("/"), sent and received of wireless (",")."""
    first, found, second = text.partition(separator)
    if not found or separator in second:
        raise _wrong(f"two values with {separator!r} between them", text)
    return first.strip(), second.strip()


def parse_signal(text: str) -> float | None:
    """dBm: the number in front of "dBm", "@6Mbps" or nothing."""
    if text in SENTINELS:
        return None
    match = _LEADING_DECIMAL.match(text)
    if match is None:
        raise _wrong("a signal level", text)
    return _finite(float(match[0]), text)


def parse_date(text: str, gmt_offset_s: float | None = None) -> float | None:
    """Unix seconds of a date in the router's zone, which lies `gmt_offset_s` east of Greenwich.

    None as well when the offset is unknown, and for 1970-01-01, by which routers say "never". A date without
    time is its midnight.
    """
    if text in SENTINELS:
        return None
    match = _ISO_DATE.fullmatch(text)
    if match is not None:
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    else:
        match = _OLD_DATE.fullmatch(text.lower())
        if match is None or match[1] not in _MONTHS:
            raise _wrong("a date", text)
        year, month, day = int(match[3]), _MONTHS.index(match[1]) + 1, int(match[2])
    hour, minute, second = (int(part or 0) for part in match.groups()[3:])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise _wrong("a date", text) from error
    if (year, month, day) == (1970, 1, 1) or gmt_offset_s is None:
        return None
    return moment.timestamp() - gmt_offset_s


class Stage(IntEnum):
    """How finished a version is."""

    ALPHA = 0
    BETA = 1
    RC = 2
    RELEASE = 3


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """A RouterOS version; beta < rc < release. The channel ("stable", "long-term") does not order."""

    major: int
    minor: int
    patch: int = 0
    stage: Stage = Stage.RELEASE
    stage_number: int = 0
    channel: str = field(default="", compare=False)

    def __str__(self) -> str:
        patch = f".{self.patch}" if self.patch else ""
        stage = "" if self.stage is Stage.RELEASE else f"{self.stage.name.lower()}{self.stage_number or ''}"
        return f"{self.major}.{self.minor}{patch}{stage}"


def parse_version(text: str) -> Version:
    """ "7.24.1 (stable)", "7.23rc2 (testing)", "6.49.10"."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise _wrong("a version", text)
    stage = Stage[match[4].upper()] if match[4] else Stage.RELEASE
    return Version(
        int(match[1]), int(match[2]), int(match[3] or 0), stage, int(match[5] or 0), match[6] or ""
    )


def _finite(number: float, text: str) -> float:
    if not math.isfinite(number):
        raise _wrong("a number that a computer can hold", text)
    return number


def _wrong(expected: str, text: str) -> ValueError:
    return ValueError(f"expected {expected}, got {text[:60]!r}")
