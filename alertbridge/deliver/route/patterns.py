"""Regular expressions from a configuration that cannot make the program hang on a hostile label.

Alertmanager's RE2 takes time in proportion to the text; Python's `re` tries every way that a pattern can match,
and there may be more of them than anybody can wait for. What multiplies those ways is counted before a pattern
is used, values are matched by their first `VALUE_LIMIT` characters, and what RE2 does not know is refused.
"""

import re
import warnings
from dataclasses import dataclass

PATTERN_LIMIT = 500
VALUE_LIMIT = 300
_WAYS_LIMIT = 5_000_000.0
_UNBOUNDED = 100.0
"""Ways that one `*` or `+` counts for: three of them in a row are still quick on a value of VALUE_LIMIT."""
_DEPTH_LIMIT = 20

_QUANTIFIER = re.compile(r"[*+?]|\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")
_TOO_SLOW = "can take very long on some labels; use fewer * and +, or several matchers"
_NESTED = "repeats a group that can itself match in several ways; write [a-z0-9]* instead of ([a-z]|[0-9])*"


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """`pattern` for `matches`, anchored at both ends as in Alertmanager. Raises ValueError with the reason."""
    if len(pattern) > PATTERN_LIMIT:
        raise ValueError(f"the regular expression is longer than {PATTERN_LIMIT} characters")
    if _Reader(pattern).alternatives() > _WAYS_LIMIT:
        raise ValueError(f'the regular expression "{pattern}" {_TOO_SLOW}')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # what later versions of Python read otherwise
            return re.compile(pattern, re.DOTALL)
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        raise ValueError(f'the regular expression "{pattern}" is wrong: {error}') from None


def matches(pattern: re.Pattern[str], value: str) -> bool:
    """Whether the whole of `value` is what `pattern` describes; of a longer one, its first VALUE_LIMIT characters."""
    return pattern.fullmatch(value[:VALUE_LIMIT]) is not None


@dataclass(slots=True)
class _Reader:
    """Counts in how many ways a pattern can match one text, roughly and never too low by much."""

    pattern: str
    at: int = 0
    depth: int = 0

    def alternatives(self) -> float:
        ways = self._sequence()
        while self.at < len(self.pattern) and self.pattern[self.at] == "|":
            self.at += 1
            ways += self._sequence()
        if self.depth == 0 and self.at < len(self.pattern):
            raise ValueError(f'the regular expression "{self.pattern}" has a ")" too many')
        return ways

    def _sequence(self) -> float:
        ways = 1.0
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            ways *= self._item()
        return ways

    def _item(self) -> float:
        character = self.pattern[self.at]
        self.at += 1
        inner = 1.0
        if character == "(":
            inner = self._group()
        elif character == "[":
            self._set()
        elif character == "\\":
            self._escape()
        found = _QUANTIFIER.match(self.pattern, self.at)
        if not found:
            return inner
        self.at = found.end()
        if self.pattern[self.at : self.at + 1] == "?":  # the lazy form tries the same ways
            self.at += 1
        return self._repeated(inner, found)

    def _repeated(self, inner: float, found: re.Match[str]) -> float:
        if found.group() == "?":
            return inner + 1
        if inner > 1:
            raise ValueError(f'the regular expression "{self.pattern}" {_NESTED}')
        least = int(found[1] or 0)
        if found[1] and not found[2]:
            return 1.0
        return min(_UNBOUNDED, float(int(found[3]) - least + 1)) if found[3] else _UNBOUNDED

    def _group(self) -> float:
        if self.pattern.startswith("?", self.at) and not re.match(
            r"\?(?::|P<\w+>|i\))", self.pattern[self.at :]
        ):
            raise ValueError(
                f'the regular expression "{self.pattern}" looks ahead or behind, or sets flags; Alertmanager '
                "knows no such thing either"
            )
        if opening := re.compile(r"\?(?::|P<\w+>|i(?=\)))").match(self.pattern, self.at):
            self.at = opening.end()
        self.depth += 1
        if self.depth > _DEPTH_LIMIT:
            raise ValueError(f"the regular expression has more than {_DEPTH_LIMIT} groups inside each other")
        ways = self.alternatives()
        self.depth -= 1
        if self.at >= len(self.pattern):
            raise ValueError(f'the regular expression "{self.pattern}" has a "(" that is not closed')
        self.at += 1
        return ways

    def _set(self) -> None:
        found = re.compile(r"\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL).match(self.pattern, self.at)
        if not found:
            raise ValueError(f'the regular expression "{self.pattern}" has a "[" that is not closed')
        if "[:" in found.group():
            raise ValueError(
                f'the regular expression "{self.pattern}" names a class such as [:alpha:]; write [a-z]'
            )
        self.at = found.end()

    def _escape(self) -> None:
        if self.pattern[self.at : self.at + 1].isdigit():
            raise ValueError(f'the regular expression "{self.pattern}" refers back to a group')
        self.at += 1
