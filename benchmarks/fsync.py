"""An alert is on the disk before its sender hears 200: seen in the system calls of the running program.

`synchronous=OFF` survives kill -9, so that kills alone prove nothing of a power cut. Here strace watches the bridge
take one alert: what it writes of it must be synced, and the sync must have ended, before the answer leaves.

python -m benchmarks.fsync
"""

import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bridge import Running as Bridge
from benchmarks.bridge import alert, bridge_config, notification
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most
from benchmarks.programs import HOST, Program, free_port, is_listening

SEEN_WITHIN_S = 60.0
WATCHED = "pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync"
_CALL = re.compile(r"^\d+ +[\d:.]+ (?P<name>\w+)\((?P<rest>.*)$")
_RESUMED = re.compile(r"^\d+ +[\d:.]+ <\.\.\. (?P<name>\w+) resumed>.*\) += (?P<result>-?\d+)")
_PROCESS = re.compile(r"^\d+")
_SYNCS = ("fsync", "fdatasync")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trace shows of one alert. Line numbers; `written` lists the writes of it into the store."""

    written: tuple[int, ...]
    syncs: tuple[tuple[int, int], ...]
    answered: int | None

    @property
    def writes_before_answer(self) -> tuple[int, ...]:
        return tuple(line for line in self.written if self.answered is not None and line < self.answered)

    @property
    def is_durable(self) -> bool:
        """All of it that was written before the answer was synced, from begin to end, before the answer."""
        before = self.writes_before_answer
        return bool(before) and any(
            began > before[-1] and self.answered is not None and ended < self.answered
            for began, ended in self.syncs
        )


def read(trace: Sequence[str], name: str) -> Seen:
    """What a trace (`strace -f -tt -y`) shows of the alert called `name` and of the answer that accepts it."""
    written: list[int] = []
    syncs: list[tuple[int, int]] = []
    begun: dict[str, int] = {}
    answered = None
    for number, line in enumerate(trace):
        process = _PROCESS.match(line)
        if (resumed := _RESUMED.match(line)) is not None and process is not None:
            if resumed["name"] in _SYNCS and (began := begun.pop(process[0], None)) is not None:
                syncs += [(began, number)] if resumed["result"] == "0" else []
            continue
        call = _CALL.match(line)
        if call is None or process is None:
            continue
        rest = call["rest"]
        if call["name"] in _SYNCS and "-wal>" in rest:
            if "<unfinished" in rest:
                begun[process[0]] = number
            elif rest.rstrip().endswith("= 0"):
                syncs.append((number, number))
        elif call["name"] == "pwrite64" and "-wal>" in rest and name in rest:
            written.append(number)
        elif answered is None and r"\"accepted\":1" in rest:
            answered = number
    return Seen(tuple(written), tuple(syncs), answered)


def watch(folder: Path) -> Seen:
    """Runs a bridge under strace in `folder` and posts one alert to it. Raises ProgramDied, TimeoutError."""
    port, name, trace = free_port(), "SyncedBeforeAnswered", folder / "trace"
    config = folder / "bridge.yml"
    store = {"path": str(folder / "bridge.db")}
    config.write_text(bridge_config(port, f"http://{HOST}:{free_port()}", store), encoding="utf-8")
    # -D: the bridge is the child, and strace its grandchild, so that ending the bridge ends both
    tracing = ["strace", "-D", "-f", "-tt", "-y", "-s", "70000", "-e", f"trace={WATCHED}", "-o", str(trace)]
    command = [*tracing, sys.executable, "-m", "alertbridge", "serve", "--config", str(config)]
    with Program("the bridge under strace", command, folder / "bridge.log") as program:
        program.wait_until(lambda: is_listening(port), "listening")
        running = Bridge(program, f"http://{HOST}:{port}", "")
        request = running.post_request(notification([alert(name, 1, at_s=time.time())], "synced"))
        with urllib.request.urlopen(request, timeout=SEEN_WITHIN_S) as answer:  # noqa: S310  this machine
            answer.read()
    return read(_whole(trace), name)


def _whole(trace: Path) -> list[str]:
    """The trace, once strace has written its end. Raises TimeoutError."""
    deadline_s = time.monotonic() + SEEN_WITHIN_S
    while True:
        lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
        if lines and lines[-1].endswith("+++"):
            return lines
        if time.monotonic() > deadline_s:
            raise TimeoutError("strace did not come to its end")
        time.sleep(0.05)


def measure(effort: Effort) -> list[Line]:
    """One alert."""
    with tempfile.TemporaryDirectory(prefix="tikwatch-fsync-") as folder:
        found = watch(Path(folder))
    return [
        Line("writes of the alert before its 200", len(found.writes_before_answer), Unit.COUNT, at_least(1)),
        Line("answers before their fsync ended", int(not found.is_durable), Unit.COUNT, at_most(0)),
    ]


def main() -> int:
    """Exit code 0 when it is so."""
    subprocess.run(["strace", "--version"], check=True, stdout=subprocess.DEVNULL)  # noqa: S607
    lines = measure(Effort.FULL)
    for line in lines:
        print(f"{line.what:40} {line.unit.text(line.value):>6} {'met' if line.met else 'MISSED'}")
    return 0 if all(line.met for line in lines) else 1


FIGURE = Figure(12, "fsync", "on the disk before it is answered", measure, long=True)


if __name__ == "__main__":
    sys.exit(main())
