"""Programs under measurement, each in a process of its own: started, asked what they used, ended."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

HOST = "127.0.0.1"
READY_TIMEOUT_S = 60.0
END_TIMEOUT_S = 10.0
POLL_S = 0.02
TAIL_LINES = 20


class ProgramDied(Exception):
    """A program ended by itself or did not become ready; the message holds the last lines that it wrote."""


class Program:
    """One running program. Leaving the context ends it, and closing its standard input says so too."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log_file: Path,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._log_file = log_file
        self._environment = environment
        self._popen: subprocess.Popen[bytes] | None = None
        self._process: psutil.Process | None = None

    def __repr__(self) -> str:
        return f"<Program {self.name} pid={self._popen.pid if self._popen else None}>"

    def __enter__(self) -> Self:
        with self._log_file.open("wb") as log:
            self._popen = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if self._environment is None else dict(self._environment),
            )
        self._process = psutil.Process(self._popen.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        popen = self._popen
        if popen is None:
            return
        popen.terminate()
        try:
            popen.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()
        if popen.stdin is not None:
            popen.stdin.close()

    @property
    def _running(self) -> psutil.Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process

    def cpu_s(self) -> float:
        """Processor seconds used so far, user and system, all threads."""
        times = self._running.cpu_times()
        return float(times.user + times.system)

    def rss_bytes(self) -> int:
        """Memory that is resident now."""
        return int(self._running.memory_info().rss)

    def peak_rss_bytes(self) -> int:
        """The most that was resident at any time since the start."""
        status = Path(f"/proc/{self._running.pid}/status")
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"{status} does not tell the peak")

    def log_text(self) -> str:
        """What the program wrote so far."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Returns when `condition` holds.

        Raises:
            ProgramDied: the program ended, or `READY_TIMEOUT_S` passed.
        """
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while not condition():
            code = self._popen.poll() if self._popen else None
            if code is not None:
                raise ProgramDied(f"{self.name} ended with {code}:\n{self._tail()}")
            if time.monotonic() > deadline_s:
                raise ProgramDied(f"{self.name}: {what} not within {READY_TIMEOUT_S:.0f} s:\n{self._tail()}")
            time.sleep(POLL_S)

    def _tail(self) -> str:
        return "\n".join(self.log_text().splitlines()[-TAIL_LINES:])


def end_with_parent() -> None:
    """Called in a child of `Program`: ends it when the benchmark is gone, however it went."""
    sys.stdin.buffer.read()
    signal.raise_signal(signal.SIGTERM)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
