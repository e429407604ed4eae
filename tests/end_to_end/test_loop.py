"""The whole loop, once: real Prometheus and Alertmanager, from a fault to the phone and back to a working target."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil
import pytest

from scripts.demo.calls import get
from scripts.demo.faults import FAULTS
from scripts.demo.stages import Sighting, Stage
from scripts.demo.state import State
from scripts.demo.timeline import Played, play
from tests.end_to_end.running_demo import END_DEADLINE_S, ROOT, whole_demo

ROUNDS = 5

pytestmark = [
    pytest.mark.system("prometheus", "prometheus-alertmanager"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], State, str]]:
    """One demo for all tests here; the last of them ends it."""
    with whole_demo(tmp_path_factory.mktemp("demo")) as found:
        yield found


def played(name: str, state: State) -> Played:
    """A fault, every stage of which was reached, in an order that can be."""
    told: list[Sighting] = []
    found = play(name, state, tell=told.append)
    assert found.missing == (), [f"{one.stage.value} {one.detail}" for one in told]
    order = [Stage.FAULT, Stage.PENDING, Stage.FIRING, Stage.MESSAGE, Stage.RESOLVED]
    times = [found.after_s(stage) or 0.0 for stage in order]
    assert times == sorted(times)
    for stage, limit_s in FAULTS[name].targets_s.items():
        after_s = found.after_s(stage)
        assert after_s is not None
        assert after_s < limit_s, f"{name}: {stage.value} after {after_s:.1f} s"
    return found


def test_the_screen_names_every_address(running: tuple[subprocess.Popen[str], State, str]) -> None:
    """The phone first; what can be broken; and each address answers."""
    _, state, said = running
    assert said.index(state.urls["phone"]) < said.index(state.urls["exporter"])
    assert all(f"  {name} " in said for name in FAULTS)
    panel = get(f"{state.urls['phone']}/phone/panel")
    assert len(panel) == sum(fault.crash_after is None for fault in FAULTS.values()) + 1


def test_a_bot_that_lost_its_session_is_reconnected(
    running: tuple[subprocess.Popen[str], State, str],
) -> None:
    """Five times: seen, alerted, told within 30 s, reconnected once and verified within 30 s, its end told."""
    found = [played("bot", running[1]) for _ in range(ROUNDS)]
    assert [one.attempts for one in found] == [1] * ROUNDS
    for stage in (Stage.MESSAGE, Stage.VERIFIED):
        times = [one.after_s(stage) or 0.0 for one in found]
        print(f"bot: {stage.value} median {median(times):.1f} s, worst {max(times):.1f} s of {ROUNDS}")  # noqa: T201
        assert 0 < median(times) <= max(times) < 30


def test_a_dead_router_is_told_within_its_time(running: tuple[subprocess.Popen[str], State, str]) -> None:
    """A critical fault is on the phone within 30 s, and so is its end; nobody acts."""
    assert played("router", running[1]).attempts == 0


def test_a_bot_that_is_barred_is_left_alone(running: tuple[subprocess.Popen[str], State, str]) -> None:
    """Nobody acts, and a person hears of it over the fallback within a minute."""
    assert played("timelock", running[1]).attempts == 0


def test_a_bridge_that_is_killed_goes_on_where_it_was(
    running: tuple[subprocess.Popen[str], State, str],
) -> None:
    """Killed after it acted and started again, it asks whether that helped, does nothing twice, and tells."""
    assert played("crash", running[1]).attempts == 1


def test_a_lost_link_is_told_by_the_command_line(running: tuple[subprocess.Popen[str], State, str]) -> None:
    """`make demo-fault` prints the same as JSON and exits with 0."""
    process, state, _ = running
    arguments = psutil.Process(process.pid).cmdline()
    file = arguments[arguments.index("--state") + 1]
    command = [sys.executable, "-m", "scripts.demo", "--state", file, "fault", "link", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=500)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["missing"] == []
    assert found["stages"][0]["stage"] == "fault"
    [message] = [stage for stage in found["stages"] if stage["stage"] == "message"]
    assert "wisp" in message["detail"]
    assert message["after_s"] < FAULTS["link"].targets_s[Stage.MESSAGE]
    assert state.token not in ended.stdout


def test_it_ends_cleanly_and_leaves_nothing(
    running: tuple[subprocess.Popen[str], State, str], tmp_path: Path
) -> None:
    """Asked to end it exits with 0; every program is gone, and so is the file that told where they were."""
    process, _, _ = running
    programs = psutil.Process(process.pid).children(recursive=True)
    assert len(programs) == 8  # the bot has a supervisor before it
    arguments = psutil.Process(process.pid).cmdline()
    file = Path(arguments[arguments.index("--state") + 1])
    assert file.stat().st_mode & 0o777 == 0o600
    process.send_signal(signal.SIGINT)
    assert process.wait(END_DEADLINE_S) == 0
    _, alive = psutil.wait_procs(programs, timeout=30)
    assert alive == []
    assert not file.exists()
