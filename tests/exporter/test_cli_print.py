"""`tikwatch-exporter print` on simulated routers: tables, JSON, exit statuses, a terminal of 80 columns."""

import json
import logging
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest
import structlog

from exporter.__main__ import main
from exporter.cli.exitcodes import ExitCode
from exporter.cli.views import ALL
from simulator import Device, RouterSpec
from tests.fakes.network_thread import NetworkThread

Capture = pytest.CaptureFixture[str]
NO_SENSORS = {
    "/system/health": {
        "class": "unsupported",
        "message": "/system/health: this router has no such menu (package, board or version)",
    }
}
HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]:smile:\nsecond line\u202e"


def make_hostile(device: Device) -> None:
    """Give the first interface a comment that tries what a terminal might obey."""
    interfaces = device.world.table("/interface")
    interfaces.change(next(iter(interfaces)), comment=HOSTILE)


@pytest.fixture(scope="module")
def network() -> Iterator[NetworkThread]:
    specs = [
        RouterSpec("core", profile="hotspot", policies=("api", "read", "test", "write")),
        RouterSpec("tower", profile="isp"),
        RouterSpec("old", profile="legacy"),
        RouterSpec("edge"),
        RouterSpec("virtual", profile="chr"),
    ]
    with NetworkThread(specs) as network:
        network.do("core", make_hostile)
        yield network


@pytest.fixture(autouse=True)
def healed(network: NetworkThread) -> Iterator[None]:
    yield
    network.heal()
    root = logging.getLogger()
    root.handlers[:] = [one for one in root.handlers if type(one).__module__ != "runtime.logs"]
    structlog.reset_defaults()


def printed(capsys: Capture, *words: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `print` in this process."""
    code = main(["print", *words])
    out, err = capsys.readouterr()
    return code, out, err


def as_json(capsys: Capture, *words: str) -> dict[str, Any]:
    """The document of a run that went well."""
    code, out, err = printed(capsys, *words, "--json")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


@pytest.mark.parametrize("view", ALL, ids=lambda view: view.name)
def test_no_column_is_dead(capsys: Capture, network: NetworkThread, tmp_path: Path, view: Any) -> None:
    """Every column of every view holds a value on some router, on RouterOS 7 and on 6."""
    config = network.write_config(tmp_path / "c.yml", "core", "tower")
    old = network.write_config(tmp_path / "old.yml", "old")
    for path in (config, old):
        document = as_json(capsys, view.name, "--config", str(path), "--interval", "0.1")
        for section in view.sections:
            rows = document[section.name]
            known = {key for row in rows for key, value in row.items() if value is not None}
            expected = {column.key for column in section.columns} | {"router"}
            absent = {"profile", "comment"}  # legacy has neither secrets for all nor comments everywhere
            assert expected - known <= absent, section.name


def test_rates_are_measured_in_bits(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """A rate is about eight times what a total grows by in a second, and the busiest row comes first."""
    config = network.write_config(tmp_path / "c.yml", "tower")
    words = ("interfaces", "--config", str(config))
    first = as_json(capsys, *words, "--interval", "0.3")["interfaces"]
    began_s = time.monotonic()
    second = as_json(capsys, *words, "--interval", "0.3")["interfaces"]
    passed_s = time.monotonic() - began_s
    traffic = [row["rx_bits_per_second"] + row["tx_bits_per_second"] for row in second]
    assert traffic == sorted(traffic, reverse=True)
    busiest = second[0]
    before = next(row for row in first if row["name"] == busiest["name"])
    grown = (busiest["rx_total_bytes"] - before["rx_total_bytes"]) * 8 / passed_s
    assert busiest["rx_bits_per_second"] == pytest.approx(grown, rel=0.5)


def test_one_reading_gives_totals_only(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """With --interval 0 there is no rate to show, and rows are sorted by their totals."""
    config = network.write_config(tmp_path / "c.yml", "edge")
    code, out, _ = printed(capsys, "interfaces", "--config", str(config), "--interval", "0")
    title, *rows = out.splitlines()
    assert code == ExitCode.OK
    assert title.split("  ")[0] == "name"
    assert "bit/s" not in title
    assert len(rows) == len(
        as_json(capsys, "interfaces", "--config", str(config), "--interval", "0")["interfaces"]
    )


def test_output_for_a_pipe_is_plain_and_aligned(
    capsys: Capture, network: NetworkThread, tmp_path: Path
) -> None:
    """No control characters, nothing cut, the router in front when there are several, the same each time."""
    config = network.write_config(tmp_path / "c.yml", "core", "edge")
    words = ("interfaces", "--config", str(config), "--interval", "0", "--sort", "name")
    code, out, err = printed(capsys, *words)
    title, *rows = out.splitlines()
    assert (code, err) == (0, "")
    assert title.startswith("router  name")
    assert all(line.isprintable() for line in [title, *rows])
    assert {row.split()[0] for row in rows} == {"core", "edge"}
    start = title.index("type")
    assert {row[start - 2 : start] for row in rows} == {"  "}
    assert [row.split()[:3] for row in rows] == [
        row.split()[:3] for row in printed(capsys, *words)[1].splitlines()[1:]
    ]


def test_names_cannot_steer_the_terminal(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """Escape sequences, markup and line ends in a comment are shown, not obeyed."""
    config = network.write_config(tmp_path / "c.yml", "core")
    _, out, _ = printed(capsys, "interfaces", "--config", str(config), "--filter", "owned", "--interval", "0")
    assert r"owned[bold red]:smile:\nsecond line\u202e" in out
    assert out.replace("\n", "").isprintable()
    assert len(out.splitlines()) == 2


def test_filter_sort_and_top(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """They work together: filter first, then order, then the first rows of it."""
    config = network.write_config(tmp_path / "c.yml", "core")
    rows = as_json(
        capsys,
        *("hotspot", "--config", str(config), "--interval", "0"),
        *("--filter", "GUEST", "--sort", "uptime", "--reverse", "--top", "5"),
    )["hotspot_sessions"]
    assert len(rows) == 5
    assert all("guest" in row["user"] for row in rows)
    uptimes = [row["uptime_seconds"] for row in rows]
    assert uptimes == sorted(uptimes)


def test_a_failing_router_is_told_and_the_others_go_on(
    capsys: Capture, network: NetworkThread, tmp_path: Path
) -> None:
    """Its trouble stands below the table and in the document; the exit status is 1."""
    network.fault("edge", "wrong_password")
    config = network.write_config(tmp_path / "c.yml", "edge", "virtual")
    words = ("system", "--config", str(config))
    code, out, _ = printed(capsys, *words)
    assert code == ExitCode.SOME_FAILED
    assert "edge: login refused" in out.splitlines()[-1]
    assert any(line.startswith("virtual") for line in out.splitlines())
    document = json.loads(printed(capsys, *words, "--json")[1])
    assert document["routers"]["edge"]["error"]["class"] == "login_refused"
    assert document["routers"]["virtual"] == {"ok": True, "error": None, "failed_menus": NO_SENSORS}
    assert [row["router"] for row in document["system"]] == ["virtual"]


def test_a_menu_without_permission_counts_as_failed(
    capsys: Capture, network: NetworkThread, tmp_path: Path
) -> None:
    """The rows are there, the trouble of the other menu is told, and the exit status is 1."""
    network.fault("tower", "no_permission", menu="/ppp/secret")
    config = network.write_config(tmp_path / "c.yml", "tower")
    code, out, _ = printed(capsys, "ppp", "--config", str(config), "--interval", "0", "--top", "2")
    assert code == ExitCode.SOME_FAILED
    assert len(out.splitlines()) == 4
    assert out.splitlines()[-1].startswith("tower: /ppp/secret/print: not enough permissions")


def test_nobody_reachable_has_a_status_of_its_own(
    capsys: Capture, network: NetworkThread, tmp_path: Path
) -> None:
    """4 when no router could be reached; a router that refuses the login was."""
    network.fault("edge", "refuse")
    config = network.write_config(tmp_path / "c.yml", "edge")
    assert printed(capsys, "system", "--config", str(config))[0] == ExitCode.NONE_REACHABLE
    network.heal()
    network.fault("edge", "wrong_password")
    assert printed(capsys, "system", "--config", str(config))[0] == ExitCode.SOME_FAILED


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sort", "borad"), '--sort: system has no column "borad"; did you mean "board"?'),
        (("--router", "eddge"), 'there is no router "eddge"; did you mean "edge"?'),
    ],
)
def test_slips_of_the_command_line_are_told(
    capsys: Capture, network: NetworkThread, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """An unknown column or router ends with status 2 and a suggestion, before any router is asked."""
    config = network.write_config(tmp_path / "c.yml", "edge")
    code, out, err = printed(capsys, "system", "--config", str(config), *words)
    assert (code, out) == (ExitCode.CONFIGURATION, "")
    assert message in err


def test_a_broken_configuration_is_told_as_it_is(capsys: Capture, tmp_path: Path) -> None:
    """Its mistakes go to standard error, with status 2."""
    config = tmp_path / "c.yml"
    config.write_text("routers: []\n", encoding="utf-8")
    code, out, err = printed(capsys, "system", "--config", str(config))
    assert (code, out) == (ExitCode.CONFIGURATION, "")
    assert err.startswith(f"{config}: 1 problem")


class Terminal:
    """A program in a terminal of its own, and everything that it wrote there."""

    def __init__(self, *words: str, columns: int = 80, rows: int = 24) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exporter", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
        )
        os.close(slave)
        self.text = ""

    def read_until(self, pattern: str, deadline_s: float = 60.0) -> None:
        """Read on until the text matches. Raises AssertionError after the deadline."""
        end_s = time.monotonic() + deadline_s
        while not re.search(pattern, self.text):
            assert time.monotonic() < end_s, self.text[-2000:]
            self._read()

    def end(self) -> int:
        """Read what is left and return the exit status."""
        end_s = time.monotonic() + 60
        while self.process.poll() is None:
            if time.monotonic() >= end_s:
                self.process.kill()
                self.process.wait()
                raise AssertionError(self.text[-2000:])
            self._read()
        while self._read():
            continue
        os.close(self._master)
        return self.process.returncode

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.1)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # how Linux tells that the other side is closed
            return False
        self.text += data.decode()
        return bool(data)


CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_a_table_fits_a_terminal_of_80_columns(network: NetworkThread, tmp_path: Path) -> None:
    """No line is wrapped, what was left out is said, and no router's text has steered the terminal."""
    config = network.write_config(tmp_path / "c.yml", "core", "tower")
    terminal = Terminal("print", "interfaces", "--config", str(config), "--interval", "0.1")
    assert terminal.end() == ExitCode.OK
    assert "\x1b]" not in terminal.text
    text = CONTROL.sub("", terminal.text).replace("\r\n", "\n")
    table = text[text.index("router  ") :]
    assert all(len(line) <= 80 for line in table.splitlines())
    assert "not shown for want of width: comment" in table


def test_watching_ends_cleanly_at_ctrl_c(network: NetworkThread, tmp_path: Path) -> None:
    """Readings follow each other on one screen until Ctrl-C; then the cursor is back and the status 0."""
    config = network.write_config(tmp_path / "c.yml", "edge")
    terminal = Terminal("print", "interfaces", "--config", str(config), "--watch", "0.2")
    terminal.read_until(r"(?s)(interfaces of 1 router at .*){4}")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == ExitCode.OK
    assert "Traceback" not in terminal.text
    assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")


def test_watching_outlives_a_router(network: NetworkThread, tmp_path: Path) -> None:
    """A router that goes away while it is watched is told, and comes back by itself."""
    config = network.write_config(tmp_path / "c.yml", "edge", "virtual")
    terminal = Terminal("print", "interfaces", "--config", str(config), "--watch", "0.2")
    terminal.read_until(r"edge +ether1")
    network.fault("edge", "refuse")
    terminal.read_until(r"edge: .*refused the connection")
    assert "virtual" in terminal.text[terminal.text.rindex("interfaces of 2 routers") :]
    network.heal()
    terminal.text = ""
    terminal.read_until(r"edge +ether1")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == ExitCode.OK


def test_a_reader_who_has_seen_enough_is_no_error(network: NetworkThread, tmp_path: Path) -> None:
    """`print --watch | head -1` ends by itself, without a word and with status 0."""
    config = network.write_config(tmp_path / "c.yml", "edge")
    words = ["print", "interfaces", "--config", str(config), "--watch", "0.2", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "exporter", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    first = json.loads(process.stdout.readline())
    process.stdout.close()
    assert first["routers"]["edge"]["ok"] is True
    assert process.wait(60) == ExitCode.OK
    assert process.stderr.read() == ""
    process.stderr.close()
