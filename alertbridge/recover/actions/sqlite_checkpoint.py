"""Writes a write-ahead log back into its database and empties it."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Fact, Stage, Verdict
from alertbridge.recover.actions.database_work import DatabaseFailed, Work
from alertbridge.recover.actions.databases_listed import DatabaseSettings, SqliteAction
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.sqlite_files import companion, explained, opened, require_file


class SqliteCheckpointSettings(DatabaseSettings):
    """Parameters of `sqlite_checkpoint`."""

    wal_limit_bytes: int = Field(
        default=16 * 1024 * 1024, ge=0, description="Size of the log up to which all is well."
    )


class SqliteCheckpoint(SqliteAction):
    """Waits at most `busy_timeout_s` for readers and writers; they wait as long for it."""

    name = "sqlite_checkpoint"
    about: ClassVar[About] = About(
        changes="`PRAGMA wal_checkpoint(TRUNCATE)`: what stands in the write-ahead log goes into the database, and "
        "the log becomes empty. No data is changed.",
        verified="The log is no longer than `wal_limit_bytes`.",
        undone="Not at all; there is nothing to take back.",
    )

    def __init__(self, settings: SqliteCheckpointSettings, resources: Resources) -> None:
        super().__init__(resources.databases.sqlite(settings.database), resources.clock)
        self._limit_bytes = settings.wal_limit_bytes

    async def before(self) -> Evidence:
        return Evidence(await self.work(Stage.PRECHECK, self._look))

    async def run(self) -> Done:
        facts = await self.work(Stage.RUN, self._checkpoint, changes=True)
        return Done(facts["wal_bytes"] != facts["wal_bytes_before"], Evidence(facts))

    async def verify(self) -> Verdict:
        try:
            length = await self.work(Stage.RUN, self._log_bytes)
        except ActionFailed:
            return Verdict.UNKNOWN
        return Verdict.HOLDS if length <= self._limit_bytes else Verdict.FAILS

    def _log_bytes(self, _: Work) -> int:
        require_file(self.section.path)
        wal = companion(self.section.path, "-wal")
        with explained():
            return wal.stat().st_size if wal.exists() else 0

    def _look(self, work: Work) -> dict[str, Fact]:
        length = self._log_bytes(work)
        path, busy_s = self.section.path, self.section.busy_timeout_s
        with explained(), opened(path, work, busy_s=busy_s) as connection:
            mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        if mode != "wal":
            raise DatabaseFailed("not_wal", f"it keeps no write-ahead log (journal_mode={mode})")
        return {"wal_bytes": length, "database_bytes": path.stat().st_size}

    def _checkpoint(self, work: Work) -> dict[str, Fact]:
        length = self._log_bytes(work)
        path, busy_s = self.section.path, self.section.busy_timeout_s
        with explained(None), opened(path, work, busy_s=busy_s, mode="rw") as connection:
            busy, pages, written = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            said = f"somebody reads or writes for longer than {busy_s:g} s; {written} of {pages} pages were written"
            raise DatabaseFailed("busy", said, changed=written > 0)
        return {"wal_bytes_before": length, "wal_bytes": self._log_bytes(work)}
