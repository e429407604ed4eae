"""What recovery may act upon: routers with a user of its own, and the exporter's API."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import InitErrorDetails

from alertbridge.recover.actions.databases_config import DatabaseSection, database_faults
from alertbridge.recover.actions.services_config import ServiceSection, duplicate_names
from routeros.settings import PLAIN_PORT, TLS_PORT, Target, TlsSettings
from runtime.sections import SecretSection, Section, Surroundings
from runtime.tls import check_authorities
from runtime.web import ExistingFile

Name = Annotated[str, Field(min_length=1, max_length=100)]


def _checked_fingerprint(text: str) -> str:
    """Raises ValueError for what is no SHA-256."""
    return TlsSettings(fingerprint_sha256=text).fingerprint_sha256 or ""


class ActionTlsSection(Section):
    """How a router's certificate is checked."""

    ca_file: Annotated[ExistingFile, AfterValidator(check_authorities)] | None = Field(
        default=None,
        description="PEM file with the authority that signed the certificate; the system's when left out.",
    )
    fingerprint_sha256: Annotated[str, AfterValidator(_checked_fingerprint)] | None = Field(
        default=None, description="SHA-256 of the only certificate that is accepted, in hexadecimal."
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
            ca_file=None if self.ca_file is None else str(self.ca_file),
            fingerprint_sha256=self.fingerprint_sha256,
            verify=self.verify,
            server_name=self.server_name,
        )


class ActionRouterSection(SecretSection):
    """A router that may be acted upon, with a user that may write there."""

    name: Name = Field(description="The router's name: the value of the label `router` in alerts.")
    address: Annotated[str, Field(pattern=r"^[^\s/]+$", max_length=253)] = Field(
        description="Host name or IP address."
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description=f"Port of the API; {PLAIN_PORT}, or {TLS_PORT} with TLS, when left out.",
    )
    tls: ActionTlsSection | None = Field(
        default=None,
        description="Speak TLS (api-ssl), and how the certificate is checked; `{}` for defaults.",
    )
    username: Name = Field(description="User for recovery; not the one that the exporter reads with.")
    password: SecretStr | None = Field(default=None, description="The password itself.")
    password_file: str | None = Field(default=None, description="File that holds the password.")
    password_env: str | None = Field(
        default=None, description="Environment variable that holds the password."
    )
    own_interfaces: tuple[str, ...] = Field(
        default=(),
        description="Interfaces over which the bridge reaches this router: never switched off. Asked of the router "
        "when left out.",
    )
    scripts: tuple[str, ...] = Field(
        default=(), description="Names of the scripts on the router that `script_run` may start."
    )
    command_timeout_s: float = Field(
        default=10.0, gt=0, le=120, description="Seconds that one command may take."
    )

    @property
    def target(self) -> Target:
        """Where it is and who logs in."""
        return Target(
            name=self.name,
            address=self.address,
            port=self.port,
            username=self.username,
            password="" if self.password is None else self.password.get_secret_value(),
            tls=None if self.tls is None else self.tls.settings,
        )


class ActionExporterSection(SecretSection):
    """The exporter whose pools may be reset."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key

    url: str = Field(pattern=r"^https?://", description="Base URL, such as http://exporter:9436.")
    timeout_s: float = Field(default=15.0, gt=0, le=120, description="Longest wait for one answer.")
    token: SecretStr | None = Field(default=None, description="One of the tokens of its `web.bearer`.")
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")


class ActionsSection(Section):
    """What recovery may act upon, and with which rights."""

    routers: tuple[ActionRouterSection, ...] = Field(
        default=(), description="Routers that may be acted upon; no other is."
    )
    exporter: ActionExporterSection | None = Field(
        default=None, description="The exporter, for `exporter_pool_reset`."
    )
    services: tuple[ServiceSection, ...] = Field(
        default=(), description="Services that may be restarted, and commands that may be run; no other is."
    )
    databases: tuple[DatabaseSection, ...] = Field(
        default=(), description="Databases that may be acted upon; no other is."
    )
    keep_dir: Path = Field(
        default=Path("/var/lib/tikwatch/kept"),
        description="Where what an action takes away is kept, such as the unsent messages of a queue.",
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        faults.extend(duplicate_names(given, "routers"))
        faults.extend(duplicate_names(given, "services"))
        faults.extend(duplicate_names(given, "databases"))
        faults.extend(database_faults(given))
        return given
