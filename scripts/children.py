"""A program that runs as a child of ours: its output kept in a file, ended politely, never left behind."""

import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

TERMINATE_TIMEOUT_S = 10.0
TAIL_LINES = 20


class ChildDied(Exception):
    """A child ended by itself; the message holds its exit code and the last lines that it wrote."""


class Child:
    """One running program. Leaving the context ends it: SIGTERM first, SIGKILL after `terminate_timeout_s`.

    It has a process group of its own, so that Ctrl-C at the terminal reaches us and not it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log_file: Path,
        *,
        terminate_timeout_s: float = TERMINATE_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._command = command
        self._log_file = log_file
        self._terminate_timeout_s = terminate_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()  # whoever checks does not see the moment of a crash that was asked for

    def __repr__(self) -> str:
        if self._process is None:
            return f"<Child {self.name}: not started>"
        code = self._process.poll()
        state = "running" if code is None else f"ended with {code}"
        return f"<Child {self.name}: pid {self._process.pid}, {state}>"

    def __enter__(self) -> Self:
        self._log_file.write_bytes(b"")
        self._start()
        return self

    def _start(self) -> None:
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def crash(self) -> None:
        """Killed without a word, and started again at once; its log goes on."""
        with self._guard:
            if self._process is None:
                raise RuntimeError(f"{self.name} was never started")
            self._process.kill()
            self._process.wait()
            self._start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(self._terminate_timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def check(self) -> None:
        """Returns while the program runs.

        Raises:
            ChildDied: it does not.
        """
        with self._guard:
            if self._process is None:
                raise RuntimeError(f"{self.name} was never started")
            code = self._process.poll()
        if code is not None:
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise ChildDied(f"{self.name} ended by itself ({how}). Its last lines:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines that the program wrote, indented."""
        lines = self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:]) or "  (it wrote nothing)"
