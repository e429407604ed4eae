"""`make demo`, as a person uses it: it starts, shows every router, and leaves nothing behind."""

import re
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from scripts.children import Child, ChildDied
from scripts.demo import PROFILES, ROUTERS, CannotStart, Ports, exporter_config
from tests.end_to_end.running_demo import (
    END_DEADLINE_S,
    READY_DEADLINE_S,
    demo,
    exporter_url,
    get,
    send,
    until,
    welcome_of,
)


def routers_up(base: str) -> dict[str, str]:
    """`mikrotik_up` by router."""
    return dict(
        re.findall(r'^mikrotik_up\{router="([^"]+)"[^}]*\} (\S+)$', get(f"{base}/metrics"), re.MULTILINE)
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_shows_every_router_and_ends_cleanly(number: signal.Signals) -> None:
    """Every router comes up; asked to end, the demo exits with 0 and none of its programs is left."""
    with demo() as process:
        said = welcome_of(process)
        base = exporter_url(said)
        until(lambda: list(routers_up(base).values()) == ["1"] * ROUTERS, "every router up")
        programs = psutil.Process(process.pid).children(recursive=True)
        assert len(programs) == 4  # the bot has a supervisor before it
        process.send_signal(number)
        assert process.wait(END_DEADLINE_S) == 0
        _, alive = psutil.wait_procs(programs, timeout=1)
        assert alive == []


@pytest.mark.timeout(120)
def test_the_router_that_the_demo_offers_to_break_can_be_broken_and_mended() -> None:
    """The printed commands make one router go down, and come up again, while the others stay up."""
    with demo() as process:
        said = welcome_of(process)
        base = exporter_url(said)
        breaking = re.search(r"curl -X POST (\S+/routers/(\S+)/faults) .* -d '([^']+)'", said)
        assert breaking is not None
        url, victim, body = breaking.groups()
        until(lambda: list(routers_up(base).values()) == ["1"] * ROUTERS, "every router up")
        others = {name: "1" for name in routers_up(base) if name != victim}
        send("POST", url, body)
        until(lambda: routers_up(base) == {victim: "0", **others}, "one router down, the others up")
        send("DELETE", url)
        until(lambda: routers_up(base) == {victim: "1", **others}, "every router up again")
        process.send_signal(signal.SIGINT)
        assert process.wait(END_DEADLINE_S) == 0


@pytest.mark.timeout(120)
def test_the_bot_that_the_demo_offers_to_disconnect_can_be_reconnected() -> None:
    """The printed commands close the bot's session, and open it again."""
    with demo() as process:
        said = welcome_of(process)
        base = exporter_url(said)
        breaking = re.search(r"curl -X POST (\S+/control/faults) .* -d '([^']+)'", said)
        mending = re.search(r"curl -X POST (\S+/reconnect)", said)
        assert breaking is not None
        assert mending is not None

        def holds(state: str) -> bool:
            wanted = f'whatsapp_bot_session_state{{bot="noc",state="{state}"}} 1'
            return wanted in get(f"{base}/metrics")

        until(lambda: holds("open"), "the session open")
        assert 'whatsapp_bot_up{bot="noc"} 1' in get(f"{base}/metrics")
        send("POST", breaking[1], breaking[2])
        until(lambda: holds("close"), "the session closed")
        send("POST", mending[1])
        until(lambda: holds("open"), "the session open again")
        process.send_signal(signal.SIGINT)
        assert process.wait(END_DEADLINE_S) == 0


def test_the_demo_ends_by_itself_after_a_given_time() -> None:
    """With --for it exits with 0 after that many seconds and says so."""
    with demo("--for", "0.5") as process:
        out, err = process.communicate(timeout=READY_DEADLINE_S)
        assert process.returncode == 0, err
        assert "nothing is left running" in out


@pytest.mark.parametrize("variable", ["EXPORTER_PORT", "SIMULATOR_PORT", "ROUTER_PORT", "BOT_PORT"])
def test_a_taken_port_is_named_with_the_variable_to_set(variable: str) -> None:
    """A port of another program ends the demo with 1, before anything starts, and says what to set."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with demo(**{variable: str(port)}) as process:
            _, err = process.communicate(timeout=END_DEADLINE_S)
    assert process.returncode == 1
    assert f"port {port} is taken" in err
    assert re.search(rf"{variable}=\d+ make demo", err)


@pytest.mark.parametrize("text", ["many", "-1", "70000", ""])
def test_what_is_no_port_is_refused(text: str) -> None:
    """A variable that holds no port is named with what it holds."""
    with pytest.raises(CannotStart, match=rf"EXPORTER_PORT={text} is no port"):
        Ports.chosen({"EXPORTER_PORT": text})


def test_the_written_configuration_keeps_the_routers() -> None:
    """The exporter's configuration is the simulator's, with the exporter's own address to listen on."""
    text = exporter_config(
        "web: {listen: '127.0.0.1:1', gzip: false}\nrouters: [{address: 127.0.0.1}]\n", 9500
    )
    assert "listen: 127.0.0.1:9500" in text
    assert "gzip: false" in text
    assert "address: 127.0.0.1" in text
    assert sum(PROFILES.values()) == ROUTERS


def test_a_child_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    """The error names the program, its exit code and the last lines that it wrote."""
    command = [sys.executable, "-c", "print('the last word'); raise SystemExit(3)"]
    with Child("the thing", command, tmp_path / "log") as child:
        until(lambda: "ended" in repr(child), "the child ends")
        with pytest.raises(ChildDied, match=r"the thing ended by itself \(exit code 3\)") as told:
            child.check()
    assert "the last word" in str(told.value)


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    """A program that ignores SIGTERM is gone all the same when its context ends."""
    command = [
        sys.executable,
        "-c",
        "import signal; signal.signal(15, signal.SIG_IGN); print('on', flush=True); signal.pause()",
    ]
    log = tmp_path / "log"
    with Child("the stubborn one", command, log, terminate_timeout_s=0.2) as child:
        until(lambda: "on" in log.read_text(encoding="utf-8"), "the child runs")
        child.check()
    assert "ended with -9" in repr(child)
