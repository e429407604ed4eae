"""Parts of sentences for messages about somebody's input."""

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that somebody who wrote `word` has probably meant."""
    choices = {choice.lower(): choice for choice in sorted(known, reverse=True)}
    close = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.7)
    if not close and len(word) >= 3:
        close = [choice for choice in sorted(choices) if choice.startswith(word.lower())]
    return choices[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` when one of `known` looks like `word`, else ``; allowed: a, b, c``."""
    choices = sorted(known)
    if (close := closest(word, choices)) is not None:
        return f'; did you mean "{close}"?'
    if not choices:
        return ""
    return f"; allowed: {', '.join(choices[:30])}{', ...' if len(choices) > 30 else ''}"


def counted(number: int, noun: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
