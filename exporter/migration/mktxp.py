"""mktxp's configuration made into ours: what is written, which secrets go into files, what is not carried over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from exporter.config_modules import CollectorDefaults
from exporter.config_routers import DEFAULT_MODULE, checked_address, checked_label, checked_name
from exporter.migration import flags
from exporter.migration.conffile import ConfSection, Value, read_conf
from routeros.settings import PLAIN_PORT, TLS_PORT
from runtime.loading import ConfigError, Problem
from runtime.web import parse_listen

_DEFAULT = "default"
_NEW_DEFAULTS = "new_default_parameters"
_MAIN = "MKTXP"
_NO_ROUTERS = frozenset({_DEFAULT, _NEW_DEFAULTS, _MAIN, "RSC", "DIAG", "new_system_parameters"})


@dataclass(frozen=True, slots=True)
class Left:
    """Something of theirs that is not carried over: where it stands, and why or what to do."""

    file: str
    line: int | None
    what: str
    why: str


@dataclass(slots=True)
class Migration:
    """Our configuration as plain values; `secrets` are texts by the name of the file each is to be put into."""

    config: dict[str, Any]
    left: list[Left]
    secrets: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in."""

    username: str
    password: str = field(repr=False)


class _Entry:
    """One router's keys: its own, else those of the default sections, else mktxp's own defaults."""

    def __init__(self, section: ConfSection, *defaults: ConfSection) -> None:
        self.section = section
        self._sections = (section, *defaults)

    def get(self, key: str) -> Value | None:
        for section in self._sections:
            value = section.values.get(key)
            if value is not None and (value.text or section is not self.section):
                return value
        return None

    def text(self, key: str) -> str:
        """The value, empty where there is none."""
        value = self.get(key)
        return "" if value is None or value.is_none else value.text

    def flag(self, key: str) -> bool:
        """Raises _Wrong for what is neither True nor False."""
        value = self.get(key)
        if value is None:
            return key in flags.ON_BY_DEFAULT
        try:
            return value.flag
        except ValueError as error:
            raise _Wrong(value.line, f"{key}: {error}") from None

    def line(self, key: str) -> int:
        value = self.get(key)
        return self.section.line if value is None else value.line


class _Wrong(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Migrator:
    """Reads one mktxp.conf. `known` are our collectors, `secret_folder` is where secrets will lie, as the
    configuration is to name it."""

    def __init__(self, path: Path, known: Mapping[str, CollectorDefaults], secret_folder: str) -> None:
        self._path = path
        self._known = known
        self._folder = secret_folder
        self._left: list[Left] = []
        self._problems: list[Problem] = []
        self._secrets: dict[str, str] = {}
        self._names: set[str] = set()
        self._ends: dict[tuple[str, int], str] = {}

    def migrate(self, main: Path | None = None) -> Migration:
        """Our configuration from theirs, and from their _mktxp.conf if it is given.

        Raises ConfigError with every line that cannot be understood.
        """
        sections = read_conf(self._path)
        defaults = [sections[name] for name in (_DEFAULT, _NEW_DEFAULTS) if name in sections]
        entries = [_Entry(one, *defaults) for name, one in sections.items() if name not in _NO_ROUTERS]
        routers: list[dict[str, Any]] = []
        modules: dict[str, dict[str, Any]] = {}
        logins: list[Login] = []
        for section in sections.values():
            self._tell_left(section)
        for entry in entries:
            try:
                if self._is_watched(entry) and not self._is_second(entry):
                    router, login = self._router(entry)
                    self._choose_module(router, entry, modules)
                    routers.append(router)
                    logins.append(login)
            except _Wrong as wrong:
                self._problems.append(Problem(f"[{entry.section.name}]", wrong.line, str(wrong)))
        if not routers and not self._problems:
            self._problems.append(Problem("", None, "no router is switched on"))
        if self._problems:
            raise ConfigError(str(self._path), sorted(self._problems, key=lambda problem: problem.line or 0))
        web = self._web(main) if main is not None else {}
        shared = self._put_logins(routers, logins)
        config = {**web, **shared, "modules": modules, "routers": routers}
        return Migration(config, self._left, self._secrets)

    def _leave(self, line: int | None, what: str, why: str, file: Path | None = None) -> None:
        self._left.append(Left(str(file or self._path), line, what, why))

    def _tell_left(self, section: ConfSection) -> None:
        """Keys without a counterpart, once each where they stand."""
        if section.name in _NO_ROUTERS - {_DEFAULT, _NEW_DEFAULTS}:
            return
        for key, value in section.values.items():
            if key in flags.NOT_CARRIED:
                if not value.is_none and value.text.lower() != "false":
                    self._leave(value.line, key, flags.NOT_CARRIED[key])
            elif key == "interface_name_format":
                if value.text != "name":
                    self._leave(value.line, key, "interfaces are told by name; comments are on the infos")
            elif key not in flags.COLLECTORS and key not in (
                *flags.CONNECTION,
                *flags.LISTS,
                *flags.NO_MATTER,
            ):
                self._leave(value.line, key, "not known")

    def _is_watched(self, entry: _Entry) -> bool:
        for key, wanted, why in (
            ("enabled", True, "the router is switched off"),
            ("module_only", False, "a set of flags for probes; make a module of it"),
        ):
            if entry.get(key) is not None and entry.flag(key) is not wanted:
                self._leave(entry.line(key), f"[{entry.section.name}]", why)
                return False
        return True

    def _is_second(self, entry: _Entry) -> bool:
        end = (entry.text("hostname").lower(), self._port(entry))
        first = self._ends.setdefault(end, entry.section.name)
        if first == entry.section.name:
            return False
        self._leave(
            entry.section.line, f"[{entry.section.name}]", f"is the same address and port as [{first}]"
        )
        return True

    def _router(self, entry: _Entry) -> tuple[dict[str, Any], Login]:
        name = self._name(entry.section)
        address = self._address(entry)
        router: dict[str, Any] = {"name": name, "address": address}
        tls = self._tls(entry)
        port = self._port(entry)
        if port != (PLAIN_PORT if tls is None else TLS_PORT):
            router["port"] = port
        if tls is not None:
            router["tls"] = tls
        if not entry.flag("plaintext_login"):
            self._leave(
                entry.line("plaintext_login"), "plaintext_login", "both ways of login are tried by themselves"
            )
        if labels := self._labels(entry):
            router["labels"] = labels
        return router, self._login(entry)

    def _name(self, section: ConfSection) -> str:
        name = section.name
        try:
            checked_name(name)
        except ValueError:
            usable = "".join([c if c.isalnum() or c in "._-: " else "-" for c in name]).strip(" ._-:")[:100]
            name = usable or f"router-{section.line}"
            self._leave(section.line, f"[{section.name}]", f"cannot be a name here; it is {name} now")
        if name in self._names:
            raise _Wrong(section.line, f"would be named {name} here, as another router is")
        self._names.add(name)
        return name

    def _address(self, entry: _Entry) -> str:
        text = entry.text("hostname")
        if not text:
            raise _Wrong(entry.section.line, "has no hostname")
        try:
            return checked_address(text)
        except ValueError as error:
            raise _Wrong(entry.line("hostname"), f"hostname: {error}") from None

    def _port(self, entry: _Entry) -> int:
        text = entry.text("port")
        if not text:
            return TLS_PORT if entry.flag("use_ssl") else PLAIN_PORT
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise _Wrong(entry.line("port"), "port: must be a number from 1 to 65535")
        return int(text)

    def _tls(self, entry: _Entry) -> dict[str, Any] | None:
        if not entry.flag("use_ssl"):
            return None
        if entry.flag("no_ssl_certificate"):
            why = "TLS without a certificate proves nothing and is not spoken: give api-ssl a certificate"
            self._leave(entry.line("no_ssl_certificate"), "no_ssl_certificate", why)
            return {"verify": False}
        if not entry.flag("ssl_certificate_verify"):
            return {"verify": False}
        tls: dict[str, Any] = {}
        if text := entry.text("ssl_ca_file"):
            path = self._beside(text)
            if path.is_file():
                tls["ca_file"] = str(path)
            else:
                why = f"there is no file {path}; the system's authorities are trusted instead"
                self._leave(entry.line("ssl_ca_file"), "ssl_ca_file", why)
        if not entry.flag("ssl_check_hostname"):
            tls["server_name"] = ""
        return tls

    def _beside(self, text: str) -> Path:
        """Where a path of theirs leads: from the folder of the file, `~` being the user's home."""
        return (self._path.parent / Path(text).expanduser()).resolve()

    def _labels(self, entry: _Entry) -> dict[str, str]:
        value = entry.get("custom_labels")
        if value is None or value.is_none:
            return {}
        taken = {label for own in self._known.values() for label in own.labels}
        labels: dict[str, str] = {}
        for pair in value.text.split(","):
            name, mark, text = pair.replace("=", ":", 1).partition(":")
            name, text = name.strip(), text.strip()
            if not mark:
                raise _Wrong(value.line, "custom_labels: must be name:value, with commas between")
            try:
                checked_label(name, text)
            except ValueError as error:
                self._leave(value.line, f"label {name}", str(error))
            else:
                if name in taken:
                    self._leave(value.line, f"label {name}", "metrics of ours bear it; choose another name")
                else:
                    labels[name] = text
        return labels

    def _login(self, entry: _Entry) -> Login:
        path = entry.text("credentials_file")
        if path:
            return self._login_in_file(entry, self._beside(path))
        username, password = entry.text("username"), entry.get("password")
        if not username:
            raise _Wrong(entry.section.line, "has no username")
        if password is None or not password.text:
            raise _Wrong(entry.section.line, "has no password; an account without one cannot be used here")
        return Login(username, password.text)

    def _login_in_file(self, entry: _Entry, path: Path) -> Login:
        line = entry.line("credentials_file")
        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise _Wrong(line, f"credentials_file: cannot read {path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError):
            raise _Wrong(
                line, f"credentials_file: {path} is not YAML"
            ) from None  # its text would be in the cause
        found = given if isinstance(given, Mapping) else {}
        username, password = found.get("username"), found.get("password")
        if not username or not password:
            raise _Wrong(line, f"credentials_file: {path} lacks username or password")
        return Login(str(username), str(password))

    def _choose_module(
        self, router: dict[str, Any], entry: _Entry, modules: dict[str, dict[str, Any]]
    ) -> None:
        """The module with the collectors of `entry`: one that there is already, else a new one."""
        wanted = self._module(entry)
        name = next((name for name, module in modules.items() if module == wanted), None)
        if name is None:
            name = router["name"] if DEFAULT_MODULE in modules else DEFAULT_MODULE
            modules[name] = wanted
        if name != DEFAULT_MODULE:
            router["module"] = name

    def _module(self, entry: _Entry) -> dict[str, Any]:
        on = [flag for flag in flags.COLLECTORS if entry.flag(flag)]
        names = {*flags.ALWAYS, *(name for flag in on for name in flags.COLLECTORS[flag])}
        if any(entry.text(key) for key in flags.LISTS):
            names.add("address_list")
        each = {name for flag in on for name in flags.A_SERIES_EACH.get(flag, ())}
        full = {name for name in each if self._known[name].modes and self._known[name].mode != "full"}
        collectors = {name: {"mode": "full"} if name in full else {} for name in self._known if name in names}
        asked = {"client_names": True} if any(flag in on for flag in flags.NAMES_CLIENTS) else {}
        return {"collectors": collectors, **asked}

    def _put_logins(self, routers: list[dict[str, Any]], logins: list[Login]) -> dict[str, Any]:
        """Passwords into files: one for what most routers share, under `credentials`, and one for each other."""
        most = max(logins, key=logins.count)
        shared: dict[str, Any] = {}
        if logins.count(most) > 1:
            shared = {"credentials": {"username": most.username, **self._secret("shared", most)}}
        for router, login in zip(routers, logins, strict=True):
            if not shared or login != most:
                router |= {"username": login.username, **self._secret(router["name"], login)}
        return shared

    def _secret(self, name: str, login: Login) -> dict[str, str]:
        stem = "".join([c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in name])
        file = next(one for one in _numbered(stem) if one not in self._secrets)
        self._secrets[file] = login.password
        return {"password_file": f"{self._folder}/{file}"}

    def _web(self, main: Path) -> dict[str, Any]:
        sections = read_conf(main)
        if _MAIN not in sections:
            raise ConfigError(str(main), [Problem("", None, f"has no section [{_MAIN}]")])
        web: dict[str, Any] = {}
        for key, value in sections[_MAIN].values.items():
            if key == "listen":
                addresses = value.text.split()
                try:
                    parse_listen(addresses[0] if addresses else "")
                except ValueError as error:
                    raise ConfigError(str(main), [Problem("listen", value.line, str(error))]) from error
                web["web"] = {"listen": addresses[0]}
                for other in addresses[1:]:
                    self._leave(value.line, f"listen {other}", "one address is listened on", main)
            elif key == "socket_timeout" and value.text.isdecimal() and int(value.text) > 0:
                web["pool"] = {"connect_timeout_s": int(value.text)}
            elif why := flags.MAIN_NOT_CARRIED.get(key) or flags.NOT_CARRIED.get(key):
                if not value.is_none and value.text.lower() != "false":
                    self._leave(value.line, key, why, main)
            elif key not in flags.MAIN_NO_MATTER:
                self._leave(value.line, key, "not known", main)
        return web


def _numbered(stem: str) -> Iterator[str]:
    yield f"{stem}.password"
    number = 2
    while True:
        yield f"{stem}-{number}.password"
        number += 1
