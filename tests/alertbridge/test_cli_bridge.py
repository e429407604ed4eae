"""The bridge's command line: check, send-test, route, migrate, config; exit statuses, and errors on one line."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from alertbridge.__main__ import main, make_parser
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import who
from alertbridge.config import json_schema
from alertbridge.store import migrations

CONFIG = """\
store: {path: store/bridge.db}
channels:
  - {name: wa, kind: console}
  - {name: sms, kind: console}
recipients:
  - name: noc
    channel: wa
    to: "0812000000012"
    language: en
    fallback: [{channel: sms, to: "0812000000012"}]
routes:
  - {name: all, to: noc}
  - {name: never, to: noc, match: {severity: critical}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with channels that need nobody."""
    path = tmp_path / "alertbridge.yml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def no_traceback(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever happened, nobody saw a traceback."""
    yield
    assert "Traceback" not in "".join(capsys.readouterr())


pytestmark = pytest.mark.usefixtures("no_traceback")


@pytest.fixture
async def monitoring() -> AsyncIterator[str]:
    """URL of something that answers as Alertmanager and Prometheus do."""

    async def alerts(request: web.Request) -> web.Response:
        return web.json_response([])

    async def query(request: web.Request) -> web.Response:
        data = {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}
        return web.json_response({"status": "success", "data": data})

    app = web.Application()
    app.add_routes([web.get("/api/v2/alerts", alerts), web.post("/api/v1/query", query)])
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def test_check_finds_all_well_and_remarks_what_is_odd(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that is not there yet, and a route that nothing reaches, are remarks and no failure."""
    assert main(["check", "--config", str(file)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "2 channels, 1 recipient, 2 routes" in shown
    assert "routes[1] (never) is never reached" in shown
    assert "is not there yet" in shown
    assert "messages of this channel are shown in the terminal" in shown
    assert not (file.parent / "store").exists()


def test_check_asks_everybody(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not answer is named with why; the rest is told all the same; no secret is."""
    file.write_text(
        CONFIG.replace(
            "  - {name: sms, kind: console}",
            "  - {name: sms, kind: waha, url: 'http://127.0.0.1:9', api_key: hush-hush}",
        )
        + "alertmanager: {urls: ['http://127.0.0.1:9']}\nprometheus: {url: 'http://127.0.0.1:9'}\n",
        encoding="utf-8",
    )
    assert main(["migrate", "--config", str(file)]) == ExitCode.OK
    capsys.readouterr()
    assert main(["check", "--config", str(file), "--json"]) == ExitCode.SOME_FAILED
    shown = capsys.readouterr().out
    found = {
        (one["kind"], one["name"]): one for one in json.loads(shown)["findings"] if one["verdict"] != "remark"
    }
    assert found["store", str(file.parent / "store/bridge.db")]["verdict"] == "works"
    assert found["channel", "wa"]["verdict"] == "works"
    for kind, name in (
        ("channel", "sms"),
        ("alertmanager", "http://127.0.0.1:9"),
        ("prometheus", "http://127.0.0.1:9"),
    ):
        assert found[kind, name]["verdict"] == "failed"
        assert found[kind, name]["note"]
    assert "hush-hush" not in shown


async def test_check_finds_alertmanager_and_prometheus(
    file: Path, monitoring: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where they answer, they are said to work."""
    await asyncio.to_thread(
        file.write_text,
        f"{CONFIG}alertmanager: {{urls: ['{monitoring}']}}\nprometheus: {{url: '{monitoring}'}}\n",
        encoding="utf-8",
    )
    assert await asyncio.to_thread(main, ["check", "--config", str(file)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "0 alerts" in shown
    assert "answers queries" in shown


def test_check_offline_asks_nobody(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the configuration is read."""
    file.write_text(f"{CONFIG}prometheus: {{url: 'http://127.0.0.1:9'}}\n", encoding="utf-8")
    assert main(["check", "--config", str(file), "--offline"]) == ExitCode.OK
    assert "prometheus" not in capsys.readouterr().out


def test_check_says_when_the_store_cannot_be_used(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own exit status, since nothing works without it."""
    (file.parent / "store").mkdir()
    (file.parent / "store/bridge.db").write_text(
        "this is no database, but long enough to look like one" * 100
    )
    assert main(["check", "--config", str(file)]) == ExitCode.STORE
    assert "failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["check", "route --labels alertname=X", "outbox list", "migrate", "config", "send-test noc"]
)
def test_mistakes_in_the_configuration_are_listed(
    file: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command tells all of them with their lines, and ends with 2."""
    file.write_text(
        CONFIG.replace("kind: console", "kind: consolle").replace("to: noc", "to: nocc"), encoding="utf-8"
    )
    assert main([*command.split(), "--config", str(file)]) == ExitCode.CONFIGURATION
    said = capsys.readouterr().err
    assert said.count('did you mean "console"') == 2
    assert said.count('did you mean "noc"') == 2


def test_a_test_message_is_sent(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names who sent it, and tells what the provider said; without a store it says what that means."""
    assert main(["send-test", "--config", str(file), "noc"]) == ExitCode.OK
    shown = capsys.readouterr()
    assert f"Test message of tikwatch alertbridge, sent by {who()}" in shown.out
    assert "to noc (0812000000012) through wa: accepted" in shown.out
    assert "not counted in the limits" in shown.err
    assert main(["send-test", "--config", str(file), "noc", "--channel", "sms"]) == ExitCode.OK


def test_a_test_message_is_counted_in_the_limits(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With those of a running bridge: the next one must wait."""
    file.write_text(
        CONFIG.replace("name: wa, kind: console", "name: wa, kind: console, limits: {spacing_s: 60}"),
        encoding="utf-8",
    )
    assert main(["migrate", "--config", str(file)]) == ExitCode.OK
    assert main(["send-test", "--config", str(file), "noc"]) == ExitCode.OK
    assert main(["send-test", "--config", str(file), "noc"]) == ExitCode.SOME_FAILED
    assert "the limits of wa let the next message go in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("send-test nock", ExitCode.CONFIGURATION, 'there is no recipient "nock"; did you mean "noc"?'),
        ("send-test noc --channel mail", ExitCode.SOME_FAILED, "noc is not reached through"),
        ("route --labels RouterDown", ExitCode.CONFIGURATION, '"RouterDown" is no label'),
        ("route --labels alertname=X --at tomorrow", ExitCode.CONFIGURATION, '"tomorrow" is no moment'),
        ("outbox list", ExitCode.STORE, "there is no file"),
        ("outbox where 12", ExitCode.STORE, "there is no file"),
    ],
)
def test_errors_are_one_line(
    file: Path, words: str, code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, with the program's name."""
    assert main([*words.split(), "--config", str(file)]) == code
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("tikwatch-alertbridge")
    assert said in told


def test_route_prints_the_dry_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who, why and in which words; the end of an alert too; as JSON for programs."""
    labels = ["--labels", "alertname=RouterDown,severity=critical,router=core-1", "--at", "2026-01-31T02:00"]
    assert main(["route", "--config", str(file), *labels]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "RouterDown (critical), firing, Sat 2026-01-31 02:00 Asia/Jakarta" in shown
    assert "noc  wa" in shown
    assert "*CRITICAL* RouterDown" in shown
    assert main(["route", "--config", str(file), *labels, "--status", "resolved", "--json"]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "resolved"
    assert [one["recipient"] for one in found["targets"]] == ["noc"]
    assert "RESOLVED" in found["targets"][0]["text"]


def test_migrate_makes_a_store_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then there is nothing to do."""
    assert main(["migrate", "--config", str(file)]) == ExitCode.OK
    assert capsys.readouterr().out == f"the store is at revision {migrations.newest()} now\n"
    assert main(["migrate", "--config", str(file)]) == ExitCode.OK
    assert capsys.readouterr().out == f"the store is at revision {migrations.newest()} already\n"


def test_config_is_shown_as_it_is_in_force(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every default, keys as they are written, secrets masked; what is shown can be read again."""
    text = (
        CONFIG
        + "web: {basic_auth: [{username: budi, password: hush-hush-1}]}\n"
        + "schedules: [{name: night, hours: '22:00-06:00'}]\n"
    )
    text = text.replace(
        "{name: all, to: noc}", "{name: all, to: noc, continue: true, quiet: {schedule: night}}"
    )
    file.write_text(text, encoding="utf-8")
    assert main(["config", "--config", str(file)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "hush-hush" not in shown
    found = yaml.safe_load(shown)
    assert found["routes"][0]["continue"] is True
    assert found["routes"][0]["quiet"]["except"] == ["critical"]
    assert found["sending"]["critical_ack_s"] == 30.0
    again = file.with_name("again.yml")
    again.write_text(shown.replace("********", "masked").replace("***", "masked"), encoding="utf-8")
    assert main(["check", "--config", str(again), "--offline"]) == ExitCode.OK


def test_config_schema_is_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any file."""
    assert main(["config", "schema"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == json_schema()
    assert main(["config"]) == ExitCode.CONFIGURATION


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """With what its exit status means."""
    for command in ("check", "send-test", "route", "outbox", "migrate", "config", "serve"):
        with pytest.raises(SystemExit) as ended:
            make_parser([command]).parse_args([command, "--help"])
        assert ended.value.code == 0
        assert "exit status:" in capsys.readouterr().out
