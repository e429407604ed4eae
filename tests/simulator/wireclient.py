"""A client that shows every byte of a simulated router: requests by librouteros, replies word by word."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from librouteros.login import encode_password
from librouteros.protocol import decode_length, determine_length, encode_sentence

Sentence = list[bytes]


@dataclass
class WireClient:
    """Sentences as lists of words; `ask` collects the reply of one tag."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *words: str) -> None:
        """One sentence."""
        self.writer.write(encode_sentence(*words, encoding="utf-8"))

    async def word(self) -> bytes:
        """The next word."""
        head = await self.reader.readexactly(1)
        head += await self.reader.readexactly(determine_length(head))
        return await self.reader.readexactly(decode_length(head))

    async def sentence(self, within_s: float = 60.0) -> Sentence:
        """The next sentence."""
        async with asyncio.timeout(within_s):
            words: Sentence = []
            while word := await self.word():
                words.append(word)
            return words

    async def until_done(self, *tags: str) -> list[Sentence]:
        """Everything up to the last `!done` of these tags (of no tag, when none is given)."""
        open_tags = {f".tag={tag}".encode() for tag in tags} or {None}
        said: list[Sentence] = []
        while open_tags:
            words = await self.sentence()
            said.append(words)
            if words[0] == b"!done":
                open_tags -= {next((word for word in words if word.startswith(b".tag=")), None)}
        return said

    async def ask(self, *words: str) -> list[Sentence]:
        """A command without a tag, and its whole reply."""
        self.send(*words)
        return await self.until_done()

    async def log_in(self, name: str, password: str) -> None:
        """By password, and by the digest of a challenge if the router asks for it."""
        challenge = await self.ret("/login", f"=name={name}", f"=password={password}")
        if challenge:
            digest = encode_password(challenge, password)
            assert await self.ask("/login", f"=name={name}", f"=response={digest}") == [[b"!done"]]

    async def rows(self, *words: str) -> list[dict[str, str]]:
        """The rows of a reply."""
        return [row_of(said) for said in await self.ask(*words) if said[0] == b"!re"]

    async def ret(self, *words: str) -> str:
        """What came with `!done`."""
        return row_of((await self.ask(*words))[-1]).get("ret", "")

    async def trap(self, *words: str) -> str:
        """The message of the failure; fails the test when there was none."""
        said = await self.ask(*words)
        assert said[0][0] == b"!trap", said
        assert said[-1][0] == b"!done"
        return row_of(said[0])["message"]

    async def ended(self, within_s: float = 60.0) -> bytes:
        """What still comes until the router closes."""
        async with asyncio.timeout(within_s):
            try:
                return await self.reader.read(-1)
            except ConnectionError:
                return b""

    async def close(self) -> None:
        """Leave."""
        self.writer.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self.writer.wait_closed()


def row_of(sentence: Sentence) -> dict[str, str]:
    """The attributes of a sentence; bytes that are not UTF-8 as surrogates."""
    pairs = (word[1:].partition(b"=") for word in sentence if word.startswith(b"="))
    return {key.decode(): value.decode("utf-8", "surrogateescape") for key, _, value in pairs}


def by_name(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """Rows by their name."""
    return {row["name"]: row for row in rows}
