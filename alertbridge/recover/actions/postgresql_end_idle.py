"""Ends sessions of PostgreSQL that have sat in an open transaction for too long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

import psycopg
from psycopg.rows import class_row
from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Fact, Stage, Verdict
from alertbridge.recover.actions.databases_listed import DatabaseSettings
from alertbridge.recover.actions.resources import Resources

_SHOWN = 10

_MAY_BE_ENDED = """
  a.datname = current_database()
  AND a.pid <> pg_backend_pid()
  AND (%(any_role)s OR a.usename::text = ANY(%(roles)s))
  AND (%(superusers)s OR NOT (r.rolsuper OR r.rolreplication))
"""
_IDLE = f"""
SELECT a.pid, a.backend_start, a.usename::text AS role, coalesce(a.application_name, '') AS application,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS idle_s
FROM pg_stat_activity AS a
JOIN pg_roles AS r ON r.oid = a.usesysid
WHERE {_MAY_BE_ENDED}
  AND a.backend_type = 'client backend'
  AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')
  AND a.state_change < clock_timestamp() - make_interval(secs => %(idle_s)s)
ORDER BY a.state_change
"""  # noqa: S608  both texts are ours
_HIDDEN = f"""
SELECT count(*) FROM pg_stat_activity AS a JOIN pg_roles AS r ON r.oid = a.usesysid
WHERE {_MAY_BE_ENDED} AND a.query = '<insufficient privilege>'
"""  # noqa: S608  both texts are ours
_END = f"""
SELECT pg_terminate_backend(pid) FROM ({_IDLE}) AS idle WHERE pid = %(pid)s AND backend_start = %(began)s
"""  # noqa: S608  both texts are ours

Connection = psycopg.AsyncConnection[tuple[object, ...]]
T = TypeVar("T")


class _Hidden(Exception):
    """What sessions of others do is not shown to our role."""


class PostgresqlEndIdleSettings(DatabaseSettings):
    """Parameters of `postgresql_end_idle`."""

    idle_s: float = Field(
        default=600.0,
        ge=1,
        description="Seconds without a word inside a transaction, above which it is ended.",
    )
    at_most: int = Field(default=20, ge=1, le=1000, description="Sessions that one run may end.")


@dataclass(frozen=True, slots=True)
class IdleSession:
    """A session that sits in a transaction. `backend_start` tells it from a later one of the same number."""

    pid: int
    backend_start: datetime
    role: str
    application: str
    idle_s: float


class PostgresqlEndIdle:
    """Never our own session; never one of a superuser or of replication, unless the entry allows it."""

    name = "postgresql_end_idle"
    repeatable: ClassVar[bool] = True  # each is looked at again in the statement that ends it
    about: ClassVar[About] = About(
        changes="`pg_terminate_backend` of sessions that are `idle in transaction` for longer than `idle_s`, in this "
        "database, of the roles that the entry allows. The server rolls back what they had not committed.",
        verified="`pg_stat_activity` has none of them any more.",
        undone="Not at all; their programs connect again.",
        ask_only=True,
    )

    def __init__(self, settings: PostgresqlEndIdleSettings, resources: Resources) -> None:
        self._section = resources.databases.postgresql(settings.database)
        self._settings = settings
        self._kept, self._run_id = resources.recollections, resources.run_id
        self._ended: tuple[IdleSession, ...] | None = None

    def __repr__(self) -> str:
        return f"<PostgresqlEndIdle {self.target}>"

    @property
    def target(self) -> str:
        return f"postgresql:{self._section.place}"

    async def before(self) -> Evidence:
        found = await self._asked(Stage.PRECHECK, self._find)
        if not found:
            detail = f"no session that may be ended is idle in a transaction for {self._settings.idle_s:g} s"
            raise ActionFailed(Stage.PRECHECK, "none_idle", detail, changed=False)
        return Evidence(_told(found))

    async def run(self) -> Done:
        ended = await self._asked(Stage.RUN, self._end)
        return Done(bool(ended), Evidence(_told(ended)))

    async def verify(self) -> Verdict:
        try:
            left = await self._asked(Stage.RUN, self._left)
        except ActionFailed:
            return Verdict.UNKNOWN
        return Verdict.FAILS if left else Verdict.HOLDS

    async def undo(self) -> Done:
        detail = f"{self.name} cannot be taken back"
        raise ActionFailed(Stage.UNDO, "not_undoable", detail, changed=False)

    async def _find(self, connection: Connection) -> Sequence[IdleSession]:
        """Those that may be ended now, the longest idle first."""
        row = await (await connection.execute(_HIDDEN, self._filter)).fetchone()
        if row is not None and row[0]:  # what cannot be seen must not count as well
            raise _Hidden
        async with connection.cursor(row_factory=class_row(IdleSession)) as cursor:
            await cursor.execute(
                f"{_IDLE} LIMIT %(limit)s", {**self._filter, "limit": self._settings.at_most}
            )
            return await cursor.fetchall()

    async def _end(self, connection: Connection) -> Sequence[IdleSession]:
        """Those that were ended. One that has moved since it was found is left alone."""
        ended: list[IdleSession] = []
        self._ended = ()
        self._kept.keep(self._run_id, self.target)
        for one in await self._find(connection):
            identity = {"pid": one.pid, "began": one.backend_start}
            row = await (await connection.execute(_END, {**self._filter, **identity})).fetchone()
            if row is not None and row[0]:
                ended.append(one)
                self._ended = tuple(ended)
                names = tuple(_named(each.pid, each.backend_start) for each in ended)
                self._kept.keep(self._run_id, self.target, ended=names)
        return ended

    async def _left(self, connection: Connection) -> int:
        """Sessions that ought to be gone. Who did not end them itself asks for any that is over the limit."""
        ended = self._kept.words(self._run_id, self.target, "ended")
        if not ended:
            return len(await self._find(connection))
        cursor = await connection.execute("SELECT pid, backend_start FROM pg_stat_activity")
        return sum(_named(row[0], row[1]) in ended for row in await cursor.fetchall())

    @property
    def _filter(self) -> Mapping[str, object]:
        roles = list(self._section.roles)
        return {
            "idle_s": self._settings.idle_s,
            "any_role": not roles,
            "roles": roles,
            "superusers": self._section.allow_superusers,
        }

    async def _asked(self, stage: Stage, ask: Callable[[Connection], Awaitable[T]]) -> T:
        """What `ask` finds over a connection of its own. Raises ActionFailed."""
        limit_s = self._section.timeout_s
        try:
            async with asyncio.timeout(2 * limit_s):
                connection = await psycopg.AsyncConnection.connect(
                    self._section.conninfo,
                    autocommit=True,
                    connect_timeout=max(2, round(limit_s)),
                    application_name="tikwatch-recovery",
                )
                async with connection:
                    await connection.execute(f"SET statement_timeout = {round(limit_s * 1000)}")
                    return await ask(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            detail = "the role may not end sessions of others: grant it pg_signal_backend"
            raise ActionFailed(stage, "no_permission", detail, changed=self._has_ended) from error
        except _Hidden as error:
            detail = "the role may not see what sessions of others do: grant it pg_read_all_stats"
            raise ActionFailed(stage, "no_permission", detail, changed=False) from error
        except TimeoutError as error:
            detail = f"{self._section.name} did not answer within {2 * limit_s:g} s"
            raise ActionFailed(stage, "timeout", detail, changed=self._unknown(stage)) from error
        except psycopg.Error as error:
            known = error.diag.message_primary or type(error).__name__
            reason = "unreachable" if error.sqlstate is None else "database_error"
            raise ActionFailed(stage, reason, known, changed=self._unknown(stage)) from error

    @property
    def _has_ended(self) -> bool:
        return bool(self._ended)

    def _unknown(self, stage: Stage) -> bool | None:
        """What may have changed when an answer did not come."""
        return True if self._has_ended else False if stage is Stage.PRECHECK or self._ended is None else None


def _named(pid: object, began: object) -> str:
    """A session, by what tells it from a later one of the same number."""
    return f"{pid} {began}"


def _told(found: Sequence[IdleSession]) -> dict[str, Fact]:
    shown = ", ".join(f"{one.role} ({one.pid}) {one.application}".strip() for one in found[:_SHOWN])
    return {
        "sessions": len(found),
        "longest_idle_s": round(max((one.idle_s for one in found), default=0.0), 1),
        "who": shown if len(found) <= _SHOWN else f"{shown}, …",
    }
