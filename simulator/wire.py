"""Words and sentences on the wire. Lengths and words are encoded by librouteros, not by our own codec.

Text inside the simulator is `str`; bytes that are not UTF-8 are held as lone surrogates (PEP 383), so
that a name with a latin-1 byte survives reading, comparing and writing unchanged.
"""

from functools import lru_cache

from librouteros.exceptions import ProtocolError
from librouteros.protocol import decode_length, determine_length, encode_length, encode_sentence, encode_word

LIMIT_BYTES = 4 * 1024 * 1024  # no command of a client is longer; more is a broken stream


class FramingError(Exception):
    """The bytes of a client cannot be a sentence; the router closes such a connection."""


def raw_text(data: bytes) -> str:
    """Any bytes as text that encodes back to the same bytes."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """One word with its length, uncached: for values that differ at each reading."""
    try:
        encoded: bytes = encode_word(text, "utf-8")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogateescape")
        encoded = encode_length(len(data)) + data
    return encoded


@lru_cache(maxsize=8192)
def word(text: str) -> bytes:
    """One word with its length, cached: for words that come again and again."""
    return encode(text)


def sentence(*words: str) -> bytes:
    """A whole sentence with its closing zero byte."""
    try:
        encoded: bytes = encode_sentence(*words, encoding="utf-8")
    except UnicodeEncodeError:
        encoded = b"".join(map(encode, words)) + b"\x00"
    return encoded


class SentenceReader:
    """Collects the bytes of a client and hands out each sentence once it is whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._words: list[str] = []

    def __repr__(self) -> str:
        return f"<SentenceReader {len(self._buffer)} bytes, {len(self._words)} words held>"

    def feed(self, data: bytes) -> list[list[str]]:
        """The sentences that `data` completes, empty ones left out.

        Raises:
            FramingError: a length that cannot be right.
        """
        buffer = self._buffer
        buffer += data
        position, end = 0, len(buffer)
        sentences: list[list[str]] = []
        while position < end:
            length = buffer[position]
            start = position + 1
            if length >= 0x80:
                try:
                    start += determine_length(buffer[position:start])
                    if start > end:
                        break
                    length = decode_length(bytes(buffer[position:start]))
                except ProtocolError as error:
                    raise FramingError(str(error)) from error
                if length > LIMIT_BYTES:
                    raise FramingError(f"a word of {length} bytes")
            if start + length > end:
                break
            position = start + length
            if length:
                self._words.append(buffer[start:position].decode("utf-8", "surrogateescape"))
            elif self._words:
                sentences.append(self._words)
                self._words = []
        del buffer[:position]
        return sentences
