"""The `store:` section: where what the bridge knows is kept, and for how long."""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from runtime.sections import SecretSection, Section, Surroundings, fault

DEFAULT_PATH = Path("/var/lib/tikwatch/alertbridge.db")
_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


class RetentionSection(Section):
    """For how many days finished rows are kept. What is still under way is never deleted."""

    alerts_d: float = Field(default=30, ge=1, le=3650, description="Days that alerts and notices are kept.")
    messages_d: float = Field(
        default=30, ge=1, le=3650, description="Days that messages with their attempts are kept."
    )
    inbound_d: float = Field(
        default=9,
        ge=8,
        le=3650,
        description="Days for which webhooks of providers are recognised when they come again; Meta repeats for 7.",
    )


class StoreSection(SecretSection):
    """A SQLite file, or a PostgreSQL database that several replicas share."""

    secret_name: ClassVar[str] = "url"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = False

    path: Path = Field(
        default=DEFAULT_PATH,
        description="SQLite file, relative to the configuration's folder; made when missing.",
    )
    url: SecretStr | None = Field(
        default=None, description="PostgreSQL instead: `postgresql://user:password@host/database`."
    )
    url_file: str | None = Field(default=None, description="File that holds the URL.")
    url_env: str | None = Field(default=None, description="Environment variable that holds the URL.")
    busy_timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="Seconds to wait for a lock that somebody else holds."
    )
    statement_timeout_s: float = Field(
        default=30.0, gt=0, le=600, description="For PostgreSQL: longest time for one statement, in seconds."
    )
    connections: int = Field(
        default=5,
        ge=1,
        le=100,
        description=(
            "Connections that read at once; for PostgreSQL, of all kinds, besides one for each of the five periodic "
            "jobs."
        ),
    )
    retention: RetentionSection = Field(
        default=RetentionSection(), description="How long finished rows are kept."
    )

    @property
    def server_url(self) -> URL | None:
        """The PostgreSQL database for SQLAlchemy; None for a SQLite file."""
        if self.url is None:
            return None
        return make_url(self.url.get_secret_value()).set(drivername="postgresql+psycopg")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        if "path" in given and any(key in given for key in ("url", "url_file", "url_env")):
            faults.append(fault("give either path (SQLite) or a url (PostgreSQL), not both"))
        given = super().prepare(given, around, faults)
        url = given.get("url")
        if isinstance(url, str | SecretStr):
            text = url if isinstance(url, str) else url.get_secret_value()
            if complaint := _url_complaint(text):
                place = next((key for key in ("url_file", "url_env") if key in given), "url")
                faults.append(fault(complaint, place))
        if isinstance(path := given.get("path"), str | Path) and str(path):
            return {**given, "path": around.folder / path}
        return given


def _url_complaint(text: str) -> str:
    """What is wrong with a URL, without repeating it; empty when it will do."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return "must be a URL such as postgresql://user:password@host/database"
    if url.drivername not in _SCHEMES:
        return "must begin with postgresql://; for SQLite give path instead"
    return "" if url.database else "must name the database: postgresql://user:password@host/database"
