"""`make demo` before anything runs: ports, configurations, rules, the table of faults; and what ends it early."""

import re
import socket
import sys
from pathlib import Path

import pytest
import yaml

from alertbridge.config import load_config
from exporter.config import load_config as load_exporter_config
from scripts.children import Child, ChildDied
from scripts.demo.bridgeconfig import TOKEN_FILE, bridge_config
from scripts.demo.cast import BOT, DATABASE, Cast
from scripts.demo.configs import (
    ROOT,
    alertmanager_config,
    bot_section,
    database_section,
    exporter_config,
    prometheus_config,
)
from scripts.demo.faults import DEADLINES_S, FAULTS, Fault
from scripts.demo.hurry import HURRIED, NotInTheRules, write_rules
from scripts.demo.ports import PROFILES, VARIABLES, CannotStart, Ports
from scripts.demo.programs import require_programs
from scripts.demo.stages import Stage
from tests.end_to_end.running_demo import END_DEADLINE_S, demo, until

PORTS = Ports(
    exporter=9500,
    bridge=9501,
    prometheus=9502,
    alertmanager=9503,
    phone=9504,
    bot=9505,
    simulator=9506,
    control=9507,
    first_router=9600,
)
SIMULATED = yaml.safe_dump(
    {
        "web": {"listen": "127.0.0.1:1", "gzip": False},
        "routers": [
            {"name": name, "address": "127.0.0.1", "port": port, "username": "monitor", "password": "secret"}
            for port, name in enumerate(PROFILES, start=PORTS.first_router)
        ],
    }
)


@pytest.mark.parametrize("variable", [variable for variable, _, _ in VARIABLES.values()])
def test_a_taken_port_is_named_with_the_variable_to_set(variable: str) -> None:
    """A port of another program keeps the demo from starting, and the message says what to set."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        free = {name: "0" for name, _, _ in VARIABLES.values()}
        with pytest.raises(CannotStart, match=rf"port {port} is taken.*\n  {variable}=\d+ make demo"):
            Ports.chosen({**free, variable: str(port)})


def test_a_taken_port_ends_the_program() -> None:
    """It exits with 1 before anything starts."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with demo(PHONE_PORT=str(other.getsockname()[1])) as process:
            _, err = process.communicate(timeout=END_DEADLINE_S)
    assert process.returncode == 1
    assert re.search(r"PHONE_PORT=\d+ make demo", err)


@pytest.mark.parametrize("text", ["many", "-1", "70000", ""])
def test_what_is_no_port_is_refused(text: str) -> None:
    """A variable that holds no port is named with what it holds."""
    with pytest.raises(CannotStart, match=rf"EXPORTER_PORT={text} is no port"):
        Ports.chosen({"EXPORTER_PORT": text})


def test_missing_programs_are_named_with_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without Prometheus nothing starts, and the message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match=r"apt-get install --no-install-recommends prometheus\n"):
        require_programs()


def test_a_fault_without_a_demo_says_how_to_start_one(tmp_path: Path) -> None:
    """It exits with 1 at once."""
    with demo("--state", str(tmp_path / "none.json"), "fault", "bot") as process:
        _, err = process.communicate(timeout=END_DEADLINE_S)
    assert process.returncode == 1
    assert "make demo" in err


def test_the_exporter_takes_its_configuration(tmp_path: Path) -> None:
    """The routers are the simulator's; the bot and the database are watched; the crowded router tells sums."""
    file = tmp_path / "exporter.yml"
    text = exporter_config(
        SIMULATED,
        PORTS.exporter,
        bots=(bot_section(BOT, PORTS.bot, tmp_path / "pid"),),
        databases=(database_section(DATABASE, tmp_path / "billing.db"),),
    )
    file.write_text(text, encoding="utf-8")
    config = load_exporter_config(file)
    assert [router.name for router in config.routers] == list(PROFILES)
    assert "gzip: false" in text
    assert "listen: 127.0.0.1:9500" in text


def test_the_bridge_takes_its_configuration(tmp_path: Path) -> None:
    """Nothing in it is wrong, no rule is a dry run, and every fault that is mended has its rule."""
    (tmp_path / TOKEN_FILE).write_text("token-of-the-demo", encoding="utf-8")
    routers = yaml.safe_load(SIMULATED)["routers"]
    file = tmp_path / "alertbridge.yml"
    file.write_text(bridge_config(PORTS, tmp_path, Cast.of(tmp_path, PORTS), routers), encoding="utf-8")
    config = load_config(file)
    rules = {rule.name: rule for rule in config.recovery.rules}
    assert not any(rule.dry_run for rule in rules.values())
    assert {fault.rule for fault in FAULTS.values()} - {""} == set(rules)


def test_prometheus_and_alertmanager_are_those_of_the_repository(tmp_path: Path) -> None:
    """Every address is this machine's, and no job or route is lost."""
    for name, made in (
        ("prometheus.yml", prometheus_config(PORTS, tmp_path)),
        ("alertmanager.yml", alertmanager_config(PORTS, tmp_path)),
    ):
        ours = yaml.safe_load((ROOT / "prometheus" / name).read_text(encoding="utf-8"))
        assert yaml.safe_load(made).keys() == ours.keys()
        assert not re.search(r"(exporter|alertbridge|alertmanager|localhost):\d", made)
        assert "/run/secrets" not in made
    jobs = [job["job_name"] for job in yaml.safe_load(prometheus_config(PORTS, tmp_path))["scrape_configs"]]
    assert jobs == ["tikwatch", "mikrotik", "alertbridge", "alertmanager", "prometheus"]


def test_hurried_rules_differ_only_where_they_say_so(tmp_path: Path) -> None:
    """Every rule of the repository is there under its name; what is not in the table says what it said."""
    source = ROOT / "prometheus" / "rules"
    write_rules(source, tmp_path)
    for file in source.glob("*.rules.yml"):
        ours, made = (
            [
                rule
                for group in yaml.safe_load((folder / file.name).read_text(encoding="utf-8"))["groups"]
                for rule in group["rules"]
            ]
            for folder in (source, tmp_path)
        )
        for rule, hurried in zip(ours, made, strict=True):
            name = rule.get("alert") or rule["record"]
            assert (hurried.get("alert") or hurried["record"]) == name
            if name not in HURRIED and not name.startswith("tikwatch:threshold:"):
                assert hurried == rule


def test_a_hurry_about_nothing_is_refused(tmp_path: Path) -> None:
    """Rules that lost an alert of the table are told, instead of a demo that waits for it."""
    with pytest.raises(NotInTheRules, match="has no rule"):
        write_rules(tmp_path, tmp_path / "made")


@pytest.mark.parametrize(("name", "fault"), FAULTS.items())
def test_each_fault_can_be_followed(name: str, fault: Fault) -> None:
    """Its alert is in the rules, each of its stages has a deadline, and what it waits for before it mends comes."""
    rules = "".join(file.read_text("utf-8") for file in (ROOT / "prometheus" / "rules").glob("*.rules.yml"))
    assert f"- alert: {fault.alert}\n" in rules, name
    assert set(fault.stages) <= DEADLINES_S.keys()
    assert fault.mend_after is None or fault.mend_after in fault.stages
    assert fault.mend_after is not None or not fault.mends or fault.rule
    assert set(fault.targets_s) <= set(fault.stages)
    assert fault.stages[-1] is Stage.RESOLVED


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
