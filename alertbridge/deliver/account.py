"""Where everything that was accepted is: the account of a day, of each episode, and of one that is asked for.

received = delivered + merged + expired + dead + suppressed + under way, notice by notice; each with its reason.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.model import Kind, NoticeState
from alertbridge.deliver.outbox import messages as message_rows
from alertbridge.deliver.outbox.rows import Attempt, Message, chunks
from alertbridge.store.schema import episodes, messages, notices, rejects

UNDER_WAY = "under_way"
_PAGE = 500
_OF_EPISODE = (UNDER_WAY, "dead", "delivered", "merged", "expired", "suppressed")
"""An episode is in the first of these that one of its notices is in: what is open or went wrong is not hidden."""


@dataclass(frozen=True, slots=True)
class DayAccount:
    """The notices about alerts that were made on `day`, by state; `reasons` within each state.

    `rejected` alerts never became notices. `received` is counted apart from the states, so that `closes` can fail.
    """

    day: date
    received: int
    states: dict[str, int]
    reasons: dict[str, dict[str, int]]
    rejected: int = 0

    @property
    def closes(self) -> bool:
        """Whether every notice is accounted for."""
        return self.received == sum(self.states.values())

    def to_json(self) -> dict[str, object]:
        """As an object for JSON."""
        return {
            "day": self.day.isoformat(),
            "received": self.received,
            **self.states,
            "reasons": self.reasons,
            "rejected": self.rejected,
            "closes": self.closes,
        }


@dataclass(frozen=True, slots=True)
class EpisodeAccount:
    """What became of one episode: `state` as in the account, `reason` of that state, and the messages that told it."""

    episode_id: int
    fingerprint: str
    starts_at_s: float
    state: str
    reason: str
    message_ids: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """As an object for JSON; `startsAt` in Unix seconds."""
        return {
            "episode": self.episode_id,
            "fingerprint": self.fingerprint,
            "startsAt": self.starts_at_s,
            "state": self.state,
            "reason": self.reason,
            "message_ids": list(self.message_ids),
        }


@dataclass(frozen=True, slots=True)
class NoticeAccount:
    """One notice as it stands."""

    id: int
    kind: str
    recipient: str
    state: str
    reason: str
    created_at_s: float
    settled_at_s: float | None
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Everything about an episode: its notices, the messages that told it or tried to, and their attempts."""

    account: EpisodeAccount
    notices: tuple[NoticeAccount, ...]
    messages: tuple[Message, ...] = ()
    attempts: tuple[Attempt, ...] = field(default=())


async def of_day(connection: AsyncConnection, day: date, zone: ZoneInfo) -> DayAccount:
    """The account of `day` in the operator's time zone."""
    start_s, end_s = day_bounds(day, zone)
    within = (notices.c.created_at >= start_s, notices.c.created_at < end_s)
    about_alerts = notices.c.episode_id.is_not(None)
    received = await connection.execute(
        select(func.count()).select_from(notices).where(about_alerts, *within)
    )
    found = await connection.execute(
        select(notices.c.state, notices.c.reason, func.count())
        .where(about_alerts, *within)
        .group_by(notices.c.state, notices.c.reason)
    )
    states = dict.fromkeys(("delivered", "merged", "expired", "dead", "suppressed", UNDER_WAY), 0)
    reasons: dict[str, dict[str, int]] = {}
    for stored, reason, count in found:
        state = _state(stored)
        states[state] += count
        table = reasons.setdefault(state, {})
        table[reason or stored] = table.get(reason or stored, 0) + count
    rejected = await connection.execute(
        select(func.count()).select_from(rejects).where(rejects.c.at >= start_s, rejects.c.at < end_s)
    )
    return DayAccount(day, int(received.scalar_one()), states, reasons, int(rejected.scalar_one()))


def day_bounds(day: date, zone: ZoneInfo) -> tuple[float, float]:
    """Unix seconds at which a day begins and ends there."""
    start = datetime.combine(day, time(), zone)
    return start.timestamp(), datetime.combine(day + timedelta(days=1), time(), zone).timestamp()


async def of_episodes(
    connection: AsyncConnection, start_s: float = 0.0, end_s: float = 1e18
) -> AsyncIterator[EpisodeAccount]:
    """One object for each episode that was opened between the two (Unix seconds), oldest first."""
    last = 0
    while True:
        page = (
            await connection.execute(
                select(episodes.c.id, episodes.c.fingerprint, episodes.c.starts_at)
                .where(episodes.c.id > last, episodes.c.opened_at >= start_s, episodes.c.opened_at < end_s)
                .order_by(episodes.c.id)
                .limit(_PAGE)
            )
        ).all()
        if not page:
            return
        last = page[-1].id
        for found in await _accounts(connection, [(row.id, row.fingerprint, row.starts_at) for row in page]):
            yield found


async def where(connection: AsyncConnection, key: str) -> list[Whereabouts]:
    """Where what `key` names is: a fingerprint, the number of an episode, or a message's id; newest first."""
    found = await _episodes_of(connection, key.strip())
    accounts = await _accounts(connection, found)
    return [await _whereabouts(connection, account) for account in accounts]


async def _episodes_of(connection: AsyncConnection, key: str) -> list[tuple[int, str, float]]:
    wanted = select(episodes.c.id, episodes.c.fingerprint, episodes.c.starts_at)
    bundle = key.upper()
    row = (await connection.execute(select(messages.c.bundle).where(messages.c.id == bundle))).first()
    if row is not None:
        bundle = row.bundle
    parts = await message_rows.parts(connection, bundle)
    condition: ColumnElement[bool]
    if parts:
        ids: set[int] = set()
        for chunk in chunks(parts[0].extra.notices):
            rows = await connection.execute(select(notices.c.episode_id).where(notices.c.id.in_(chunk)))
            ids |= {one for (one,) in rows if one is not None}
        condition = episodes.c.id.in_(sorted(ids)[-_PAGE:])
    elif key.isascii() and key.isdigit() and len(key) < 16:
        condition = episodes.c.id == int(key)
    else:
        condition = episodes.c.fingerprint == key.lower()
    rows_found = await connection.execute(wanted.where(condition).order_by(episodes.c.id.desc()).limit(100))
    return [(row.id, row.fingerprint, row.starts_at) for row in rows_found]


async def _accounts(
    connection: AsyncConnection, of: Sequence[tuple[int, str, float]]
) -> list[EpisodeAccount]:
    by_episode: dict[int, list[tuple[str, str, str | None]]] = {}
    rows = await connection.execute(
        select(notices.c.episode_id, notices.c.state, notices.c.reason, notices.c.message_id)
        .where(notices.c.episode_id.in_([episode for episode, _, _ in of]))
        .order_by(notices.c.id)
    )
    for episode_id, state, reason, message_id in rows:
        by_episode.setdefault(episode_id, []).append((_state(state), reason, message_id))
    return [
        _account(episode, fingerprint, starts_at_s, by_episode.get(episode, []))
        for episode, fingerprint, starts_at_s in of
    ]


def _account(
    episode: int, fingerprint: str, starts_at_s: float, told: Sequence[tuple[str, str, str | None]]
) -> EpisodeAccount:
    if not told:
        return EpisodeAccount(episode, fingerprint, starts_at_s, "suppressed", "no_notice", ())
    state, reason, _ = min(told, key=lambda one: _OF_EPISODE.index(one[0]))
    ids = dict.fromkeys(message_id for _, _, message_id in told if message_id is not None)
    return EpisodeAccount(episode, fingerprint, starts_at_s, state, reason, tuple(ids))


async def _whereabouts(connection: AsyncConnection, account: EpisodeAccount) -> Whereabouts:
    rows = await connection.execute(
        select(notices).where(notices.c.episode_id == account.episode_id).order_by(notices.c.id)
    )
    found = tuple(
        NoticeAccount(
            row.id,
            Kind(row.kind).value,
            row.recipient,
            row.state,
            row.reason,
            row.created_at,
            row.settled_at,
            row.message_id,
        )
        for row in rows
    )
    told: list[Message] = []
    for bundle in account.message_ids:
        parts = await message_rows.parts(connection, bundle)
        for earlier in parts[0].extra.instead_of if parts else ():
            told += await message_rows.parts(connection, earlier)
        told += parts
    told = list({message.id: message for message in told}.values())
    attempts = await message_rows.attempts_of(connection, [message.id for message in told])
    return Whereabouts(account, found, tuple(told), tuple(attempts))


def _state(stored: str) -> str:
    return UNDER_WAY if stored in (NoticeState.PENDING.value, NoticeState.COMPOSED.value) else stored
