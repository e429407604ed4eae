"""What fires now, and how far everybody was told of it: read only, bounded, worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Kind, NoticeState
from alertbridge.serve.fate import Bundle, Fate, bundles
from alertbridge.store.schema import episodes, notices

_ANNOUNCING = (Kind.FIRING, Kind.REPEAT, Kind.ESCALATION, Kind.FLAPPING)
_NOTICE_FATES = {
    NoticeState.PENDING: Fate.WAITING,
    NoticeState.COMPOSED: Fate.WAITING,
    NoticeState.DELIVERED: Fate.ACKED,
    NoticeState.MERGED: Fate.ACKED,
    NoticeState.EXPIRED: Fate.DROPPED,
    NoticeState.DEAD: Fate.DEAD,
    NoticeState.SUPPRESSED: Fate.SUPPRESSED,
}


@dataclass(frozen=True, slots=True)
class Told:
    """How far telling one recipient of an episode is. `at_s`: when it got there; `until_s`: held until then."""

    recipient: str
    fate: Fate
    reason: str
    message_id: str
    by_fallback: bool
    at_s: float | None
    until_s: float | None


@dataclass(frozen=True, slots=True)
class Firing:
    """An episode that is open. Times are Unix seconds."""

    id: int
    fingerprint: str
    name: str
    severity: Severity
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at_s: float
    flapping: bool
    acknowledged_by: str
    acknowledged_at_s: float | None
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class FiringPage:
    """`shown` of those that match; `counts` of everything that fires, by severity."""

    shown: tuple[Firing, ...]
    matching: int
    counts: Mapping[Severity, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


async def firing(
    connection: AsyncConnection,
    *,
    severity: Severity | None = None,
    words: str = "",
    limit: int = 50,
    offset: int = 0,
) -> FiringPage:
    """What fires now, worst first and then oldest."""
    is_open = episodes.c.status == "open"
    counted = await connection.execute(
        select(episodes.c.severity, func.count()).where(is_open).group_by(episodes.c.severity)
    )
    counts = {Severity(word): int(count) for word, count in counted}
    matches = [is_open, *_having(words)]
    if severity is not None:
        matches.append(episodes.c.severity == severity.value)
    total = await connection.execute(select(func.count()).select_from(episodes).where(*matches))
    rank = case({one.value: one.rank for one in Severity}, value=episodes.c.severity, else_=len(Severity))
    rows = (
        await connection.execute(
            select(episodes)
            .where(*matches)
            .order_by(rank, episodes.c.starts_at, episodes.c.id)
            .limit(limit)
            .offset(offset)
        )
    ).all()
    told = await _told(connection, [row.id for row in rows])
    return FiringPage(
        tuple(
            Firing(
                id=row.id,
                fingerprint=row.fingerprint,
                name=row.name,
                severity=Severity(row.severity),
                labels=row.labels,
                annotations=row.annotations,
                starts_at_s=row.starts_at,
                flapping=row.flapping,
                acknowledged_by=row.acknowledged_by or "",
                acknowledged_at_s=row.acknowledged_at,
                told=tuple(told.get(row.id, ())),
            )
            for row in rows
        ),
        int(total.scalar_one()),
        counts,
    )


def _having(words: str) -> list[ColumnElement[bool]]:
    """Every word stands in the name or in the labels."""
    labels = func.lower(cast(episodes.c.labels, Text))
    return [
        or_(
            func.lower(episodes.c.name).contains(word, autoescape=True),
            labels.contains(word, autoescape=True),
        )
        for word in words.lower().split()
    ]


async def _told(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, list[Told]]:
    """By episode: each recipient once, with the newest notice that announced it."""
    found = await connection.execute(
        select(
            notices.c.episode_id,
            notices.c.recipient,
            notices.c.state,
            notices.c.reason,
            notices.c.message_id,
            notices.c.not_before_at,
            notices.c.settled_at,
        )
        .where(notices.c.episode_id.in_(ids), notices.c.kind.in_([kind.value for kind in _ANNOUNCING]))
        .order_by(notices.c.id)
    )
    newest = {(row.episode_id, row.recipient): row for row in found}
    texts = await bundles(connection, {row.message_id for row in newest.values() if row.message_id})
    somebody = {episode_id for episode_id, recipient in newest if recipient}
    told: dict[int, list[Told]] = {}
    for (episode_id, recipient), row in newest.items():
        if not recipient and episode_id in somebody:
            continue  # nobody wanted one notice, somebody wanted another
        bundle = texts.get(row.message_id or "")
        told.setdefault(episode_id, []).append(_one_told(recipient, row, bundle))
    return told


def _one_told(recipient: str, row: Any, bundle: Bundle | None) -> Told:
    state = NoticeState(row.state)
    until_s: float | None = row.not_before_at
    fate, reason = _NOTICE_FATES[state], str(row.reason)
    at_s: float | None = row.settled_at
    if bundle is not None and state in (NoticeState.COMPOSED, NoticeState.DELIVERED, NoticeState.MERGED):
        fate, at_s = bundle.fate, bundle.at_s
        reason = bundle.reason if fate in (Fate.WAITING, Fate.UNPROVEN) else reason
    if state is NoticeState.PENDING and until_s is not None:
        fate = Fate.HELD
    return Told(
        recipient=recipient,
        fate=fate,
        reason=reason,
        message_id=str(row.message_id or ""),
        by_fallback=bundle is not None and bundle.is_fallback,
        at_s=at_s,
        until_s=until_s if fate is Fate.HELD else None,
    )
