"""Sentences of the RouterOS API <-> bytes, fast where rows are many.

A reply of thousands of rows repeats the same keys in the same order, so the reader keeps the shape of each
command's rows and, row after row, only compares the key it expects and cuts out the value. What does not fit
the shape is split the general way, and the shape learns it. Nothing is guessed: each word is still measured
by its own length prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from routeros.errors import ProtocolViolation
from routeros.text import repair, repair_record, to_text
from routeros.words import DEFAULT_MAX_WORD_BYTES, WordReader, decode_length, encode_word

DEFAULT_MAX_SENTENCE_BYTES = 4 * DEFAULT_MAX_WORD_BYTES
_MAX_SHAPE_FIELDS = 128
_ROW = b"!re"
_ROW_TAGGED = "\x03!re"
_TAG = b".tag="

Field = tuple[str, str, int]
"""Key, the text `=key=` in front of its value (bytes as latin-1), and how long that is."""


@dataclass(slots=True)
class Sentence:
    """One reply sentence that is not a row; `words` are those that are neither attributes nor the tag."""

    reply: str
    tag: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class Rows:
    """Consecutive `!re` sentences of one tag; `size_bytes` is what they took on the wire, roughly."""

    tag: str | None
    records: list[dict[str, str]]
    size_bytes: int


@lru_cache(maxsize=4096)
def _fields(keys: tuple[str, ...]) -> tuple[Field, ...]:
    """One shared object per list of keys, so that the shapes of a thousand routers cost a pointer each."""
    return tuple((key, f"={key}=", len(key) + 2) for key in keys)


class Shape:
    """The keys that the rows of one command have, in the order in which they come."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: tuple[Field, ...] = ()

    def __repr__(self) -> str:
        return f"<Shape {','.join(key for key, _, _ in self.fields)}>"

    def learn(self, row: Iterable[str]) -> None:
        """Put keys not met before behind the key that they follow in this row."""
        order = [known for known, _, _ in self.fields]
        known = set(order)
        place = 0
        for key in row:
            if key in known:
                place = order.index(key) + 1
            elif key.isascii() and len(order) < _MAX_SHAPE_FIELDS:
                order.insert(place, key)
                known.add(key)
                place += 1
        if len(order) > len(self.fields):
            self.fields = _fields(tuple(order))


def encode_words(words: Iterable[str]) -> bytes:
    """The words as they go out, as UTF-8 and without the end of their sentence.

    Raises: ValueError for an empty word, which would end the sentence early, and for half a surrogate pair.
    """
    parts = []
    for word in words:
        if not word:
            raise ValueError("a sentence cannot hold an empty word")
        parts.append(encode_word(word.encode()))
    return b"".join(parts)


def encode_sentence(words: Iterable[str]) -> bytes:
    """The whole sentence as it goes out. Raises: ValueError as `encode_words`."""
    return encode_words(words) + b"\x00"


class SentenceReader:
    """Bytes in, in pieces of any size; rows and sentences out, in the order of the stream."""

    def __init__(
        self,
        max_word_bytes: int = DEFAULT_MAX_WORD_BYTES,
        max_sentence_bytes: int = DEFAULT_MAX_SENTENCE_BYTES,
    ) -> None:
        self._reader = WordReader(max_word_bytes)
        self._max_word_bytes = max_word_bytes
        self._max_sentence_bytes = max_sentence_bytes
        self._words: list[bytes] = []
        self._words_bytes = 0
        self._shapes: dict[str, Shape] = {}

    def __repr__(self) -> str:
        return (
            f"<SentenceReader held_bytes={self._reader.held_bytes} words={len(self._words)} "
            f"tags={len(self._shapes)}>"
        )

    @property
    def held_bytes(self) -> int:
        """Bytes of the sentence that is not complete yet."""
        return self._reader.held_bytes + self._words_bytes

    def expect(self, tag: str, shape: Shape) -> None:
        """Rows of this tag have this shape; it learns from them."""
        self._shapes[tag] = shape

    def forget(self, tag: str) -> None:
        """No more rows of this tag will come."""
        self._shapes.pop(tag, None)

    def feed(self, piece: bytes) -> list[Sentence | Rows]:
        """Take the next bytes of the stream, give what is complete with them.

        Raises: ProtocolViolation for bytes that cannot be right; the reader is useless afterwards.
        """
        reader = self._reader
        reader.feed(piece)
        found: list[Sentence | Rows] = []
        text: str | None = None
        while True:
            if not self._words and reader.data.startswith(b"\x03!re", reader.pos):
                if text is None or len(text) != len(reader.data):
                    text = reader.data.decode("latin-1")
                if self._take_rows(text, found):
                    continue
            word = reader.next()
            if word is None:
                self._check_unfinished()
                return found
            if word:
                self._add(word)
            elif self._words:
                self._finish(found)

    def _add(self, word: bytes) -> None:
        if not self._words and word[0] != 0x21:
            raise ProtocolViolation(f"a sentence begins with {_shown(word)}, not with a reply word")
        self._words.append(word)
        self._words_bytes += len(word) + 5
        if self._words_bytes > self._max_sentence_bytes:
            raise ProtocolViolation(f"a sentence of more than {self._max_sentence_bytes} bytes")

    def _check_unfinished(self) -> None:
        """Find out early that the stream is no reply, instead of waiting for a word that never ends."""
        reader = self._reader
        head = reader.data[reader.pos : reader.pos + 16]
        if not self._words and len(head) > 1 and head[0] < 0x80 and head[1] != 0x21:
            raise ProtocolViolation(f"a sentence begins with {_shown(head)}, not with a reply word")
        if self._words_bytes + reader.held_bytes > self._max_sentence_bytes:
            raise ProtocolViolation(f"a sentence of more than {self._max_sentence_bytes} bytes")

    def _finish(self, found: list[Sentence | Rows]) -> None:
        """Make the collected words a row or a sentence."""
        words, size_bytes = self._words, self._words_bytes
        self._words, self._words_bytes = [], 0
        tag: str | None = None
        attributes: dict[str, str] = {}
        rest: list[str] = []
        for word in words[1:]:
            if word[0] == 0x3D:
                key, _, value = word[1:].partition(b"=")
                attributes[to_text(key)] = to_text(value)
            elif word.startswith(_TAG):
                tag = to_text(word[len(_TAG) :])
            else:
                rest.append(to_text(word))
        if words[0] != _ROW:
            if words[0] == b"!done" and tag is not None:
                self.forget(tag)
            found.append(Sentence(to_text(words[0]), tag, attributes, tuple(rest)))
            return
        shape = self._shapes.get(tag) if tag is not None else None
        if shape is not None:
            shape.learn(attributes)
        last = found[-1] if found else None
        if isinstance(last, Rows) and last.tag == tag:
            last.records.append(attributes)
            last.size_bytes += size_bytes
        else:
            found.append(Rows(tag, [attributes], size_bytes))

    def _take_rows(self, text: str, found: list[Sentence | Rows]) -> bool:
        """Consume the run of complete rows of one expected tag that begins here; False when there is none."""
        reader = self._reader
        data, pos = reader.data, reader.pos
        # "\x03!re" then ".tag=<tag>", whose length is below 128 for every tag that we give out.
        after = pos + 5 + data[pos + 4] if pos + 4 < len(data) else 0
        shape = self._shapes.get(text[pos + 10 : after])
        if shape is None or not shape.fields or not text.startswith(".tag=", pos + 5):
            return False
        tag = text[pos + 10 : after]
        records: list[dict[str, str]] = []
        end = self._cut_rows(text, text[pos:after], shape, records)
        if end == pos:
            return False
        reader.pos = end
        last = found[-1] if found else None
        if isinstance(last, Rows) and last.tag == tag:
            last.records.extend(records)
            last.size_bytes += end - pos
        else:
            found.append(Rows(tag, records, end - pos))
        return True

    def _cut_rows(self, text: str, head: str, shape: Shape, records: list[dict[str, str]]) -> int:
        """The hot loop: rows that begin with `head` become records; returns where the first other byte is.

        A row that is not all there ends it by IndexError: a slice past the end is short, but then the
        position is past the end as well, and looking at the byte there fails before the row is kept.
        """
        data = self._reader.data
        pos = start = self._reader.pos
        starts, append, skip = text.startswith, records.append, len(head)
        fields = shape.fields
        try:
            while starts(head, pos):
                pos += skip
                row: dict[str, str] = {}
                for key, prefix, width in fields:
                    body = pos + 1
                    if starts(prefix, body):
                        length = data[pos]
                        if not width <= length < 0x80:
                            break
                        pos = body + length
                        row[key] = text[body + width : pos]
                if data[pos]:
                    pos = self._cut_rest(text, pos, row)
                    shape.learn(row)
                    fields = shape.fields
                pos += 1
                joined = "".join(row.values())
                if not (joined.isascii() and joined.isprintable()):
                    repair_record(row)
                append(row)
                start = pos
        except IndexError:
            pass
        return start

    def _cut_rest(self, text: str, pos: int, row: dict[str, str]) -> int:
        """Split the words that did not fit the shape, to the end of the sentence; returns where that is."""
        data = self._reader.data
        while data[pos]:
            length, body = decode_length(data, pos, self._max_word_bytes)
            pos = body + length
            if text.startswith("=", body):
                key, _, value = text[body + 1 : pos].partition("=")
                row[key if key.isascii() and key.isprintable() else repair(key)] = value
        return pos


def _shown(word: bytes) -> str:
    """The beginning of a word, fit for a message."""
    return repr(word[:16])[1:]
