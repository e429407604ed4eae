"""The store's migrations: Alembic's revisions in `versions/`, run by the program itself, never by hand.

What a revision's file is called tells which there are, so that Alembic is loaded only when there is something to do.
"""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, String, column, inspect, select, table

from alertbridge.store.errors import StoreForeign, StoreTooNew

VERSION_TABLE = "alertbridge_revision"
_FILE = re.compile(r"r(\d{4})_\w+\.py")
_REVISION = column("version_num", String)


@cache
def known() -> tuple[str, ...]:
    """The revisions of this program, the newest last."""
    files = (Path(__file__).parent / "versions").iterdir()
    return tuple(sorted(match[1] for file in files if (match := _FILE.fullmatch(file.name))))


def newest() -> str:
    """The revision that this program's tables are of."""
    return known()[-1]


def found(connection: Connection) -> str | None:
    """The revision that the store is at; None for an empty one.

    Raises StoreTooNew for a revision that this program does not know, StoreForeign for a SQLite file with tables
    that are not a bridge's.
    """
    current: str | None = None
    if inspect(connection).has_table(VERSION_TABLE):
        current = connection.execute(select(_REVISION).select_from(table(VERSION_TABLE))).scalar()
    if current is None:
        _refuse_foreign_file(connection)
        return None
    if current not in known():
        raise StoreTooNew(
            f"the store is at revision {current}, this program knows none after {newest()}: a newer version has "
            "worked with it. Start that version again, or give this one another store."
        )
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

    from alertbridge.store.migrations.running import run  # not above: Alembic takes half a second to load

    run(connection, before, after)
    return before, after
