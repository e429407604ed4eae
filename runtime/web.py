"""The `web:` section that every service of ours shares: where it listens and whom it answers."""

import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails

from runtime.sections import SecretSection, Section, Surroundings, fault
from runtime.tls import server_context

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # token68 of RFC 7235: what an Authorization header can carry


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen. `host` None means every interface, `port` 0 any free port."""

    host: str | None
    port: int

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can connect."""
        if self.host is None:
            return False
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def __str__(self) -> str:
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """``host:port``, ``[::1]:9436`` or ``:9436``. Raises ValueError with what is allowed."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port[:9]) > 65535:
        raise ValueError('must be HOST:PORT with a port up to 65535, such as "127.0.0.1:9436" or ":9436"')
    if host.startswith("[") and host.endswith("]"):
        try:
            return ListenAddress(str(ipaddress.IPv6Address(host[1:-1])), int(port))
        except ValueError as error:
            raise ValueError(
                'must hold an IPv6 address between the brackets, such as "[::1]:9436"'
            ) from error
    if ":" in host:
        raise ValueError('must have an IPv6 address in brackets, such as "[::1]:9436"')
    if host and not _HOST.fullmatch(host):
        raise ValueError('must begin with an address or a host name, such as "127.0.0.1:9436"')
    return ListenAddress(host or None, int(port))


def _checked_listen(given: object) -> object:
    if isinstance(given, str | int) and not isinstance(given, bool):
        parse_listen(str(given))  # a port alone is a number to YAML, and deserves the same answer
    return given


def _existing_file(path: Path, info: ValidationInfo) -> Path:
    """`path` counted from the configuration's folder. Raises ValueError when there is no such file."""
    full = Surroundings.of(info).folder / path
    try:
        if full.is_file():
            return full
    except (OSError, ValueError) as error:
        raise ValueError("is not a path that can be used") from error
    raise ValueError(f"{'is a folder, not a file' if full.is_dir() else 'no such file'}: {full}")


ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
"""A file that must be there when the configuration is loaded, relative to the configuration's folder."""


class ServerTls(Section):
    """Certificate of the service itself."""

    cert_file: ExistingFile = Field(description="PEM file with the certificate and its chain.")
    key_file: ExistingFile = Field(description="PEM file with the private key, without a passphrase.")
    client_ca_file: ExistingFile | None = Field(
        default=None,
        description="PEM file with authorities; a client must then show a certificate signed by one.",
    )

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self.context()
        return self

    def context(self) -> ssl.SSLContext:
        """What serves HTTPS. Raises CertificateUnusable, when the files have changed since they were loaded."""
        return server_context(self.cert_file, self.key_file, self.client_ca_file)


def _user_name(text: str) -> str:
    if ":" in text or not text.isprintable():
        # what stands behind a colon may be the password, so the value is not told
        raise ValueError("a colon or control character cannot be part of a user's name")
    return text


class BasicUser(SecretSection):
    """A user who may log in with name and password."""

    username: Annotated[str, AfterValidator(_user_name)] = Field(
        min_length=1, description="Name of the user, without a colon."
    )
    password: SecretStr | None = Field(default=None, min_length=1, description="The password itself.")
    password_file: str | None = Field(default=None, description="File that holds the password.")
    password_env: str | None = Field(
        default=None, description="Environment variable that holds the password."
    )


class BearerToken(SecretSection):
    """A token that lets a program in (`Authorization: Bearer ...`)."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key

    name: str = Field(min_length=1, max_length=100, description="Whose token it is, as the log tells it.")
    token: SecretStr | None = Field(
        default=None, min_length=8, description="The token itself, at least 8 characters."
    )
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        token = given.get("token")
        text = token.get_secret_value() if isinstance(token, SecretStr) else token
        if isinstance(text, str) and text and not _TOKEN.fullmatch(text):
            faults.append(fault("must hold only letters, digits and . _ ~ + / - (and = at its end)", "token"))
        return given


class RateLimit(Section):
    """How often one client address may ask."""

    requests_per_s: float = Field(
        default=10.0,
        gt=0,
        le=100_000,
        description="Requests per second that one address may make in the long run.",
    )
    burst: int = Field(
        default=20, ge=1, le=100_000, description="Requests that one address may make at once."
    )


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        try:
            loose = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError("must be an address or a network, such as 10.0.0.0/8 or fd00::/8") from error
        raise ValueError(f"must be a network without host bits, such as {loose}") from error
    return text


class WebSection(Section):
    """Where the service listens and whom it answers."""

    listen: Annotated[str, BeforeValidator(_checked_listen)] = Field(
        default="127.0.0.1:9436",
        description='Address and port to listen on; ":9436" means every interface, port 0 any free one.',
    )
    tls: ServerTls | None = Field(
        default=None, description="Serve HTTPS with this certificate; plain HTTP without."
    )
    basic_auth: tuple[BasicUser, ...] = Field(
        default=(), description="Users who may log in; with none and no bearer token everyone may read."
    )
    bearer: tuple[BearerToken, ...] = Field(
        default=(), description="Tokens for programs; some API calls want one."
    )
    allow: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(), description="Networks (CIDR) that may connect; empty lets every address in."
    )
    rate_limit: RateLimit | None = Field(
        default=None, description="Limit per client address; no limit without."
    )
    max_body_bytes: int = Field(
        default=64 * 1024, ge=1024, le=1 << 30, description="Longest request body that is read, in bytes."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        for key, name in (("basic_auth", "username"), ("bearer", "name")):
            report_duplicates(given.get(key), name, faults, key)
        return given

    @property
    def address(self) -> ListenAddress:
        return parse_listen(self.listen)

    @property
    def networks(self) -> tuple[IpNetwork, ...]:
        """`allow`, parsed."""
        return tuple(ipaddress.ip_network(text) for text in self.allow)


def report_duplicates(entries: object, key: str, faults: list[InitErrorDetails], *place: str | int) -> None:
    """Adds a fault for each entry of the list `entries` whose text under `key` an earlier one has already."""
    seen: dict[str, int] = {}
    if not isinstance(entries, list | tuple):
        return
    for index, entry in enumerate(entries):
        value = entry.get(key) if isinstance(entry, Mapping) else getattr(entry, key, None)
        if isinstance(value, str) and seen.setdefault(value, index) != index:
            faults.append(fault(f"{place[-1]}[{seen[value]}] has this {key} already", *place, index, key))
