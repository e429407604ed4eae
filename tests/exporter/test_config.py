"""The exporter's configuration: what the smallest files mean, what presets give, and what `routeros` is told."""

import dataclasses
from pathlib import Path

import pytest
import trustme
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from exporter.cardinality import Mode
from exporter.config import (
    PRESETS,
    CollectorDefaults,
    CollectorSettings,
    Config,
    ConfigError,
    PresetName,
    load_config,
)
from exporter.config_checks import fleet_faults
from exporter.config_modules import KNOWN_COLLECTORS, ModeName
from exporter.presets import Preset
from routeros.settings import BreakerSettings, PoolSettings, RetrySettings, Target, TlsSettings
from runtime.loading import parse
from runtime.sections import secret_values

MODES: tuple[ModeName, ...] = ("off", "aggregate", "top", "full")
KNOWN = {
    "system": CollectorDefaults(ttl_s=60),
    "interface": CollectorDefaults(ttl_s=10),
    "hotspot": CollectorDefaults(ttl_s=30, modes=MODES),
    "torch": CollectorDefaults(ttl_s=5, modes=("off", "top"), mode="off", on_by_default=False),
}
SMALLEST = """\
web: {listen: 127.0.0.1:9436}
routers:
  - {name: core, address: 127.0.0.1, port: 8728, username: monitor, password: secret}
"""
ONE = "credentials: {username: monitor, password: secret}\nrouters: [{address: 192.168.88.1}]\n"


def config_of(text: str, folder: Path = Path()) -> Config:
    return parse(
        text, Config, folder=folder, environment={"PW": "from-env"}, extras={KNOWN_COLLECTORS: KNOWN}
    )


def target_of(router: str) -> Target:
    """What `routeros` is told about one router beside credentials for all."""
    config = config_of(f"credentials: {{username: monitor, password: shared}}\nrouters: [{router}]")
    return config.target(config.routers[0])


def test_the_smallest_file(tmp_path: Path) -> None:
    """The keys that scripts outside rely on are enough, and mean what they say."""
    path = tmp_path / "exporter.yml"
    path.write_text(SMALLEST)
    config = load_config(path, collectors=KNOWN)
    assert str(config.web.address) == "127.0.0.1:9436"
    assert config.target(config.routers[0]) == Target(
        name="core", address="127.0.0.1", port=8728, username="monitor", password="secret"
    )
    assert config.router("core") is config.routers[0]
    assert config.router("edge") is None


def test_an_address_and_credentials_are_enough() -> None:
    """The name is the address, the port the usual one, and everything else has a default."""
    config = config_of(ONE)
    router = config.routers[0]
    assert (router.name, router.module, router.labels) == ("192.168.88.1", "default", {})
    assert config.target(router).effective_port == 8728
    assert config.target(router).username == "monitor"
    assert config.pool_settings(router) == PoolSettings()
    assert config.breaker_settings() == BreakerSettings()
    assert config.retry_settings() == RetrySettings()
    assert (config.cache.max_stale_s, config.scrape.deadline_margin_s) == (300, 0.5)
    assert (config.web.gzip, config.web.max_concurrent_scrapes, config.log.level) == (True, 8, "info")


@pytest.mark.parametrize(
    ("name", "pool", "breaker", "retry"),
    [
        ("default", (1, 5, 10, 300, 30, 15, 30), (5, 60), (3, 1, 10)),
        ("production", (3, 8, 8, 300, 20, 15, 30), (3, 60), (5, 1, 10)),
        ("development", (1, 3, 15, 300, 60, 15, 30), (5, 60), (3, 1, 10)),
    ],
)
def test_presets_hold_the_values_that_operators_know(
    name: PresetName, pool: tuple[float, ...], breaker: tuple[float, ...], retry: tuple[float, ...]
) -> None:
    """Sizes, waits and limits of each preset, as documented."""
    config = config_of(ONE + f"pool: {{preset: {name}}}")
    own = config.pool_settings()
    assert pool == (
        own.min_size,
        own.max_size,
        own.acquire_timeout_s,
        own.idle_timeout_s,
        own.health_check_interval_s,
        own.connect_timeout_s,
        own.command_timeout_s,
    )
    assert breaker == (config.breaker_settings().failure_limit, config.breaker_settings().cooldown_s)
    again = config.retry_settings()
    assert retry == (again.attempts, again.min_wait_s, again.max_wait_s)
    assert own.max_in_flight is None


def test_the_default_preset_is_what_routeros_does_by_itself() -> None:
    """The library's own defaults and the preset called default are the same values."""
    assert PRESETS["default"] == Preset(PoolSettings(), BreakerSettings(), RetrySettings())


def test_each_value_can_be_set_over_the_preset() -> None:
    """A router's own pool value comes before the one for all, that one before the preset's."""
    config = config_of(
        "credentials: {username: monitor, password: secret}\n"
        "pool: {preset: production, max_size: 6, max_in_flight: 8}\n"
        "breaker: {cooldown_s: 30}\nretry: {attempts: 2}\n"
        "routers: [{name: a, address: a}, {name: b, address: b, pool: {max_in_flight: 1, min_size: 0}}]\n"
    )
    assert config.pool_settings() == dataclasses.replace(
        PRESETS["production"].pool, max_size=6, max_in_flight=8
    )
    assert config.pool_settings(config.routers[0]) == config.pool_settings()
    own = config.pool_settings(config.routers[1])
    assert (own.min_size, own.max_size, own.max_in_flight, own.acquire_timeout_s) == (0, 6, 1, 8)
    assert config.breaker_settings() == BreakerSettings(failure_limit=3, cooldown_s=30)
    assert config.retry_settings().attempts == 2


@pytest.mark.parametrize(
    ("router", "username", "password"),
    [
        ("{address: a}", "monitor", "shared"),
        ("{address: a, username: own, password: mine}", "own", "mine"),
        ("{address: a, username: own, password_env: PW}", "own", "from-env"),
        ("{address: a, password: mine}", "monitor", "mine"),
        ('{address: a, username: admin, password: ""}', "admin", ""),
    ],
)
def test_credentials_fill_in_what_a_router_does_not_say(router: str, username: str, password: str) -> None:
    """A router's own user and password come before the shared ones; an empty password is one, as RouterOS has it."""
    target = target_of(router)
    assert (target.username, target.password) == (username, password)
    assert password == "" or password not in repr(target)


@pytest.mark.parametrize(
    ("tls", "expected", "port"),
    [
        ("true", TlsSettings(), 8729),
        ("yes", TlsSettings(), 8729),
        ("{}", TlsSettings(), 8729),
        ("false", None, 8728),
        ("off", None, 8728),
        ("", None, 8728),
        ("{verify: false}", TlsSettings(verify=False), 8729),
        ("{server_name: core.lan}", TlsSettings(server_name="core.lan"), 8729),
        ('{server_name: ""}', TlsSettings(server_name=""), 8729),
        (f"{{fingerprint_sha256: '{'AB:' * 31}AB'}}", TlsSettings(fingerprint_sha256="ab" * 32), 8729),
    ],
)
def test_tls_of_a_router(tls: str, expected: TlsSettings | None, port: int) -> None:
    """TLS is a switch or a section, moves the usual port, and a fingerprint may be written as openssl prints it."""
    target = target_of(f"{{address: a, tls: {tls}}}")
    assert target.tls == expected
    assert target.effective_port == port


def test_files_are_found_beside_the_configuration(tmp_path: Path) -> None:
    """Relative paths start at the configuration's folder, wherever the program was started."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "pw").write_text("from-file\n")
    (tmp_path / "pw").chmod(0o600)
    path = tmp_path / "exporter.yml"
    path.write_text("routers: [{address: a, tls: {ca_file: ca.pem}, username: u, password_file: pw}]")
    config = load_config(path)
    target = config.target(config.routers[0])
    assert target.password == "from-file"
    assert target.tls == TlsSettings(ca_file=str(tmp_path / "ca.pem"))
    assert secret_values(config) == {"from-file"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.168.88.1", "192.168.88.1"),
        ("core-1.example.net", "core-1.example.net"),
        ("my_router", "my_router"),
        ("fd00::1", "fd00::1"),
        ("'[fd00::1]'", "fd00::1"),
        ("FD00:0::1", "fd00::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("example.net.", "example.net."),
    ],
)
def test_addresses(address: str, expected: str) -> None:
    """Host names and IP addresses of both families are let in, IPv6 with or without brackets."""
    assert target_of(f"{{name: x, address: {address}}}").address == expected


@pytest.mark.parametrize(
    "address", ["a b", "a..b", "-a", "a:b:c", "1.2.3", "1.2.3.4.5", "user@host", "x" * 254, "a/b", "[::1]:80"]
)
def test_addresses_that_are_none(address: str) -> None:
    """Anything else is refused at its place."""
    with pytest.raises(ConfigError) as caught:
        target_of(f"{{name: x, address: {address!r}}}")
    assert [problem.path for problem in caught.value.problems] == [
        "routers[0] (x) > address"
    ] or "@" in address
    assert "user" not in str(caught.value)


@pytest.mark.parametrize("name", ["core", "Core 1", "1", "a.b_c-d:e", "00:11:22", "Büro"])
def test_names(name: str) -> None:
    """Letters of any script, digits, spaces and some punctuation make a name."""
    assert target_of(f"{{name: '{name}', address: a}}").name == name


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "_a", "-a", "a{b", "a,b", "a'b", "a\\b", "a\nb", "x" * 101, ".", "a=b"]
)
def test_names_that_are_none(name: str) -> None:
    """Characters that a metric line gives a meaning to are not part of a name."""
    with pytest.raises(ValidationError):
        Config.model_validate({"routers": [{"name": name, "address": "a", "username": "u", "password": "p"}]})


def test_an_address_that_cannot_be_a_name_wants_one() -> None:
    """An IPv6 address that begins with a colon, or has a zone, needs a name beside it."""
    for address in ("::1", "fe80::1%eth0"):
        with pytest.raises(ConfigError, match="needs a name, since its address cannot serve as one"):
            target_of(f"{{address: '{address}'}}")


def test_the_same_address_on_another_port_is_another_router() -> None:
    """Routers behind one address differ by port; the usual ports of plain and TLS differ as well."""
    config = config_of(
        "credentials: {username: u, password: p}\n"
        "routers: [{name: a, address: x}, {name: b, address: x, port: 9}, {name: c, address: x, tls: true}]"
    )
    assert len(config.routers) == 3


def test_modules_choose_collectors() -> None:
    """By default the usual collectors run; a list or mapping runs exactly those, in the order of the program."""
    config = config_of(
        ONE + "modules:\n"
        "  few: {collectors: [hotspot, system]}\n"
        "  own: {collectors: {torch: , hotspot: {mode: off, limit: 7, ttl_s: 0}}}\n"
        "  usual: {}\n"
        "  none: {collectors: []}\n"
    )
    assert config.module_names == ("default", "few", "own", "usual", "none")
    assert list(config.collectors("default", KNOWN)) == ["system", "interface", "hotspot"]
    assert config.collectors("usual", KNOWN) == config.collectors("default", KNOWN)
    assert list(config.collectors("few", KNOWN)) == ["system", "hotspot"]
    assert config.collectors("none", KNOWN) == {}
    assert config.collectors("own", KNOWN) == {
        "hotspot": CollectorSettings(ttl_s=0, mode="off", limit=7, top=20),
        "torch": CollectorSettings(ttl_s=5, mode="off", limit=5000, top=20),
    }
    with pytest.raises(KeyError):
        config.collectors("other", KNOWN)


def test_a_mode_must_be_one_that_the_collector_knows() -> None:
    """A collector with few modes says which."""
    with pytest.raises(ConfigError, match="torch > mode: this collector knows only off, top, got full"):
        config_of(ONE + "modules: {default: {collectors: {torch: {mode: full}}}}")


def test_labels_of_routers_are_not_those_of_metrics() -> None:
    """A label that a collector's metrics bear, or that is reserved, would stand twice in a series."""
    known = {"interface": CollectorDefaults(ttl_s=10, labels=frozenset({"interface"}))}
    text = "credentials: {username: u, password: p}\nrouters: [{name: a, address: a, labels: {%s: x}}]"
    assert parse(text % "site", Config, extras={KNOWN_COLLECTORS: known}).routers[0].labels == {"site": "x"}
    for label, words in (
        ("interface", "belongs to metrics of the collector interface"),
        ("collector", "this label name is reserved"),
    ):
        with pytest.raises(ConfigError, match=words) as caught:
            parse(text % label, Config, extras={KNOWN_COLLECTORS: known})
        assert [problem.path for problem in caught.value.problems] == [f"routers[0] (a) > labels > {label}"]


def test_modes_are_those_of_the_cardinality() -> None:
    """The words in a configuration and the modes of the engine are the same."""
    assert set(MODES) == {mode.value for mode in Mode}


def test_configurations_are_frozen() -> None:
    """Nobody changes a configuration that others hold."""
    config = config_of(ONE)
    with pytest.raises(ValidationError, match="frozen"):
        config.cache.max_stale_s = 1  # type: ignore[misc]  # what must not work


def test_a_configuration_can_be_made_without_a_file() -> None:
    """Models built in code, nested models among them, are checked as well."""
    router = Config.model_validate(yaml.safe_load(SMALLEST)).routers[0]
    assert Config(routers=(router,)).routers == (router,)
    with pytest.raises(ValidationError, match="has this name already"):
        Config(routers=(router, router))
    assert list(fleet_faults({"routers": "nothing"})) == []


def test_no_secret_stands_in_a_repr() -> None:
    """A configuration can be printed."""
    text = repr(config_of("routers: [{address: a, username: u, password: hunter2}]"))
    assert "hunter2" not in text
    assert "hunter2" not in repr(config_of(ONE.replace("secret", "hunter2")))


_names = st.sampled_from(["core", "system", "hotspot", "default", "a", "10.0.0.1", "x y", ""])
_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70000), st.floats(), _names, st.text(max_size=5)
)
_keys = st.one_of(
    _names,
    st.sampled_from(
        [
            "name",
            "address",
            "port",
            "username",
            "password",
            "password_file",
            "tls",
            "labels",
            "module",
            "pool",
            "preset",
            "min_size",
            "max_size",
            "collectors",
            "mode",
            "ttl_s",
            "listen",
            "allow",
            "basic_auth",
            "bearer",
            "rate_limit",
        ]
    ),
)
_anything = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)
_ROUTER_KEYS = ("name", "address", "port", "tls", "module", "pool", "username", "password", "labels")
_routers = st.lists(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("name", "address", "port", "tls", "module", "pool", "username", "password", "labels"), _anything
        ),
    )
    | _anything,
    max_size=3,
)
_configs = st.fixed_dictionaries(
    {},
    optional={
        "routers": _routers | _anything,
        "credentials": _anything,
        "web": _anything,
        "pool": _anything,
        "breaker": _anything,
        "retry": _anything,
        "modules": _anything,
        "log": _anything,
        "x": _anything,
    },
)


@settings(deadline=None)
@given(_configs)
def test_any_file_gives_a_configuration_or_its_errors(values: dict[str, object]) -> None:
    """Whatever stands in a file, there is a usable configuration or a ConfigError, never another exception."""
    try:
        config = config_of(yaml.safe_dump(values, allow_unicode=True))
    except ConfigError:
        return
    for router in config.routers:
        assert config.target(router).name
        assert config.pool_settings(router).max_size >= 1
        assert config.collectors(router.module, KNOWN) is not None
