"""Copies of a SQLite file in a folder: made while it is in use, proven before they count, the oldest deleted.

A copy has its final name only when it is whole and on the disk, so a crash leaves at most a file that begins with a
dot, which the next copy removes. One process works in a folder at a time.
"""

import fcntl
import os
import re
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from alertbridge.recover.actions.database_work import DatabaseFailed, Work
from alertbridge.recover.actions.sqlite_files import (
    copied,
    copy_complaint,
    explained,
    opened,
    removed,
    require_file,
    synced,
)

MOMENT = "%Y%m%dT%H%M%SZ"
_PAGES_AT_ONCE = 2048
_BUSY_SLEEP_S = 0.05
_SPARE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy. `made_at_s` is Unix seconds, by its name."""

    path: Path
    made_at_s: float
    number: int

    @property
    def order(self) -> tuple[float, int]:
        return self.made_at_s, self.number


@dataclass(frozen=True, slots=True)
class _Shape:
    """What must be the same in a copy."""

    pages: int
    page_bytes: int
    objects: int
    user_version: int


class Alone:
    """At most one process, and in it one action, works with the copies of a database. A crash lets go."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._lock: int | None = None

    def take(self) -> None:
        """Nobody else is at work. Raises DatabaseFailed when somebody is."""
        with explained():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f".{self._name}.lock"
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise DatabaseFailed("busy_backup", f"somebody else is at work in {self._folder}") from error
        self._lock = lock

    def release(self) -> None:
        """Others may; does nothing when it was not taken."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Backups:
    """The copies of one database."""

    def __init__(self, folder: Path, name: str, *, keep: int) -> None:
        self.folder = folder
        self._name = name
        self._keep = keep
        self._pattern = re.compile(rf"{re.escape(name)}-(\d{{8}}T\d{{6}}Z)(?:-(\d+))?\.db")
        self._part = folder / f".{name}.part"
        self._trial = folder / f".{name}.trial"

    def __repr__(self) -> str:
        return f"<Backups {self._name} in {self.folder}>"

    def newest_first(self) -> list[Backup]:
        """Every finished copy. Raises DatabaseFailed when the folder cannot be read."""
        found: list[Backup] = []
        with explained():
            for path in self.folder.iterdir() if self.folder.is_dir() else ():
                if match := self._pattern.fullmatch(path.name):
                    moment = datetime.strptime(match[1], MOMENT).replace(tzinfo=UTC)
                    found.append(Backup(path, moment.timestamp(), int(match[2] or 1)))
        return sorted(found, key=lambda backup: backup.order, reverse=True)

    def alone(self) -> "Alone":
        """What keeps others from making or taking a copy meanwhile."""
        return Alone(self.folder, self._name)

    def make(self, source: Path, work: Work, *, now_s: float, busy_s: float) -> Backup:
        """A new copy, proven; then the oldest beyond those to keep are deleted. Call it `alone`.

        Raises DatabaseFailed; nothing but a hidden file is left then, and no older copy is touched.
        """
        require_file(source)
        try:
            with explained():
                for leftover in (self._part, self._trial):
                    removed(leftover)
                self._require_room(source)
                shape = self._copy(source, work, busy_s)
                synced(self._part)
                self._prove(shape, work)
                made = self._finish(now_s)
                for old in self.newest_first()[self._keep :]:
                    if old.path != made.path:
                        old.path.unlink(missing_ok=True)
                synced(self.folder)
        finally:
            with explained():
                for leftover in (self._part, self._trial):
                    removed(leftover)
        return made

    def _require_room(self, source: Path) -> None:
        """The copy and the trial of it must fit."""
        needed = 2 * source.stat().st_size + _SPARE_BYTES
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise DatabaseFailed("no_space", f"{self.folder} has {free} bytes free, {needed} are needed")

    def _copy(self, source: Path, work: Work, busy_s: float) -> _Shape:
        """One state of the source is in the hidden file. With a write-ahead log writers are not held up."""
        os.close(os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with (
            opened(source, work, busy_s=busy_s) as reading,
            opened(self._part, work, busy_s=busy_s, mode="rw") as writing,
        ):
            # Inside one transaction, so that a writer does not make the copy begin again, and again.
            reading.execute("BEGIN")
            shape = _shape(reading)
            reading.backup(
                writing,
                pages=_PAGES_AT_ONCE,
                progress=lambda status, remaining, total: work.check(),
                sleep=_BUSY_SLEEP_S,
            )
            reading.execute("ROLLBACK")
        return shape

    def _prove(self, shape: _Shape, work: Work) -> None:
        """The copy is whole, and a database restored from it opens, has the same shape and can be written."""
        if complaint := copy_complaint(self._part, work):
            raise DatabaseFailed("corrupt", f"the copy is not whole, so neither is the database: {complaint}")
        copied(self._part, self._trial, work)
        with opened(self._trial, work, busy_s=1, mode="rw") as connection:
            if _shape(connection) != shape:
                raise DatabaseFailed("restore_test", "what was restored from the copy has another shape")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE tikwatch_restore_test (value)")
            connection.execute("ROLLBACK")

    def _finish(self, now_s: float) -> Backup:
        moment = datetime.fromtimestamp(now_s, UTC)
        number = 1
        while (path := self._path(moment, number)).exists():
            number += 1
        self._part.rename(path)
        synced(self.folder)
        return Backup(path, moment.replace(microsecond=0).timestamp(), number)

    def _path(self, moment: datetime, number: int) -> Path:
        again = "" if number == 1 else f"-{number}"
        return self.folder / f"{self._name}-{moment.strftime(MOMENT)}{again}.db"


def _shape(connection: sqlite3.Connection) -> _Shape:
    objects = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    pages, page_bytes, version = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "page_size", "user_version")
    )
    return _Shape(pages, page_bytes, objects, version)
