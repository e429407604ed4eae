"""Runs the revisions, with Alembic."""

from pathlib import Path

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from alertbridge.store.migrations import VERSION_TABLE


def scripts() -> ScriptDirectory:
    """The revisions that this program knows."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def run(connection: Connection, before: str | None, after: str) -> None:
    """Brings the store from one revision to another within the transaction that is open on `connection`."""

    def steps(revision: object, _: MigrationContext) -> list[RevisionStep]:
        return list(scripts()._upgrade_revs(after, before or "base"))

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "fn": steps})
    with Operations.context(context):
        context.run_migrations()
