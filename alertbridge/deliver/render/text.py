"""Text as WhatsApp takes it: values that change no formatting, long texts in numbered parts, plain text for SMS.

Lengths are in characters (code points), as WhatsApp and Meta count them.
"""

import re
from dataclasses import dataclass

from alertbridge.deliver.render.characters import (
    ISOLATE,
    ISOLATE_END,
    ZWJ,
    clean,
    gsm_friendly,
    is_boundary,
    isolated,
)
from alertbridge.deliver.render.words import words

LEAST_LIMIT = 60
"""Shorter parts would be all numbers and marks."""

_BLOCK = "```"
_GRAVE = "\N{MODIFIER LETTER GRAVE ACCENT}"
_AT_BORDER = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])")
_LINE_START = re.compile(r"^(?=(?:>|[-*]|\d{1,9}\.)(?:\s|$))", re.MULTILINE)
_PAIR = {
    mark: re.compile(
        rf"(?<![^\W_]){re.escape(mark)}(?![\s{ZWJ}{re.escape(mark)}])[^\n]{{0,400}}?"
        rf"(?<![\s{re.escape(mark)}]){re.escape(mark)}(?![^\W_]|{ZWJ})"
    )
    for mark in "*_~"
}
_CODE = re.compile(r"```.+?```|`[^`\n]+`", re.DOTALL)


def escape(value: str, *, lines: bool = False) -> str:
    """`value` as it is to be read: no marks, no control characters, right-to-left isolated.

    On one line unless `lines`. A mark within a word (``node_load_5``) means nothing and stays bare, so that names
    can be copied; elsewhere a zero-width joiner after it takes its meaning. Backticks become a look-alike.
    """
    text = clean(value, lines=lines).replace("`", _GRAVE)
    text = _AT_BORDER.sub(lambda mark: mark[0] + ZWJ, text)
    text = _LINE_START.sub(ZWJ, text)
    return "\n".join(map(isolated, text.split("\n")))


def plain(text: str) -> str:
    """`text` without WhatsApp's marks, in characters that an SMS takes at full length where there is such a one."""
    cut: set[int] = set()
    for span in _spans(text):
        cut.update(range(span.start, span.inner_start))
        cut.update(range(span.inner_end, span.end))
    bare = "".join(character for at, character in enumerate(text) if at not in cut)
    for invisible in (ZWJ, ISOLATE, ISOLATE_END):
        bare = bare.replace(invisible, "")
    return gsm_friendly(bare)


def shorten(text: str, limit: int, language: str) -> str:
    """`text`, or as many of its lines as go into `limit` characters and how many more there were.

    Raises ValueError for a limit below LEAST_LIMIT.
    """
    _check(limit)
    if len(text) <= limit:
        return text
    table = words(language)
    lines = text.split("\n")
    room = limit - len(table.more_lines.format(len(lines))) - 1
    whole = _Text(text)
    kept = 0
    for number, line in enumerate(lines):
        end = kept + len(line) + (1 if number else 0)
        if end + len(whole.closing(end)) > room:
            break
        kept = end
    if not kept:
        kept = whole.cut(0, room)
    head = text[:kept].rstrip() + whole.closing(kept)
    left = sum(1 for line in text[kept:].split("\n") if line.strip())
    return f"{head}\n{table.more_lines.format(left) if left != 1 else table.more_lines_one}"


def split(text: str, limit: int) -> tuple[str, ...]:
    """`text` in parts of at most `limit` characters, numbered ``(1/3)`` at their ends when there are several.

    It is cut at blank lines, lines or words, inside a word only when that is too long by itself. A block or a pair
    of marks that a cut goes through is closed and opened again. Raises ValueError for a limit below LEAST_LIMIT.
    """
    _check(limit)
    if len(text) <= limit:
        return (text,)
    whole = _Text(text)
    digits = 1
    while True:
        pieces = whole.pieces(limit - len("\n(/)") - 2 * digits)
        if len(str(len(pieces))) <= digits:
            return tuple(f"{piece}\n({number}/{len(pieces)})" for number, piece in enumerate(pieces, 1))
        digits += 1


def _check(limit: int) -> None:
    if limit < LEAST_LIMIT:
        raise ValueError(f"no text goes into {limit} characters; at least {LEAST_LIMIT}")


@dataclass(frozen=True, slots=True)
class _Span:
    """A pair of marks and what is between them."""

    mark: str
    start: int
    end: int

    @property
    def inner_start(self) -> int:
        return self.start + len(self.mark)

    @property
    def inner_end(self) -> int:
        return self.end - len(self.mark)


def _spans(text: str) -> list[_Span]:
    """The pairs in `text`, by where they begin. Inside code nothing else is a mark."""
    spans = [
        _Span(_BLOCK if found[0].startswith(_BLOCK) else "`", found.start(), found.end())
        for found in _CODE.finditer(text)
    ]
    masked = _CODE.sub(lambda found: "x" * len(found[0]), text)
    for mark, pair in _PAIR.items():
        spans += [_Span(mark, found.start(), found.end()) for found in pair.finditer(masked)]
    return sorted(spans, key=lambda span: (span.start, -span.end))


class _Text:
    """A text, and where it may be cut."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans = _spans(text)

    def pieces(self, room: int) -> list[str]:
        """The text in pieces of at most `room` characters."""
        pieces: list[str] = []
        at = 0
        while at < len(self._text):
            opening = self.opening(at)
            end = self.cut(at, room - len(opening))
            pieces.append(opening + self._text[at:end].rstrip() + self.closing(end))
            at = self._after_break(end)
        return pieces

    def opening(self, at: int) -> str:
        """The marks that are open at `at`, to be written again there."""
        return "".join(
            span.mark for span in self._spans if span.inner_start <= at < span.inner_end and at > span.start
        )

    def closing(self, at: int) -> str:
        """The marks that are open at `at`, to be closed there."""
        return self.opening(at)[::-1]

    def cut(self, start: int, room: int) -> int:
        """Where a piece that begins at `start` ends, at most `room` characters on, its closing marks counted."""
        rest = len(self._text) - start
        if rest <= room:
            return len(self._text)
        for least, pattern in ((0.5, "\n\n"), (0.3, "\n"), (0.3, " ")):
            end = self._text.rfind(pattern, start + int(room * least), start + room + 1)
            while end > start:
                if self._fits(start, end, room):
                    return end
                end = self._text.rfind(pattern, start + int(room * least), end)
        end = start + room
        while end > start + 1 and not (is_boundary(self._text, end) and self._fits(start, end, room)):
            end -= 1
        return end if end > start + 1 else start + max(room - 8, 1)  # one character is longer than a part

    def _fits(self, start: int, end: int, room: int) -> bool:
        torn = any(
            span.start < end <= span.inner_start or span.inner_end <= end < span.end for span in self._spans
        )
        return not torn and end - start + len(self.closing(end)) <= room

    def _after_break(self, end: int) -> int:
        """Where the next piece begins: the white space that the cut was made at belongs to neither."""
        while end < len(self._text) and self._text[end] in "\n ":
            end += 1
        return end
