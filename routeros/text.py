"""Bytes of a router <-> text: UTF-8, else cp1252, else latin-1; never an error, never a control character.

Routers store what they were given: WinBox sends the PC's code page, WebFig UTF-8, DHCP clients anything.
"""

from __future__ import annotations

# What is taken out of every value: C0 without TAB, LF and CR, then DEL and C1.
_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A, 0x0D)}


def to_text(raw: bytes) -> str:
    """The text of raw bytes; valid UTF-8 on the way out whatever came in."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = raw.decode("cp1252")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    if text.isprintable():
        return text
    return text.translate(_CONTROLS)


def repair(text: str) -> str:
    """The text of bytes that were taken for latin-1 to keep positions and byte offsets equal."""
    return to_text(text.encode("latin-1"))


def repair_record(record: dict[str, str]) -> None:
    """Repair in place each value that is not plain printable ASCII."""
    for key, value in record.items():
        if not (value.isascii() and value.isprintable()):
            record[key] = repair(value)
