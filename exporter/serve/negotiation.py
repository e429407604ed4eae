"""What a client can read: Accept -> a format, Accept-Encoding -> whether to compress, Accept-Language. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exporter.exposition import Format

HEADER_LIMIT_CHARS = 4096
"""A longer header is no honest list of formats; its beginning counts."""

_TYPES: Mapping[Format, tuple[str, frozenset[str]]] = {
    Format.TEXT: ("text/plain", frozenset({"", "0.0.4"})),
    Format.OPENMETRICS: ("application/openmetrics-text", frozenset({"", "0.0.1", "1.0.0"})),
}
"""Media type of each format and the versions that it answers; in the order in which a tie is settled."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """One entry of a header: ``text/plain;version=0.0.4;q=0.5``."""

    name: str
    quality: float
    parameters: Mapping[str, str] = field(default_factory=dict)


def choose_format(accept: Iterable[str]) -> Format:
    """The format that the client likes best; text when it has no say, no preference, or likes neither.

    `accept` are the values of its Accept headers. Of several entries that fit a format the most special one counts.
    """
    choices = list(_choices(accept))
    best, most = Format.TEXT, 0.0
    for fmt in _TYPES:
        quality = _quality(fmt, choices)
        if quality > most:
            best, most = fmt, quality
    return best


def accepts_gzip(accept_encoding: Iterable[str]) -> bool:
    """Whether the client takes gzip, and would not rather have the answer as it is."""
    qualities = {choice.name: choice.quality for choice in _choices(accept_encoding)}
    anything = qualities.get("*", 0.0)
    gzip = qualities.get("gzip", qualities.get("x-gzip", anything))
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


def preferred(values: Iterable[str], offered: Sequence[str]) -> str:
    """Which of `offered` an Accept-Language header likes best; the first when it does not say. ``id-ID`` is ``id``."""
    qualities: dict[str, float] = {}
    for choice in _choices(values):
        name = choice.name.partition("-")[0]
        qualities[name] = max(choice.quality, qualities.get(name, 0.0))
    anything = qualities.get("*", 0.0)
    return max(offered, key=lambda name: qualities.get(name, anything))


def _quality(fmt: Format, choices: Iterable[_Choice]) -> float:
    name, versions = _TYPES[fmt]
    ranges = (name, f"{name.partition('/')[0]}/*", "*/*")
    found: dict[int, float] = {}
    for choice in choices:
        if choice.name not in ranges or choice.parameters.get("version", "") not in versions:
            continue
        special = len(ranges) - ranges.index(choice.name)
        found[special] = max(choice.quality, found.get(special, 0.0))
    return found[max(found)] if found else 0.0


def _choices(values: Iterable[str]) -> Iterator[_Choice]:
    for entry in ",".join(values)[:HEADER_LIMIT_CHARS].split(","):
        name, *rest = (part.strip() for part in entry.split(";"))
        if not name:
            continue
        parameters = {}
        for part in rest:
            key, _, value = part.partition("=")
            parameters[key.strip().lower()] = value.strip().strip('"')
        yield _Choice(name.lower(), _weight(parameters.pop("q", "1")), parameters)


def _weight(text: str) -> float:
    """A q-value; what is none counts as 0, as if the entry were not there."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0
