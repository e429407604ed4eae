"""The store's migrations: Alembic's revisions in `versions/`, run by the program itself inside a transaction."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from alertbridge.store.errors import StoreTooNew
from alertbridge.store.schema import metadata


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
    """The revision that the store is at; None for an empty one. Raises StoreTooNew for one not known here."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None:
        try:
            scripts().get_revision(current)
        except CommandError as error:
            raise StoreTooNew(
                f"the store is at revision {current}, this program knows only up to {newest()}: a newer version "
                "has worked with it. Start that version again, or give this one another store."
            ) from error
    return current


def upgrade(connection: Connection) -> tuple[str | None, str]:
    """Brings the store to the newest revision within the transaction that is open on `connection`.

    Returns the revisions before and after. The caller holds whatever lock keeps others from doing the same.
    Raises StoreTooNew.
    """
    before, after = found(connection), newest()
    if before == after:
        return before, after
    context = MigrationContext.configure(
        connection,
        opts={
            "script": scripts(),
            "target_metadata": metadata,
            "fn": lambda revision, _: scripts()._upgrade_revs(after, revision),
        },
    )
    with Operations.context(context):
        context.run_migrations()
    return before, after
