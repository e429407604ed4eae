"""`tikwatch-exporter serve` as a program of its own, as an operator starts it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.demo.ports import free_ports

START_DEADLINE_S = 120.0
END_DEADLINE_S = 60.0


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    return free_ports(1)


def command(*words: str | Path) -> list[str]:
    """The command line, with warnings as errors: a connection that is left open shows on stderr."""
    return [sys.executable, "-W", "error", "-m", "exporter", *map(str, words)]


class ExporterProcess:
    """A running exporter; `log` is what it has written so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:  # closed by who reads it: somebody else might do so in the middle
            for line in lines:
                with self._grown:
                    self._lines.append(line)
                    self._grown.notify_all()
        with self._grown:
            self._grown.notify_all()

    @property
    def log(self) -> str:
        with self._grown:
            return "".join(self._lines)

    def wait_for(self, text: str, *, times: int = 1, within_s: float = START_DEADLINE_S) -> str:
        """The last line in which `text` stands, once it has come that many times. Raises AssertionError."""
        with self._grown:
            deadline_s = time.monotonic() + within_s
            while True:
                found = [line for line in self._lines if text in line]
                if len(found) >= times:
                    return found[-1]
                left_s = deadline_s - time.monotonic()
                ended = self.process.poll() is not None and not self._reader.is_alive()
                assert left_s > 0, f"no {text!r} in time:\n{''.join(self._lines)}"
                assert not ended, f"ended without {text!r}:\n{''.join(self._lines)}"
                self._grown.wait(min(left_s, 0.2))

    async def saw(self, text: str, *, times: int = 1) -> str:
        """The same, without holding up the loop in which simulated routers answer."""
        return await asyncio.to_thread(self.wait_for, text, times=times)

    @property
    def url(self) -> str:
        """Where it listens, as it said."""
        line = self.wait_for("exporter.listening")
        urls: list[str] = json.loads(line)["urls"]
        return urls[0].rstrip("/")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(END_DEADLINE_S)
        self._reader.join(END_DEADLINE_S)
        return status

    def kill(self) -> None:
        """End it at once, if it still runs."""
        self.process.kill()
        self.process.wait()
        self._reader.join(END_DEADLINE_S)


@contextmanager
def exporter_process(*words: str | Path, folder: Path | None = None) -> Iterator[ExporterProcess]:
    """The program with these words; killed at the end if it still runs."""
    process = subprocess.Popen(
        command(*words),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = ExporterProcess(process)
    try:
        yield running
    finally:
        running.kill()


def run_exporter(
    *words: str | Path, environment: Sequence[tuple[str, str]] = ()
) -> subprocess.CompletedProcess[str]:
    """The program run to its end."""
    return subprocess.run(
        command(*words),
        capture_output=True,
        text=True,
        timeout=START_DEADLINE_S,
        check=False,
        env={**os.environ, **dict(environment)},
        cwd=Path(__file__).resolve().parents[2],
    )
