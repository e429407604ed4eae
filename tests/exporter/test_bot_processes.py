"""A bot's process is found by each selector, its use is told, and that it became another one is noticed."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from exporter.probes.processes import ProcessFamilies, ProcessWatch, Selector

FAMILIES = ProcessFamilies.of("thing", "the thing")
MARK = "a-thing-to-be-found"
LISTEN = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[2]))); "
    "print(s.getsockname()[1], flush=True); sys.stdin.read()"
)

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process that listens, prints its port, and lives until its input is closed."""
    begun: list[subprocess.Popen[str]] = []

    def start(mark: str = MARK, *, port: int = 0) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", LISTEN, mark, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        end(process)


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def port_of(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def measured(watch: ProcessWatch) -> dict[str, float]:
    return {one.family.name.removeprefix("thing_"): one.value for one in watch.measure()}


def test_the_process_is_found_by_its_port(start: Start) -> None:
    """All of its numbers are told, in the units of their names."""
    port = port_of(start())
    found = measured(ProcessWatch(Selector(port=port), FAMILIES))
    assert found.keys() == {family.name.removeprefix("thing_") for family in FAMILIES.all}
    assert (found["running"], found["restarts_total"], found["threads"]) == (1, 0, 1)
    assert 0 < found["cpu_seconds_total"] < 60
    assert 1e6 < found["resident_memory_bytes"] < 1e9
    assert 3 <= found["open_files"] < 100
    own_start_s = Path(f"/proc/{os.getpid()}").stat().st_mtime
    assert own_start_s - 10 < found["start_time_seconds"]


@pytest.mark.parametrize("by", ["pid_file", "name", "cmdline"])
def test_the_process_is_found_by(start: Start, tmp_path: Path, by: str) -> None:
    """The other ways lead to the same process; the oldest counts when several are meant."""
    process = start(f"{MARK}-{by}")
    port_of(process)
    file = tmp_path / "bot.pid"
    file.write_text(f"{process.pid}\n", encoding="ascii")
    names = Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii").strip()
    selectors = {
        "pid_file": Selector(pid_file=str(file)),
        "name": Selector(name=names),
        "cmdline": Selector(cmdline=f"{MARK}-{by}"),
    }
    found = measured(ProcessWatch(selectors[by], FAMILIES))
    assert found["running"] == 1
    if by == "cmdline":
        port_of(start(f"{MARK}-{by}"))
        again = measured(ProcessWatch(selectors[by], FAMILIES))
        assert again["start_time_seconds"] == found["start_time_seconds"]


def test_a_restart_is_seen(start: Start) -> None:
    """Gone is not running; another process in its place is one restart, however often it is looked at."""
    process = start()
    port = port_of(process)
    watch = ProcessWatch(Selector(port=port), FAMILIES)
    assert measured(watch)["running"] == 1
    end(process)
    assert measured(watch) == {"running": 0, "restarts_total": 0}
    assert port_of(start(port=port)) == port
    for _ in range(2):
        found = measured(watch)
        assert (found["running"], found["restarts_total"]) == (1, 1)


@pytest.mark.parametrize("content", [None, "", "nobody\n", "-1\n", "0", "99999999999999999999", "\x00\x01"])
def test_a_pid_file_of_nobody(tmp_path: Path, content: str | None) -> None:
    """No file, or one with something else in it, means that the process is not there."""
    file = tmp_path / "bot.pid"
    if content is not None:
        file.write_text(content, encoding="ascii")
    watch = ProcessWatch(Selector(pid_file=str(file)), FAMILIES)
    assert measured(watch) == {"running": 0, "restarts_total": 0}


def test_a_pid_file_from_before_a_reboot(start: Start, tmp_path: Path) -> None:
    """A number that meanwhile belongs to a younger process is not taken for the bot."""
    process = start()
    port_of(process)
    file = tmp_path / "bot.pid"
    file.write_text(f"{process.pid}\n", encoding="ascii")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    assert measured(ProcessWatch(Selector(pid_file=str(file)), FAMILIES))["running"] == 0


@pytest.mark.parametrize(
    "selector",
    [Selector(name="no-program-has-this-name"), Selector(cmdline="no command line " + "has this in it")],
)
def test_nobody_of_that_name(selector: Selector) -> None:
    """The exporter does not take itself for the bot, though its memory holds the words."""
    assert measured(ProcessWatch(selector, FAMILIES))["running"] == 0


def test_nobody_at_that_port() -> None:
    """A port that is bound and not listened on belongs to nobody."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        watch = ProcessWatch(Selector(port=bound.getsockname()[1]), FAMILIES)
        assert measured(watch)["running"] == 0


def test_what_this_user_may_not_know_is_left_out(tmp_path: Path) -> None:
    """A folder in place of the pid file, or one that cannot be read, says nothing: not even that nobody is there."""
    unreadable: Sequence[Path] = [tmp_path]
    for path in unreadable:
        assert measured(ProcessWatch(Selector(pid_file=str(path)), FAMILIES)) == {}
