"""The `routers:` list: where each router is, who logs in, and which names and labels it may bear."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import InitErrorDetails

from exporter.config_schema import PoolValues
from routeros.settings import PLAIN_PORT, TLS_PORT, TlsSettings
from runtime.sections import SecretSection, Section, Surroundings, fault
from runtime.tls import check_authorities
from runtime.web import ExistingFile

DEFAULT_MODULE = "default"
_PROMETHEUS_LABELS = ("instance", "job", "le", "quantile")
_OWN_LABELS = ("address", "class", "collector", "menu", "module", "router", "state")
RESERVED_LABELS = tuple(sorted(_PROMETHEUS_LABELS + _OWN_LABELS))
"""Prometheus gives these a meaning, or each router's own series bear them."""

_NAME = re.compile(r"[^\W_](?:[\w.:\- ]*[\w.:\-])?")
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def checked_name(text: str) -> str:
    """A name that is fit to be a label's value. Raises ValueError with what it may be made of."""
    if len(text) > 100 or not _NAME.fullmatch(text):
        raise ValueError(
            "must be made of up to 100 letters, digits, spaces and . _ - : and begin with a letter or digit"
        )
    return text


def checked_address(text: str) -> str:
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
        raise ValueError(f"this label name is reserved ({', '.join(RESERVED_LABELS)} and __*)")
    return text


def _checked_label_value(text: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise ValueError("a label value is up to 200 printable characters")
    return text


def checked_label(name: str, value: str) -> None:
    """Raises ValueError, with what is wrong, unless a router may bear this label."""
    _checked_label_name(name)
    _checked_label_value(value)


def _checked_fingerprint(text: str) -> str:
    """64 lower-case hexadecimal digits; colons and capitals, as openssl prints them, are let in."""
    digits = text.replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(digits):
        raise ValueError("must be 64 hexadecimal digits (SHA-256), with or without colons")
    return digits


class RouterTls(Section):
    """How the router's certificate is checked."""

    ca_file: Annotated[ExistingFile, AfterValidator(check_authorities)] | None = Field(
        default=None,
        description="PEM file with the authority that signed the certificate; the system's when left out.",
    )
    fingerprint_sha256: Annotated[str, AfterValidator(_checked_fingerprint)] | None = Field(
        default=None,
        description="SHA-256 of the certificate in hexadecimal: only that one is accepted, whoever signed it.",
    )
    verify: bool = Field(
        default=True, description="Check the certificate at all. False lets anybody answer for the router."
    )
    server_name: str | None = Field(
        default=None,
        description="Name that the certificate must bear; the address when left out, any name when empty.",
    )

    @property
    def settings(self) -> TlsSettings:
        """The same in the words of `routeros`."""
        return TlsSettings(
            ca_file=str(self.ca_file) if self.ca_file is not None else None,
            fingerprint_sha256=self.fingerprint_sha256,
            verify=self.verify,
            server_name=self.server_name,
        )


def _tls(given: object) -> object:
    """``true`` means TLS with its defaults, ``false`` none; yes and no are understood as for any other switch."""
    word = given.lower() if isinstance(given, str) else given
    if word in (True, "true", "yes", "on"):
        return {}
    if word in (False, "false", "no", "off"):
        return None
    if isinstance(given, Mapping | RouterTls):
        return given
    raise ValueError("must be true, false, or keys with values such as ca_file or fingerprint_sha256")


def _name_may_be_left_out(schema: dict[str, Any]) -> None:
    schema["required"].remove("name")


class EventsSection(Section):
    """Streams of changes that count what a scrape misses, one per menu. Off on boards where they misbehave."""

    interface: bool = Field(default=False, description="Links lost and gained, from `/interface`.")
    ppp: bool = Field(default=False, description="Sessions started and ended, from `/ppp/active`.")
    hotspot: bool = Field(default=False, description="The same of hotspot, from `/ip/hotspot/active`.")
    log: bool = Field(
        default=False, description="Reasons of sessions' ends and logins that failed, from `/log`."
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The menus that are followed."""
        return tuple(name for name in type(self).model_fields if getattr(self, name))


class RouterSection(SecretSection):
    """One router."""

    model_config = ConfigDict(json_schema_extra=_name_may_be_left_out)

    secret_required: ClassVar[bool] = False

    name: Annotated[str, AfterValidator(checked_name)] = Field(
        description="Value of the `router` label; the address when left out."
    )
    address: Annotated[str, AfterValidator(checked_address)] = Field(description="Host name or IP address.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description=f"Port of the API; {PLAIN_PORT}, or {TLS_PORT} with TLS, when left out.",
    )
    tls: Annotated[RouterTls | None, BeforeValidator(_tls, json_schema_input_type=bool | RouterTls)] = Field(
        default=None, description="Speak TLS (api-ssl): `true`, or how to check the certificate."
    )
    username: str | None = Field(
        default=None, min_length=1, description="User on this router; see `credentials`."
    )
    password: SecretStr | None = Field(default=None, description="The password itself.")
    password_file: str | None = Field(default=None, description="File that holds the password.")
    password_env: str | None = Field(
        default=None, description="Environment variable that holds the password."
    )
    labels: dict[
        Annotated[str, AfterValidator(_checked_label_name)],
        Annotated[str, AfterValidator(_checked_label_value)],
    ] = Field(default={}, description="Labels for each of the router's series, such as `site: jkt`.")
    module: str = Field(
        default=DEFAULT_MODULE, description="Module with the collectors that run on this router."
    )
    pool: PoolValues = Field(default=PoolValues(), description="Pool values of this router alone.")
    events: EventsSection = Field(
        default=EventsSection(), description="Changes that are followed between scrapes."
    )

    @property
    def effective_port(self) -> int:
        """The port that is dialled."""
        return self.port or (PLAIN_PORT if self.tls is None else TLS_PORT)

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        if "name" in given:
            return given
        address = given.get("address")
        if isinstance(address, str) and not _NAME.fullmatch(address) and _accepts(checked_address, address):
            faults.append(fault("needs a name, since its address cannot serve as one"))
        usable = isinstance(address, str) and _accepts(checked_name, address)
        return {**given, "name": address if usable else "unnamed"}


def _accepts(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except ValueError:
        return False
    return True
