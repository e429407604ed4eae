"""The RouterOS API without I/O: bytes in, events out; commands in, bytes out. Nothing here waits.

Everything that changes the state of a protocol or of a command is in this file, and each change goes through
its table. Commands bear a tag each, so any number may be in flight; their replies interleave in any order.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from enum import Enum
from hashlib import md5
from itertools import count

from librouteros.login import encode_password

from routeros.errors import ProtocolViolation
from routeros.replies import Record
from routeros.sentences import (
    DEFAULT_MAX_SENTENCE_BYTES,
    Rows,
    Sentence,
    SentenceReader,
    Shape,
    encode_sentence,
    encode_words,
)
from routeros.words import DEFAULT_MAX_WORD_BYTES

DEFAULT_MAX_REPLY_BYTES = 256 * 1024 * 1024
_MAX_SHAPES = 256
_MAX_DRAINING = 64


class ProtocolState(Enum):
    FRESH = "fresh"
    LOGIN_SENT = "login_sent"
    CHALLENGE_ANSWERED = "challenge_answered"
    READY = "ready"
    ENDED = "ended"


class ProtocolStep(Enum):
    LOGIN = "login"
    CHALLENGED = "challenged"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FATAL = "fatal"


PROTOCOL_TRANSITIONS: dict[tuple[ProtocolState, ProtocolStep], ProtocolState] = {
    (ProtocolState.FRESH, ProtocolStep.LOGIN): ProtocolState.LOGIN_SENT,
    (ProtocolState.FRESH, ProtocolStep.FATAL): ProtocolState.ENDED,
    (ProtocolState.LOGIN_SENT, ProtocolStep.CHALLENGED): ProtocolState.CHALLENGE_ANSWERED,
    (ProtocolState.LOGIN_SENT, ProtocolStep.ACCEPTED): ProtocolState.READY,
    (ProtocolState.LOGIN_SENT, ProtocolStep.REFUSED): ProtocolState.ENDED,
    (ProtocolState.LOGIN_SENT, ProtocolStep.FATAL): ProtocolState.ENDED,
    (ProtocolState.CHALLENGE_ANSWERED, ProtocolStep.ACCEPTED): ProtocolState.READY,
    (ProtocolState.CHALLENGE_ANSWERED, ProtocolStep.REFUSED): ProtocolState.ENDED,
    (ProtocolState.CHALLENGE_ANSWERED, ProtocolStep.FATAL): ProtocolState.ENDED,
    (ProtocolState.READY, ProtocolStep.FATAL): ProtocolState.ENDED,
}


class CommandState(Enum):
    SENT = "sent"
    CANCELLED = "cancelled"
    DONE = "done"


class CommandStep(Enum):
    CANCEL = "cancel"
    DONE = "done"


COMMAND_TRANSITIONS: dict[tuple[CommandState, CommandStep], CommandState] = {
    (CommandState.SENT, CommandStep.CANCEL): CommandState.CANCELLED,
    (CommandState.SENT, CommandStep.DONE): CommandState.DONE,
    (CommandState.CANCELLED, CommandStep.DONE): CommandState.DONE,
}


@dataclass(frozen=True, slots=True)
class Trap:
    """One `!trap` of a command; `category` is None when the router gave none."""

    message: str
    category: int | None = None


@dataclass(slots=True, eq=False)
class Command:
    """One command from its sentence to its `!done`; a streaming one gives its rows away as they come."""

    tag: str
    path: str
    streaming: bool = False
    state: CommandState = CommandState.SENT
    records: list[Record] = field(default_factory=list)
    traps: list[Trap] = field(default_factory=list)
    ret: str | None = None
    rows: int = 0
    size_bytes: int = 0

    def __repr__(self) -> str:
        return f"<Command {self.path} tag={self.tag} {self.state.value} rows={self.rows}>"

    def apply(self, step: CommandStep) -> None:
        """The only place that assigns the state."""
        self.state = COMMAND_TRANSITIONS[self.state, step]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The router accepted the login: commands may go."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """The router wants the login of RouterOS before 6.43; `answer` is what to send."""

    answer: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The router refused the login, in its own words."""

    message: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Rows of a streaming command."""

    command: Command
    records: list[Record]


@dataclass(frozen=True, slots=True)
class Finished:
    """A command has its whole answer: records, traps, ret."""

    command: Command


@dataclass(frozen=True, slots=True)
class CancelAnswered:
    """The router is alive: it answered a `/cancel`, or ended the command that was to be cancelled."""

    command: Command


@dataclass(frozen=True, slots=True)
class Ended:
    """The router said `!fatal`, with this reason, and will hang up."""

    reason: str


Event = LoggedIn | Challenged | Refused | Arrived | Finished | CancelAnswered | Ended


def challenge_response(token: str, password: str) -> str:
    """The word that answers a login challenge; a password beyond ASCII goes in as UTF-8.

    Raises: ProtocolViolation when the token is not hexadecimal.
    """
    try:
        if password.isascii():
            return str(encode_password(token, password))
        digest = md5(b"\x00" + password.encode() + binascii.unhexlify(token), usedforsecurity=False)
    except ValueError as error:
        raise ProtocolViolation("the login challenge is not a hexadecimal token") from error
    return "00" + digest.hexdigest()


class Protocol:
    """One connection's conversation: the login, then tagged commands until the end."""

    def __init__(
        self,
        *,
        max_word_bytes: int = DEFAULT_MAX_WORD_BYTES,
        max_sentence_bytes: int = DEFAULT_MAX_SENTENCE_BYTES,
        max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES,
    ) -> None:
        self._reader = SentenceReader(max_word_bytes, max_sentence_bytes)
        self._max_reply_bytes = max_reply_bytes
        self._state = ProtocolState.FRESH
        self._credentials = ("", "")
        self._tags = count(1)
        self._commands: dict[str, Command] = {}
        self._draining: dict[str, Command] = {}
        self._cancels: dict[str, Command] = {}
        self._shapes: dict[tuple[str, str], Shape] = {}
        self.commands_total = 0
        self.rows_total = 0
        self.unknown_tags_total = 0
        self.unknown_replies_total = 0
        self.discarded_rows_total = 0

    def __repr__(self) -> str:
        return (
            f"<Protocol {self._state.value} in_flight={len(self._commands)} draining={len(self._draining)} "
            f"unknown_tags={self.unknown_tags_total}>"
        )

    @property
    def state(self) -> ProtocolState:
        return self._state

    @property
    def in_flight(self) -> int:
        """Commands that were neither finished nor cancelled."""
        return len(self._commands)

    @property
    def cancels_unanswered(self) -> int:
        return len(self._cancels)

    def login(self, username: str, password: str) -> bytes:
        """Begin the conversation; what comes next is LoggedIn, Challenged, Refused or Ended."""
        self._apply(ProtocolStep.LOGIN)
        self._credentials = (username, password)
        return encode_sentence(("/login", f"=name={username}", f"=password={password}"))

    def send(
        self, words: tuple[str, ...], *, encoded: bytes | None = None, streaming: bool = False
    ) -> tuple[Command, bytes]:
        """A new command and its bytes; the first word is the command itself.

        `encoded` is what `encode_words` made of the words, when that is known already.

        Raises: RuntimeError before the login is accepted; ValueError for an empty word.
        """
        if self._state is not ProtocolState.READY:
            raise RuntimeError(f"commands need a ready protocol, this one is {self._state.value}")
        tag = str(next(self._tags))
        data = (encoded or encode_words(words)) + encode_sentence((f".tag={tag}",))
        command = Command(tag, words[0], streaming)
        self._commands[tag] = command
        self._reader.expect(tag, self._shape_of(words))
        self.commands_total += 1
        return command, data

    def cancel(self, command: Command) -> bytes:
        """Give the command up: its replies are dropped from now on. Empty when it is already over."""
        if self._commands.pop(command.tag, None) is None:
            return b""
        command.apply(CommandStep.CANCEL)
        self.discarded_rows_total += len(command.records)
        command.records = []
        while len(self._draining) >= _MAX_DRAINING:
            forgotten = next(iter(self._draining))
            del self._draining[forgotten]
            self._reader.forget(forgotten)
        self._draining[command.tag] = command
        tag = str(next(self._tags))
        self._cancels[tag] = command
        return encode_sentence(("/cancel", f"=tag={command.tag}", f".tag={tag}"))

    def receive(self, data: bytes) -> list[Event]:
        """Take the next bytes of the router, tell what they mean.

        Raises: ProtocolViolation; the conversation is over then.
        """
        events: list[Event] = []
        for item in self._reader.feed(data):
            if self._state is ProtocolState.ENDED:
                break
            if isinstance(item, Rows):
                self._take_rows(item, events)
            elif self._state is ProtocolState.READY:
                self._take_sentence(item, events)
            else:
                self._take_login(item, events)
        return events

    def _shape_of(self, words: tuple[str, ...]) -> Shape:
        """The shape kept for this command with this property list."""
        proplist = next((word for word in words if word.startswith("=.proplist=")), "")
        shape = self._shapes.get((words[0], proplist))
        if shape is None:
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            shape = self._shapes[words[0], proplist] = Shape()
        return shape

    def _take_rows(self, rows: Rows, events: list[Event]) -> None:
        arrived = len(rows.records)
        command = self._commands.get(rows.tag) if rows.tag is not None else None
        if command is None:
            self.discarded_rows_total += arrived
            if rows.tag not in self._draining:
                self.unknown_tags_total += arrived
            return
        self.rows_total += arrived
        command.rows += arrived
        if command.streaming:
            events.append(Arrived(command, rows.records))
            return
        command.size_bytes += rows.size_bytes
        if command.size_bytes > self._max_reply_bytes:
            raise ProtocolViolation(f"a reply of more than {self._max_reply_bytes} bytes to {command.path}")
        if command.records:
            command.records += rows.records
        else:
            command.records = rows.records

    def _take_sentence(self, sentence: Sentence, events: list[Event]) -> None:
        reply, tag = sentence.reply, sentence.tag
        if reply == "!fatal":
            self._end(sentence, events)
            return
        if reply not in ("!done", "!trap", "!empty"):
            self.unknown_replies_total += 1
            return
        command = self._commands.get(tag) if tag is not None else None
        if command is None:
            self._take_cancelled(reply, tag, events)
        elif reply == "!trap":
            command.traps.append(_trap(sentence))
        elif reply == "!done":
            del self._commands[command.tag]
            command.apply(CommandStep.DONE)
            command.ret = sentence.attributes.get("ret")
            events.append(Finished(command))

    def _take_cancelled(self, reply: str, tag: str | None, events: list[Event]) -> None:
        """A sentence of a cancelled command, of a `/cancel`, or of nothing that we know."""
        if tag in self._cancels:
            if reply == "!done":
                events.append(CancelAnswered(self._cancels.pop(tag)))
        elif tag in self._draining:
            if reply == "!done":
                command = self._draining.pop(tag)
                command.apply(CommandStep.DONE)
                events.append(CancelAnswered(command))
        else:
            self.unknown_tags_total += 1

    def _take_login(self, sentence: Sentence, events: list[Event]) -> None:
        if sentence.reply == "!fatal":
            self._end(sentence, events)
        elif sentence.reply == "!trap":
            self._apply(ProtocolStep.REFUSED)
            events.append(Refused(_trap(sentence).message))
        elif sentence.reply != "!done":
            self.unknown_replies_total += 1
        elif "ret" not in sentence.attributes or self._state is ProtocolState.CHALLENGE_ANSWERED:
            self._apply(ProtocolStep.ACCEPTED)
            events.append(LoggedIn())
        else:
            username, password = self._credentials
            response = challenge_response(sentence.attributes["ret"], password)
            self._apply(ProtocolStep.CHALLENGED)
            events.append(
                Challenged(encode_sentence(("/login", f"=name={username}", f"=response={response}")))
            )

    def _end(self, sentence: Sentence, events: list[Event]) -> None:
        reason = " ".join(sentence.words) or sentence.attributes.get("message", "") or "no reason given"
        self._apply(ProtocolStep.FATAL)
        events.append(Ended(reason))

    def _apply(self, step: ProtocolStep) -> None:
        """The only place that assigns the state."""
        following = PROTOCOL_TRANSITIONS.get((self._state, step))
        if following is None:
            raise ProtocolViolation(f"{step.value} in a conversation that is {self._state.value}")
        self._state = following
        if following in (ProtocolState.READY, ProtocolState.ENDED):
            self._credentials = ("", "")


def _trap(sentence: Sentence) -> Trap:
    category = sentence.attributes.get("category", "")
    message = sentence.attributes.get("message", "").replace("\r\n", ", ") or " ".join(sentence.words)
    return Trap(
        message or "no message given", int(category) if category.isdecimal() and len(category) < 4 else None
    )
