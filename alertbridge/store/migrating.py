"""Brings the store to the newest revision when it is opened: one at a time, and wholly or not at all."""

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alertbridge.store import migrations
from alertbridge.store.config import StoreSection
from alertbridge.store.engines import postgresql_engine, sqlite_engine
from alertbridge.store.errors import StoreError, StoreOutdated

Revisions = tuple[str | None, str]

_ALONE_AND_UNHURRIED = (
    text("SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)"),
    text(
        "SELECT pg_advisory_xact_lock("
        "hashtextextended('tikwatch alertbridge migration ' || current_schema(), 0))"
    ),
)


async def migrate(section: StoreSection) -> Revisions:
    """Migrates within one transaction; returns the revisions before and after.

    Replicas that start together wait for the first of them, and then find nothing to do. Raises StoreTooNew,
    StoreForeign and drivers' errors.
    """
    engine = _engine(section)
    try:
        async with engine.begin() as connection:
            if section.url is None:
                return await connection.run_sync(_migrate_sqlite)
            for statement in _ALONE_AND_UNHURRIED:
                await connection.execute(statement)
            return await connection.run_sync(migrations.upgrade)
    finally:
        await engine.dispose()


def _engine(section: StoreSection) -> AsyncEngine:
    url = section.server_url
    if url is None:
        return sqlite_engine(
            section.path,
            busy_timeout_s=section.busy_timeout_s,
            connections=1,
            writes=True,
            foreign_keys=False,
        )
    return postgresql_engine(
        url,
        lock_timeout_s=section.busy_timeout_s,
        statement_timeout_s=section.statement_timeout_s,
        connections=1,
    )


def _migrate_sqlite(connection: Connection) -> Revisions:
    revisions = migrations.upgrade(connection)
    before, after = revisions
    if before != after and (dangling := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
        raise StoreError(
            f"the migration to {after} would leave {len(dangling)} rows without what they refer to"
        )
    return revisions


def require_newest(connection: Connection) -> None:
    """Raises StoreOutdated when a migration is due, StoreTooNew, StoreForeign."""
    revision = migrations.found(connection)
    if revision != migrations.newest():
        raise StoreOutdated(
            f"the store is at revision {revision or 'none'}, this program needs {migrations.newest()}: "
            "start the bridge or run `tikwatch-alertbridge migrate` first"
        )
