"""Words of the RouterOS API <-> bytes: a length prefix of one to five bytes, then the content."""

from __future__ import annotations

from routeros.errors import ProtocolViolation

DEFAULT_MAX_WORD_BYTES = 16 * 1024 * 1024
FIRST_RESERVED = 0xF8
_MAX_LENGTH = 0xFFFFFFFF
_LENGTH_BITS = {2: 0x3FFF, 3: 0x1FFFFF, 4: 0xFFFFFFF, 5: _MAX_LENGTH}
"""Which bits of a prefix of this many bytes are the length; the others say how many bytes there are."""


def encode_length(length: int) -> bytes:
    """The prefix of a word of `length` bytes, as short as the protocol allows."""
    if length < 0x80:
        return length.to_bytes(1, "big")
    if length < 0x4000:
        return (length | 0x8000).to_bytes(2, "big")
    if length < 0x200000:
        return (length | 0xC00000).to_bytes(3, "big")
    if length < 0x10000000:
        return (length | 0xE0000000).to_bytes(4, "big")
    if length <= _MAX_LENGTH:
        return b"\xf0" + length.to_bytes(4, "big")
    raise ValueError(f"a word holds at most {_MAX_LENGTH} bytes, got {length}")


def encode_word(word: bytes) -> bytes:
    """The word with its prefix in front."""
    return encode_length(len(word)) + word


def prefix_size(first: int) -> int:
    """How many bytes the prefix has that begins with this byte.

    Raises: ProtocolViolation for the reserved control bytes, behind which nothing can be found again.
    """
    if first < 0x80:
        return 1
    if first < 0xC0:
        return 2
    if first < 0xE0:
        return 3
    if first < 0xF0:
        return 4
    if first < FIRST_RESERVED:
        return 5
    raise ProtocolViolation(f"reserved control byte 0x{first:02X} where a word should begin")


def decode_length(data: bytes, pos: int, max_word_bytes: int = DEFAULT_MAX_WORD_BYTES) -> tuple[int, int]:
    """The length of the word whose prefix stands at `pos`, and where its content begins.

    Raises: IndexError when the prefix is not all there yet; ProtocolViolation when it cannot be right.
    """
    first = data[pos]
    if first < 0x80:
        length, start = first, pos + 1
    else:
        size = prefix_size(first)
        start = pos + size
        if start > len(data):
            raise IndexError(start)
        length = int.from_bytes(data[pos:start], "big") & _LENGTH_BITS[size]
    if length > max_word_bytes:
        raise ProtocolViolation(f"a word of {length} bytes, more than the {max_word_bytes} allowed")
    return length, start


class WordReader:
    """Bytes in, in pieces of any size; whole words out, each byte looked at a bounded number of times.

    `data[pos:]` is what is not consumed yet, in one piece. While a word is incomplete, arriving pieces are
    only collected, not joined, until the bytes it needs are there, so a huge word is copied once.
    """

    def __init__(self, max_word_bytes: int = DEFAULT_MAX_WORD_BYTES) -> None:
        self.data = b""
        self.pos = 0
        self._max_word_bytes = max_word_bytes
        self._pieces: list[bytes] = []
        self._collected_bytes = 0
        self._needed_bytes = 1

    def __repr__(self) -> str:
        return f"<WordReader held_bytes={self.held_bytes} needed_bytes={self._needed_bytes}>"

    @property
    def held_bytes(self) -> int:
        """Bytes received and not yet consumed."""
        return len(self.data) - self.pos + self._collected_bytes

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the stream."""
        held = len(self.data) - self.pos
        if not held:
            self.data, self.pos = piece, 0
            return
        self._pieces.append(piece)
        self._collected_bytes += len(piece)
        if held + self._collected_bytes >= self._needed_bytes:
            self.data, self.pos = b"".join((self.data[self.pos :], *self._pieces)), 0
            self._pieces.clear()
            self._collected_bytes = 0

    def next(self) -> bytes | None:
        """The next word; empty at the end of a sentence, None when more bytes are needed.

        Raises: ProtocolViolation for a reserved control byte or a word longer than allowed.
        """
        data, pos = self.data, self.pos
        try:
            length, start = decode_length(data, pos, self._max_word_bytes)
        except IndexError:
            self._keep(prefix_size(data[pos]) if pos < len(data) else 1)
            return None
        end = start + length
        if end > len(data):
            self._keep(end - pos)
            return None
        self.pos = end
        return data[start:end]

    def _keep(self, needed_bytes: int) -> None:
        """Keep only what is not consumed, so that a small rest does not hold a large piece alive."""
        self._needed_bytes = needed_bytes
        if self.pos:
            self.data, self.pos = self.data[self.pos :], 0
