"""One simulated router: a port that speaks the API, and the world behind it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from .call import NOT_PERMITTED, Answer, Call, Outcome, Trap
from .commands import GENERIC
from .connection import Connection
from .execution import Executor, Job
from .faults import FaultBoard
from .login import LoginState
from .population import populate
from .spec import RouterSpec
from .table import Row
from .traffic import Rate, seeded
from .world import World

LOG_COMMANDS = 2000
PREPARED_ROWS = 2000
_LISTEN_POLL_S = 0.5
_CUT_POLL_S = 0.02


class Received(NamedTuple):
    """A command as a client sent it; passwords are left out."""

    path: str
    words: tuple[str, ...]
    time_s: float
    connection: int
    user: str


class Device:
    """A router of the network. It does nothing at all while nobody asks.

    Args:
        clock: what counters and uptimes go by; latencies go by the event loop.
        wall: Unix time, asked once.
    """

    def __init__(
        self,
        spec: RouterSpec,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.spec = spec
        self.port = spec.port
        self.random = seeded("device", spec.seed, spec.name)
        self.log: deque[Received] = deque(maxlen=LOG_COMMANDS)
        self.connections: set[Connection] = set()
        self.connections_total = 0
        self.commands_total = 0
        self.faults = FaultBoard(self)
        self.listening = False
        self._clock = clock
        self._created_s = clock()
        self._created_wall_s = wall()
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._down: asyncio.TimerHandle | None = None
        self._cut = False
        self._listeners = 0
        self._listen_timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        state = "listening" if self.listening else "refusing"
        return (
            f"<Device {self.name} {self.spec.profile} {self.spec.version} {self.spec.host}:{self.port} {state} "
            f"{len(self.connections)} connections {self.faults!r}>"
        )

    @property
    def name(self) -> str:
        """The router's name in the network."""
        return self.spec.name

    @property
    def connections_open(self) -> int:
        """Connections that are open now, logged in or not."""
        return len(self.connections)

    @cached_property
    def world(self) -> World:
        """Tables and their clock; built when first needed."""
        now_s = self._clock()
        world = World(self.spec, self._clock, self._created_wall_s + now_s - self._created_s)
        world.sessions = lambda: [
            (connection.login.account.username, connection.peer, connection.since_s)
            for connection in self.connections
            if connection.login.account is not None
        ]
        world.reboot_asked = self._reboot_soon
        world.switched = self._switched
        populate(world)
        return world

    # -- being there -----------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Bind the port and listen.

        Raises:
            OSError: the port is taken.
        """
        self.loop = asyncio.get_running_loop()
        self.executor = Executor(
            self.loop,
            self.spec.latency_range,
            self.spec.concurrency,
            seeded("latency", self.spec.seed, self.name),
        )
        if sum(self.spec.count(what) for what in self.spec.shape.counts) > PREPARED_ROWS:
            _ = self.world  # so that the first command need not wait for it
        self._bind()
        await self.listen()

    async def close(self) -> None:
        """Drop every connection and give the port back."""
        self.faults.clear()
        if self._down is not None:
            self._down.cancel()
        if self._listen_timer is not None:
            self._listen_timer.cancel()
        self.drop_connections()
        self._stop_listening()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def listen(self) -> None:
        """Accept connections again."""
        if self.listening or self._socket is None:
            return
        self.listening = True
        self._server = await self.loop.create_server(
            self._new_connection, sock=self._socket, ssl=self._tls, backlog=256
        )

    def refuse(self) -> None:
        """Refuse new connections; the port stays ours."""
        if self.listening:
            self._stop_listening()
            self._bind()

    def drop_connections(self) -> None:
        """Cut every connection without a word."""
        for connection in tuple(self.connections):
            connection.abort()

    def reboot(self, down_s: float = 1.0) -> None:
        """Connections drop, counters and uptime start from zero, the port refuses for `down_s`."""
        self.world.advance()
        self.drop_connections()
        self.refuse()
        self.world.reboot(self.world.now_s + down_s)
        if self._down is not None:
            self._down.cancel()
        self._down = self.loop.call_later(down_s, self.back)

    def _reboot_soon(self) -> None:
        """The answer to the command still goes out."""
        self.loop.call_later(self.spec.rtt_s + 0.01, self.reboot)

    def _switched(self, row: Row) -> None:
        """Whoever disables the interface that he came in by is cut off; the router goes on by itself."""
        if not self.spec.management or row.values.get("name") != self.spec.management:
            return
        self._cut = row.values.get("disabled") == "true"
        if self._cut:
            self.loop.call_soon(self.drop_connections)
            self.refuse()
            self._live_on()
        else:
            self.back()

    def _live_on(self) -> None:
        """Nobody can ask, and yet what is due happens."""
        if self._cut and self._socket is not None:
            self.world.advance()
            self.loop.call_later(_CUT_POLL_S, self._live_on)

    def back(self) -> None:
        """Listen again, unless the router is still rebooting, a fault refuses, or the way to it is switched off."""
        if self._down is not None and self._down.when() > self.loop.time():
            return
        self._down = None
        if not self.faults.refusing and not self._cut and self._socket is not None:
            self._returning = self.loop.create_task(self.listen())

    def _bind(self) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in self.spec.host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setblocking(False)
        self._socket.bind((self.spec.host, self.port))
        self.port = self._socket.getsockname()[1]

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.listening = False

    @cached_property
    def _tls(self) -> ssl.SSLContext | None:
        if self.spec.tls is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.spec.tls.cert_file, self.spec.tls.key_file)
        return context

    # -- connections ---------------------------------------------------------------------------------------------

    def _new_connection(self) -> Connection:
        self.connections_total += 1
        return Connection(self, self.connections_total)

    def connection_made(self, connection: Connection) -> None:
        """Count it in, unless it is one too many."""
        if len(self.connections) >= self.faults.session_limit(self.spec.max_sessions):
            connection.close()
            return
        connection.since_s = self._clock()
        self.connections.add(connection)

    def connection_lost(self, connection: Connection) -> None:
        """Count it out."""
        self.connections.discard(connection)

    def note(self, connection: Connection, call: Call) -> None:
        """Write a command to the log."""
        self.commands_total += 1
        words = tuple(
            word
            if not word.startswith(("=password=", "=response=", "=secret="))
            else word[: word.index("=", 1) + 1]
            for word in call.words
        )
        self.log.append(Received(words[0], words, self._clock(), connection.number, call.user))

    def log_in(self, connection: Connection, call: Call) -> list[bytes]:
        """The answer to `/login`."""
        try:
            self.faults.check_login()
            challenge = connection.login.attempt(call)
        except Trap as trap:
            self.world.advance()
            self.world.log(
                "system,error,critical",
                f"login failure for user {call.args.get('name', '')} from {connection.peer} via api",
            )
            return [call.trap(trap), call.closing("!done")]
        if connection.login.state is LoginState.INSIDE:
            self.world.advance()
            self.world.log(
                "system,info,account",
                f"user {call.args.get('name', '')} logged in from {connection.peer} via api",
            )
        return [call.closing("!done", *((f"=ret={challenge}",) if challenge is not None else ()))]

    # -- commands --------------------------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Give a command to the executor."""
        self.executor.submit(job, self.faults.delay_s(job.call))

    def later(self, action: Callable[[], None]) -> None:
        """Do it after the round-trip time."""
        if self.spec.rtt_s > 0:
            self.loop.call_later(self.spec.rtt_s, action)
        else:
            action()

    def execute(self, call: Call) -> Outcome:
        """Let the world answer.

        Raises:
            Trap: what the router says instead.
        """
        self.faults.check(call)
        world = self.world
        menu = world.menus.get(call.menu)
        if menu is None:
            raise world.missing(call)
        command = menu.commands.get(call.command) or GENERIC.get(call.command)
        if command is None:
            raise world.missing(call)
        if command.policy not in call.policies:
            raise Trap(NOT_PERMITTED)
        call.adjust = self.faults.adjust
        return command.run(world, menu, call)

    def sentences(self, call: Call, answer: Answer) -> Iterator[bytes]:
        """Rows, `!empty` where this RouterOS says it, and `!done`."""
        row = None
        for row in answer.rows:
            yield row
        if row is None and answer.empty and self.spec.release >= (7, 18):
            yield call.closing("!empty")
        yield call.closing("!done", *((f"=ret={answer.ret}",) if answer.ret is not None else ()))

    # -- listeners ---------------------------------------------------------------------------------------------------

    def listener_added(self) -> None:
        """Somebody listens: now events must happen by themselves."""
        self._listeners += 1
        if self._listen_timer is None:
            self._wake()

    def listener_removed(self) -> None:
        """The last one to go stops the timer."""
        self._listeners -= 1
        if not self._listeners and self._listen_timer is not None:
            self._listen_timer.cancel()
            self._listen_timer = None

    def _wake(self) -> None:
        self.world.advance()
        due_s = self.world.next_event_s
        wait_s = _LISTEN_POLL_S if due_s is None else min(_LISTEN_POLL_S, max(0.01, due_s - self.world.now_s))
        self._listen_timer = self.loop.call_later(wait_s, self._wake)

    # -- the truth, for tests ------------------------------------------------------------------------------------------

    def rate_of(self, name: str, menu: str = "/interface") -> Rate:
        """The true rates now (bytes per second) of an interface, queue or session.

        Raises:
            KeyError: no such row with traffic.
        """
        return self.world.rate_of(name, menu)
