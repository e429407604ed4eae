"""From an address to a logged-in connection: name, TCP, TLS, login, each failure told by its own name."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from routeros.connection import Connection
from routeros.errors import RouterError, RouterUnreachable, UnreachableReason
from routeros.settings import PoolSettings, Target
from routeros.tls import check_fingerprint, tls_context, tls_error

_TLS_GOODBYE_S = 1.0
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))

_STAGES = {
    "name": "the name was not resolved",
    "connect": "nobody answered on the port",
    "tls": "the TLS handshake was not answered (does the port speak TLS? api-ssl is 8729)",
    "login": "the login was not answered (is it the plain port, 8728, and is the api service on?)",
}


@dataclass(slots=True)
class DialTimes:
    """Seconds that each stage took; `tls_s` is None on the plain port."""

    connect_s: float = 0.0
    tls_s: float | None = None
    login_s: float = 0.0


class Dialer:
    """Opens connections to one target."""

    def __init__(
        self, target: Target, settings: PoolSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._target = target
        self._settings = settings
        self._clock = clock

    def __repr__(self) -> str:
        return f"<Dialer {self._target.name} {self._target.address}:{self._target.effective_port}>"

    async def open(
        self,
        closed: Callable[[Connection, str, RouterError], None] | None = None,
        times: DialTimes | None = None,
    ) -> Connection:
        """A logged-in connection, within `connect_timeout_s`.

        Raises: RouterUnreachable, LoginRefused, ProtocolViolation; whatever was opened is closed then.
        """
        attempt = _Attempt(self._target, self._settings, self._clock, times or DialTimes())
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                return await attempt.run(closed)
        except RouterError as error:
            error.router = self._target.name
            raise
        except TimeoutError as error:
            raise self._unreachable(
                f"{_STAGES[attempt.stage]} within {self._settings.connect_timeout_s:g} s",
                UnreachableReason.TLS if attempt.stage == "tls" else UnreachableReason.DEADLINE,
            ) from error
        except OSError as error:
            raise self._os_error(error, attempt.stage) from error

    def _os_error(self, error: OSError, stage: str) -> RouterUnreachable:
        where = f"{self._target.address}:{self._target.effective_port}"
        if stage == "tls":
            refusal = tls_error(error, self._target.address)
            refusal.router = self._target.name
            return refusal
        if isinstance(error, socket.gaierror):
            return self._unreachable(f"no address for {self._target.address!r}", UnreachableReason.NAME)
        if isinstance(error, ConnectionRefusedError):
            return self._unreachable(f"{where} refused the connection", UnreachableReason.REFUSED)
        if isinstance(error, ConnectionError):
            return self._unreachable(f"{where} reset the connection", UnreachableReason.RESET)
        return self._unreachable(f"no way to {where}: {error.strerror or error}", UnreachableReason.NO_ROUTE)

    def _unreachable(self, message: str, reason: UnreachableReason) -> RouterUnreachable:
        return RouterUnreachable(message, reason=reason, router=self._target.name)


class _Attempt:
    """One try, which knows how far it came."""

    def __init__(
        self, target: Target, settings: PoolSettings, clock: Callable[[], float], times: DialTimes
    ) -> None:
        self._target = target
        self._settings = settings
        self._clock = clock
        self._times = times
        self.stage = "name"

    async def run(self, closed: Callable[[Connection, str, RouterError], None] | None) -> Connection:
        begun_s = self._clock()
        context = self._context()
        sock = await self._connect()
        self._times.connect_s = (connected_s := self._clock()) - begun_s
        connection = Connection(
            router=self._target.name, settings=self._settings, clock=self._clock, closed=closed
        )
        try:
            await self._wrap(sock, context, connection)
            if self._target.tls is not None:
                check_fingerprint(self._target.tls, connection.certificate())
                self._times.tls_s = self._clock() - connected_s
            self.stage, login_s = "login", self._clock()
            await connection.login(self._target.username, self._target.password)
            self._times.login_s = self._clock() - login_s
        except BaseException:
            connection.abort()
            raise
        return connection

    def _context(self) -> ssl.SSLContext | None:
        if self._target.tls is None:
            return None
        try:
            return tls_context(self._target.tls)
        except OSError as error:
            message = f"the CA file {self._target.tls.ca_file} cannot be used: {error.strerror or error}"
            raise RouterUnreachable(message, reason=UnreachableReason.TLS) from error

    async def _connect(self) -> socket.socket:
        """A connected socket, at the first of the name's addresses that takes it."""
        failure: OSError | None = None
        for family, address in await self._addresses():
            self.stage = "connect"
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                _tune(sock)
                await asyncio.get_running_loop().sock_connect(sock, address)
            except OSError as error:
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failure or socket.gaierror(f"no address for {self._target.address}")

    async def _addresses(self) -> list[tuple[int, tuple[str | int | bytes, ...]]]:
        """Where to dial: a literal address costs no resolver thread."""
        port = self._target.effective_port
        try:
            literal = ipaddress.ip_address(self._target.address)
        except ValueError:
            loop = asyncio.get_running_loop()
            try:
                found = await loop.getaddrinfo(self._target.address, port, type=socket.SOCK_STREAM)
            except ValueError as error:  # a label too long, or text that no name can hold
                raise socket.gaierror(str(error)) from error
            return [(int(family), address) for family, _, _, _, address in found]
        family = socket.AF_INET if literal.version == 4 else socket.AF_INET6
        return [(family, (self._target.address, port))]

    async def _wrap(
        self, sock: socket.socket, context: ssl.SSLContext | None, connection: Connection
    ) -> None:
        loop = asyncio.get_running_loop()
        if context is None:
            await loop.create_connection(lambda: connection, sock=sock)
            return
        self.stage = "tls"
        await loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=context,
            server_hostname=(self._target.tls and self._target.tls.server_name) or self._target.address,
            ssl_handshake_timeout=self._settings.connect_timeout_s + 1.0,
            ssl_shutdown_timeout=_TLS_GOODBYE_S,
        )


def _tune(sock: socket.socket) -> None:
    """No waiting for more to send, and dead peers found out while idle."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        option = getattr(socket, name, None)  # not every system has all three
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
