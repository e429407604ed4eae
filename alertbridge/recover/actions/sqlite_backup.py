"""Copies a SQLite file while it is in use, and proves the copy."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Fact, Stage, Verdict
from alertbridge.recover.actions.database_work import DatabaseFailed, Work
from alertbridge.recover.actions.databases_config import SqliteDatabaseSection
from alertbridge.recover.actions.databases_listed import DatabaseSettings, SqliteAction
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.sqlite_backups import Backups
from alertbridge.recover.actions.sqlite_files import copy_complaint, live_complaint
from alertbridge.recover.ports import NoSuchTarget


class SqliteBackupSettings(DatabaseSettings):
    """Parameters of `sqlite_backup`."""

    fresh_s: float = Field(
        default=3600.0, gt=0, description="Age in seconds up to which the newest copy counts as made."
    )


class SqliteBackup(SqliteAction):
    """Through SQLite's backup interface; a copy counts only when it is whole and was opened once."""

    name = "sqlite_backup"
    about: ClassVar[About] = About(
        changes="A new copy in the entry's `backup.folder`; beyond `backup.keep` the oldest are deleted. The database "
        "is only read.",
        verified="The newest copy is no older than `fresh_s` and passes `integrity_check`. When it was made, a "
        "database was restored from it on trial.",
        undone="Not at all; delete the copy.",
    )

    def __init__(self, settings: SqliteBackupSettings, resources: Resources) -> None:
        super().__init__(resources.databases.sqlite(settings.database), resources.clock)
        self._backups = backups_of(self.section)
        self._fresh_s = settings.fresh_s

    @property
    def target(self) -> str:
        return f"{super().target}/backup"

    async def before(self) -> Evidence:
        return Evidence(await self.work(Stage.PRECHECK, self._look))

    async def run(self) -> Done:
        return Done(True, Evidence(await self.work(Stage.RUN, self._make, changes=True)))

    async def verify(self) -> Verdict:
        try:
            complaint = await self.work(Stage.RUN, self._complaint)
        except ActionFailed:
            return Verdict.UNKNOWN
        return Verdict.FAILS if complaint else Verdict.HOLDS

    def _look(self, _: Work) -> dict[str, Fact]:
        if complaint := live_complaint(self.section.path, busy_s=self.section.busy_timeout_s):
            raise DatabaseFailed("corrupt", complaint)
        found = self._backups.newest_first()
        return {"copies": len(found), "newest": found[0].path.name if found else None}

    def _make(self, work: Work) -> dict[str, Fact]:
        path, busy_s = self.section.path, self.section.busy_timeout_s
        with self._backups.alone():
            made = self._backups.make(path, work, now_s=self.clock.time(), busy_s=busy_s)
            return {"copy": str(made.path), "bytes": made.path.stat().st_size}

    def _complaint(self, work: Work) -> str:
        found = self._backups.newest_first()
        if not found or self.clock.time() - found[0].made_at_s > self._fresh_s:
            return "there is no new copy"
        return copy_complaint(found[0].path, work)


def backups_of(section: SqliteDatabaseSection) -> Backups:
    """The copies of a database. Raises NoSuchTarget when none are to be made."""
    if section.backup is None:
        raise NoSuchTarget(f"{section.name!r} under `actions.databases` has no `backup`")
    return Backups(section.backup.folder, section.name, keep=section.backup.keep)
