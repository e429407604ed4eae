"""The `databases:` list: where each database is, who logs in, and how its file is checked."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails

from exporter.config_probes import ProbeSection
from runtime.sections import SecretSection, Section, Surroundings, fault
from runtime.web import ExistingFile

DatabaseKind = Literal["sqlite", "postgresql", "mysql"]
DEFAULT_PORTS: Mapping[str, int] = {"postgresql": 5432, "mysql": 3306}
MEBIBYTE = 1024 * 1024

_FILE_KEYS = ("path", "backups", "quick_check")
_SERVER_KEYS = (
    "address",
    "port",
    "database",
    "username",
    "password",
    "password_file",
    "password_env",
    "ca_file",
)


class QuickCheckSection(Section):
    """When the structure of a SQLite file is checked, on a private copy."""

    enabled: bool | Literal["auto"] = Field(
        default="auto", description="`auto` checks files up to `limit_bytes`; `true` checks one of any size."
    )
    interval_s: float = Field(
        default=86_400.0, ge=60, le=2_592_000, description="Seconds from one check to the next."
    )
    limit_bytes: int = Field(
        default=256 * MEBIBYTE, ge=0, description="Largest file that `auto` checks, in bytes."
    )
    timeout_s: float = Field(
        default=120.0, gt=0, le=3600, description="Seconds that a check may take, the copy included."
    )


class DatabaseSection(SecretSection, ProbeSection):
    """One database. It is only ever read."""

    secret_required: ClassVar[bool] = False

    kind: DatabaseKind = Field(description="What it is; MariaDB is `mysql`.")
    ttl_s: float = Field(
        default=15.0,
        ge=0,
        le=86_400,
        description="Seconds for which a measurement is served again without a new one.",
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="For `sqlite`: the file, relative to the configuration's folder. It need not be there.",
    )
    backups: str | None = Field(
        default=None,
        min_length=1,
        description="For `sqlite`: pattern of its backups, such as `/backup/billing-*.db.gz`; the newest counts.",
    )
    quick_check: QuickCheckSection = Field(
        default=QuickCheckSection(), description="For `sqlite`: when the file's structure is checked."
    )
    address: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "For servers: host name or IP address, or where the Unix socket is: its folder for `postgresql`, "
            "the socket for `mysql`."
        ),
    )
    port: int | None = Field(
        default=None, ge=1, le=65535, description="For servers: 5432, or 3306 for `mysql`, when left out."
    )
    database: str | None = Field(
        default=None, min_length=1, max_length=64, description="For servers: name of the database there."
    )
    username: str | None = Field(
        default=None,
        min_length=1,
        description="For servers: user that logs in; one that can only read is enough.",
    )
    password: SecretStr | None = Field(default=None, description="The password itself.")
    password_file: str | None = Field(default=None, description="File that holds the password.")
    password_env: str | None = Field(
        default=None, description="Environment variable that holds the password."
    )
    ca_file: ExistingFile | None = Field(
        default=None,
        description=(
            "For servers: PEM file with the authority that signed the server's certificate. With it the "
            "connection is encrypted and the name checked; without, it may be neither."
        ),
    )

    @property
    def effective_port(self) -> int:
        """The port that a server listens on."""
        return self.port or DEFAULT_PORTS.get(self.kind, 0)

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        if given.keys() <= cls.model_fields.keys():  # else the missing key may be the misspelt one
            faults.extend(_kind_faults(given))
        return given | {
            key: str(around.folder / path)
            for key in ("path", "backups")
            if isinstance(path := given.get(key), str) and path
        }


def _kind_faults(given: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """Keys of the other kind, and those that this kind cannot do without."""
    kind = given.get("kind")
    if kind not in ("sqlite", *DEFAULT_PORTS):
        return
    needed: tuple[str, ...] = ("path",) if kind == "sqlite" else ("address", "database", "username")
    others = _SERVER_KEYS if kind == "sqlite" else _FILE_KEYS
    whose = "a server" if kind == "sqlite" else "kind sqlite"
    for key in needed:
        if key not in given:
            yield fault(f"kind {kind} needs {key}")
    for key in others:
        if key in given and not (key == "password" and ("password_file" in given or "password_env" in given)):
            yield fault(f"only for {whose}", key)
