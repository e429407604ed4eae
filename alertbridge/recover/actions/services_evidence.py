"""What a process looked like before it was restarted: afterwards nobody can ask it any more."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from alertbridge.recover.actions.base import Fact
from alertbridge.recover.actions.command_text import Redact, shown

CPU_OVER_S = 0.5
_FILES = 10
_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and all that it started take. `cpu_ratio` is 1.0 for one whole core."""

    rss_bytes: int
    cpu_ratio: float
    threads: int
    open_files: int | None
    files: tuple[str, ...]
    processes: int

    def facts(self) -> Mapping[str, Fact]:
        """The same for the audit."""
        return {
            "rss_bytes": self.rss_bytes,
            "cpu_ratio": round(self.cpu_ratio, 3),
            "threads": self.threads,
            "open_files": self.open_files,
            "files": ", ".join(self.files),
            "processes": self.processes,
        }


async def usage_of(pids: Iterable[int]) -> Usage | None:
    """What these processes and their children take now, looked at for half a second; None when there is none."""
    chosen = tuple(pids)
    before = await asyncio.to_thread(_cpu_times, chosen)
    await asyncio.sleep(CPU_OVER_S)
    return await asyncio.to_thread(_usage, chosen, before)


def _family(pids: Iterable[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        try:
            process = psutil.Process(pid)
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
        except psutil.Error:
            continue
    return list(found.values())


def _cpu_times(pids: tuple[int, ...]) -> Mapping[int, tuple[float, float]]:
    """Seconds of a processor that each has used, and when it began."""
    found: dict[int, tuple[float, float]] = {}
    for process in _family(pids):
        try:
            times = process.cpu_times()
            found[process.pid] = (process.create_time(), times.user + times.system)
        except psutil.Error:
            continue
    return found


def _usage(pids: tuple[int, ...], before: Mapping[int, tuple[float, float]]) -> Usage | None:
    after = _cpu_times(pids)
    if not after:
        return None
    used_s = sum(
        used - (before[pid][1] if pid in before and before[pid][0] == began else 0.0)
        for pid, (began, used) in after.items()
    )
    rss = threads = 0
    descriptors: int | None = 0
    files: list[str] = []
    for process in _family(pids):
        try:
            rss += process.memory_info().rss
            threads += process.num_threads()
        except psutil.Error:
            continue
        try:
            descriptors = None if descriptors is None else descriptors + process.num_fds()
            files += [file.path for file in process.open_files()]
        except psutil.Error:  # another user's: how many it has is not ours to know
            descriptors = None
    return Usage(
        rss, used_s / CPU_OVER_S, threads, descriptors, tuple(sorted(set(files))[:_FILES]), len(after)
    )


async def tail_of(path: Path, count: int, redact: Redact) -> str:
    """The last `count` lines of a file, without secrets; empty when it cannot be read."""
    try:
        raw = await asyncio.to_thread(_end_of, path)
    except OSError:
        return ""
    return shown(b"\n".join(raw.splitlines()[-count:]), redact)


def _end_of(path: Path) -> bytes:
    if not path.is_file():  # a pipe would hold us up
        return b""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL_BYTES))
        return file.read(_TAIL_BYTES)
