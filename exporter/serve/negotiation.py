"""Which format of metrics a client can read, by its Accept headers. Pure."""

from collections.abc import Iterable, Mapping

from exporter.exposition import Format
from runtime.serving.negotiation import Choice, choices

_TYPES: Mapping[Format, tuple[str, frozenset[str]]] = {
    Format.TEXT: ("text/plain", frozenset({"", "0.0.4"})),
    Format.OPENMETRICS: ("application/openmetrics-text", frozenset({"", "0.0.1", "1.0.0"})),
}
"""Media type of each format and the versions that it answers; in the order in which a tie is settled."""


def choose_format(accept: Iterable[str]) -> Format:
    """The format that the client likes best; text when it has no say, no preference, or likes neither.

    `accept` are the values of its Accept headers. Of several entries that fit a format the most special one counts.
    """
    found = list(choices(accept))
    best, most = Format.TEXT, 0.0
    for fmt in _TYPES:
        quality = _quality(fmt, found)
        if quality > most:
            best, most = fmt, quality
    return best


def _quality(fmt: Format, entries: Iterable[Choice]) -> float:
    name, versions = _TYPES[fmt]
    ranges = (name, f"{name.partition('/')[0]}/*", "*/*")
    found: dict[int, float] = {}
    for choice in entries:
        if choice.name not in ranges or choice.parameters.get("version", "") not in versions:
            continue
        special = len(ranges) - ranges.index(choice.name)
        found[special] = max(choice.quality, found.get(special, 0.0))
    return found[max(found)] if found else 0.0
