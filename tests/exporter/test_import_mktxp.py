"""A configuration of mktxp becomes one of ours: routers, flags, TLS, labels, and passwords that nobody sees."""

import os
import stat
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.config import Config, load_config
from exporter.fleet import KNOWN_COLLECTORS
from exporter.migration import flags
from exporter.migration.conffile import read_conf
from runtime.loading import ConfigError

PASSWORD = "tuba, 99 # orchid"
COMMON = """\
[default]
    username = monitor
    password = 'tuba, 99 # orchid'   # RouterOS password
    port = 8728
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the file and of what is written, and the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(text: str, *options: str) -> int:
    Path("mktxp.conf").write_text(text, encoding="utf-8")
    return main(["import", "mktxp", "mktxp.conf", *options])


def result() -> Config:
    return load_config(Path("exporter.yml"), collectors=KNOWN_COLLECTORS)


def names(config: Config, router: str) -> set[str]:
    section = config.router(router)
    assert section is not None
    return set(config.collectors(section.module, KNOWN_COLLECTORS))


def test_routers_come_over_with_what_they_share(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Address, port, own login and own flags; what all share is written once."""
    code = imported(
        COMMON
        + """
[office]
    hostname = 192.0.2.1
[tower Ä]
    hostname = tower.example.net
    port = 18728
    queue = False
[shop]   # another login
    hostname = 192.0.2.3
    username = other
    password = "x'y"
[old]
    hostname = 192.0.2.4
    enabled = no
"""
    )
    assert code == 0
    config = result()
    assert [(r.name, r.address, r.effective_port) for r in config.routers] == [
        ("office", "192.0.2.1", 8728),
        ("tower Ä", "tower.example.net", 18728),
        ("shop", "192.0.2.3", 8728),
    ]
    targets = [config.target(router) for router in config.routers]
    assert [(t.username, t.password) for t in targets] == [
        ("monitor", PASSWORD),
        ("monitor", PASSWORD),
        ("other", "x'y"),
    ]
    assert names(config, "office") - names(config, "tower Ä") == {"queue"}
    assert names(config, "shop") == names(config, "office")
    told = capsys.readouterr()
    assert "mktxp.conf:18: [old]: the router is switched off" in told.out
    assert told.err == ""


def test_passwords_are_in_private_files_and_nowhere_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mode 0600 whatever the umask, in a folder of mode 0700; not in the configuration, not on the terminal."""
    before = os.umask(0)
    try:
        assert imported(COMMON + "[a]\nhostname = 192.0.2.1\n[b]\nhostname = 192.0.2.2\n") == 0
    finally:
        os.umask(before)
    (secret,) = (folder / "exporter.secrets").iterdir()
    assert secret.read_text(encoding="utf-8") == PASSWORD
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    shown = capsys.readouterr()
    assert PASSWORD not in (folder / "exporter.yml").read_text(encoding="utf-8") + shown.out + shown.err


def test_every_flag_of_mktxp_is_known() -> None:
    """Each collector named is one of ours, with the modes that are asked for; no key stands in two tables."""
    assert {name for found in flags.COLLECTORS.values() for name in found} <= KNOWN_COLLECTORS.keys()
    assert flags.A_SERIES_EACH.keys() | set(flags.NAMES_CLIENTS) <= flags.COLLECTORS.keys()
    for found in flags.A_SERIES_EACH.values():
        assert all(KNOWN_COLLECTORS[name].modes for name in found)
    tables = [
        set(flags.COLLECTORS),
        set(flags.LISTS),
        set(flags.CONNECTION),
        set(flags.NOT_CARRIED),
        set(flags.NO_MATTER),
    ]
    assert len(set().union(*tables)) == sum(map(len, tables))


def test_everything_on_and_everything_off(folder: Path) -> None:
    """All flags on bring every collector that has one; all off leave the system alone."""
    on = "".join(f"{flag} = True\n" for flag in flags.COLLECTORS) + "address_list = blocked, allowed\n"
    off = "".join(f"{flag} = False\n" for flag in flags.COLLECTORS) + "address_list = None\n"
    assert imported(COMMON + f"[on]\nhostname = 192.0.2.1\n{on}[off]\nhostname = 192.0.2.2\n{off}") == 0
    config = result()
    expected = {name for found in flags.COLLECTORS.values() for name in found} | {"address_list"}
    assert names(config, "on") == expected | {"system"}
    assert names(config, "off") == {"system"}
    settings = config.collectors("default", KNOWN_COLLECTORS)
    assert {
        name for name, own in settings.items() if own.mode == "full" and KNOWN_COLLECTORS[name].modes
    } >= {
        "dhcp",
        "wireless",
        "wifi",
        "capsman",
        "kid_control",
    }
    assert settings["wifi"].client_names
    assert not config.collectors("off", KNOWN_COLLECTORS)["system"].client_names


TLS = {
    "": None,
    "use_ssl = True": {"verify": False},
    "use_ssl = True\nssl_certificate_verify = True": {},
    "use_ssl = True\nssl_certificate_verify = True\nssl_check_hostname = False": {"server_name": ""},
    "use_ssl = True\nssl_certificate_verify = True\nssl_ca_file = ca.pem": {"ca_file": "ca.pem"},
    "use_ssl = True\nssl_certificate_verify = True\nssl_ca_file = gone.pem": {},
    "use_ssl = True\nno_ssl_certificate = True": {"verify": False},
}


@pytest.mark.parametrize("lines", TLS)
def test_tls_is_checked_as_before(lines: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Never checked less than mktxp did: an authority that is not there leaves the system's, which refuse."""
    import trustme

    trustme.CA().cert_pem.write_to_path(str(folder / "ca.pem"))
    common = COMMON.replace("    port = 8728\n", "")
    assert imported(f"{common}[a]\nhostname = 192.0.2.1\n{lines}\n") == 0
    (router,) = result().routers
    expected = TLS[lines]
    assert router.effective_port == (8728 if expected is None else 8729)
    if expected is None:
        assert router.tls is None
    else:
        assert router.tls is not None
        assert router.tls.verify is expected.get("verify", True)
        assert router.tls.server_name == expected.get("server_name")
        assert router.tls.ca_file == (folder / "ca.pem" if "ca_file" in expected else None)
    assert ("ssl_ca_file" in capsys.readouterr().out) is ("gone" in lines)


def test_labels_come_over_unless_metrics_bear_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ways of writing them; a name that is taken or impossible is told, with its line."""
    labels = "custom_labels = site:jkt, rack=r 7, interface:x, instance:y, 9a:z"
    assert imported(f"{COMMON}[a]\nhostname = 192.0.2.1\n{labels}\n") == 0
    (router,) = result().routers
    assert router.labels == {"site": "jkt", "rack": "r 7"}
    out = capsys.readouterr().out
    assert [f"mktxp.conf:7: label {name}:" in out for name in ("interface", "instance", "9a", "site")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_credentials_file_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside mktxp.conf, user and password in YAML; the password goes where the others go."""
    (folder / "login.yml").write_text("username: robot\npassword: s3cret\n", encoding="utf-8")
    assert imported("[a]\nhostname = 192.0.2.1\ncredentials_file = login.yml\n") == 0
    config = result()
    target = config.target(config.routers[0])
    assert (target.username, target.password) == ("robot", "s3cret")
    assert "s3cret" not in capsys.readouterr().out


def test_what_cannot_be_carried_over_is_told_with_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys without a counterpart, unknown ones, doubles and names that cannot be; routers switched off."""
    text = """\
[default]
username = u
password = p
connection_stats = True
check_for_updates = False
interface_name_format = combined
remote_dhcp_entry = other
colour = blue
plaintext_login = False
[a/b]
hostname = 192.0.2.1
[again]
hostname = 192.0.2.1
[module]
hostname = 192.0.2.9
module_only = True
"""
    assert imported(text) == 0
    out = capsys.readouterr().out
    lines = [line.split(":")[1:3] for line in out.splitlines() if line.startswith("  mktxp.conf")]
    assert [(int(number), what.strip()) for number, what in lines] == [
        (4, "connection_stats"),
        (6, "interface_name_format"),
        (7, "remote_dhcp_entry"),
        (8, "colour"),
        (10, "[a/b]"),
        (9, "plaintext_login"),
        (12, "[again]"),
        (16, "[module]"),
    ]
    assert [router.name for router in result().routers] == ["a-b"]


def test_where_it_listens_comes_from_the_other_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first address, the timeout for connecting; what is about mktxp's own works is passed over in silence."""
    Path("_mktxp.conf").write_text(
        "[MKTXP]\nlisten = '127.0.0.1:49090 [::1]:49090'\nsocket_timeout = 5\nbandwidth = True\n"
        "max_worker_threads = 5\n",
        encoding="utf-8",
    )
    assert imported(COMMON + "[a]\nhostname = 192.0.2.1\n", "--main", "_mktxp.conf") == 0
    config = result()
    assert str(config.web.listen) == "127.0.0.1:49090"
    assert config.pool_settings().connect_timeout_s == 5
    out = capsys.readouterr().out
    assert "_mktxp.conf:2: listen [::1]:49090" in out
    assert "_mktxp.conf:4: bandwidth" in out
    assert "max_worker_threads" not in out


BROKEN = {
    "x\n": ["line 1: is neither a section such as [MyRouter] nor key = value"],
    "a = 1\n": ["line 1: a key before the first section"],
    "[a]\nhostname = 192.0.2.1\n[a]\n": ["line 3: the section a comes a second time"],
    "[a\nhostname = x\n": ["line 1: is not a section such as [MyRouter]"],
    "[[a]]\n": ["line 1: sections within sections are not known to mktxp"],
    "[a]\nport = 1\nport = 2\n": ["line 3: port comes a second time in this section"],
    "[a]\npassword = 'tuba\n": ["line 2: password: quotes or commas of the value do not fit"],
    "[a]\npassword = 'tuba' orchid\n": ["line 2: password: something follows the quoted value"],
    "[a]\npassword = '''tuba\n": ["line 2: password: values over several lines are not understood"],
    "": ["holds no section such as [MyRouter]"],
    "[default]\nusername = u\n": ["no router is switched on"],
    "[a]\nusername = u\npassword = tuba\n": ["line 1: [a]: has no hostname"],
    "[a]\nhostname = h\npassword = tuba\n": ["line 1: [a]: has no username"],
    "[a]\nhostname = h\nusername = u\n": [
        "line 1: [a]: has no password; an account without one cannot be used here"
    ],
    "[a]\nhostname = http://h\n[b]\nhostname = h\nport = x\n": [
        "line 2: [a]: hostname: must be a host name or IP address only, without scheme or path",
        "line 5: [b]: port: must be a number from 1 to 65535",
    ],
    "[a]\nhostname = h\nusername = u\npassword = tuba\nqueue = perhaps\n": [
        "line 5: [a]: queue: must be True or False"
    ],
    "[a]\nhostname = h\ncredentials_file = gone.yml\n": ["line 3: [a]: credentials_file: cannot read"],
    "[a]\nhostname = h\nusername = u\npassword = tuba\ncustom_labels = site\n": [
        "line 5: [a]: custom_labels: must be name:value, with commas between"
    ],
    "[a/b]\nhostname = h\nusername = u\npassword = tuba\n[a-b]\nhostname = i\nusername = u\npassword = tuba\n": [
        "line 5: [a-b]: would be named a-b here, as another router is"
    ],
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_cannot_be_understood_is_refused(
    text: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line that is wrong is named, no password among them, and nothing is written."""
    assert imported(text) == 2
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert lines[0].startswith(f"mktxp.conf: {len(BROKEN[text])} problem")
    assert len(lines) == 1 + len(BROKEN[text])
    for line, expected in zip(lines[1:], BROKEN[text], strict=True):
        assert line.strip().startswith(expected)
    assert "tuba" not in told.err
    assert told.out == ""
    assert [path.name for path in folder.iterdir()] == ["mktxp.conf"]


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_told(content: bytes | None, folder: Path) -> None:
    """Not there, or not text."""
    path = folder / "mktxp.conf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"no such file|not UTF-8"):
        read_conf(path)


@pytest.mark.parametrize("there", ["exporter.yml", "exporter.secrets/a.password"])
def test_what_is_there_is_not_written_over(
    there: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless it is asked for; then a secret becomes private."""
    old = folder / there
    old.parent.mkdir(exist_ok=True)
    old.write_text("mine", encoding="utf-8")
    old.chmod(0o644)
    assert imported(COMMON + "[a]\nhostname = 192.0.2.1\n") == 2
    assert f"{there} is there already" in capsys.readouterr().err
    assert old.read_text(encoding="utf-8") == "mine"
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
    assert imported(COMMON + "[a]\nhostname = 192.0.2.1\n", "--force") == 0
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert result().target(result().routers[0]).password == PASSWORD


def test_a_folder_that_cannot_be_written_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback; what was begun is taken back."""
    (folder / "exporter.secrets").write_text("a file where the folder should be", encoding="utf-8")
    assert imported(COMMON + "[a]\nhostname = 192.0.2.1\n") == 2
    assert "exporter.secrets" in capsys.readouterr().err
    assert not (folder / "exporter.yml").exists()


def test_values_are_read_as_configobj_does(folder: Path) -> None:
    """Quotes, comments, lists, and equals signs in values."""
    path = folder / "x.conf"
    path.write_text(
        "# head\n['my router']\n  a = \"x # y\"  # c\n  b = 1, 'two, 2' ,3,\n  c = p=q\n  d =\n  'e' = f#g\n  h = ''\n",
        encoding="utf-8",
    )
    (section,) = read_conf(path).values()
    assert section.name == "my router"
    assert {key: value.items for key, value in section.values.items()} == {
        "a": ("x # y",),
        "b": ("1", "two, 2", "3"),
        "c": ("p=q",),
        "d": (),
        "e": ("f",),
        "h": ("",),
    }
    assert "x # y" not in repr(section)
