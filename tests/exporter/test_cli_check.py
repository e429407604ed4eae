"""`tikwatch-exporter check` on simulated routers: each thing that can be wrong has its sentence and its remedy."""

import datetime
import hashlib
import json
import logging
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme

from exporter.__main__ import main
from exporter.cli.advice import Advice
from exporter.cli.exitcodes import ExitCode
from exporter.cli.findings import CollectorFinding, RouterFinding, TableFinding, Verdict, together
from exporter.cli.portprobe import Found, Speech, probe
from exporter.cli.report import Report
from exporter.cli.setupcommands import PLACEHOLDER, Access, quoted, setup_commands
from exporter.collectors import ALL
from routeros import PermissionDenied, RouterUnreachable, UnreachableReason
from simulator import RouterSpec, TlsFiles
from tests.fakes.network_thread import NetworkThread

Capture = pytest.CaptureFixture[str]
PASSWORD = "correct horse battery staple"
QUICK = {"pool": {"connect_timeout_s": 0.5, "command_timeout_s": 0.5}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    expired = authority.issue_cert("127.0.0.1", not_after=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC))
    expired.private_key_pem.write_to_path(str(folder / "expired-key.pem"))
    expired.cert_chain_pems[0].write_to_path(str(folder / "expired.pem"))
    return authority, folder


@pytest.fixture(scope="module")
def network(authority: tuple[trustme.CA, Path]) -> Iterator[NetworkThread]:
    _, folder = authority
    specs = [
        RouterSpec("core", profile="hotspot", password=PASSWORD),
        RouterSpec("edge", password=PASSWORD),
        RouterSpec("old", profile="legacy", password=PASSWORD),
        RouterSpec("virtual", profile="chr", password=PASSWORD),
        RouterSpec(
            "safe", password=PASSWORD, tls=TlsFiles(str(folder / "cert.pem"), str(folder / "key.pem"))
        ),
        RouterSpec(
            "expired",
            password=PASSWORD,
            tls=TlsFiles(str(folder / "expired.pem"), str(folder / "expired-key.pem")),
        ),
    ]
    with NetworkThread(specs) as network:
        yield network


@pytest.fixture(autouse=True)
def healed(network: NetworkThread) -> Iterator[None]:
    yield
    network.heal()
    root = logging.getLogger()
    root.handlers[:] = [one for one in root.handlers if type(one).__module__ != "runtime.logs"]
    structlog.reset_defaults()


def checked(capsys: Capture, *words: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `check` in this process."""
    code = main(["check", *words])
    out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    return code, out, err


def as_json(capsys: Capture, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and document."""
    code, out, err = checked(capsys, *words, "--json")
    assert err == ""
    return code, json.loads(out)


def test_a_healthy_router_works(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """Each collector works, with its rows and its time; stages, identity and version are told; status 0."""
    config = network.write_config(tmp_path / "c.yml", "core")
    code, document = as_json(capsys, "--config", str(config))
    (router,) = document["routers"]
    assert code == ExitCode.OK
    assert (router["state"], router["identity"], router["error"]) == ("works", "core", None)
    assert router["version"].startswith("7.18.2")
    assert router["connection"]["tls_seconds"] is None
    assert all(router["connection"][f"{stage}_seconds"] >= 0 for stage in ("connect", "login", "identity"))
    assert list(router["collectors"]) == [collector.name for collector in ALL if collector.on_by_default]
    for name, collector in router["collectors"].items():
        assert collector["verdict"] == "works", name
        assert collector["seconds"] > 0
    assert router["collectors"]["hotspot"]["tables"]["active"]["rows"] >= 100
    assert document["setup_commands"] == []


def test_what_a_board_does_not_have_is_no_trouble(
    capsys: Capture, network: NetworkThread, tmp_path: Path
) -> None:
    """A missing menu is told as unsupported, the collector's other tables work, and the status is 0."""
    config = network.write_config(tmp_path / "c.yml", "edge", "old", "virtual")
    code, out, _ = checked(capsys, "--config", str(config), "--router", "virtual", "--router", "old")
    assert code == ExitCode.OK
    assert "edge" not in out
    lines = [line.split() for line in out.splitlines()]
    assert ["health", "unsupported"] in [line[:2] for line in lines]
    assert ["poe", "unsupported"] in [line[:2] for line in lines]
    assert ["ethernet", "works"] in [line[:2] for line in lines]
    assert out.splitlines()[-1] == "2 routers: 2 works"


def test_a_missing_policy_is_named(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """The tables concerned say which policy to add, the commands that give it follow, and the status is 1."""
    network.fault("edge", "no_permission", menu="/interface/ethernet")
    config = network.write_config(tmp_path / "c.yml", "edge")
    code, document = as_json(capsys, "--config", str(config))
    (router,) = document["routers"]
    tables = router["collectors"]["ethernet"]["tables"]
    assert code == ExitCode.SOME_FAILED
    assert router["state"] == "works_in_part"
    assert (tables["ethernet"]["verdict"], tables["ethernet"]["policy"]) == ("no_permission", "read")
    assert router["missing_policies"] == ["read"]
    assert document["setup_commands"][0]["routers"] == ["edge"]
    text = checked(capsys, "--config", str(config))[1]
    assert 'add the policy "read" to the user\'s group' in text
    assert "/user group add name=monitoring policy=read,api,test" in text


def denied(menu: str, policy: str) -> TableFinding:
    """A menu that was refused for want of a policy."""
    error = PermissionDenied("not enough permissions (9)", path=menu, policy=policy)
    return TableFinding(menu.rpartition("/")[2], menu, Verdict.NO_PERMISSION, error=error)


def test_different_policies_are_named_menu_by_menu() -> None:
    """One policy is told once for a whole collector; where menus lack different ones, each says which."""
    read, monitor = denied("/poe", "read"), denied("/poe/monitor", "test")
    same = CollectorFinding("poe", (read, denied("/ethernet", "read")), 0.1)
    mixed = CollectorFinding("poe", (read, monitor), 0.1)
    finding = RouterFinding("core", "192.0.2.1:8728", Access(), collectors=(same, mixed))
    _, first, second = Report(None).router(finding).plain.splitlines()
    assert first.endswith('100 ms  add the policy "read" to the user\'s group')
    assert '/poe/monitor: add the policy "test"' in second
    assert finding.policies == ("read", "test")
    assert finding.needs_setup


def test_a_slow_menu_fails_alone(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """One menu passes its deadline, all others are told as they are."""
    network.fault("edge", "slow_menu", menu="/queue/simple", seconds=30.0)
    config = network.write_config(tmp_path / "c.yml", "edge", **QUICK)
    code, out, _ = checked(capsys, "--config", str(config))
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ")}
    assert code == ExitCode.SOME_FAILED
    assert "partly" in lines["queue"]
    assert "deadline: /queue/simple/print" in lines["simple"]
    assert "works" in lines["tree"]


def test_the_time_for_a_router_is_kept(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """What comes after --timeout is told as not asked."""
    network.fault("edge", "slow_menu", menu="/system/resource", seconds=30.0)
    config = network.write_config(tmp_path / "c.yml", "edge")
    code, out, _ = checked(capsys, "--config", str(config), "--timeout", "0.4")
    assert code == ExitCode.SOME_FAILED
    usual = [collector for collector in ALL if collector.on_by_default]
    assert sum("not asked" in line for line in out.splitlines()) >= len(usual) - 1


def test_values_that_cannot_be_read_are_told(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """The collector works; which field said what is beside it."""
    network.fault("edge", "not_a_number", menu="/interface", field="rx-byte", text="many\x1b[2J")
    config = network.write_config(tmp_path / "c.yml", "edge")
    code, out, _ = checked(capsys, "--config", str(config))
    assert code == ExitCode.OK
    assert "rx-byte: not understood, such as 'many[2J'" in out
    _, document = as_json(capsys, "--config", str(config))
    assert document["routers"][0]["collectors"]["interface"]["unparsable"] == {"rx-byte": "many[2J"}


TROUBLES = [
    ("wrong_password", {}, "login refused", 'refused the login of user "monitor"', "/log print", 1),
    (
        "no_api_policy",
        {},
        "login refused",
        'refused the login of user "monitor"',
        "without the policy api",
        1,
    ),
    ("refuse", {}, "not reachable", "nothing listens on port", "switch the service api on", 4),
    ("hang", {}, "not reachable", "no answer from 127.0.0.1", "firewall", 4),
    ("garbage", {}, "not reachable", "does not speak the RouterOS API|no answer", "`port`|firewall", 4),
    (
        "absurd_length",
        {},
        "not reachable",
        "does not speak the RouterOS API",
        "correct `address` or `port`",
        4,
    ),
    ("drop_mid_reply", {}, "not reachable", "accepted, but .* in mid answer", "may be restarting", 4),
    ("fatal", {}, "not reachable", "accepted, but .* in mid answer", "/log print", 4),
    ("session_limit", {"limit": 0}, "not reachable", "closed the connection", "max-sessions", 4),
]


@pytest.mark.parametrize(
    ("fault", "settings", "state", "what", "remedy", "status"), TROUBLES, ids=[one[0] for one in TROUBLES]
)
def test_each_trouble_has_its_sentence_and_its_remedy(
    capsys: Capture,
    network: NetworkThread,
    tmp_path: Path,
    fault: str,
    settings: dict[str, float],
    state: str,
    what: str,
    remedy: str,
    status: int,
) -> None:
    """What is wrong, what to do about it, and the exit status; no secret anywhere."""
    network.fault("edge", fault, **settings)
    config = network.write_config(tmp_path / "c.yml", "edge", **QUICK)
    code, out, _ = checked(capsys, "--config", str(config))
    assert code == status
    title, *lines = out.splitlines()
    assert title.endswith(f"  {state}")
    assert re.search(what, lines[0])
    assert lines[1].startswith("  - ")
    assert re.search(remedy, lines[1])


def test_one_dead_router_does_not_spoil_the_others(
    capsys: Capture, network: NetworkThread, tmp_path: Path
) -> None:
    """Routers are examined side by side; the status is 1 when only some fail."""
    network.fault("edge", "hang")
    config = network.write_config(tmp_path / "c.yml", "edge", "core", **QUICK)
    code, document = as_json(capsys, "--config", str(config))
    assert code == ExitCode.SOME_FAILED
    assert [router["state"] for router in document["routers"]] == ["not_reachable", "works"]


def trouble(capsys: Capture, config: Path) -> tuple[int, dict[str, Any]]:
    """Exit status, and what is said of the only router."""
    code, document = as_json(capsys, "--config", str(config))
    return code, document["routers"][0]


def test_a_name_that_leads_nowhere_is_told(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """DNS failure has its own words."""
    config = network.write_config(
        tmp_path / "c.yml", "edge", changes={"address": "no-such-host.invalid", "port": 8728}
    )
    code, router = trouble(capsys, config)
    assert code == ExitCode.NONE_REACHABLE
    assert "could not be turned into an address" in router["error"]["message"]
    assert "DNS" in router["remedy"]


def test_tls_to_a_plain_port_is_told(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """The port was asked what it speaks."""
    config = network.write_config(tmp_path / "c.yml", "edge", changes={"tls": True}, **QUICK)
    code, router = trouble(capsys, config)
    assert code == ExitCode.NONE_REACHABLE
    assert "speaks the plain API, but the configuration asks for TLS" in router["error"]["message"]


def test_the_plain_api_to_a_tls_port_is_told(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """And the reverse."""
    config = network.write_config(tmp_path / "c.yml", "safe", **QUICK)
    code, router = trouble(capsys, config)
    assert code == ExitCode.NONE_REACHABLE
    assert "speaks TLS, but the configuration asks for the plain API" in router["error"]["message"]


def fingerprint(authority: tuple[trustme.CA, Path]) -> str:
    """SHA-256 of the certificate that the router shows."""
    pem = (authority[1] / "cert.pem").read_text(encoding="ascii")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.mark.parametrize(
    ("tls", "what"),
    [
        ({"fingerprint_sha256": "0" * 64}, "another certificate than the pinned one"),
        (True, "unknown authority"),
    ],
    ids=["wrong fingerprint", "unknown authority"],
)
def test_the_fingerprint_that_was_shown_can_be_pinned(
    capsys: Capture,
    network: NetworkThread,
    tmp_path: Path,
    authority: tuple[trustme.CA, Path],
    tls: object,
    what: str,
) -> None:
    """It is printed as the line that the configuration takes, and with it the router works."""
    config = network.write_config(tmp_path / "c.yml", "safe", changes={"tls": tls})
    code, router = trouble(capsys, config)
    assert code == ExitCode.NONE_REACHABLE
    assert what in router["error"]["message"]
    shown = router["presented_fingerprint_sha256"]
    assert shown == fingerprint(authority)
    assert f"    fingerprint_sha256: {shown}" in checked(capsys, "--config", str(config))[1].splitlines()
    pinned = network.write_config(tmp_path / "p.yml", "safe", changes={"tls": {"fingerprint_sha256": shown}})
    code, router = trouble(capsys, pinned)
    assert code == ExitCode.OK
    assert router["connection"]["tls_seconds"] > 0


@pytest.mark.parametrize(
    ("name", "address", "what"),
    [
        ("expired", "127.0.0.1", "the certificate has expired: renew it on the router"),
        ("safe", "localhost", "the certificate is not for localhost: give the name it bears as server name"),
    ],
    ids=["expired", "another name"],
)
def test_a_certificate_that_does_not_fit_is_told_with_the_keys_that_help(
    capsys: Capture,
    network: NetworkThread,
    tmp_path: Path,
    authority: tuple[trustme.CA, Path],
    name: str,
    address: str,
    what: str,
) -> None:
    """What is wrong with it, the remedy that goes with that, and where in the configuration it is written."""
    changes = {"address": address, "tls": {"ca_file": str(authority[1] / "ca.pem")}}
    code, router = trouble(capsys, network.write_config(tmp_path / "c.yml", name, changes=changes))
    assert code == ExitCode.NONE_REACHABLE
    assert what in router["error"]["message"]
    for key in ("`ca_file`", "`server_name`", "`fingerprint_sha256`"):
        assert key in router["remedy"]
    assert len(router["presented_fingerprint_sha256"]) == 64


async def test_a_port_tells_what_it_speaks(
    network: NetworkThread, authority: tuple[trustme.CA, Path]
) -> None:
    """The plain API, TLS with its certificate, or neither; a closed port speaks neither."""
    assert await probe("127.0.0.1", network.port("edge"), timeout_s=0.5) == Found(Speech.API)
    assert await probe("127.0.0.1", network.port("safe")) == Found(Speech.TLS, fingerprint(authority))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        assert await probe("127.0.0.1", deaf.getsockname()[1], timeout_s=0.2) == Found(Speech.NEITHER)
    assert await probe("127.0.0.1", 1, timeout_s=0.2) == Found(Speech.NEITHER)


def test_the_commands_alone_ask_no_router(capsys: Capture, network: NetworkThread, tmp_path: Path) -> None:
    """--show-commands prints them with and without a configuration; the password is a placeholder."""
    network.fault("edge", "refuse")
    config = network.write_config(tmp_path / "c.yml", "edge", changes={"username": "wat$cher", "tls": True})
    code, out, _ = checked(capsys, "--show-commands", "--config", str(config))
    assert code == ExitCode.OK
    assert '/user add name="wat\\$cher" group=monitoring password="CHANGE-ME"' in out
    assert "/ip service set api-ssl disabled=no" in out
    code, out, _ = checked(capsys, "--show-commands")
    assert code == ExitCode.OK
    assert "/ip service set api disabled=no" in out


def test_the_group_can_read_and_nothing_else() -> None:
    """Of all policies only read, api and test are given."""
    (group,) = [line for line in setup_commands(Access()) if line.startswith("/user group add")]
    assert group == "/user group add name=monitoring policy=read,api,test"
    assert any(PLACEHOLDER in line for line in setup_commands(Access()))


def test_names_in_commands_cannot_break_out() -> None:
    """Quotes, dollars, backslashes and control characters are escaped as RouterOS does it."""
    assert quoted('a"; /system reboot\n$x\\') == r'"a\"; /system reboot\0A\$x\\"'


def test_a_check_needs_a_configuration(capsys: Capture) -> None:
    """Without one there is nothing to check: status 2."""
    code, out, err = checked(capsys)
    assert (code, out) == (ExitCode.CONFIGURATION, "")
    assert "--config" in err


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.WORKS, Verdict.UNSUPPORTED], Verdict.WORKS),
        ([Verdict.UNSUPPORTED], Verdict.UNSUPPORTED),
        ([], Verdict.UNSUPPORTED),
        ([Verdict.WORKS, Verdict.FAILED], Verdict.PARTLY),
        ([Verdict.PARTLY, Verdict.WORKS], Verdict.PARTLY),
        ([Verdict.NO_PERMISSION, Verdict.NO_PERMISSION], Verdict.NO_PERMISSION),
        ([Verdict.NO_PERMISSION, Verdict.FAILED], Verdict.FAILED),
        ([Verdict.NOT_ASKED, Verdict.FAILED], Verdict.FAILED),
    ],
)
def test_verdicts_add_up(verdicts: list[Verdict], expected: Verdict) -> None:
    """What a board lacks does not count; some of each is partly."""
    assert together(verdicts) is expected


def test_exit_statuses_of_the_real_program(network: NetworkThread, tmp_path: Path) -> None:
    """0, 1, 2 and 4 come out of the process itself, and --help tells them."""
    network.fault("edge", "wrong_password")
    network.fault("old", "refuse")
    files = {
        ExitCode.OK: network.write_config(tmp_path / "0.yml", "virtual"),
        ExitCode.SOME_FAILED: network.write_config(tmp_path / "1.yml", "edge", "virtual"),
        ExitCode.CONFIGURATION: tmp_path / "none.yml",
        ExitCode.NONE_REACHABLE: network.write_config(tmp_path / "4.yml", "old"),
    }
    runs = {
        code: subprocess.Popen(
            [sys.executable, "-m", "exporter", "check", "--config", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for code, path in files.items()
    }
    try:
        assert {code: run.wait(120) for code, run in runs.items()} == {code: code for code in files}
    finally:
        for run in runs.values():
            run.kill()
            run.wait()
    told = subprocess.run(
        [sys.executable, "-m", "exporter", "check", "--help"], capture_output=True, text=True, check=True
    )
    for code in files:
        assert f"  {code:<4d} " in told.stdout


def test_a_report_wraps_prose_and_nothing_that_is_to_be_copied() -> None:
    """At 60 columns sentences are wrapped; the fingerprint stays in one piece."""
    advice = Advice("what is wrong " * 9, "what to do " * 9, fingerprint_sha256="ab" * 32)
    trouble = RouterUnreachable("no", reason=UnreachableReason.TLS)
    finding = RouterFinding("core", "192.0.2.1:8729", Access(), trouble=trouble, advice=advice)
    lines = Report(60).router(finding).plain.splitlines()
    assert lines[-1] == f"    fingerprint_sha256: {'ab' * 32}"
    assert all(len(line) <= 60 for line in lines[:-1])
    assert len(lines) > 5
    assert len(Report(None).router(finding).plain.splitlines()) == 4
