"""Runs a program to its end: no shell, a clean environment, a limit on time and output, nothing left behind.

It has a process group of its own. When its time is up, or we are cancelled, the whole group is ended. What it left
behind on purpose after it ended itself, such as a daemon, lives on, but what it says goes nowhere.
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.clock import Clock

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CLEAN: Mapping[str, str] = {"PATH": PATH, "LANG": "C.UTF-8"}
"""All that a program finds in its environment, unless it is given more."""

TERM_GRACE_S = 2.0
DRAIN_S = 1.0


class CannotStart(Exception):
    """The program did not begin; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. `code` is negative for a signal; `output` and `errors` are the last bytes of each."""

    code: int
    output: bytes
    errors: bytes
    cut: bool
    timed_out: bool
    duration_s: float


class _Watched(asyncio.SubprocessProtocol):
    """Keeps the end of what a program says."""

    def __init__(self, limit_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.drained: asyncio.Future[None] = loop.create_future()
        self.kept = {1: bytearray(), 2: bytearray()}
        self.cut = False
        self._open = {1, 2}
        self._limit_bytes = limit_bytes

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self.kept[fd]
        kept += data
        if len(kept) > self._limit_bytes:
            self.cut = True
            del kept[: len(kept) - self._limit_bytes]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open and not self.drained.done():
            self.drained.set_result(None)

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)


async def finished(
    argv: Sequence[str],
    *,
    timeout_s: float,
    clock: Clock,
    cwd: Path = Path("/"),
    environment: Mapping[str, str] = CLEAN,
    limit_bytes: int = 1 << 16,
) -> Ended:
    """Runs `argv` to its end, at most `timeout_s` and a short grace. Raises CannotStart."""
    began_s = clock.monotonic()
    try:
        transport, protocol = await asyncio.get_running_loop().subprocess_exec(
            lambda: _Watched(limit_bytes),
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a program and its arguments"
        raise CannotStart(f"{Path(argv[0]).name} cannot be started: {reason}") from error
    try:
        timed_out = not await _within(protocol.exited, timeout_s)
        if timed_out:
            await _end(transport, protocol)
        await _within(protocol.drained, DRAIN_S)
    finally:
        if not protocol.exited.done():
            _signal(transport, signal.SIGKILL)
        transport.close()
    code = transport.get_returncode()
    return Ended(
        code=-signal.SIGKILL if code is None else code,
        output=bytes(protocol.kept[1]),
        errors=bytes(protocol.kept[2]),
        cut=protocol.cut,
        timed_out=timed_out,
        duration_s=clock.monotonic() - began_s,
    )


async def _within(future: "asyncio.Future[None]", seconds: float) -> bool:
    """Whether it came to pass in time."""
    done, _ = await asyncio.wait((future,), timeout=seconds)
    return bool(done)


async def _end(transport: asyncio.SubprocessTransport, protocol: _Watched) -> None:
    """The whole group is gone: asked first, then killed."""
    _signal(transport, signal.SIGTERM)
    await _within(protocol.exited, TERM_GRACE_S)
    _signal(transport, signal.SIGKILL)  # also what outlived the first of the group
    await _within(protocol.exited, TERM_GRACE_S)


def _signal(transport: asyncio.SubprocessTransport, number: signal.Signals) -> None:
    try:
        os.killpg(transport.get_pid(), number)
    except (ProcessLookupError, PermissionError):
        return  # gone already, or it has changed its user and is out of our reach
