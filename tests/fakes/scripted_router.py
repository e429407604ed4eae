"""A router that does what a test tells it, in real bytes over a real loopback socket.

It encodes with librouteros, so our codec is checked against somebody else's. Each tagged command runs in a
task of its own, so that a script that waits lets other commands pass it; a script is a list of steps.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from librouteros.login import encode_password
from librouteros.protocol import decode_length, determine_length, encode_sentence

from routeros import Target, TlsSettings

TOKEN = "a5" * 16


class Step(Protocol):
    """One thing that the router does for a command."""

    async def play(self, session: Session, tag: str | None) -> None: ...


Script = Sequence[Step] | Callable[[tuple[str, ...]], Sequence[Step]]


@dataclass(eq=False)
class Session:
    """One connection as the router sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encoding: str
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    logged_in: bool = False

    def say(self, *words: str, tag: str | None = None, tag_last: bool = False) -> None:
        mark = () if tag is None else (f".tag={tag}",)
        order = (*words, *mark) if tag_last else (*words[:1], *mark, *words[1:])
        self.writer.write(encode_sentence(*order, encoding=self.encoding))

    def end(self, *, reset: bool = False) -> None:
        if reset:
            self.writer.transport.abort()
        else:
            self.writer.close()


@dataclass(frozen=True)
class Row:
    """One `!re`; `tag_last` puts the tag at its end."""

    values: Mapping[str, str]
    tag_last: bool = False

    async def play(self, session: Session, tag: str | None) -> None:
        words = [f"={key}={value}" for key, value in self.values.items()]
        session.say("!re", *words, tag=tag, tag_last=self.tag_last)


@dataclass(frozen=True)
class Rows:
    """Many `!re`."""

    values: Sequence[Mapping[str, str]]

    async def play(self, session: Session, tag: str | None) -> None:
        for values in self.values:
            session.say("!re", *(f"={key}={value}" for key, value in values.items()), tag=tag)
        await session.writer.drain()


@dataclass(frozen=True)
class Say:
    """Any sentence with the command's tag, such as `!empty`."""

    words: tuple[str, ...]

    async def play(self, session: Session, tag: str | None) -> None:
        session.say(*self.words, tag=tag)


@dataclass(frozen=True)
class Done:
    """`!done`, with `=ret=` when given."""

    ret: str | None = None

    async def play(self, session: Session, tag: str | None) -> None:
        session.say("!done", *(() if self.ret is None else (f"=ret={self.ret}",)), tag=tag)


@dataclass(frozen=True)
class Trap:
    message: str
    category: int | None = None

    async def play(self, session: Session, tag: str | None) -> None:
        mark = () if self.category is None else (f"=category={self.category}",)
        session.say("!trap", *mark, f"=message={self.message}", tag=tag)


@dataclass(frozen=True)
class Raw:
    """Bytes as they are: half a sentence, garbage, anything."""

    data: bytes

    async def play(self, session: Session, tag: str | None) -> None:
        session.writer.write(self.data)
        await session.writer.drain()


@dataclass(frozen=True)
class Fatal:
    """`!fatal` and the reason as a bare word, then the connection ends."""

    reason: str

    async def play(self, session: Session, tag: str | None) -> None:
        session.say("!fatal", self.reason)
        session.end()


@dataclass(frozen=True)
class Wait:
    """Go on when the event is set."""

    event: asyncio.Event

    async def play(self, session: Session, tag: str | None) -> None:
        await self.event.wait()


@dataclass(frozen=True)
class Work:
    """Take this long before going on."""

    seconds: float

    async def play(self, session: Session, tag: str | None) -> None:
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class Hang:
    """Never go on."""

    async def play(self, session: Session, tag: str | None) -> None:
        await asyncio.Event().wait()


@dataclass(frozen=True)
class HangUp:
    """Close the connection, politely or with a reset."""

    reset: bool = False

    async def play(self, session: Session, tag: str | None) -> None:
        session.end(reset=self.reset)


class ScriptedRouter:
    """`async with ScriptedRouter() as router: router.on("/ip/address/print", Row({...}), Done())`."""

    def __init__(
        self,
        *,
        username: str = "monitor",
        password: str = "secret",
        challenge: bool = False,
        tls: ssl.SSLContext | None = None,
        answers_cancel: bool = True,
        encoding: str = "utf-8",
        greeting: bytes = b"",
        is_mute: bool = False,
    ) -> None:
        self.username = username
        self.password = password
        self.challenge = challenge
        self.answers_cancel = answers_cancel
        self.encoding = encoding
        self.greeting = greeting
        self.is_mute = is_mute
        self.login_script: Sequence[Step] | None = None
        self.max_sessions: int | None = None
        self.log: list[tuple[str, ...]] = []
        self.sessions: set[Session] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.connects_total = 0
        self.sessions_peak = 0
        self.in_flight = 0
        self.in_flight_peak = 0
        self.port = 0
        self._tls = tls
        self._scripts: dict[str, Script] = {"/system/identity/print": (Row({"name": "scripted"}), Done())}
        self._server: asyncio.Server | None = None

    def on(self, command: str, *script: Step) -> None:
        """What this command does from now on."""
        self._scripts[command] = script

    def when(self, command: str, script: Callable[[tuple[str, ...]], Sequence[Step]]) -> None:
        """What this command does, decided by its words."""
        self._scripts[command] = script

    def target(
        self, *, name: str = "core", tls: TlsSettings | None = None, password: str | None = None
    ) -> Target:
        return Target(
            name=name,
            address="127.0.0.1",
            port=self.port,
            username=self.username,
            password=self.password if password is None else password,
            tls=tls,
        )

    def count(self, command: str) -> int:
        """How many times this command came."""
        return sum(1 for words in self.log if words[0] == command)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """No more connections, and none left."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop_all()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def drop_all(self) -> None:
        """Reset every connection, as a reboot does."""
        for session in tuple(self.sessions):
            session.end(reset=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        session = Session(reader, writer, self.encoding)
        self.connects_total += 1
        if self.max_sessions is not None and len(self.sessions) >= self.max_sessions:
            session.end()
            return
        writer.write(self.greeting)
        self.sessions.add(session)
        self.sessions_peak = max(self.sessions_peak, len(self.sessions))
        try:
            await self._converse(session)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            for task in session.tasks.values():
                task.cancel()
            await asyncio.gather(*session.tasks.values(), return_exceptions=True)
            session.end(reset=True)
            self.sessions.discard(session)

    async def _converse(self, session: Session) -> None:
        while self.is_mute:
            await session.reader.readexactly(1)
        while True:
            words, tag = await _read_sentence(session.reader)
            if not words:
                continue
            self.log.append(words)
            if words[0] == "/login":
                await self._login(session, words)
            elif not session.logged_in:
                session.say("!fatal", "not logged in")
                session.end()
            elif words[0] == "/cancel":
                self._cancel(session, words, tag)
            else:
                key = tag if tag is not None else f"untagged {len(self.log)}"
                task = asyncio.get_running_loop().create_task(self._run(session, words, tag))
                session.tasks[key] = task
                task.add_done_callback(partial(_forget, session.tasks, key))

    async def _login(self, session: Session, words: tuple[str, ...]) -> None:
        if self.login_script is not None:
            await self._play(session, self.login_script, None)
            return
        values = dict(word[1:].split("=", 1) for word in words[1:])
        if self.challenge and "response" not in values:
            session.say("!done", f"=ret={TOKEN}")
            return
        right = (
            values.get("response") == encode_password(TOKEN, self.password)
            if self.challenge
            else values.get("password") == self.password
        )
        if right and values.get("name") == self.username:
            session.logged_in = True
            session.say("!done")
        else:
            session.say("!trap", "=message=invalid user name or password (6)")
            session.say("!done")

    def _cancel(self, session: Session, words: tuple[str, ...], tag: str | None) -> None:
        if not self.answers_cancel:
            return
        victim = next((word[5:] for word in words if word.startswith("=tag=")), "")
        task = session.tasks.pop(victim, None)
        if task is not None:
            task.cancel()
            session.say("!trap", "=category=2", "=message=interrupted", tag=victim)
            session.say("!done", tag=victim)
        session.say("!done", tag=tag)

    async def _run(self, session: Session, words: tuple[str, ...], tag: str | None) -> None:
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        try:
            script = self._scripts.get(words[0], (Trap("no such command prefix", 0), Done()))
            steps = script(words) if callable(script) else script
            await self._play(session, steps, tag)
        finally:
            self.in_flight -= 1

    async def _play(self, session: Session, steps: Sequence[Step], tag: str | None) -> None:
        for step in steps:
            await step.play(session, tag)


def _forget(tasks: dict[str, asyncio.Task[None]], key: str, task: asyncio.Task[None]) -> None:
    tasks.pop(key, None)
    if not task.cancelled() and not isinstance(task.exception(), ConnectionError | None):
        task.result()


async def _read_sentence(reader: asyncio.StreamReader) -> tuple[tuple[str, ...], str | None]:
    """The words of the next sentence without its tag, and the tag."""
    words: list[str] = []
    while True:
        prefix = await reader.readexactly(1)
        prefix += await reader.readexactly(determine_length(prefix))
        length = decode_length(prefix)
        if not length:
            break
        words.append((await reader.readexactly(length)).decode(errors="replace"))
    tag = next((word[5:] for word in words if word.startswith(".tag=")), None)
    return tuple(word for word in words if not word.startswith(".tag=")), tag
