"""One connection to a router: asyncio around the protocol. It sends, hands out replies, and notices hanging."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import Enum
from functools import partial

from routeros.errors import (
    LoginRefused,
    ProtocolViolation,
    RouterEnded,
    RouterError,
    RouterUnreachable,
    UnreachableReason,
)
from routeros.protocol import (
    Arrived,
    CancelAnswered,
    Challenged,
    Command,
    Ended,
    Event,
    Finished,
    LoggedIn,
    Protocol,
    Refused,
)
from routeros.replies import ConnectionStats
from routeros.settings import PoolSettings
from routeros.sinks import Answer, Check, Sink

CHECK_COMMAND = ("/system/identity/print", "=.proplist=name")
_MAX_CANCEL_GRACE = 6


class ConnectionState(Enum):
    OPENING = "opening"
    AUTHENTICATING = "authenticating"
    READY = "ready"
    CHECKING = "checking"
    CLOSED = "closed"


class ConnectionStep(Enum):
    LOGIN = "login"
    LOGGED_IN = "logged_in"
    CHECK = "check"
    PASSED = "passed"
    LOST = "lost"


CONNECTION_TRANSITIONS: dict[tuple[ConnectionState, ConnectionStep], ConnectionState] = {
    (ConnectionState.OPENING, ConnectionStep.LOGIN): ConnectionState.AUTHENTICATING,
    (ConnectionState.AUTHENTICATING, ConnectionStep.LOGGED_IN): ConnectionState.READY,
    (ConnectionState.READY, ConnectionStep.CHECK): ConnectionState.CHECKING,
    (ConnectionState.CHECKING, ConnectionStep.PASSED): ConnectionState.READY,
    **{(state, ConnectionStep.LOST): ConnectionState.CLOSED for state in ConnectionState},
}


class Connection(asyncio.Protocol):
    """A logged-in (or soon to be) connection. `closed` hears once why it ended, with one of `CLOSE_REASONS`."""

    def __init__(
        self,
        *,
        router: str = "",
        settings: PoolSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        closed: Callable[[Connection, str, RouterError], None] | None = None,
    ) -> None:
        self._settings = settings or PoolSettings()
        self._router = router
        self._clock = clock
        self._closed = closed
        self._state = ConnectionState.OPENING
        self.protocol = Protocol(
            max_word_bytes=self._settings.max_word_bytes,
            max_sentence_bytes=self._settings.max_sentence_bytes,
            max_reply_bytes=self._settings.max_reply_bytes,
        )
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._gone = asyncio.Event()
        self._login: asyncio.Future[None] | None = None
        self._outgoing: list[bytes] = []
        self._sinks: dict[Command, Sink] = {}
        self._cancels: dict[Command, tuple[Sink, asyncio.TimerHandle]] = {}
        self._check_timer: asyncio.TimerHandle | None = None
        self._opened_s = self._used_s = self._heard_s = clock()
        self._received_bytes = 0
        self._sent_bytes = 0

    def __repr__(self) -> str:
        return (
            f"<Connection {self._router} {self._state.value} in_flight={len(self._sinks)} {self.protocol!r}>"
        )

    @property
    def state(self) -> ConnectionState:
        return self._state

    @property
    def is_ready(self) -> bool:
        return self._state is ConnectionState.READY

    @property
    def in_flight(self) -> int:
        """Commands whose sinks wait."""
        return len(self._sinks)

    def idle_s(self, now_s: float) -> float:
        """Seconds since the last command began or ended; 0 while one is in flight."""
        return 0.0 if self._sinks else now_s - self._used_s

    def stats(self) -> ConnectionStats:
        now_s = self._clock()
        return ConnectionStats(
            state=self._state.value,
            in_flight=len(self._sinks),
            age_s=now_s - self._opened_s,
            idle_s=self.idle_s(now_s),
            commands_total=self.protocol.commands_total,
            bytes_received_total=self._received_bytes,
            bytes_sent_total=self._sent_bytes,
        )

    async def login(self, username: str, password: str) -> None:
        """The router has accepted these credentials.

        Raises: LoginRefused; RouterUnreachable; ProtocolViolation. The connection is closed then.
        """
        self._apply(ConnectionStep.LOGIN)
        self._login = self._loop.create_future()
        self._write(self.protocol.login(username, password))
        await self._login

    def submit(
        self, words: tuple[str, ...], sink: Sink, *, encoded: bytes | None = None, streaming: bool = False
    ) -> Command:
        """Send a command; its end is told to the sink. Raises: RuntimeError unless logged in."""
        command, data = self.protocol.send(words, encoded=encoded, streaming=streaming)
        self._sinks[command] = sink
        self._used_s = self._clock()
        self._write(data)
        return command

    def cancel(self, command: Command) -> None:
        """Give a command up. Its sink hears nothing more of it, except that the cancel was answered."""
        sink = self._sinks.pop(command, None)
        if sink is None or self._state is ConnectionState.CLOSED:
            return
        self._used_s = self._clock()
        self._write(self.protocol.cancel(command))
        self._cancels[command] = (sink, self._cancel_timer(command, self._used_s, 0))

    async def ask(self, words: tuple[str, ...]) -> Command:
        """The finished command; a caller that is cancelled cancels it on the router, too.

        Raises: RouterUnreachable or ProtocolViolation when the connection ends first.
        """
        answer = Answer(self._loop.create_future())
        command = self.submit(words, answer)
        try:
            return await answer.future
        except asyncio.CancelledError:
            self.cancel(command)
            raise

    def begin_check(self, passed: Callable[[Connection], None]) -> None:
        """See whether the router still answers here; `passed` is called when it does, else it is closed."""
        self._apply(ConnectionStep.CHECK)
        self.submit(CHECK_COMMAND, Check(partial(self._check_answered, passed)))
        timeout_s = self._settings.health_check_timeout_s
        self._check_timer = self._loop.call_later(timeout_s, self._check_unanswered)

    def close(self, reason: str, message: str = "the connection was closed on this side") -> None:
        """End it by our own will, politely; commands in flight hear that they are lost."""
        error = RouterUnreachable(
            message, reason=UnreachableReason.CLOSED, router=self._router, sent=self._login is not None
        )
        self._end(reason, error, politely=True)

    def abort(self) -> None:
        """Drop what is left of the transport at once."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self, grace_s: float = 1.0) -> None:
        """The socket is closed, by force after the grace."""
        if self._transport is None:
            return
        try:
            async with asyncio.timeout(grace_s):
                await self._gone.wait()
        except TimeoutError:
            self.abort()
            await self._gone.wait()

    def certificate(self) -> bytes | None:
        """The peer's certificate (DER); None without TLS or without certificate."""
        ssl_object = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        return ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection gives no other
        self._transport = transport
        if self._state is ConnectionState.CLOSED:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        self._heard_s = self._clock()
        if self._state is ConnectionState.CLOSED:
            return
        try:
            events = self.protocol.receive(data)
            for event in events:
                self._handle(event)
        except ProtocolViolation as violation:
            self._end("protocol", self._judge_violation(violation, data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        if self._state is ConnectionState.AUTHENTICATING:
            message = (
                "the router closed the connection during login: the address may not be allowed in /ip/service, "
                "there may be too many sessions, or the port speaks TLS"
            )
            reason = UnreachableReason.CLOSED
        elif exc is not None:
            message, reason = f"the connection was lost ({exc})", UnreachableReason.RESET
        else:
            message, reason = "the router closed the connection", UnreachableReason.CLOSED
        error = RouterUnreachable(message, reason=reason, router=self._router, sent=self._is_in)
        error.__cause__ = exc
        self._end("lost", error)

    # inside

    @property
    def _is_in(self) -> bool:
        return self._state in (ConnectionState.READY, ConnectionState.CHECKING)

    def _handle(self, event: Event) -> None:
        match event:
            case Finished(command):
                self._used_s = self._heard_s
                sink = self._sinks.pop(command, None)
                if sink is not None:
                    sink.finished(command)
            case Arrived(command, records):
                sink = self._sinks.get(command)
                if sink is not None:
                    sink.arrived(records)
            case CancelAnswered(command):
                sink_and_timer = self._cancels.pop(command, None)
                if sink_and_timer is not None:
                    sink_and_timer[1].cancel()
                    sink_and_timer[0].cancel_answered()
            case LoggedIn():
                self._apply(ConnectionStep.LOGGED_IN)
                self._settle_login(None)
            case Challenged(answer):
                self._write(answer)
            case Refused(message):
                self._end("lost", LoginRefused(f"login refused: {message}", router=self._router))
            case Ended(reason):
                text = f"the router ended the connection: {reason}"
                self._end("fatal", RouterEnded(text, router=self._router, sent=self._is_in))

    def _judge_violation(self, violation: ProtocolViolation, data: bytes) -> RouterError:
        violation.router = self._router
        if self._state is ConnectionState.AUTHENTICATING and data[:2] == b"\x15\x03":
            error = RouterUnreachable(
                "the port answers in TLS: it is api-ssl, so turn TLS on or use the plain port (8728)",
                reason=UnreachableReason.TLS,
                router=self._router,
            )
            error.__cause__ = violation
            return error
        return violation

    def _write(self, data: bytes) -> None:
        """Send with whatever else is written in this turn of the loop, in one packet where it fits."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(data)

    def _flush(self) -> None:
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._sent_bytes += len(data)
            self._transport.write(data)

    def _cancel_timer(self, command: Command, sent_s: float, grace: int) -> asyncio.TimerHandle:
        timeout_s = self._settings.cancel_timeout_s
        return self._loop.call_later(timeout_s, self._cancel_unanswered, command, sent_s, grace)

    def _cancel_unanswered(self, command: Command, sent_s: float, grace: int) -> None:
        """The answer may stand behind a long reply that still flows; a silent connection hangs."""
        if self._heard_s > sent_s and grace < _MAX_CANCEL_GRACE:
            sink, _ = self._cancels[command]
            self._cancels[command] = (sink, self._cancel_timer(command, self._heard_s, grace + 1))
            return
        waited_s = self._settings.cancel_timeout_s
        message = f"the connection hangs: {command.path} passed its deadline, and so did its cancel ({waited_s:g} s)"
        self._end(
            "hanging",
            RouterUnreachable(message, reason=UnreachableReason.DEADLINE, router=self._router, sent=True),
        )

    def _check_unanswered(self) -> None:
        timeout_s = self._settings.health_check_timeout_s
        message = f"an idle connection did not answer within {timeout_s:g} s"
        self._end(
            "unhealthy", RouterUnreachable(message, reason=UnreachableReason.DEADLINE, router=self._router)
        )

    def _check_answered(self, passed: Callable[[Connection], None]) -> None:
        if self._check_timer is not None:
            self._check_timer.cancel()
            self._check_timer = None
        self._apply(ConnectionStep.PASSED)
        passed(self)

    def _settle_login(self, error: RouterError | None) -> None:
        if self._login is not None and not self._login.done():
            if error is None:
                self._login.set_result(None)
            else:
                self._login.set_exception(error)

    def _end(self, reason: str, error: RouterError, *, politely: bool = False) -> None:
        """Close for good: every sink, timer and waiter is told, once."""
        if self._state is ConnectionState.CLOSED:
            return
        self._apply(ConnectionStep.LOST)
        if self._transport is not None:
            if politely:
                self._transport.close()
            else:
                self._transport.abort()
        if self._check_timer is not None:
            self._check_timer.cancel()
        cancels, self._cancels = self._cancels, {}
        for _, timer in cancels.values():
            timer.cancel()
        sinks, self._sinks = self._sinks, {}
        self._settle_login(error)
        if self._closed is not None:
            self._closed(self, reason, error)
        for sink in sinks.values():
            sink.lost(error.again())
        for sink, _ in cancels.values():
            sink.cancel_lost(error)

    def _apply(self, step: ConnectionStep) -> None:
        """The only place that assigns the state."""
        self._state = CONNECTION_TRANSITIONS[self._state, step]
