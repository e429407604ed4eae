"""Puts a good copy in the place of a corrupt SQLite file, so that a crash at any moment leaves something usable.

In order: the copy stands beside the file, whole and on the disk; the corrupt file and its companions get a second
name; the companions lose their first, since a new file must never meet the old one's log; the copy takes the file's
name in one step. So at any moment the corrupt or the restored file is in place, and once the first is touched at
all, everything of it has its second name.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from alertbridge.recover.actions.database_work import DatabaseFailed, Work
from alertbridge.recover.actions.sqlite_backups import MOMENT, Backup
from alertbridge.recover.actions.sqlite_files import (
    COMPANIONS,
    companion,
    copied,
    copy_complaint,
    explained,
    synced,
)
from alertbridge.recover.actions.sqlite_locks import users_of


@dataclass(frozen=True, slots=True)
class Note:
    """What a restore under way must not forget: a file beside the database until the service runs again."""

    backup: str
    service_ran: bool


def noted(path: Path) -> Note | None:
    """The note of a restore that did not come to its end; None when there is none."""
    try:
        given = json.loads(_note(path).read_text(encoding="utf-8"))
        return Note(backup=str(given["backup"]), service_ran=bool(given["service_ran"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):  # cut off by a crash: better to start the service than not
        return Note(backup="", service_ran=True)
    except OSError as error:
        raise DatabaseFailed("io_error", f"{error.strerror}: {error.filename}") from error


def write_note(path: Path, note: Note) -> None:
    """The note is on the disk. Raises DatabaseFailed."""
    with explained():
        hidden = path.with_name(f".{path.name}.restore-new")
        hidden.write_text(json.dumps(asdict(note)), encoding="utf-8")
        synced(hidden)
        hidden.replace(_note(path))
        synced(path.parent)


def remove_note(path: Path) -> None:
    """The restore came to its end. Raises DatabaseFailed."""
    with explained():
        _note(path).unlink(missing_ok=True)
        synced(path.parent)


def replace(path: Path, backup: Backup, work: Work, *, now_s: float) -> Path:
    """The copy is in the place of `path`; where the corrupt file went. Raises DatabaseFailed."""
    with explained():
        if users := users_of(path):
            who = ", ".join(map(str, users))
            raise DatabaseFailed("still_open", f"{path} is still open in the processes {who}")
        fresh = _beside(path, backup, work)
        kept = _kept(path, now_s)
    work.check()  # the last moment to stop
    with explained(None):
        for ending in COMPANIONS:
            companion(path, ending).unlink(missing_ok=True)
        synced(path.parent)
        fresh.replace(path)
        synced(path.parent)
    return kept


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.restore")


def _beside(path: Path, backup: Backup, work: Work) -> Path:
    """A proven copy in the same folder, with the owner and the mode of the file that it will replace."""
    fresh, old = path.with_name(f".{path.name}.restoring"), path.stat()
    fresh.unlink(missing_ok=True)
    free, needed = shutil.disk_usage(path.parent).free, backup.path.stat().st_size
    if free < needed:
        raise DatabaseFailed("no_space", f"{path.parent} has {free} bytes free, {needed} are needed")
    copied(backup.path, fresh, work)
    if complaint := copy_complaint(fresh, work):
        raise DatabaseFailed("corrupt", f"the copy beside the database is not whole: {complaint}")
    if (old.st_uid, old.st_gid) != (fresh.stat().st_uid, fresh.stat().st_gid):
        os.chown(fresh, old.st_uid, old.st_gid)
    fresh.chmod(old.st_mode & 0o777)
    synced(fresh)
    return fresh


def _kept(path: Path, now_s: float) -> Path:
    """Second names of the corrupt file and its companions, on the disk."""
    moment = datetime.fromtimestamp(now_s, UTC).strftime(MOMENT)
    kept, again = path.with_name(f"{path.name}.corrupt-{moment}"), 1
    while kept.exists():
        again += 1
        kept = path.with_name(f"{path.name}.corrupt-{moment}-{again}")
    for ending in (*COMPANIONS, ""):
        source = companion(path, ending)
        if source.exists():
            _named_again(source, companion(kept, ending))
    synced(path.parent)
    return kept


def _named_again(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without second names
        shutil.copy2(source, target)
        synced(target)
