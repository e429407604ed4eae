"""The databases that recovery may act upon, and what it may do there."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails

from runtime.sections import SecretSection, Section, Surroundings, fault

DatabaseName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
_PLACES = ("host", "port", "dbname")


class LockHolderSection(Section):
    """A process that may be ended when it holds a lock and does not let go."""

    process: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="The process's name, such as `node`: what `ps -o comm` shows."
    )
    user: str | int = Field(description="Who it must run as, a name or a number.")


class BackupSection(Section):
    """Where copies go, and how many are kept."""

    folder: Path = Field(description="Folder for the copies; best on another disk. Made when missing.")
    keep: int = Field(default=7, ge=1, le=1000, description="Copies that are kept; the oldest go first.")


class SqliteDatabaseSection(Section):
    """A SQLite file."""

    kind: Literal["sqlite"] = Field(description="A SQLite file.")
    name: DatabaseName = Field(description="The name that rules use; copies are called after it.")
    path: Path = Field(description="The file.")
    service: str | None = Field(
        default=None,
        description="The entry under `actions.services` that uses it: stopped before a restore, started after.",
    )
    busy_timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="Seconds to wait for a lock that somebody else holds."
    )
    timeout_s: float = Field(
        default=300.0, gt=0, le=7200, description="Seconds that a check, a copy or a restore may take."
    )
    lock_holders: tuple[LockHolderSection, ...] = Field(
        default=(), description="Processes that `sqlite_end_lock_holder` may end; no other is."
    )
    backup: BackupSection | None = Field(
        default=None, description="Copies, for `sqlite_backup` and `sqlite_restore`."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        if isinstance(path := given.get("path"), str | Path) and str(path):
            given = {**given, "path": around.folder / path}
        backup = given.get("backup")
        if isinstance(backup, Mapping) and isinstance(folder := backup.get("folder"), str | Path):
            given = {**given, "backup": {**backup, "folder": around.folder / folder}}
        return given


class PostgresqlDatabaseSection(SecretSection):
    """A PostgreSQL database; its role may see and end other sessions (`pg_read_all_stats`, `pg_signal_backend`)."""

    secret_name: ClassVar[str] = "url"  # noqa: S105  the name of a key

    kind: Literal["postgresql"] = Field(description="A PostgreSQL database.")
    name: DatabaseName = Field(description="The name that rules use.")
    url: SecretStr | None = Field(default=None, description="`postgresql://user:password@host/database`.")
    url_file: str | None = Field(default=None, description="File that holds the URL.")
    url_env: str | None = Field(default=None, description="Environment variable that holds the URL.")
    timeout_s: float = Field(
        default=10.0, gt=0, le=120, description="Seconds that connecting, and each query, may take."
    )
    roles: tuple[str, ...] = Field(
        default=(), description="Roles whose sessions may be ended; when left out, every ordinary role's."
    )
    allow_superusers: bool = Field(
        default=False, description="Sessions of superusers and of replication roles may be ended as well."
    )

    @property
    def conninfo(self) -> str:
        """What to connect with. Holds the password."""
        return "" if self.url is None else self.url.get_secret_value()

    @property
    def place(self) -> str:
        """Host, port and database, without who logs in."""
        known = conninfo_to_dict(self.conninfo)
        return "/".join(str(known.get(key) or "") for key in _PLACES)

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        url = given.get("url")
        if isinstance(url, str | SecretStr):
            text = url if isinstance(url, str) else url.get_secret_value()
            if complaint := _url_complaint(text):
                place = next((key for key in ("url_file", "url_env") if key in given), "url")
                faults.append(fault(complaint, place))
        return given


DatabaseSection = Annotated[SqliteDatabaseSection | PostgresqlDatabaseSection, Field(discriminator="kind")]


def _url_complaint(text: str) -> str:
    """What is wrong with a URL, without repeating it."""
    if not text.startswith(("postgresql://", "postgres://")):
        return "must begin with postgresql://"
    try:
        known = conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        return "must be a URL such as postgresql://user:password@host/database"
    return "" if known.get("dbname") else "must name the database: postgresql://user:password@host/database"


def database_faults(given: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """Databases that are started and stopped with a service that is not listed. `given` is the whole section."""
    services = {entry.get("name") for entry in _entries(given, "services")}
    for index, entry in enumerate(_entries(given, "databases")):
        service = entry.get("service")
        if isinstance(service, str) and service not in services:
            yield fault(
                f"there is no service {service!r} under actions.services", "databases", index, "service"
            )


def _entries(given: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    entries = given.get(key)
    if not isinstance(entries, list | tuple):
        return []
    return [entry if isinstance(entry, Mapping) else {} for entry in entries]
