"""Ends the process that holds a database's lock and does not let go."""

import os
import select
import signal
import sqlite3
from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Fact, Stage, Verdict
from alertbridge.recover.actions.database_work import DatabaseFailed, Work
from alertbridge.recover.actions.databases_config import LockHolderSection
from alertbridge.recover.actions.databases_listed import DatabaseSettings, SqliteAction
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.sqlite_files import companion, explained, opened, require_file
from alertbridge.recover.actions.sqlite_locks import Holder, described, holders

_VERIFY_WAIT_S = 1.0
_KILL_WAIT_S = 5.0


class SqliteEndLockHolderSettings(DatabaseSettings):
    """Parameters of `sqlite_end_lock_holder`."""

    stuck_s: float = Field(
        default=5.0, gt=0, le=60, description="Seconds for which nobody else may have been able to write."
    )
    term_s: float = Field(
        default=10.0, ge=0, le=120, description="Seconds from asking it to end (TERM) to ending it (KILL)."
    )


class SqliteEndLockHolder(SqliteAction):
    """Only who is on the list; if several hold the lock and one is not, nobody is ended."""

    name = "sqlite_end_lock_holder"
    repeatable: ClassVar[bool] = True  # the lock is tried first: without a holder nothing is done
    about: ClassVar[About] = About(
        changes="Ends the process that holds the lock: TERM, then KILL after `term_s`. Only when nobody could write "
        "for `stuck_s`, the same process held the lock all that time, and it is in `lock_holders`. SQLite rolls back "
        "what it had not committed.",
        verified="A transaction that writes can begin.",
        undone="Not at all: who starts the process again is its own keeper.",
        ask_only=True,
    )

    def __init__(self, settings: SqliteEndLockHolderSettings, resources: Resources) -> None:
        super().__init__(resources.databases.sqlite(settings.database), resources.clock)
        self._settings = settings

    async def before(self) -> Evidence:
        found = await self.work(Stage.PRECHECK, self._stuck_on)
        return Evidence(_told(found))

    async def run(self) -> Done:
        found, killed = await self.work(Stage.RUN, self._ended, changes=True)
        return Done(True, Evidence({**_told(found), "killed": killed}))

    async def verify(self) -> Verdict:
        try:
            locked = await self.work(Stage.RUN, lambda work: self._is_locked(work, _VERIFY_WAIT_S))
        except ActionFailed:
            return Verdict.UNKNOWN
        return Verdict.FAILS if locked else Verdict.HOLDS

    def _is_locked(self, work: Work, wait_s: float) -> bool:
        """Whether nobody can begin to write for so long. Nothing is written."""
        path = self.section.path
        require_file(path)
        # With a write-ahead log IMMEDIATE is all that a writer needs; without, readers are in its way as well.
        how = "IMMEDIATE" if companion(path, "-shm").exists() else "EXCLUSIVE"
        with explained(), opened(path, work, busy_s=wait_s, mode="rw") as connection:
            try:
                connection.execute(f"BEGIN {how}")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                    return True
                raise
            connection.execute("ROLLBACK")
        return False

    def _stuck_on(self, work: Work) -> tuple[Holder, ...]:
        """Who has held the lock for `stuck_s`, all of them allowed to be ended. Raises DatabaseFailed."""
        require_file(self.section.path)
        first = self._holders()
        if not self._is_locked(work, self._settings.stuck_s):
            raise DatabaseFailed("not_locked", f"somebody could write within {self._settings.stuck_s:g} s")
        found = tuple(holder for holder in self._holders() if holder in first)
        if not found:
            detail = "no process that can be seen from here has held the lock all the time"
            raise DatabaseFailed("holder_unknown", detail)
        for holder in found:
            if holder.pid in (os.getpid(), 1) or not any(
                _is(holder, one) for one in self.section.lock_holders
            ):
                detail = (
                    f"{holder.name} ({holder.pid}) of {holder.user} holds the lock; it is not in lock_holders"
                )
                raise DatabaseFailed("holder_not_allowed", detail)
        return found

    def _holders(self) -> tuple[Holder, ...]:
        with explained():
            return holders(self.section.path)

    def _ended(self, work: Work) -> tuple[tuple[Holder, ...], int]:
        """Who was ended, and how many of them had to be killed."""
        found = self._stuck_on(work)
        killed = 0
        for ended, holder in enumerate(found):
            try:
                killed += self._end(holder)
            except OSError as error:
                detail = f"{holder.name} ({holder.pid}) cannot be ended: {error.strerror}"
                raise DatabaseFailed("no_permission", detail, changed=ended > 0) from error
        return found, killed

    def _end(self, holder: Holder) -> bool:
        """The process is gone; whether it had to be killed. Raises OSError."""
        try:
            handle = os.pidfd_open(holder.pid)
        except ProcessLookupError:
            return False
        try:
            # The handle is of whoever bears the number now, so it is looked at once more.
            if described(holder.pid) != holder or holder not in self._holders():
                return False
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if _is_gone(handle, self._settings.term_s):
                return False
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            if not _is_gone(handle, _KILL_WAIT_S):
                detail = f"{holder.name} ({holder.pid}) did not end when it was killed"
                raise DatabaseFailed("does_not_end", detail, changed=None)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True


def _is_gone(handle: int, within_s: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


def _is(holder: Holder, allowed: LockHolderSection) -> bool:
    user = str(allowed.user)
    return holder.name == allowed.process and user in (holder.user, str(holder.uid))


def _told(found: tuple[Holder, ...]) -> dict[str, Fact]:
    return {
        "holders": ", ".join(f"{one.name} ({one.pid}) of {one.user}" for one in found),
        "began_at": min(one.began for one in found),
    }
