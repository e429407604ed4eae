"""One-time codes by which a person says yes to an action: short-lived, stored as a salted hash, good for one run."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.recover.ages import Ages, Stamp
from alertbridge.store.schema_recovery import recovery_approvals as approvals

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without what is mistaken for something else on a small screen."""
CODE_CHARS = 6
_ROUNDS = 20_000
_SALT_S = 3600.0
"""Codes made within that time share a salt: then an answer costs one or two hashes, however many codes there are."""
_NEWEST = 50


class Answer(Enum):
    """What became of a code."""

    TAKEN = "taken"
    WRONG = "wrong"  # no such code, or it is not this operator's: whoever guesses learns no difference
    EXPIRED = "expired"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Answered:
    """`run_id` is there when the code was right."""

    answer: Answer
    run_id: int | None = None


async def make(
    connection: AsyncConnection, ages: Ages, run_id: int, *, valid_s: float, bound_to: str = ""
) -> str:
    """A code for a run; nobody can read it afterwards."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
    salt, now = await _salt(connection, ages), ages.stamp()
    await connection.execute(
        insert(approvals).values(
            run_id=run_id,
            salt=salt,
            code_hash=_hashed(code, salt),
            bound_to=bound_to,
            made_at=now.at_s,
            boot=now.boot,
            boot_s=now.boot_s,
            valid_s=valid_s,
        )
    )
    return code


async def find(connection: AsyncConnection, code: str) -> int | None:
    """The run that `code` was made for, whether it is still good or not; None when there is no such code."""
    given = code.strip().upper()
    hashes: dict[str, str] = {}
    newest = select(approvals).order_by(approvals.c.run_id.desc()).limit(_NEWEST)
    for row in (await connection.execute(newest)).all():
        hashed = hashes.get(row.salt) or hashes.setdefault(row.salt, _hashed(given, row.salt))
        if hmac.compare_digest(hashed, row.code_hash):
            return int(row.run_id)
    return None


async def answer(connection: AsyncConnection, ages: Ages, run_id: int | None, by: str, word: str) -> Answered:
    """Uses up the code of a run, as `find` knows it, that `by` gave for `word` (approved or rejected).

    The caller holds recovery's lock.
    """
    row = (await connection.execute(select(approvals).where(approvals.c.run_id == run_id))).first()
    if row is None or (row.bound_to and row.bound_to != by):
        return Answered(Answer.WRONG)
    if row.answer:
        return Answered(Answer.EXPIRED if row.answer == "expired" else Answer.USED)
    if _left_s(row, ages) <= 0:
        return Answered(Answer.EXPIRED)
    await settle(connection, ages, row.run_id, word, by)
    return Answered(Answer.TAKEN, row.run_id)


async def settle(connection: AsyncConnection, ages: Ages, run_id: int, word: str, by: str) -> None:
    """Nobody can answer for that run any more."""
    await connection.execute(
        update(approvals)
        .where(approvals.c.run_id == run_id, approvals.c.answer == "")
        .values(answer=word, answered_by=by, answered_at=ages.clock.time())
    )


async def left_s(connection: AsyncConnection, ages: Ages, run_id: int) -> float:
    """Seconds for which the code of a run is still good; 0 when it is not."""
    row = (await connection.execute(select(approvals).where(approvals.c.run_id == run_id))).first()
    return 0.0 if row is None or row.answer else max(0.0, _left_s(row, ages))


async def _salt(connection: AsyncConnection, ages: Ages) -> str:
    """That of the newest code unless it is too old to be used again."""
    newest = select(approvals).order_by(approvals.c.run_id.desc()).limit(1)
    row = (await connection.execute(newest)).first()
    if row is not None and ages.age_s(Stamp(row.made_at, row.boot, row.boot_s)) < _SALT_S:
        return str(row.salt)
    return secrets.token_hex(16)


def _left_s(row: Row[tuple[object, ...]], ages: Ages) -> float:
    made = Stamp(row.made_at, row.boot, row.boot_s)
    return float(row.valid_s) - ages.age_s(made)


def _hashed(code: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", code.encode(), salt.encode(), _ROUNDS).hex()
