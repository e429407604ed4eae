"""A router in memory for tests in virtual time: dialled without sockets, it keeps count of what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from librouteros.protocol import encode_sentence

from routeros.connection import Connection
from routeros.dialer import DialTimes
from routeros.errors import LoginRefused, RouterError, RouterUnreachable, UnreachableReason
from routeros.settings import PoolSettings
from routeros.words import WordReader

Service = Callable[[tuple[str, ...]], float | None]
"""How many seconds a command takes; None: it is never answered."""


class MemoryRouter:
    """Stands where a dialer stands. `service` decides how long commands take; faults are attributes."""

    def __init__(self, settings: PoolSettings, *, service: Service = lambda words: 0.05) -> None:
        self.settings = settings
        self.service = service
        self.connect_s = 0.01
        self.refuses = False
        self.refuses_login = False
        self.answers_cancel = True
        self.dials = 0
        self.log: list[tuple[str, ...]] = []
        self.links: list[_Link] = []
        self.connections_peak = 0
        self.in_flight_peak = 0

    @property
    def in_flight(self) -> int:
        return sum(len(link.running) for link in self.links)

    def note_in_flight(self) -> None:
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)

    def commands(self) -> list[str]:
        """Paths of the commands that came, in their order."""
        return [words[0] for words in self.log]

    async def open(
        self,
        closed: Callable[[Connection, str, RouterError], None] | None = None,
        times: DialTimes | None = None,
    ) -> Connection:
        self.dials += 1
        await asyncio.sleep(self.connect_s)
        if self.refuses:
            raise RouterUnreachable("refused", reason=UnreachableReason.REFUSED, router="core")
        if self.refuses_login:
            raise LoginRefused("login refused: invalid user name or password (6)", router="core")
        loop = asyncio.get_running_loop()
        connection = Connection(router="core", settings=self.settings, clock=loop.time, closed=closed)
        link = _Link(self, connection)
        self.links.append(link)
        self.connections_peak = max(self.connections_peak, len(self.links))
        connection.connection_made(link)
        await connection.login("monitor", "secret")
        return connection


class _Link(asyncio.Transport):
    """Both ends of one connection."""

    def __init__(self, router: MemoryRouter, connection: Connection) -> None:
        super().__init__()
        self._router = router
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._words = WordReader()
        self._sentence: list[str] = []
        self._is_closing = False
        self.running: dict[str, asyncio.TimerHandle | None] = {}

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self.drop(None)

    def abort(self) -> None:
        self.drop(None)

    def drop(self, error: Exception | None) -> None:
        """The connection is gone, for both."""
        if self._is_closing:
            return
        self._is_closing = True
        self._router.links.remove(self)
        for timer in self.running.values():
            if timer is not None:
                timer.cancel()
        self.running.clear()
        self._loop.call_soon(self._connection.connection_lost, error)

    def say(self, *words: str) -> None:
        self.send(encode_sentence(*words, encoding="utf-8"))

    def send(self, data: bytes) -> None:
        if not self._is_closing:
            self._connection.data_received(data)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._words.feed(bytes(data))
        while (word := self._words.next()) is not None:
            if word:
                self._sentence.append(word.decode())
            else:
                self._take(tuple(self._sentence))
                self._sentence.clear()

    def _take(self, words: tuple[str, ...]) -> None:
        tag = next((word[5:] for word in words if word.startswith(".tag=")), "")
        if words[0] == "/login":
            self._loop.call_soon(self.say, "!done")
            return
        if words[0] == "/cancel":
            self._cancel(next(word[5:] for word in words if word.startswith("=tag=")), tag)
            return
        self._router.log.append(words)
        takes_s = self._router.service(words)
        self.running[tag] = None if takes_s is None else self._loop.call_later(takes_s, self._answer, tag)
        # Looked at when this turn of the loop is over: a cancel on another connection may be on its way.
        self._loop.call_soon(self._router.note_in_flight)

    def _cancel(self, victim: str, tag: str) -> None:
        timer = self.running.pop(victim, None)
        if timer is not None:
            timer.cancel()
        if self._router.answers_cancel:
            self._loop.call_soon(self.say, "!done", f".tag={victim}")
            self._loop.call_soon(self.say, "!done", f".tag={tag}")

    def _answer(self, tag: str) -> None:
        del self.running[tag]
        self.say("!re", f".tag={tag}", "=name=x")
        self.say("!done", f".tag={tag}")
