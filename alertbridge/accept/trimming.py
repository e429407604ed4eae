"""What alerts say, made fit to be stored: no NUL, no half of a surrogate pair, nothing without end.

Everything else is kept as it came, markup and control characters too: how it is shown is rendering's matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MARK = "…"
"""Stands at the end of what was cut."""
KEPT_FIRST = ("alertname", "severity")
"""Labels that are kept when there are too many."""


@dataclass(frozen=True, slots=True)
class TextLimits:
    """The most that is kept: labels (and annotations) of one alert, and characters."""

    labels: int = 64
    name_chars: int = 200
    label_chars: int = 2048
    annotation_chars: int = 8192


class Trimmer:
    """Trims what one notification says; `cut` counts what was too long or too many."""

    def __init__(self, limits: TextLimits) -> None:
        self._limits = limits
        self.cut = 0

    def labels(self, given: Mapping[str, str]) -> dict[str, str]:
        """Label names and values."""
        return self._pairs(given, self._limits.label_chars)

    def annotations(self, given: Mapping[str, str]) -> dict[str, str]:
        """Annotation names and texts."""
        return self._pairs(given, self._limits.annotation_chars)

    def text(self, given: str) -> str:
        """Anything else: an address, a group's key, a receiver."""
        return self._fit(given, self._limits.annotation_chars)

    def _pairs(self, given: Mapping[str, str], chars: int) -> dict[str, str]:
        names = list(given)
        if len(names) > self._limits.labels:
            self.cut += len(names) - self._limits.labels
            names.sort(key=lambda name: name not in KEPT_FIRST)
            del names[self._limits.labels :]
        return {self._fit(name, self._limits.name_chars): self._fit(given[name], chars) for name in names}

    def _fit(self, text: str, chars: int) -> str:
        text = storable(text)
        if len(text) <= chars:
            return text
        self.cut += 1
        return text[: chars - len(MARK)] + MARK


def storable(text: str) -> str:
    """`text` as PostgreSQL and UTF-8 can hold it: without NUL, and U+FFFD for half a surrogate pair."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
