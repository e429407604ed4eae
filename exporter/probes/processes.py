"""A process of this machine, found by pid file, name, command line or port, and what it uses."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from exporter.probes.base import Measured, counter, gauge
from exporter.samples import Family

_PID_FILE_SLACK_S = 60.0
"""A process that began so long after its pid file was written is another one that was given the same number."""
_PID_FILE_LIMIT_BYTES = 64


@dataclass(frozen=True, slots=True)
class Selector:
    """By what the process is known; exactly one is set."""

    pid_file: str | None = None
    name: str | None = None
    cmdline: str | None = None
    port: int | None = None


class Unknown(Exception):
    """Whether the process is there cannot be found out: its owner is not this user."""


@dataclass(frozen=True, slots=True)
class ProcessFamilies:
    """The metrics of one kind of process."""

    running: Family
    cpu: Family
    resident: Family
    open_files: Family
    threads: Family
    started_at: Family
    restarts: Family

    @classmethod
    def of(cls, prefix: str, what: str) -> "ProcessFamilies":
        """With names that begin with `prefix`, for the process of `what`."""
        return cls(
            gauge(f"{prefix}_running", f"1 if the process of {what} is there; 0 if it is not."),
            counter(f"{prefix}_cpu_seconds_total", "Processor time used, in user and system mode together."),
            gauge(f"{prefix}_resident_memory_bytes", "Memory that is held in RAM."),
            gauge(f"{prefix}_open_files", "File descriptors that are open, sockets among them."),
            gauge(f"{prefix}_threads", "Threads."),
            gauge(f"{prefix}_start_time_seconds", "When the process began."),
            counter(
                f"{prefix}_restarts_total",
                "Times that another process was found in place of the one before, since the exporter began.",
            ),
        )

    @property
    def all(self) -> tuple[Family, ...]:
        """In the order of the page."""
        return (
            self.running,
            self.cpu,
            self.resident,
            self.open_files,
            self.threads,
            self.started_at,
            self.restarts,
        )


class ProcessWatch:
    """Looks for one process again and again, and notices when it became another one."""

    def __init__(self, selector: Selector, families: ProcessFamilies) -> None:
        self._selector = selector
        self._families = families
        self._last: tuple[int, float] | None = None
        self._restarts = 0

    def __repr__(self) -> str:
        return f"<ProcessWatch {self._selector} last={self._last} restarts={self._restarts}>"

    def measure(self) -> Iterator[Measured]:
        """What is known of the process now; nothing when this user may not know."""
        families = self._families
        try:
            found = _found(self._selector)
            identity = None if found is None else (found.pid, found.create_time())
        except psutil.NoSuchProcess:
            found, identity = None, None
        except (Unknown, psutil.AccessDenied):
            return
        if identity is not None:
            if self._last is not None and identity != self._last:
                self._restarts += 1
            self._last = identity
        yield Measured(families.running, int(found is not None))
        yield Measured(families.restarts, self._restarts)
        if found is not None:
            yield from self._used(found)

    def _used(self, process: psutil.Process) -> Iterator[Measured]:
        """Each of the numbers that this user may know."""
        families = self._families
        numbers: Sequence[tuple[Family, Callable[[], float]]] = (
            (families.cpu, lambda: sum(process.cpu_times()[:2])),
            (families.resident, lambda: process.memory_info().rss),
            (families.open_files, process.num_fds),
            (families.threads, process.num_threads),
            (families.started_at, process.create_time),
        )
        for family, number in numbers:
            with contextlib.suppress(psutil.Error, OSError):
                yield Measured(family, number())


def _found(selector: Selector) -> psutil.Process | None:
    """The process, the oldest when several are meant. Raises Unknown, and psutil.Error for one that just ended."""
    if selector.pid_file is not None:
        return _by_pid_file(Path(selector.pid_file))
    if selector.port is not None:
        return _by_port(selector.port)
    meant = [process for process in psutil.process_iter() if _is_meant(process, selector)]
    return min(meant, key=lambda process: process.create_time(), default=None)


def _is_meant(process: psutil.Process, selector: Selector) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        if selector.name is not None:
            return bool(process.name() == selector.name)
        return selector.cmdline is not None and selector.cmdline in " ".join(process.cmdline())
    except (psutil.Error, OSError):
        return False


def _by_pid_file(path: Path) -> psutil.Process | None:
    try:
        with path.open("rb") as file:
            written_s = os.fstat(file.fileno()).st_mtime
            text = file.read(_PID_FILE_LIMIT_BYTES).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unknown from error
    if not text.isdigit() or not 0 < int(text) < 2**31:
        return None
    process = psutil.Process(int(text))
    return process if process.create_time() <= written_s + _PID_FILE_SLACK_S else None


def _by_port(port: int) -> psutil.Process | None:
    listening = [
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
    ]
    processes = [psutil.Process(pid) for pid in set(listening) if pid is not None]
    if listening and not processes:
        raise Unknown
    return min(processes, key=lambda process: process.create_time(), default=None)
