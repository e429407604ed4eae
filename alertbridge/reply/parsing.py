"""What somebody wrote -> a command, forgiving, but never guessing at what changes something. No input, no output."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from alertbridge.reply.durations import take_duration
from alertbridge.reply.model import Order

LONGEST_CHARS = 500
"""Longer text is no command, whatever it begins with."""
CODE = re.compile(r"[2-9A-HJ-NP-Z]{6}", re.IGNORECASE | re.ASCII)
"""Codes that confirm, as recovery makes them."""

_INVISIBLE = ("Cf", "Cc", "Cs", "Co", "Cn")
_AROUND = "*_~`\"'()[]{}.,;:!?#/\\-\u2026\u201c\u201d\u2018\u2019"
_AFTER = "*_~`\"'.,;:!?\u2026\u201c\u201d\u2018\u2019"
_BEFORE = "*_~`\"'\u201c\u201d\u2018\u2019"
_MENTION = re.compile(r"@\d{5,20}")
_GLUED = re.compile(r"([a-z]+)#?(\d{1,18})")
_EPISODE = re.compile(r"#?(\d{1,18})")
_EVERYTHING = frozenset({"all", "semua", "semuanya"})


class Takes(Enum):
    """What a command may be followed by."""

    EPISODES = auto()  # numbers of alerts, and "all"
    DURATION = auto()
    NAMES = auto()  # words: a router, an interface, a user, an action
    CODE = auto()


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a command is written. `exact`: it changes something, and a misspelt word is only asked about."""

    name: str
    words: tuple[str, ...]
    takes: frozenset[Takes] = frozenset()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """No command. `meant` is the word that was perhaps meant, empty when there is none."""

    word: str
    meant: str = ""


def parse(text: str, grammars: Iterable[Grammar], *, strict: bool = False) -> Order | Misunderstood:
    """The order that `text` is; its first line counts. `strict` takes no misspelt word, as in a group."""
    known = {word: grammar for grammar in grammars for word in grammar.words}
    words = _words(text)
    if not words:
        bare = text.strip()
        return Order(known["?"].name) if bare and set(bare) == {"?"} and "?" in known else Misunderstood("")
    first, rest = _bare(words[0]), words[1:]
    glued = _GLUED.fullmatch(first)
    if first not in known and glued and glued[1] in known:
        first, rest = glued[1], [glued[2], *rest]
    grammar = known.get(first)
    if grammar is None:
        meant = closest(first, known)
        if strict or not meant or known[meant].exact:
            return Misunderstood(first[:40], "" if strict else meant)
        grammar = known[meant]
    order = _order(grammar, rest)
    if Takes.CODE in grammar.takes and not _is_meant(order.code, strict=strict):
        return Misunderstood(first[:40])  # "ya" alone is talk
    return order


def _is_meant(code: str, *, strict: bool) -> bool:
    """Whether it is a code: among others also a word of six letters may follow a yes."""
    return bool(code) and (not strict or code.isupper() or any(c.isdigit() for c in code))


def closest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that a misspelt `word` can only mean; empty when none or several can be meant."""
    allowed = 0 if len(word) < 4 else 1 if len(word) < 7 else 2
    distances = {one: distance(word, one) for one in known if len(one) > 2}
    least = min(distances.values(), default=99)
    found = [one for one, far in distances.items() if far == least]
    return found[0] if least <= allowed and len(found) == 1 else ""


def distance(one: str, other: str) -> int:
    """How many letters must be put in, left out, changed or swapped with their neighbour."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != wanted))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted
            line.append(min(cost, before[column - 2] + 1) if swapped else cost)
        before, last = last, line
    return last[-1]


def _words(text: str) -> list[str]:
    """The words of the first line that has any; none of a text that is too long."""
    if len(text) > LONGEST_CHARS:
        return []
    shown = unicodedata.normalize("NFKC", text)
    for line in shown.splitlines():
        seen = "".join(" " if c.isspace() else c for c in line if _shows(c))
        words = [word for part in seen.split() if (word := part.rstrip(_AFTER).lstrip(_BEFORE))]
        if words and _MENTION.fullmatch(words[0]):
            words = words[1:]
        if any(_bare(word) for word in words[:1]):
            return words
    return []


def _shows(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in _INVISIBLE


def _bare(word: str) -> str:
    return word.casefold().strip(_AROUND)


def _order(grammar: Grammar, words: Sequence[str]) -> Order:
    rest = list(words)
    duration_s: float | None = None
    episodes: list[int] = []
    everything, code = False, ""
    if Takes.CODE in grammar.takes:
        joined = "".join(rest)
        if CODE.fullmatch(joined):
            code, rest = joined, []
    if Takes.DURATION in grammar.takes:
        duration_s, rest = take_duration(rest)
    if Takes.EPISODES in grammar.takes:
        left = []
        for word in rest:
            if found := _EPISODE.fullmatch(word.strip(",")):
                episodes.append(int(found[1]))
            elif word.casefold() in _EVERYTHING:
                everything = True
            else:
                left.append(word)
        rest = left
    names = tuple(rest) if Takes.NAMES in grammar.takes else ()
    return Order(
        grammar.name,
        episodes=tuple(dict.fromkeys(episodes)),
        everything=everything,
        duration_s=duration_s,
        names=names,
        code=code,
        surplus=() if names else tuple(rest),
    )
