"""From samples to exposition text: escaping, blocks and headers of the two formats.

A *block* is the finished lines of one family for one router, as UTF-8 bytes. Blocks are rendered once per
refresh and are the same in both formats; only the headers differ, so a scrape concatenates bytes.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum

from exporter.samples import Family, Kind

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_EXACT_FLOAT = 2.0**53
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def escape(value: str) -> str:
    """`value` as it stands between the quotes of a label."""
    return value.translate(_ESCAPES)


def needs_escape(text: str) -> bool:
    """Whether `text`, perhaps a whole column joined, holds a character that a label must escape."""
    return "\\" in text or '"' in text or "\n" in text


def label_text(labels: Mapping[str, str]) -> str:
    """``a="b",c="d"``; an empty value is left out, since to Prometheus it is the same as no label."""
    return ",".join(f'{name}="{escape(value)}"' for name, value in labels.items() if value)


def number_text(value: float) -> str:
    """`value` as the formats write it: whole numbers without a point, others at full precision."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < _EXACT_FLOAT):
        return str(int(value))  # int() also turns True into 1
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def heads(label_texts: Iterable[str]) -> list[str]:
    """The part of a line between name and value, one per row, shared by every family of a table."""
    return [f"{{{text}}} " if text else " " for text in label_texts]


def block(name: str, row_heads: Sequence[str], values: Sequence[str | None]) -> str:
    """Lines of one family; a row whose value is None gives none."""
    return "".join([f"{name}{head}{value}\n" for head, value in zip(row_heads, values, strict=True) if value])


def header(family: Family, fmt: Format) -> str:
    """HELP and TYPE lines of `family`."""
    name = family.name
    kind = family.kind.value
    if fmt is Format.TEXT:
        if family.kind in (Kind.INFO, Kind.STATE_SET):
            kind = "gauge"
        help_text = family.help_text.translate(_HELP_ESCAPES)
    else:
        if family.kind is Kind.COUNTER:
            name = name.removesuffix("_total")
        elif family.kind is Kind.INFO:
            name = name.removesuffix("_info")
        elif family.kind is Kind.STATE_SET:
            kind = (
                "gauge"  # the state is in a label called `state`, which OpenMetrics' stateset does not allow
            )
        help_text = escape(family.help_text)
    return f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"


class Headers:
    """Header bytes of every family in one format, encoded once."""

    def __init__(self, families: Iterable[Family], fmt: Format) -> None:
        self._bytes = {family.name: header(family, fmt).encode() for family in families}

    def __getitem__(self, name: str) -> bytes:
        return self._bytes[name]


def without_router(block_bytes: bytes, router_label: str) -> bytes:
    """A block as `/probe` serves it: the `router` label, which is each line's first, taken out.

    Safe as bytes: inside a label value every quote is escaped, so the pattern occurs only at a line's braces.
    """
    label = router_label.encode()
    return block_bytes.replace(b"{" + label + b",", b"{").replace(b"{" + label + b"}", b"")


def page(
    families: Iterable[Family], blocks: Mapping[str, Sequence[bytes]], headers: Headers, fmt: Format
) -> Iterator[bytes]:
    """Yield the page in pieces: each family that has blocks, under its header, and the end mark of OpenMetrics."""
    for family in families:
        if found := blocks.get(family.name):
            yield headers[family.name]
            yield from found
    if fmt is Format.OPENMETRICS:
        yield b"# EOF\n"
