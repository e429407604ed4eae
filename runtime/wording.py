"""Parts of sentences for messages about somebody's input."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` when one of `known` looks like `word`, else ``; allowed: a, b, c``."""
    choices = sorted(known)
    lowered = {choice.lower(): choice for choice in reversed(choices)}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.7)
    if not close and len(word) >= 3:
        close = [choice for choice in lowered if choice.startswith(word.lower())]
    if close:
        return f'; did you mean "{lowered[close[0]]}"?'
    if not choices:
        return ""
    shown = ", ".join(choices[:30])
    return f"; allowed: {shown}{', ...' if len(choices) > 30 else ''}"


def counted(number: int, noun: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
