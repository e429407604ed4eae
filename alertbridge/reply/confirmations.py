"""Codes that one person must send back before something dangerous is done: once, and soon."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from enum import Enum
from typing import Any

from sqlalchemy import Row, delete, select, update

from alertbridge.deliver.bootclock import boot_name
from alertbridge.reply.model import Person
from alertbridge.reply.parsing import CODE_DIGITS
from alertbridge.store.database import Database
from alertbridge.store.schema_reply import reply_confirmations as table
from runtime.clock import Clock

MOST_WRONG_TRIES = 5
"""After so many wrong codes every code of that person is void."""
KEPT_S = 86_400.0


class WrongCode(Enum):
    """Why a code confirms nothing."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"


def _new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


class Confirmations:
    """Codes and what they stand for. Only their hashes are kept."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        valid_s: float,
        *,
        boot: str = "",
        new_code: Callable[[], str] = _new_code,
    ) -> None:
        self._database = database
        self._clock = clock
        self._valid_s = valid_s
        self._boot = boot or boot_name()
        self._new_code = new_code

    async def ask(self, person: Person, action: str) -> str:
        """A code for `action` that only `person` can use; one that was asked for before is void. Raises StoreError."""
        code, salt, now_s = self._new_code(), secrets.token_hex(16), self._clock.time()
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.made_at < now_s - KEPT_S))
            await connection.execute(
                update(table)
                .where(table.c.person == person.name, table.c.used_at.is_(None))
                .values(used_at=now_s)
            )
            await connection.execute(
                self._database.insert(table).values(
                    person=person.name,
                    action=action,
                    salt=salt,
                    code_hash=_hash(salt, code),
                    made_at=now_s,
                    boot=self._boot,
                    boot_s=self._clock.monotonic(),
                )
            )
        return code

    async def take(self, person: Person, code: str) -> str | WrongCode:
        """What `code` stands for, once; why it stands for nothing otherwise. Raises StoreError."""
        async with self._database.write() as connection:
            rows = (
                await connection.execute(
                    select(table)
                    .where(table.c.person == person.name)
                    .order_by(table.c.id.desc())
                    .with_for_update()
                )
            ).all()
            found = next((row for row in rows if _fits(row, code)), None)
            if found is None:
                await connection.execute(
                    update(table)
                    .where(table.c.person == person.name, table.c.used_at.is_(None))
                    .values(wrong_tries=table.c.wrong_tries + 1)
                )
                return WrongCode.UNKNOWN
            if found.used_at is not None:
                return WrongCode.USED
            if found.wrong_tries >= MOST_WRONG_TRIES or not self._is_valid(found):
                return WrongCode.EXPIRED
            taken = await connection.execute(
                update(table)
                .where(table.c.id == found.id, table.c.used_at.is_(None))
                .values(used_at=self._clock.time())
            )
            return str(found.action) if taken.rowcount == 1 else WrongCode.USED

    def _is_valid(self, row: Row[Any]) -> bool:
        """By the clock that never steps where it is the same one; by the wall clock of another replica otherwise."""
        if row.boot == self._boot:
            return bool(0 <= self._clock.monotonic() - row.boot_s <= self._valid_s)
        return bool(0 <= self._clock.time() - row.made_at <= self._valid_s)


def _fits(row: Row[Any], code: str) -> bool:
    return hmac.compare_digest(row.code_hash, _hash(row.salt, code))


def _hash(salt: str, code: str) -> str:
    return hashlib.sha256(f"{salt}:{code}".encode()).hexdigest()
