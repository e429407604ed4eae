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
    salt, now = secrets.token_hex(16), ages.stamp()
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


async def answer(connection: AsyncConnection, ages: Ages, code: str, by: str, word: str) -> Answered:
    """Uses up the code that `by` gives for `word` (approved or rejected). The caller holds recovery's lock."""
    given = code.strip().upper()
    newest = select(approvals).order_by(approvals.c.run_id.desc()).limit(50)
    for row in (await connection.execute(newest)).all():
        if not hmac.compare_digest(_hashed(given, row.salt), row.code_hash):
            continue
        if row.bound_to and row.bound_to != by:
            return Answered(Answer.WRONG)
        if row.answer:
            return Answered(Answer.EXPIRED if row.answer == "expired" else Answer.USED)
        if _left_s(row, ages) <= 0:
            return Answered(Answer.EXPIRED)
        await settle(connection, ages, row.run_id, word, by)
        return Answered(Answer.TAKEN, row.run_id)
    return Answered(Answer.WRONG)


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


def _left_s(row: Row[tuple[object, ...]], ages: Ages) -> float:
    made = Stamp(row.made_at, row.boot, row.boot_s)
    return float(row.valid_s) - ages.age_s(made)


def _hashed(code: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", code.encode(), salt.encode(), _ROUNDS).hex()
