"""The program as an operator starts it: the smallest file, signals, exit statuses, and no word too many."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from simulator import Network, RouterSpec
from tests.fakes.exporter_process import command, exporter_process, free_port, run_exporter
from tests.fakes.served import PASSWORD, config_text, router_of

SMALLEST = """\
web: {{listen: 127.0.0.1:{listen}}}
routers:
  - {{name: core, address: 127.0.0.1, port: {port}, username: monitor, password: secret}}
"""
JSON_LOG = {"format": "json", "level": "debug"}
ANY_PORT = {"listen": "127.0.0.1:0"}


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network([RouterSpec("hut", password=PASSWORD)]) as network:
        yield network


async def get(url: str, *, method: str = "GET") -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.request(method, url) as response:
        return response.status, await response.text()


async def test_the_smallest_file_serves(tmp_path: Path) -> None:
    """Five keys are enough: metrics of the router come, SIGTERM ends it with 0, and nothing is left to complain of."""
    async with Network([RouterSpec("core", password="secret")]) as network:
        port = free_port()
        file = tmp_path / "exporter.yml"
        file.write_text(SMALLEST.format(listen=port, port=network["core"].port), encoding="utf-8")
        with exporter_process("serve", "--config", file) as exporter:
            line = await exporter.saw("exporter.listening")
            assert f"http://127.0.0.1:{port}/" in line
            assert "routers=1" in line
            status, page = await get(f"http://127.0.0.1:{port}/metrics")
            assert status == 200
            assert 'mikrotik_up{router="core"} 1\n' in page
            assert 'mikrotik_interface_receive_bytes_total{router="core",interface="ether1"}' in page
            assert await asyncio.to_thread(exporter.end) == 0
            assert "exporter.stopped" in exporter.log
            assert not [
                line for line in exporter.log.splitlines() if "level=" not in line or "=error" in line
            ]
        assert network["core"].connections_open == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_end_in_the_middle_of_a_scrape_is_clean(
    network: Network, tmp_path: Path, number: int
) -> None:
    """A scrape that waits is answered with what there is, refreshes are cancelled, and it is over soon."""
    network["hut"].faults.set("hang")
    file = tmp_path / "exporter.yml"
    file.write_text(config_text([router_of(network["hut"])], web=ANY_PORT, log=JSON_LOG), encoding="utf-8")
    with exporter_process("serve", "--config", file) as exporter:
        await exporter.saw("exporter.listening")
        scrape = asyncio.create_task(get(exporter.url + "/metrics"))
        async with asyncio.timeout(60):
            while not network["hut"].log:  # noqa: ASYNC110  the simulator tells nobody
                await asyncio.sleep(0.01)
        assert await asyncio.to_thread(exporter.end, number) == 0
        status, page = await scrape
        assert status == 200
        assert 'mikrotik_up{router="hut"} 0\n' in page
        events = [json.loads(line) for line in exporter.log.splitlines()]
    assert [event["event"] for event in events if event["level"] in ("warning", "error")] == []
    assert events[-1]["event"] == "exporter.stopped"


async def test_sighup_takes_a_good_configuration_and_refuses_a_bad_one(
    network: Network, tmp_path: Path
) -> None:
    """The log tells all that is wrong with the bad one, the old one goes on, and no password is in any line."""
    file = tmp_path / "exporter.yml"
    file.write_text(config_text([router_of(network["hut"])], web=ANY_PORT, log=JSON_LOG), encoding="utf-8")
    with exporter_process("serve", "--config", "exporter.yml", folder=tmp_path) as exporter:
        await exporter.saw("exporter.listening")
        bad = [
            router_of(network["hut"], password="b4d-walnut", pasword="b4d-walnut"),
            {"name": "hut", "address": "a:1", "username": "u", "password": "b4d-walnut"},
        ]
        file.write_text(config_text(bad, web=ANY_PORT, log=JSON_LOG), encoding="utf-8")
        exporter.process.send_signal(signal.SIGHUP)
        refused = json.loads(await exporter.saw("config.refused"))
        assert refused["source"] == "exporter.yml"
        assert any('unknown key "pasword"' in problem for problem in refused["problems"])
        assert any("has this name already" in problem for problem in refused["problems"])
        assert 'mikrotik_up{router="hut"} 1\n' in (await get(exporter.url + "/metrics"))[1]

        good = [router_of(network["hut"], name="shed")]
        file.write_text(config_text(good, web=ANY_PORT, log=JSON_LOG), encoding="utf-8")
        exporter.process.send_signal(signal.SIGHUP)
        await exporter.saw("config.taken")
        page = (await get(exporter.url + "/metrics"))[1]
        assert 'mikrotik_up{router="shed"} 1\n' in page
        assert 'router="hut"' not in page
        assert "tikwatch_config_reloads_total 1.0\n" in page
        assert "tikwatch_config_reload_failures_total 1.0\n" in page
        assert await asyncio.to_thread(exporter.end) == 0
        for secret in (PASSWORD, "b4d-walnut"):
            assert secret not in exporter.log
            assert secret not in page


async def test_wrong_passwords_show_nowhere(network: Network, tmp_path: Path) -> None:
    """A login that is refused is told, with the router's name and without what was sent."""
    file = tmp_path / "exporter.yml"
    routers = [router_of(network["hut"], password="n0t-the-password")]
    file.write_text(config_text(routers, web=ANY_PORT, log=JSON_LOG), encoding="utf-8")
    with exporter_process("serve", "--config", file) as exporter:
        await exporter.saw("exporter.listening")
        page = (await get(exporter.url + "/metrics"))[1]
        debug = (await get(exporter.url + "/probe?target=hut&debug=true"))[1]
        assert 'tikwatch_login_failures_total{router="hut"} 1\n' in page
        assert (
            'mikrotik_collector_failures_total{router="hut",collector="system",class="login_refused"}' in page
        )
        assert "login" in debug
        assert await asyncio.to_thread(exporter.end) == 0
        for text in (page, debug, exporter.log):
            assert "n0t-the-password" not in text
            assert PASSWORD not in text


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    """Exit status 3, the address and the reason, and no traceback."""
    file = tmp_path / "exporter.yml"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        file.write_text(SMALLEST.format(listen=port, port=1), encoding="utf-8")
        ended = run_exporter("serve", "--config", file)
    assert ended.returncode == 3
    (line,) = [line for line in ended.stderr.splitlines() if "level=info" not in line]
    assert (
        line == f"tikwatch-exporter: cannot listen on 127.0.0.1:{port}: the port is taken by another program"
    )


def test_an_address_that_is_not_ours_is_one_clear_line(tmp_path: Path) -> None:
    """`--listen` goes before `web.listen`, and an address of another machine is refused by name."""
    file = tmp_path / "exporter.yml"
    file.write_text(SMALLEST.format(listen=1, port=1), encoding="utf-8")
    ended = run_exporter("serve", "--config", file, "--listen", "192.0.2.1:9436")
    assert ended.returncode == 3
    assert "cannot listen on 192.0.2.1:9436: this machine has no such address" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_mistakes_in_the_file_are_told_all_at_once(tmp_path: Path) -> None:
    """Exit status 2, every mistake with its line, no traceback and nothing else."""
    file = tmp_path / "exporter.yml"
    file.write_text(
        "routers:\n  - {addres: 192.0.2.1, password: hunter2}\nweb: {listen: here}\n", encoding="utf-8"
    )
    for words in (("serve",), ("config",)):
        ended = run_exporter(*words, "--config", file)
        assert ended.returncode == 2
        lines = ended.stderr.splitlines()
        assert lines[0] == f"{file}: {len(lines) - 1} problems"
        assert any('unknown key "addres"; did you mean "address"?' in line for line in lines)
        assert any(line.startswith("  line 3: web > listen: must be HOST:PORT") for line in lines)
        assert "hunter2" not in ended.stderr
        assert ended.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("serve",), "the following arguments are required: --config"),
        (("config",), "the following arguments are required: --config"),
        (("serve", "--config", "x", "--listen", "here"), "must be HOST:PORT"),
        (("dance",), "invalid choice: 'dance'"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(words: tuple[str, ...], said: str) -> None:
    """Exit status 2, the usage and what is wrong."""
    ended = run_exporter(*words)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: tikwatch-exporter")
    assert said in ended.stderr


def test_help_tells_the_exit_statuses() -> None:
    """`serve --help` names the statuses with which it can end."""
    ended = run_exporter("serve", "--help")
    assert ended.returncode == 0
    for line in ("  0    all is well", "  2    the configuration or the command line cannot be used"):
        assert line in ended.stdout
    assert "  3    the address of web.listen cannot be listened on" in ended.stdout


def test_config_prints_what_is_in_force(tmp_path: Path) -> None:
    """Presets, defaults and ports are filled in, secrets masked, and what is printed is a configuration again."""
    (tmp_path / "password").write_text("from-a-file-8", encoding="utf-8")
    (tmp_path / "password").chmod(0o600)
    file = tmp_path / "exporter.yml"
    file.write_text(
        """
web: {bearer: [{name: p, token: orchid-99-tango}]}
credentials: {username: monitor, password_file: password}
pool: {preset: production, max_size: 9}
modules:
  few: {collectors: {system: , ppp: {mode: top}}}
routers:
  - {address: 192.0.2.1, module: few, tls: true}
  - {name: cabin, address: cabin.example.net, username: u, password_env: CABIN, labels: {site: hill}}
""",
        encoding="utf-8",
    )
    ended = run_exporter("config", "--config", file, environment=[("CABIN", "from-the-environment")])
    assert (ended.returncode, ended.stderr) == (0, "")
    shown = yaml.safe_load(ended.stdout)
    assert shown["web"]["listen"] == "127.0.0.1:9436"
    assert shown["web"]["bearer"] == [{"name": "p", "token": "***"}]
    assert shown["credentials"] == {"username": "monitor", "password_file": "password"}
    assert shown["pool"]["preset"] == "production"
    assert (shown["pool"]["min_size"], shown["pool"]["max_size"]) == (3, 9)
    assert (shown["breaker"]["failure_limit"], shown["retry"]["attempts"]) == (3, 5)
    assert list(shown["modules"]) == ["default", "few"]
    assert shown["modules"]["few"]["collectors"]["system"] == {"ttl_s": 60.0}
    assert shown["modules"]["few"]["collectors"]["ppp"] == {
        "ttl_s": 30.0,
        "mode": "top",
        "limit": 5000,
        "top": 20,
    }
    assert [router["port"] for router in shown["routers"]] == [8729, 8728]
    assert shown["routers"][1]["labels"] == {"site": "hill"}
    for secret in ("orchid-99-tango", "from-a-file-8", "from-the-environment"):
        assert secret not in ended.stdout
    file.write_text(ended.stdout.replace("'***'", "orchid-99-tango"), encoding="utf-8")
    again = run_exporter("config", "--config", file, environment=[("CABIN", "from-the-environment")])
    assert again.returncode == 0
    assert yaml.safe_load(again.stdout) == shown


@pytest.mark.parametrize("words", [("config", "schema"), ("config", "--config")], ids=["schema", "file"])
def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    """`config | head` ends with 0 and without a word when the reader of the pipe is gone."""
    file = tmp_path / "exporter.yml"
    file.write_text(SMALLEST.format(listen=9436, port=8728), encoding="utf-8")
    read_end, write_end = os.pipe()
    os.close(read_end)
    given = [*words, file] if words[-1] == "--config" else words
    with os.fdopen(write_end, "wb") as pipe:
        ended = subprocess.run(
            command(*given), stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, timeout=120
        )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_config_schema_prints_a_schema() -> None:
    """`config schema` is JSON schema that knows the keys of the file and the names of the collectors."""
    ended = run_exporter("config", "schema")
    assert ended.returncode == 0
    schema = json.loads(ended.stdout)
    assert {"web", "routers", "modules", "pool"} <= schema["properties"].keys()
    assert "hotspot" in ended.stdout


async def test_every_series_bears_the_labels_of_its_router(network: Network, tmp_path: Path) -> None:
    """Labels of the configuration are on each series of `/metrics` of that router, whichever family it is of."""
    file = tmp_path / "exporter.yml"
    routers = [router_of(network["hut"], labels={"site": 'north "hill"', "customer": "ÄÖ"})]
    file.write_text(config_text(routers, web=ANY_PORT, log=JSON_LOG), encoding="utf-8")
    with exporter_process("serve", "--config", file) as exporter:
        await exporter.saw("exporter.listening")
        page = (await get(exporter.url + "/metrics"))[1]
    lines = [line for line in page.splitlines() if "router=" in line]
    assert len(lines) > 100
    own = '{router="hut",site="north \\"hill\\"",customer="ÄÖ"'
    assert [line for line in lines if own not in line] == []


def test_it_runs_from_any_folder_and_without_a_home(tmp_path: Path) -> None:
    """Nothing but the file it is given is looked for."""
    ended = run_exporter("serve", "--config", tmp_path / "missing.yml", environment=[("HOME", os.devnull)])
    assert (ended.returncode, ended.stderr) == (
        2,
        f"{tmp_path / 'missing.yml'}: 1 problem\n  there is no such file\n",
    )
