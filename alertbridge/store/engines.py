"""SQLAlchemy's engines for the two kinds of store, set up so that a commit that returned is on the disk."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from alertbridge.store.checkpoints import LAST_RESORT_PAGES
from alertbridge.store.leancursor import connecting

to_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))

_OPTIONS = {"preserve_rowcount": True}
"""Else PostgreSQL tells -1 rows for an INSERT that did nothing because of a conflict."""

CONNECT_WITHIN_S = 5
_DEAD_PEER = {
    # A server that vanished without a word is noticed within 15 s, by a sender and by one who waits.
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def sqlite_engine(
    path: Path, *, busy_timeout_s: float, connections: int, writes: bool, foreign_keys: bool = True
) -> AsyncEngine:
    """Connections to a file whose transactions begin explicitly.

    Those that write hold the write lock from their first moment (BEGIN IMMEDIATE), so none of them fails
    in its middle because another one wrote; those that read see one state of the file and can change nothing.
    Migrations do without `foreign_keys`, since SQLite changes a table by making it anew.
    """
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        connect_args={"async_creator_fn": connecting, "isolation_level": None, "timeout": busy_timeout_s},
        json_serializer=to_json,
        execution_options=_OPTIONS,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=busy_timeout_s,
        pool_reset_on_return=None,  # Database ends every transaction itself
    )
    pragmas = ["journal_mode=WAL", "synchronous=FULL", f"foreign_keys={foreign_keys:d}", "temp_store=MEMORY"]
    pragmas.append(f"wal_autocheckpoint={LAST_RESORT_PAGES}")
    if not writes:
        pragmas = ["query_only=ON"]
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_explicitly(connection: Connection) -> None:
        """Not past SQLAlchemy: who is cancelled here may have begun all the same, so that it drops the connection."""
        connection.exec_driver_sql(begin)

    return engine


def postgresql_engine(
    url: URL, *, lock_timeout_s: float, statement_timeout_s: float, connections: int | None
) -> AsyncEngine:
    """Connections to a server that wait for nothing without an end; `connections` of None: a new one each time."""
    pool: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "pool_timeout": lock_timeout_s}
    settings = {
        "lock_timeout": f"{lock_timeout_s * 1000:.0f}",
        "statement_timeout": f"{statement_timeout_s * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{statement_timeout_s * 1000:.0f}",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given: dict[str, Any] = dict(url.query)
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_WITHIN_S,
        "application_name": "tikwatch-alertbridge",
        **_DEAD_PEER,
        **given,
        "options": f"{given.get('options', '')} {options}".strip(),
    }
    engine = create_async_engine(
        url.set(query={}),
        connect_args=arguments,
        json_serializer=to_json,
        execution_options=_OPTIONS,
        **(pool if connections is not None else {"poolclass": NullPool}),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def insist_on_durable_commits(connection: DBAPIConnection, _: object) -> None:
        """A server or role set to commit without waiting for its disk does not decide that for us."""
        cursor = connection.cursor()
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )
        cursor.close()
        connection.commit()

    return engine
