"""The exporter's configuration: frozen models with their defaults; all mistakes are told at once.

`load_config` reads a file. Pool, breaker and retry values that a file leaves out come from the preset, and a
router may set pool values of its own; `exporter.presets` puts them together into the settings of `routeros`.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import InitErrorDetails

from runtime.loading import load
from runtime.logs import LogSection
from runtime.sections import SecretSection, Section, Surroundings, fault
from runtime.web import ExistingFile, WebSection
from runtime.wording import did_you_mean

PLAIN_PORT = 8728
TLS_PORT = 8729
DEFAULT_MODULE = "default"
RESERVED_LABELS = frozenset({"router", "instance", "job"})
MAX_WAIT_S = 3600.0

PresetName = Literal["default", "production", "development"]
ModeName = Literal["off", "aggregate", "top", "full"]
"""What becomes of rows that are one per subscriber; the words of `exporter.cardinality.Mode`."""

_NAME = re.compile(r"[^\W_](?:[\w.:\- ]*[\w.:\-])?")
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")

_Wait = Annotated[float, Field(gt=0, le=MAX_WAIT_S)]


def _checked_name(text: str) -> str:
    if len(text) > 100 or not _NAME.fullmatch(text):
        raise ValueError(
            "must be made of up to 100 letters, digits, spaces and . _ - : and begin with a letter or digit"
        )
    return text


def _checked_address(text: str) -> str:
    """A host name or IP address, IPv6 without brackets. Raises ValueError with what is wrong with it."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    if "://" in text or "/" in text:
        raise ValueError("must be a host name or IP address only, without scheme or path")
    if re.fullmatch(r"[^:]+:\d+", text):
        raise ValueError('must be a host name or IP address only; the port has a key of its own: "port"')
    if len(text) > 253 or not _HOST_NAME.fullmatch(text) or ".." in text:
        raise ValueError("must be a host name or IP address, such as 192.168.88.1")
    if re.fullmatch(r"[\d.]+", text):
        raise ValueError("must be a host name or IP address; an IPv4 address has four numbers up to 255")
    return text


def _checked_label_name(text: str) -> str:
    if not _LABEL_NAME.fullmatch(text):
        raise ValueError("a label name is made of letters, digits and _ and does not begin with a digit")
    if text in RESERVED_LABELS or text.startswith("__"):
        raise ValueError(f"this label name is reserved ({', '.join(sorted(RESERVED_LABELS))} and __*)")
    return text


def _checked_label_value(text: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise ValueError("a label value is up to 200 printable characters")
    return text


def _checked_fingerprint(text: str) -> str:
    """64 lower-case hexadecimal digits; colons and capitals, as openssl prints them, are let in."""
    digits = text.replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(digits):
        raise ValueError("must be 64 hexadecimal digits (SHA-256), with or without colons")
    return digits


class ExporterWebSection(WebSection):
    """Where the exporter listens and whom it answers."""

    max_concurrent_scrapes: int = Field(
        8, ge=1, le=1000, description="Scrapes served at the same time; one more is answered with 503."
    )
    gzip: bool = Field(True, description="Compress answers for clients that can read them compressed.")


class Credentials(SecretSection):
    """User for every router that names none of its own. The password is given inline, as a file or as a variable."""

    username: str = Field(min_length=1, description="User on the router; a read-only one is enough.")
    password: SecretStr | None = Field(None, description="The password itself.")
    password_file: str | None = Field(
        None, description="File that holds the password, relative to the configuration's folder."
    )
    password_env: str | None = Field(None, description="Environment variable that holds the password.")


class PoolValues(Section):
    """Connections to one router. A value that is left out comes from the preset."""

    min_size: int | None = Field(None, ge=0, le=100, description="Connections kept open.")
    max_size: int | None = Field(None, ge=1, le=100, description="Connections that may be open at once.")
    acquire_timeout_s: _Wait | None = Field(
        None, description="Seconds that a command waits for a place on a connection."
    )
    idle_timeout_s: _Wait | None = Field(
        None, description="Seconds after which a connection beyond min_size that nobody used is closed."
    )
    health_check_interval_s: _Wait | None = Field(
        None, description="Seconds without traffic after which a connection is checked before it is used."
    )
    grow_after_s: _Wait | None = Field(
        None, description="Seconds that commands may queue before another connection is opened."
    )
    connect_timeout_s: _Wait | None = Field(None, description="Seconds that connecting and login may take.")
    command_timeout_s: _Wait | None = Field(None, description="Seconds that one command may take.")
    max_in_flight: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Commands that a router works on at once; left out, the exporter finds the best number itself.",
    )


class PoolSection(PoolValues):
    """Connections to each router. The preset gives the values that are left out, breaker and retry included."""

    preset: PresetName = Field("default", description="Set of values to start from.")


class BreakerSection(Section):
    """When a router that keeps failing is left alone. A value that is left out comes from the preset."""

    failure_limit: int | None = Field(
        None, ge=1, le=1000, description="Failures in a row after which the router is left alone."
    )
    cooldown_s: _Wait | None = Field(None, description="Seconds until it is tried again, once.")
    max_cooldown_s: _Wait | None = Field(
        None, description="Seconds that the pause may grow to; it doubles with each try that fails."
    )


class RetrySection(Section):
    """How reads and connects are tried again. A value that is left out comes from the preset."""

    attempts: int | None = Field(None, ge=1, le=20, description="Tries in all, the first one included.")
    min_wait_s: _Wait | None = Field(
        None, description="Seconds before the second try; doubled for each one after."
    )
    max_wait_s: _Wait | None = Field(None, description="Seconds that a pause between tries may grow to.")


class CacheSection(Section):
    """How long results are kept."""

    max_stale_s: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="Seconds that the last good result is served while a router fails; 0 serves none.",
    )


class ScrapeSection(Section):
    """How long a scrape may take."""

    deadline_margin_s: float = Field(
        0.5,
        ge=0,
        le=60,
        description="Seconds before Prometheus's own deadline at which what is ready is sent.",
    )
    default_deadline_s: _Wait = Field(
        10.0, description="Seconds that a scrape may take when the client does not say how long it waits."
    )


class CollectorSection(Section):
    """Settings of one collector. A value that is left out is the collector's own."""

    ttl_s: float | None = Field(
        None,
        ge=0,
        le=86_400,
        description="Seconds for which a result is served again without asking the router.",
    )
    mode: ModeName | None = Field(
        None,
        description=(
            "Series per subscriber: none (off), only sums (aggregate), the busiest and the rest as one (top), "
            "or all (full)."
        ),
    )
    limit: int | None = Field(
        None, ge=0, le=1_000_000, description="Subscribers with series of their own, at most."
    )
    top: int | None = Field(None, ge=1, le=100_000, description="Subscribers shown in mode top.")


@dataclass(frozen=True, slots=True)
class CollectorDefaults:
    """What the configuration must know of a collector: its own settings and the modes it understands.

    A collector without `modes` has no rows per subscriber, and takes neither `mode` nor `limit` nor `top`.
    """

    ttl_s: float
    modes: tuple[ModeName, ...] = ()
    mode: ModeName = "full"
    limit: int = 5000
    top: int = 20
    on_by_default: bool = True


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """What a collector works with in one module, all values settled."""

    ttl_s: float
    mode: ModeName
    limit: int
    top: int


def _by_name(given: object) -> object:
    """Collectors as a mapping: a list of names means each with its own settings."""
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        return {name: {} for name in given}
    if isinstance(given, Mapping):
        return {name: {} if settings is None else settings for name, settings in given.items()}
    return given


class ModuleSection(Section):
    """Which collectors run, and how."""

    collectors: Annotated[dict[str, CollectorSection] | None, BeforeValidator(_by_name)] = Field(
        None,
        description="Names of collectors, as a list or with settings under each; left out: the usual ones.",
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        known = around.extras.get("collectors")
        chosen = _by_name(given.get("collectors"))
        if isinstance(known, Mapping) and isinstance(chosen, Mapping):
            for name, settings in chosen.items():
                faults.extend(_collector_faults(name, settings, known))
        return given


def _collector_faults(
    name: str, settings: object, known: Mapping[str, CollectorDefaults]
) -> Iterator[InitErrorDetails]:
    if name not in known:
        yield fault(f'there is no collector "{name}"{did_you_mean(name, known)}', "collectors", name)
        return
    values = settings.model_dump() if isinstance(settings, CollectorSection) else settings
    given = {k: v for k, v in values.items() if v is not None} if isinstance(values, Mapping) else {}
    modes = known[name].modes
    if not modes:
        for key in ("mode", "limit", "top"):
            if key in given:
                yield fault(
                    "does not apply: this collector has no rows per subscriber", "collectors", name, key
                )
    elif (
        given.get("mode", modes[0]) in ("off", "aggregate", "top", "full")
        and given.get("mode", modes[0]) not in modes
    ):
        yield fault(f"this collector knows only {', '.join(modes)}", "collectors", name, "mode")


class RouterTls(Section):
    """How the router's certificate is checked."""

    ca_file: ExistingFile | None = Field(
        None,
        description="PEM file with the authority that signed the certificate; the system's authorities without.",
    )
    fingerprint_sha256: Annotated[str, AfterValidator(_checked_fingerprint)] | None = Field(
        None, description="SHA-256 of the certificate in hexadecimal; only this certificate is accepted."
    )
    verify: bool = Field(
        True, description="Check the certificate at all. False lets anybody answer for the router."
    )
    server_name: str | None = Field(
        None, min_length=1, description="Name that the certificate must bear, when it is not the address."
    )


def _tls(given: object) -> object:
    """``true`` means TLS with its defaults, ``false`` none."""
    return {} if given is True else None if given is False else given


class RouterSection(SecretSection):
    """One router."""

    secret_required = False

    name: Annotated[str, AfterValidator(_checked_name)] = Field(
        description="Value of the `router` label; the address when left out."
    )
    address: Annotated[str, AfterValidator(_checked_address)] = Field(description="Host name or IP address.")
    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description=f"Port of the API; {PLAIN_PORT}, or {TLS_PORT} with TLS, when left out.",
    )
    tls: Annotated[RouterTls | None, BeforeValidator(_tls)] = Field(
        None, description="Speak TLS (api-ssl): `true`, or how to check the certificate."
    )
    username: str | None = Field(None, min_length=1, description="User on this router; see `credentials`.")
    password: SecretStr | None = Field(None, description="The password itself.")
    password_file: str | None = Field(None, description="File that holds the password.")
    password_env: str | None = Field(None, description="Environment variable that holds the password.")
    labels: dict[
        Annotated[str, AfterValidator(_checked_label_name)],
        Annotated[str, AfterValidator(_checked_label_value)],
    ] = Field({}, description="Labels for each of the router's series, such as `site: jkt`.")
    module: str = Field(DEFAULT_MODULE, description="Module with the collectors that run on this router.")
    pool: PoolValues = Field(PoolValues(), description="Pool values of this router alone.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        if "name" in given:
            return given
        address = given.get("address")
        if isinstance(address, str) and not _NAME.fullmatch(address) and _accepts(_checked_address, address):
            faults.append(fault("needs a name, since its address cannot serve as one"))
        usable = isinstance(address, str) and _accepts(_checked_name, address)
        return {**given, "name": address if usable else "unnamed"}

    @property
    def effective_port(self) -> int:
        """`port`, or the usual one."""
        return self.port or (TLS_PORT if self.tls else PLAIN_PORT)


def _accepts(check: Any, text: str) -> bool:
    try:
        check(text)
    except ValueError:
        return False
    return True


class Config(Section):
    """Configuration of the exporter."""

    web: ExporterWebSection = Field(ExporterWebSection(), description="Where to listen and whom to answer.")
    credentials: Credentials | None = Field(
        None, description="User for every router that names none of its own."
    )
    pool: PoolSection = Field(PoolSection(), description="Connections to each router.")
    breaker: BreakerSection = Field(BreakerSection(), description="When a failing router is left alone.")
    retry: RetrySection = Field(RetrySection(), description="How reads and connects are tried again.")
    cache: CacheSection = Field(CacheSection(), description="How long results are kept.")
    scrape: ScrapeSection = Field(ScrapeSection(), description="How long a scrape may take.")
    log: LogSection = Field(LogSection(), description="What is logged, and how.")
    modules: dict[str, ModuleSection] = Field(
        {}, description=f'Sets of collectors by name; "{DEFAULT_MODULE}" is for routers that name none.'
    )
    routers: tuple[RouterSection, ...] = Field(description="The routers to watch.")

    def router(self, name: str) -> RouterSection | None:
        """The router of that name."""
        return next((router for router in self.routers if router.name == name), None)

    @property
    def module_names(self) -> tuple[str, ...]:
        """Every module that a router or a probe may name; the default one is always there."""
        return tuple(dict.fromkeys([DEFAULT_MODULE, *self.modules]))

    def collectors(self, module: str, known: Mapping[str, CollectorDefaults]) -> dict[str, CollectorSettings]:
        """The collectors of `module` in the order of `known`, with settled settings. Raises KeyError for no module."""
        if module not in self.module_names:
            raise KeyError(module)
        section = self.modules.get(module, ModuleSection())
        chosen = section.collectors
        if chosen is None:
            chosen = {name: CollectorSection() for name, own in known.items() if own.on_by_default}
        return {name: _settled(chosen[name], own) for name, own in known.items() if name in chosen}


def _settled(given: CollectorSection, own: CollectorDefaults) -> CollectorSettings:
    return CollectorSettings(
        ttl_s=own.ttl_s if given.ttl_s is None else given.ttl_s,
        mode=given.mode or own.mode,
        limit=own.limit if given.limit is None else given.limit,
        top=given.top or own.top,
    )


def load_config(
    path: Path,
    *,
    collectors: Mapping[str, CollectorDefaults] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """The configuration in the file `path`.

    With `collectors`, names and modes in `modules` are checked against them. `environment` stands for the
    process's own. Raises runtime.loading.ConfigError with every mistake in the file.
    """
    extras = MappingProxyType({} if collectors is None else {"collectors": collectors})
    return load(path, Config, environment=environment, extras=extras)
