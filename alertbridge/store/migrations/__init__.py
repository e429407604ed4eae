"""The store's migrations: Alembic's revisions in `versions/`, run by the program itself, never by hand."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, inspect

from alertbridge.store.errors import StoreForeign, StoreTooNew

VERSION_TABLE = "alertbridge_revision"


@cache
def scripts() -> ScriptDirectory:
    """The revisions that this program knows."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def newest() -> str:
    """The revision that this program's tables are of."""
    (head,) = scripts().get_heads()
    return head


def found(connection: Connection) -> str | None:
    """The revision that the store is at; None for an empty one.

    Raises StoreTooNew for a revision that this program does not know, StoreForeign for a SQLite file with tables
    that are not a bridge's.
    """
    current = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()
    if current is None:
        _refuse_foreign_file(connection)
        return None
    try:
        scripts().get_revision(current)
    except CommandError as error:
        raise StoreTooNew(
            f"the store is at revision {current}, this program knows none after {newest()}: a newer version has "
            "worked with it. Start that version again, or give this one another store."
        ) from error
    return current


def _refuse_foreign_file(connection: Connection) -> None:
    """A PostgreSQL schema may be shared with others; a file of ours has our tables alone."""
    if connection.dialect.name != "sqlite":
        return
    if tables := inspect(connection).get_table_names():
        raise StoreForeign(
            f"the file is another program's: it has the table {tables[0]} and no {VERSION_TABLE}. "
            "Give the bridge a path of its own."
        )


def upgrade(connection: Connection) -> tuple[str | None, str]:
    """Brings the store to the newest revision within the transaction that is open on `connection`.

    Returns the revisions before and after. The caller holds whatever lock keeps others from doing the same.
    Raises StoreTooNew, StoreForeign.
    """
    before, after = found(connection), newest()
    if before == after:
        return before, after

    def steps(revision: object, _: MigrationContext) -> list[RevisionStep]:
        return list(scripts()._upgrade_revs(after, before or "base"))

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "fn": steps})
    with Operations.context(context):
        context.run_migrations()
    return before, after
