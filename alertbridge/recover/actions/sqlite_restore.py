"""Restores a corrupt SQLite file from its newest good copy, with its service stopped meanwhile."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import structlog

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Fact, Stage, Verdict
from alertbridge.recover.actions.database_work import DatabaseFailed, Work
from alertbridge.recover.actions.databases_listed import DatabaseSettings, SqliteAction
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.services import ServiceFailed
from alertbridge.recover.actions.services_restart import as_failed, listed
from alertbridge.recover.actions.sqlite_backup import backups_of
from alertbridge.recover.actions.sqlite_backups import Backup
from alertbridge.recover.actions.sqlite_files import copy_complaint, live_complaint
from alertbridge.recover.actions.sqlite_replacing import Note, noted, remove_note, replace, write_note

log = structlog.get_logger(__name__)

_STOPPED_LOOKS = 50
_STOPPED_EVERY_S = 0.2


class SqliteRestoreSettings(DatabaseSettings):
    """Parameters of `sqlite_restore`."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is wrong, and what it can be restored from. Without a complaint only the service is missing."""

    complaint: str
    backup: Backup | None
    note: Note | None


class SqliteRestore(SqliteAction):
    """Only when `quick_check` fails. What was written since the copy was made is lost; the corrupt file is kept."""

    name = "sqlite_restore"
    repeatable: ClassVar[bool] = True  # a file that is whole is left alone
    about: ClassVar[About] = About(
        changes="When `quick_check` fails: stops the service, keeps the corrupt file with its log beside it as "
        "`.corrupt-TIME`, puts the newest copy that passes `integrity_check` in its place, and starts the service. "
        "What was written since that copy was made is only in the kept file.",
        verified="`quick_check` finds nothing, and the service runs.",
        undone="By hand: stop the service and give the kept file its name back.",
    )

    def __init__(self, settings: SqliteRestoreSettings, resources: Resources) -> None:
        super().__init__(resources.databases.sqlite(settings.database), resources.clock)
        self._backups = backups_of(self.section)
        self._service = None if self.section.service is None else listed(self.section.service, resources)
        self._sleep = resources.sleep

    @property
    def target(self) -> str:
        """The service's where there is one: nobody may restart it while it is stopped for us."""
        return super().target if self._service is None else self._service.target

    async def before(self) -> Evidence:
        plan = await self.work(Stage.PRECHECK, self._plan)
        facts: dict[str, Fact] = {
            "complaint": plan.complaint[:300],
            "copy": None if plan.backup is None else plan.backup.path.name,
            "begun_before": plan.note is not None,
        }
        return Evidence({**facts, **await self._service_facts(Stage.PRECHECK)})

    async def run(self) -> Done:
        alone = self._backups.alone()
        try:
            await self.work(Stage.RUN, lambda _: alone.take(), changes=True)
            plan = await self.work(Stage.RUN, self._plan)
            ran = plan.note.service_ran if plan.note is not None else await self._runs()
            return await self._restored(plan, ran)
        finally:
            alone.release()

    async def verify(self) -> Verdict:
        try:
            complaint = await self.work(Stage.RUN, self._complaint)
            if complaint:
                return Verdict.FAILS
            running = None if self._service is None else (await self._service.condition()).running
        except (ActionFailed, ServiceFailed):
            return Verdict.UNKNOWN
        if self._service is None:
            return Verdict.HOLDS
        return Verdict.UNKNOWN if running is None else Verdict.HOLDS if running else Verdict.FAILS

    # -- in a thread

    def _complaint(self, _: Work) -> str:
        return live_complaint(self.section.path, busy_s=self.section.busy_timeout_s)

    def _plan(self, work: Work) -> _Plan:
        """Raises DatabaseFailed when there is nothing to restore, or nothing to restore from."""
        note, complaint = noted(self.section.path), self._complaint(work)
        if not complaint:
            if note is None:
                raise DatabaseFailed("not_corrupt", "quick_check finds nothing wrong")
            return _Plan("", None, note)
        for backup in self._backups.newest_first():
            if not (bad := copy_complaint(backup.path, work)):
                return _Plan(complaint, backup, note)
            log.warning("action.bad_backup", file=str(backup.path), complaint=bad)
        raise DatabaseFailed("no_good_backup", f"no copy in {self._backups.folder} passes integrity_check")

    def _replace(self, backup: Backup, work: Work) -> Path | None:
        """Where the corrupt file went; None when it was whole after all, once nobody had it open."""
        if not self._complaint(work):
            return None
        return replace(self.section.path, backup, work, now_s=self.clock.time())

    # -- around it

    async def _restored(self, plan: _Plan, ran: bool) -> Done:
        backup, kept = plan.backup, None
        name = "" if backup is None else backup.path.name
        await self.work(Stage.RUN, lambda _: write_note(self.section.path, Note(name, ran)), changes=True)
        try:
            if backup is not None:
                await self._stop(ran)
                kept = await self.work(Stage.RUN, lambda work: self._replace(backup, work), changes=True)
        finally:
            # Whatever happened, also when we are cancelled: the service is not left lying.
            await asyncio.shield(asyncio.ensure_future(self._start(ran, changed=kept is not None)))
        facts: dict[str, Fact] = {"copy": name or None, "kept": None if kept is None else str(kept)}
        return Done(kept is not None or backup is None, Evidence(facts))

    async def _runs(self) -> bool:
        if self._service is None:
            return False
        try:
            return (await self._service.condition()).running is not False
        except ServiceFailed as failed:
            raise as_failed(Stage.RUN, failed) from failed

    async def _stop(self, ran: bool) -> None:
        """The service does not run. Raises ActionFailed."""
        if self._service is None or not ran:
            return
        try:
            await self._service.stop()
            for _ in range(_STOPPED_LOOKS):
                if (await self._service.condition()).running is False:
                    return
                await self._sleep(_STOPPED_EVERY_S)
        except ServiceFailed as failed:
            raise as_failed(Stage.RUN, failed) from failed
        detail = f"{self._service.name} was told to stop and still runs"
        raise ActionFailed(Stage.RUN, "still_running", detail, changed=False)

    async def _start(self, ran: bool, *, changed: bool) -> None:
        """The service was started, and nothing is left to be done. Raises ActionFailed."""
        if self._service is not None and ran:
            try:
                await self._service.start()
            except ServiceFailed as failed:
                log.exception("action.service_not_started", target=self.target, reason=failed.reason)
                raise ActionFailed(Stage.RUN, failed.reason, str(failed), changed=changed) from failed
        await self.work(Stage.RUN, lambda _: remove_note(self.section.path), changes=True)

    async def _service_facts(self, stage: Stage) -> dict[str, Fact]:
        if self._service is None:
            return {}
        try:
            return dict((await self._service.condition()).facts)
        except ServiceFailed as failed:
            raise as_failed(stage, failed) from failed
