"""Numbers as people read them: durations, rates, sizes, and times on the wall clock of their zone."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from alertbridge.deliver.render.words import words

_SECONDS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_ZONES = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",  # codespell:ignore wit
}
_LONGEST_S = 100 * 365 * 86_400.0


def duration(seconds: float, language: str) -> str:
    """``3 menit``, ``2 jam 5 mnt``, ``4 hari 3 jam``; the word for now below a second and before it.

    Two units at most, the smaller one left out when it is none; seconds are told only below a minute.
    """
    table = words(language)
    if math.isnan(seconds) or seconds < 1:
        return table.now
    left = int(min(seconds, _LONGEST_S))
    for number, (unit, size) in enumerate(_SECONDS):
        count, rest = divmod(left, size)
        if not count:
            continue
        smaller, smaller_size = _SECONDS[min(number + 1, len(_SECONDS) - 1)]
        second = rest // smaller_size if unit in ("day", "hour") else 0
        full, short = table.units[unit]
        if second:
            return f"{count} {short} {second} {table.units[smaller][1]}"
        return f"{count} {full}{table.plural if count > 1 else ''}"
    return table.now


def number(value: float, language: str) -> str:
    """At most three digits that matter, with the language's decimal mark: ``1,5``, ``38``, ``1200``."""
    if not math.isfinite(value):
        return "-"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if "e" in text:
        text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text.replace(".", words(language).decimal)


def rate(bits_per_second: float, language: str) -> str:
    """``94,2 Mbps``, by thousands as networks count."""
    return _scaled(bits_per_second, 1000, ("bps", "kbps", "Mbps", "Gbps", "Tbps"), language)


def size(amount_bytes: float, language: str) -> str:
    """``1,5 GiB``, by 1,024."""
    return _scaled(amount_bytes, 1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB"), language)


def _scaled(value: float, step: int, names: tuple[str, ...], language: str) -> str:
    if not math.isfinite(value):
        return "-"
    power = 0
    while abs(value) >= step and power < len(names) - 1:
        value /= step
        power += 1
    return f"{number(value, language)} {names[power]}"


def percent(ratio: float, language: str) -> str:
    """``87,5%`` for 0.875."""
    return f"{number(ratio * 100, language)}%"


def zone_name(moment: datetime, zone: ZoneInfo) -> str:
    """``WIB`` and its kin in Indonesia; elsewhere the zone's own short name, or its distance from UTC."""
    if zone.key in _ZONES:
        return _ZONES[zone.key]
    name = moment.tzname() or "UTC"
    return name if name.isalpha() else f"UTC{name}"


def time_of(at_s: float, zone: ZoneInfo, language: str, *, now_s: float, with_zone: bool = True) -> str:
    """``14:32 WIB`` when it is on the day of `now_s`, else ``5 Jan 14:32 WIB``, with the year when it is another."""
    moment, now = _moment(at_s, zone), _moment(now_s, zone)
    if moment is None or now is None:
        return "-"
    parts = [f"{moment:%H:%M}"]
    if moment.date() != now.date():
        parts.insert(0, _day(moment, language, with_year=moment.year != now.year))
    if with_zone:
        parts.append(zone_name(moment, zone))
    return " ".join(parts)


def day_of(at_s: float, zone: ZoneInfo, language: str) -> str:
    """``5 Jan 2026``."""
    moment = _moment(at_s, zone)
    return "-" if moment is None else _day(moment, language, with_year=True)


def _day(moment: datetime, language: str, *, with_year: bool) -> str:
    text = f"{moment.day} {words(language).months[moment.month - 1]}"
    return f"{text} {moment.year}" if with_year else text


def _moment(at_s: float, zone: ZoneInfo) -> datetime | None:
    """`at_s` on the wall clock; None for what is no date, such as a time beyond the year 9999."""
    try:
        return datetime.fromtimestamp(at_s, zone)
    except (ValueError, OverflowError, OSError):
        return None
