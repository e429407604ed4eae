"""How RouterOS writes values: durations, dates, flags, versions."""

import re
from datetime import UTC, datetime
from functools import lru_cache

Version = tuple[int, ...]
GMT_OFFSET_S = 7 * 3600  # every router stands in the same zone, +07:00

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@lru_cache(maxsize=256)
def version_of(text: str) -> Version:
    """`7.16.2 (stable)` as (7, 16, 2); a beta or rc counts as its release.

    Raises:
        ValueError: no version number at the start.
    """
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if match is None:
        raise ValueError(f"not a RouterOS version: {text!r}, wanted something like 7.16.2")
    return tuple(int(part) for part in match.groups() if part is not None)


def flag(value: bool) -> str:
    """A boolean as the API says it."""
    return "true" if value else "false"


def duration(seconds: float) -> str:
    """Whole seconds as `1w2d3h4m5s`; zero parts are left out, nothing at all is `0s`."""
    left = int(seconds)
    if left < 60:
        return f"{max(left, 0)}s"
    minutes, s = divmod(left, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    weeks, d = divmod(days, 7)
    return (
        (f"{weeks}w" if weeks else "")
        + (f"{d}d" if d else "")
        + (f"{h}h" if h else "")
        + (f"{m}m" if m else "")
        + (f"{s}s" if s else "")
    )


def fine_duration(seconds: float) -> str:
    """A short time as `1ms234us`."""
    micros = round(seconds * 1_000_000)
    millis, us = divmod(micros, 1000)
    s, ms = divmod(millis, 1000)
    return ((f"{s}s" if s else "") + (f"{ms}ms" if ms else "") + (f"{us}us" if us else "")) or "0us"


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|w|d|h|m|s|)")
_UNIT_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def seconds_of(text: str) -> float:
    """A duration argument (`5s`, `1m30s`, `2`, `00:01:00`) in seconds.

    Raises:
        ValueError: not a duration.
    """
    if re.fullmatch(r"\d+:\d\d:\d\d", text):
        hours, minutes, seconds = text.split(":")
        return int(hours) * 3600.0 + int(minutes) * 60.0 + int(seconds)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"not a duration: {text!r}")
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts)


def moment_of(wall_s: float, gmt_offset_s: int) -> datetime:
    """Router-local time of a Unix time."""
    return datetime.fromtimestamp(wall_s + gmt_offset_s, UTC)


def date(wall_s: float, gmt_offset_s: int, version: Version) -> str:
    """Date and time in the router's zone: `2026-01-02 15:04:05`, before 7.10 `jan/02/2026 15:04:05`."""
    local = moment_of(wall_s, gmt_offset_s)
    return f"{day(wall_s, gmt_offset_s, version)} {local:%H:%M:%S}"


def day(wall_s: float, gmt_offset_s: int, version: Version) -> str:
    """The date alone, in the style of the version."""
    local = moment_of(wall_s, gmt_offset_s)
    if version >= (7, 10):
        return f"{local:%Y-%m-%d}"
    return f"{_MONTHS[local.month - 1]}/{local:%d/%Y}"


def log_time(wall_s: float, now_wall_s: float, gmt_offset_s: int, version: Version) -> str:
    """Time of a log row: v6 leaves out the date of today, and the year always."""
    if version >= (7, 10):
        return date(wall_s, gmt_offset_s, version)
    local, today = moment_of(wall_s, gmt_offset_s), moment_of(now_wall_s, gmt_offset_s)
    clock = f"{local:%H:%M:%S}"
    return clock if local.date() == today.date() else f"{_MONTHS[local.month - 1]}/{local:%d} {clock}"


def mac(group: int, number: int) -> str:
    """A locally administered MAC address; `group` keeps kinds of devices apart."""
    return f"02:00:{group:02X}:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"


def ipv4(number: int) -> str:
    """An address given as a 32-bit number."""
    return f"{number >> 24 & 255}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def ipv4_number(text: str) -> int:
    """An address as a 32-bit number."""
    a, b, c, d = text.split(".")
    return int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)
