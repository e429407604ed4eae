"""The audit: who or what did what, when, why, before and after; each entry bears the hash of the one before it.

Whoever changes, takes out or reorders an entry breaks the chain, and the head's count tells entries that were cut off
at the end. It does not keep out somebody who rewrites the whole chain and the head: keep an export elsewhere for that.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.store.database import Database
from alertbridge.store.schema_recovery import audit, audit_head

BEGINNING = "0" * 64
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened. `actor` is ``rule:NAME``, ``operator:NAME`` or ``engine``; no value may be a secret."""

    actor: str
    event: str
    run_id: int | None = None
    target: str = ""
    why: str = ""
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check of the chain found: `fault` is a sentence, empty when all is well. `head` is the last hash."""

    count: int
    head: str
    fault: str = ""

    @property
    def holds(self) -> bool:
        return not self.fault


async def lock(connection: AsyncConnection) -> None:
    """Keeps other replicas from writing recovery's tables until the transaction ends."""
    await connection.execute(select(audit_head.c.id).where(audit_head.c.id == 1).with_for_update())


async def append(connection: AsyncConnection, entry: Entry, at_s: float) -> None:
    """Adds an entry, in the transaction of what it tells. The caller holds the lock."""
    length, previous = (await connection.execute(select(audit_head.c.count, audit_head.c.hash))).one()
    seq = length + 1
    text = canonical(
        {
            "seq": seq,
            "at": at_s,
            "actor": entry.actor,
            "event": entry.event,
            "run": entry.run_id,
            "target": entry.target,
            "why": entry.why,
            "before": dict(entry.before or {}),
            "after": dict(entry.after or {}),
            "previous": previous,
        }
    )
    digest = hash_of(text)
    await connection.execute(
        insert(audit).values(seq=seq, at=at_s, run_id=entry.run_id, entry=text, hash=digest)
    )
    await connection.execute(update(audit_head).where(audit_head.c.id == 1).values(count=seq, hash=digest))


def canonical(value: Mapping[str, object]) -> str:
    """The one way to write `value` as JSON: ASCII, keys in order, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def hash_of(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


async def export(database: Database) -> AsyncIterator[str]:
    """Every entry as a line of JSON, with its own hash, oldest first. Raises StoreError."""
    async for row in _rows(database):
        yield canonical({"entry": _told(row.entry) or row.entry, "hash": row.hash})


async def verify(database: Database) -> Proof:
    """Whether the chain is whole. Raises StoreError."""
    async with database.read() as connection:
        head = (await connection.execute(select(audit_head.c.count, audit_head.c.hash))).first()
    if head is None:
        return Proof(0, "", "the head of the chain is gone")
    length, last = head
    count, previous = 0, BEGINNING
    async for row in _rows(database):
        if fault := _fault(row, count + 1, previous):
            return Proof(count, previous, fault)
        count, previous = count + 1, row.hash
        if count == length:  # what was added since is not held against the head that was read
            break
    if count < length:
        return Proof(count, previous, f"entries {count + 1} to {length} are gone from the end")
    if previous != last:
        return Proof(count, previous, "the head of the chain is not the last entry's")
    if await _beyond(database, count):
        return Proof(count, previous, f"there are entries after {count} that the head does not know")
    return Proof(count, previous)


@dataclass(frozen=True, slots=True)
class _Row:
    seq: int
    at: float
    run_id: int | None
    entry: str
    hash: str


async def _rows(database: Database) -> AsyncIterator[_Row]:
    last = -(2**62)
    while True:
        async with database.read() as connection:
            found = await connection.execute(
                select(audit).where(audit.c.seq > last).order_by(audit.c.seq).limit(_CHUNK)
            )
            rows = [_Row(row.seq, row.at, row.run_id, row.entry, row.hash) for row in found]
        for row in rows:
            yield row
        if len(rows) < _CHUNK:
            return
        last = rows[-1].seq


async def _beyond(database: Database, count: int) -> bool:
    """Whether rows follow the head; both are read at once, since entries may be added meanwhile."""
    async with database.read() as connection:
        head = (await connection.execute(select(audit_head.c.count))).scalar_one()
        last = select(audit.c.seq).order_by(audit.c.seq.desc()).limit(1)
        newest = (await connection.execute(last)).scalar()
    return head == count and newest is not None and newest > count


def _fault(row: _Row, seq: int, previous: str) -> str:
    if row.seq != seq:
        return f"entry {seq} is gone" if row.seq > seq else f"entry {row.seq} has no place in the chain"
    if not row.entry.isascii() or hash_of(row.entry) != row.hash:
        return f"entry {seq} was changed"
    told = _told(row.entry)
    if told.get("previous") != previous:
        return f"entry {seq} does not follow the one before it"
    if (told.get("seq"), told.get("run"), told.get("at")) != (row.seq, row.run_id, row.at):
        return f"entry {seq} stands in a row that was changed"
    return ""


def _told(text: str) -> Mapping[str, object]:
    """What an entry says; nothing when somebody wrote what is no entry, whatever its hash."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
