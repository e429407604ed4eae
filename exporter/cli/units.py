"""Numbers as people read them."""

from collections.abc import Callable, Mapping
from enum import Enum

from exporter.cli.terminal import visible

Value = str | float | bool | None
NOTHING = "-"


class Unit(Enum):
    """What a number counts; the value is what its JSON key ends in."""

    TEXT = ""
    FLAG = "bool"
    COUNT = "count"
    BIT_RATE = "bits_per_second"
    BYTES = "bytes"
    DURATION = "seconds"
    RATIO = "ratio"
    TEMPERATURE = "celsius"
    VOLTAGE = "volts"


def scaled(value: float, step: int, marks: str, gap: str = "") -> str:
    """Three digits and the mark of the power of `step`; whole below the first."""
    if value < step:
        return f"{value:.0f}{gap}{marks[0].strip()}".rstrip()
    power = 0
    while power < len(marks) - 1 and (value >= step or f"{value:.0f}" == str(step)):
        value /= step
        power += 1
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}{gap}{marks[power]}"


def bit_rate(bits_per_s: float) -> str:
    """``950``, ``12.3k``, ``1.20G``: the heading says bit/s."""
    return scaled(bits_per_s, 1000, " kMGT")


def size(size_bytes: float) -> str:
    """``512 B``, ``1.20 MiB``."""
    if size_bytes < 1024:
        return f"{size_bytes:.0f} B"
    return scaled(size_bytes, 1024, " KMGTPE", " ") + "iB"


_STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def duration(duration_s: float) -> str:
    """The two largest units: ``3d 4h``, ``4h 5m``, ``12s``."""
    rest = round(duration_s)
    parts: list[str] = []
    for step_s, mark in _STEPS:
        amount, rest = divmod(rest, step_s)
        if amount or parts:
            parts.append(f"{amount}{mark}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0")) or "0s"


def milliseconds(duration_s: float) -> str:
    """``12 ms``, ``1.2 s``: how long something took."""
    return f"{duration_s * 1000:.0f} ms" if duration_s < 0.9995 else f"{duration_s:.1f} s"


_SHOW: Mapping[Unit, Callable[[float], str]] = {
    Unit.FLAG: lambda value: "yes" if value else "no",
    Unit.COUNT: lambda value: f"{value:.0f}",
    Unit.BIT_RATE: bit_rate,
    Unit.BYTES: size,
    Unit.DURATION: duration,
    Unit.RATIO: lambda value: f"{value:.0%}",
    Unit.TEMPERATURE: lambda value: f"{value:.0f}",
    Unit.VOLTAGE: lambda value: f"{value:.1f}",
}


def shown(value: Value, unit: Unit) -> str:
    """`value` as it stands in a cell."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, str):
        return visible(value)
    return _SHOW[unit](value)
