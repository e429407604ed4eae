"""Faults of what is said: silence, half sentences, bytes that mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ..call import Call, HangUp, Silence
from ..wire import sentence
from .base import MENU, Fault, FaultError, Parameter


def _silence() -> Iterator[bytes]:
    """Falls silent when the reply is due, without a word."""
    yield b""
    raise Silence


class Hang(Fault):
    description = "connections are accepted and nothing is ever answered"

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        return _silence()


class HangMidSentence(Fault):
    description = "half a sentence of a reply, then silence"
    parameters: ClassVar = {"menu": MENU}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        first = next(sentences)
        yield first[: max(1, len(first) // 2)]
        raise Silence


class DropMidReply(Fault):
    description = "some rows of a reply and half of the next sentence, then the connection closes"
    parameters: ClassVar = {"menu": MENU, "rows": Parameter(1, "whole sentences that still come")}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        left = int(self.number("rows"))
        for said in sentences:
            if left <= 0 or b"!done" in said[:6]:
                yield said[: max(1, len(said) // 2)]
                break
            left -= 1
            yield said
        raise HangUp


class Garbage(Fault):
    description = "random bytes instead of a reply"
    parameters: ClassVar = {"menu": MENU, "length": Parameter(512, "how many bytes")}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        yield self.device.random.randbytes(int(self.number("length")))
        raise Silence


class AbsurdLength(Fault):
    description = "a word announced with a length that cannot be, then silence"
    parameters: ClassVar = {
        "menu": MENU,
        "prefix": Parameter("f0ffffffff", "the length as hex: f0ffffffff is 4 GiB, f8 a reserved byte"),
    }

    def switched_on(self) -> None:
        try:
            bytes.fromhex(self.text("prefix"))
        except ValueError as error:
            raise FaultError(f"prefix: {self.text('prefix')!r} is not hex, such as f0ffffffff") from error

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        yield bytes.fromhex(self.text("prefix"))
        raise Silence


class Fatal(Fault):
    description = "!fatal instead of a reply, then the connection closes"
    parameters: ClassVar = {
        "menu": MENU,
        "reason": Parameter("session terminated", "the bare word after !fatal"),
    }

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        yield sentence("!fatal", self.text("reason"))
        raise HangUp


class UnknownReplyWord(Fault):
    description = "a reply word of no known meaning before each reply"
    parameters: ClassVar = {"menu": MENU, "word": Parameter("!note", "the word")}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if self.concerns(call):
            yield call.closing(self.text("word"), "=message=of no known meaning")
        yield from sentences
