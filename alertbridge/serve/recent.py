"""The recent messages with their fate: read only, bounded, newest first."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.sending import BELIEVED
from alertbridge.serve.fate import FILTERS, Bundle, Fate, bundles, fate_of
from alertbridge.store.schema import messages

SCANNED = 5_000
"""A filter looks at so many messages at once; what is older comes with the next page."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the recent ones; a text in parts once. Times are Unix seconds."""

    id: str
    recipient: str
    channel: str
    kind: str
    severity: Severity
    text: str
    fate: Fate
    reason: str
    by_fallback: bool
    repeated: bool
    parts: int
    notices: int
    attempts: int
    created_at_s: float
    sent_at_s: float | None
    acked_at_s: float | None
    delivered_at_s: float | None
    read_at_s: float | None


@dataclass(frozen=True, slots=True)
class SentPage:
    """Newest first; `older` is the id to go on before, empty at the end."""

    shown: tuple[Sent, ...]
    older: str


async def recent(
    connection: AsyncConnection,
    *,
    recipient: str = "",
    fate: Fate | None = None,
    limit: int = 50,
    before: str = "",
    scanned_most: int = SCANNED,
) -> SentPage:
    """The newest messages, of `recipient` and with `fate` if these are given, older than the message `before`.

    Looks at no more than `scanned_most` messages: a page may be short, or empty, and `older` lead on.
    """
    scanned = select(messages).where(messages.c.part == 1)
    if before:
        mark = select(messages.c.created_at).where(messages.c.id == before).scalar_subquery()
        scanned = scanned.where(
            or_(messages.c.created_at < mark, and_(messages.c.created_at == mark, messages.c.id < before))
        )
    newest = (messages.c.created_at.desc(), messages.c.id.desc())
    if recipient or fate is not None:
        inner = scanned.order_by(*newest).limit(scanned_most).subquery()
        last = (
            await connection.execute(select(inner.c.id).order_by(inner.c.created_at, inner.c.id).limit(1))
        ).scalar()
        chosen = select(messages).where(messages.c.id.in_(select(inner.c.id)))
        if recipient:
            chosen = chosen.where(messages.c.recipient == recipient)
        if fate is not None:
            chosen = chosen.where(FILTERS[fate])
        full = (
            await connection.execute(select(func.count()).select_from(inner))
        ).scalar_one() == scanned_most
    else:
        chosen, last, full = scanned, None, False
    rows = (await connection.execute(chosen.order_by(*newest).limit(limit + 1))).all()
    in_parts = await bundles(connection, {row.bundle for row in rows if row.parts > 1})
    shown = tuple(_sent(row, in_parts.get(row.bundle)) for row in rows[:limit])
    if len(rows) > limit:
        return SentPage(shown, shown[-1].id)
    return SentPage(shown, last if full and last is not None else "")


def _sent(row: Row[Any], bundle: Bundle | None) -> Sent:
    found = row._mapping
    fate = fate_of(found["state"], found["reason"], found["delivered_at"], found["read_at"])
    return Sent(
        id=found["id"],
        recipient=found["recipient"],
        channel=found["channel"],
        kind=found["kind"],
        severity=Severity(found["severity"]),
        text=found["text"],
        fate=fate if bundle is None else bundle.fate,
        reason="" if found["reason"] == BELIEVED else found["reason"] if bundle is None else bundle.reason,
        by_fallback=found["is_fallback"],
        repeated=found["repeated"],
        parts=found["parts"],
        notices=len((found["extra"] or {}).get("notices", ())),
        attempts=found["attempts"],
        created_at_s=found["created_at"],
        sent_at_s=found["sent_at"],
        acked_at_s=found["acked_at"],
        delivered_at_s=found["delivered_at"],
        read_at_s=found["read_at"],
    )
