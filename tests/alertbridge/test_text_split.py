"""Long texts come in numbered parts that each are whole, and short ones say how much is missing."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.deliver.render.characters import is_boundary
from alertbridge.deliver.render.text import LEAST_LIMIT, _spans, shorten, split

WORDS = st.sampled_from(
    ["core-1", "*KRITIS*", "*dua kata*", "_miring_", "~x y z~", "`kode`", "```satu\ndua tiga```", "node_load_5", "*",
     "\U0001f468\u200d\U0001f469\u200d\U0001f467", "e\u0301" * 3, "\U0001f1ee\U0001f1e9\U0001f1ee\U0001f1e9", "a" * 90,
     "\n", "\n\n", "- butir", "\U0001f44d\U0001f3fd"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=80).map(" ".join)
LIMITS = st.integers(LEAST_LIMIT, 400)
NUMBER = re.compile(r"\n\(\d+/\d+\)$")


def letters(text: str) -> str:
    """The text without white space and marks."""
    return re.sub(r"[\s*_~`]", "", text)


@given(TEXTS, LIMITS)
@settings(max_examples=300)
def test_nothing_is_lost(text: str, limit: int) -> None:
    """The parts hold every character in its order, but for white space at the cuts, and none is too long."""
    parts = split(text, limit)
    assert all(len(part) <= limit for part in parts)
    if len(parts) == 1:
        assert parts == (text,)
    else:
        assert all(part.endswith(f"\n({number}/{len(parts)})") for number, part in enumerate(parts, 1))
        assert letters("".join(NUMBER.sub("", part) for part in parts)) == letters(text)


@given(TEXTS, LIMITS)
@settings(max_examples=300)
def test_no_pair_is_broken(text: str, limit: int) -> None:
    """What is bold in the text is bold in the parts, and nothing else is; blocks are closed and opened again."""

    def marked(part: str) -> str:
        inside = {at for span in _spans(part) for at in range(span.inner_start, span.inner_end)}
        return re.sub(r"\s", "", "".join(part[at] for at in sorted(inside) if part[at] not in "*_~`"))

    parts = [NUMBER.sub("", part) for part in split(text, limit)]
    assert "".join(map(marked, parts)) == marked(text)


@given(TEXTS, LIMITS)
@settings(max_examples=200)
def test_no_character_is_cut(text: str, limit: int) -> None:
    """No part begins with half of what a reader takes for one character."""
    for part in split(text, limit):
        assert is_boundary("x" + part.lstrip("*_~`"), 1)


@given(TEXTS, LIMITS, st.sampled_from(["id", "en"]))
@settings(max_examples=200)
def test_a_shortened_text_says_how_much_is_missing(text: str, limit: int, language: str) -> None:
    """It is never longer than the limit, and ends in the number of lines that are left out."""
    short = shorten(text, limit, language)
    assert len(short) <= limit
    assert short == text or re.search(r"\.\.\. (dan \d+ baris lagi|and \d+ more lines?)$", short)
    assert short.count("```") % 2 == text.count("```") % 2 or short != text


def test_a_text_is_cut_where_a_reader_would() -> None:
    """Blank lines come first, then lines, then words."""
    text = "\n\n".join(f"*Router {number}*\ntidak menjawab sejak malam" for number in range(6))
    assert split(text, 90) == (
        "*Router 0*\ntidak menjawab sejak malam\n\n*Router 1*\ntidak menjawab sejak malam\n(1/3)",
        "*Router 2*\ntidak menjawab sejak malam\n\n*Router 3*\ntidak menjawab sejak malam\n(2/3)",
        "*Router 4*\ntidak menjawab sejak malam\n\n*Router 5*\ntidak menjawab sejak malam\n(3/3)",
    )
    assert shorten(text, 90, "id") == (
        "*Router 0*\ntidak menjawab sejak malam\n\n*Router 1*\n... dan 9 baris lagi"
    )


def test_a_character_longer_than_a_part_is_cut_all_the_same() -> None:
    """A letter under a thousand accents ends somewhere."""
    parts = split("e" + "\u0301" * 1000, 100)
    assert all(len(part) <= 100 for part in parts)


def test_a_hostile_text_is_split_quickly() -> None:
    """A text of nothing but marks takes no noticeable time."""
    began = time.process_time()
    split("*a " * 20_000, 4_000)
    split("```" * 20_000, 4_000)
    split("`a`" * 20_000, 4_000)
    assert time.process_time() - began < 10


def test_a_limit_too_small_is_refused() -> None:
    """There is no sense in parts that hold but their number."""
    with pytest.raises(ValueError, match="at least 60"):
        split("x" * 100, 10)
    with pytest.raises(ValueError, match="at least 60"):
        shorten("x" * 100, 10, "id")
