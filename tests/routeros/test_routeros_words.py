"""Words and their length prefixes, against the reference's vectors and librouteros's encoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from librouteros.protocol import encode_length as their_encode_length
from librouteros.protocol import encode_word as their_encode_word

from routeros.errors import ProtocolViolation
from routeros.words import WordReader, decode_length, encode_length, encode_word, prefix_size

VECTORS = [
    (0x00, "00"),
    (0x7F, "7f"),
    (0x80, "8080"),
    (0x3FFF, "bfff"),
    (0x4000, "c04000"),
    (0x1FFFFF, "dfffff"),
    (0x200000, "e0200000"),
    (0xFFFFFFF, "efffffff"),
    (0x10000000, "f010000000"),
    (0xFFFFFFFF, "f0ffffffff"),
]
WORDS = [b"!re", b"=name=ether1", b"=comment=" + b"x" * 0x80, b"=script=" + bytes(range(256)) * 80, b""]


def read_all(stream: bytes, step: int) -> list[bytes]:
    """What a reader makes of a stream that arrives in pieces of this size."""
    reader = WordReader()
    words: list[bytes] = []
    for start in range(0, len(stream), step):
        reader.feed(stream[start : start + step])
        while (word := reader.next()) is not None:
            words.append(word)
    return words


@pytest.mark.parametrize(("length", "prefix"), VECTORS)
def test_length_vectors(length: int, prefix: str) -> None:
    """Each boundary of the prefix is written and read as the protocol says."""
    data = bytes.fromhex(prefix)
    assert encode_length(length) == data
    assert decode_length(data + b"x", 0, length) == (length, len(data))


@given(st.integers(0, 0xFFFFFFF))
def test_length_like_librouteros(length: int) -> None:
    """Our prefix is librouteros's prefix, and reads back."""
    assert encode_length(length) == their_encode_length(length)
    assert decode_length(encode_length(length), 0, length)[0] == length


def test_length_beyond_the_protocol() -> None:
    """A word of more than 32 bits of length cannot be said."""
    with pytest.raises(ValueError, match="at most"):
        encode_length(0x100000000)


def test_done_alone() -> None:
    """`!done` alone is the seven bytes that the reference shows."""
    assert encode_word(b"!done") + b"\x00" == bytes.fromhex("0521646f6e6500")


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000, 10**9])
def test_reader_in_pieces(step: int) -> None:
    """Byte by byte, in pieces or whole, the same words come out."""
    stream = b"".join(map(encode_word, WORDS))
    assert read_all(stream, step) == WORDS


def test_reader_keeps_trailing_bytes() -> None:
    """Bytes behind the last whole word wait for the rest of theirs."""
    reader = WordReader()
    reader.feed(encode_word(b"!done") + b"\x05!do")
    assert reader.next() == b"!done"
    assert reader.next() is None
    assert reader.held_bytes == 4
    reader.feed(b"ne")
    assert reader.next() == b"!done"
    assert reader.next() is None
    assert reader.held_bytes == 0


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_reader_any_chunking(words: list[bytes], sizes: list[int]) -> None:
    """Words survive every way of cutting the stream."""
    stream = b"".join(their_encode_word(word.decode("latin-1"), "latin-1") for word in words)
    reader, found, pos, turn = WordReader(), [], 0, 0
    while pos < len(stream):
        size = sizes[turn % len(sizes)]
        reader.feed(stream[pos : pos + size])
        pos, turn = pos + size, turn + 1
        while (word := reader.next()) is not None:
            found.append(word)
    assert found == words


@pytest.mark.parametrize("first", range(0xF8, 0x100))
def test_reserved_control_byte(first: int) -> None:
    """Behind a reserved control byte nothing can be found: the stream is given up."""
    with pytest.raises(ProtocolViolation, match="reserved control byte"):
        prefix_size(first)
    reader = WordReader()
    reader.feed(bytes([first]))
    with pytest.raises(ProtocolViolation):
        reader.next()


@pytest.mark.parametrize("length", [1001, 0x4000, 0x200000, 0xFFFFFFF, 0xFFFFFFFF])
def test_word_too_long(length: int) -> None:
    """A longer word than allowed is refused at its prefix, before any of it is held."""
    reader = WordReader(max_word_bytes=1000)
    reader.feed(encode_length(length))
    with pytest.raises(ProtocolViolation, match="more than the 1000 allowed"):
        reader.next()


def test_word_of_just_the_limit() -> None:
    """The limit itself is allowed."""
    reader = WordReader(max_word_bytes=1000)
    reader.feed(encode_word(b"x" * 1000))
    assert reader.next() == b"x" * 1000


def test_small_rest_does_not_hold_a_large_piece() -> None:
    """After a large piece only the unfinished word stays in memory."""
    reader = WordReader()
    reader.feed(encode_word(b"x" * 100_000) + b"\x05ab")
    assert reader.next() == b"x" * 100_000
    assert reader.next() is None
    assert len(reader.data) == 3


def test_repr_tells_what_it_waits_for() -> None:
    """The reader's state can be read from it."""
    reader = WordReader()
    reader.feed(b"\x05ab")
    reader.next()
    assert repr(reader) == "<WordReader held_bytes=3 needed_bytes=6>"
