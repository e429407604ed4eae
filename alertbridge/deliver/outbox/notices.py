"""SQL of notices: what waits, what was told, and how they come to their end."""

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.lanes import Lane, read_waiting, waiting
from alertbridge.deliver.model import Body, Kind, MessageState, NoticeState
from alertbridge.deliver.outbox.contents import write_body
from alertbridge.deliver.outbox.rows import Extra, Head, Moved, chunks, way_of
from alertbridge.store.schema import episodes, messages, notices
from alertbridge.store.slices import slices

BEGINNINGS = (Kind.FIRING, Kind.REPEAT, Kind.FLAPPING, Kind.ESCALATION)
UNDER_WAY = (NoticeState.PENDING.value, NoticeState.COMPOSED.value)
NOT_LEFT = (MessageState.READY.value, MessageState.RETRY.value)
MAYBE_OUT = (
    MessageState.SENDING.value,
    MessageState.UNKNOWN.value,
    MessageState.SENT.value,
    MessageState.ACKED.value,
)
UNPROVEN = ("no_ack", "unknown_outcome")
"""Reasons of messages that may have arrived although they count as dead."""

_FIRST_PART = and_(messages.c.bundle == notices.c.message_id, messages.c.part == 1)
_HEADS = select(
    notices.c.id,
    notices.c.kind,
    notices.c.recipient,
    notices.c.severity,
    notices.c.state,
    notices.c.reason,
    notices.c.episode_id,
    notices.c.group_key,
    notices.c.created_at,
    notices.c.deadline_at,
    notices.c.not_before_at,
    notices.c.message_id,
    episodes.c.fingerprint,
    messages.c.state.label("message_state"),
).select_from(
    notices.outerjoin(episodes, episodes.c.id == notices.c.episode_id).outerjoin(messages, _FIRST_PART)
)
"""Notices as `Head` has them, oldest first when ordered by id."""

_KINDS = {kind.value: kind for kind in Kind}
_SEVERITIES = {severity.value: severity for severity in Severity}
_STATES = {state.value: state for state in NoticeState}


def _count(result: object) -> int:
    return cast("CursorResult[tuple[object, ...]]", result).rowcount


async def heads(connection: AsyncConnection, recipient: str) -> list[Head]:
    """What waits for `recipient` on any way, and what is in messages that have not left; oldest first."""
    found = await connection.execute(
        _HEADS.where(
            notices.c.recipient == recipient,
            notices.c.state.in_(UNDER_WAY),
            or_(notices.c.state == NoticeState.PENDING.value, messages.c.state.in_(NOT_LEFT)),
        ).order_by(notices.c.id)
    )
    return [head async for some in slices(found) for head in map(_head, some)]


def _head(row: Row[*tuple[Any, ...]]) -> Head:
    """Unpacked in the order of `_HEADS`: a storm makes thousands of them, and names would cost twice as much."""
    (
        identity,
        kind,
        _,
        severity,
        state_word,
        reason,
        episode_id,
        group_key,
        created_at_s,
        deadline_at_s,
        not_before_s,
        message_id,
        fingerprint,
        message_state,
    ) = row
    state = _STATES[state_word]
    way, why = read_waiting(reason) if reason else (0, "")
    return Head(
        identity,
        _KINDS[kind],
        _SEVERITIES[severity],
        state,
        way_of(message_id) if state is NoticeState.COMPOSED else way,
        why,
        reason,
        episode_id,
        fingerprint or "",
        group_key,
        created_at_s,
        deadline_at_s,
        not_before_s,
        message_id,
        None if message_state is None else MessageState(message_state),
    )


async def beginnings_told(connection: AsyncConnection, recipient: str) -> dict[int, bool]:
    """For each episode whose end waits for `recipient`: whether its beginning was told, or may have been.

    An episode of whose beginning there is no notice at all is not in the answer.
    """
    ends = select(notices.c.episode_id).where(
        notices.c.recipient == recipient,
        notices.c.state == NoticeState.PENDING.value,
        notices.c.kind == Kind.RESOLVED.value,
    )
    found = await connection.execute(
        select(
            notices.c.episode_id,
            notices.c.state,
            notices.c.message_id,
            messages.c.state.label("message_state"),
            messages.c.reason.label("message_reason"),
        )
        .select_from(notices.outerjoin(messages, _FIRST_PART))
        .where(
            notices.c.recipient == recipient,
            notices.c.kind.in_([kind.value for kind in BEGINNINGS]),
            notices.c.episode_id.in_(ends),
        )
    )
    told: dict[int, bool] = {}
    by_bundle: dict[str, list[int]] = {}
    for row in found:
        out = row.state in (NoticeState.DELIVERED.value, NoticeState.MERGED.value) or _maybe_out(
            row.message_state, row.message_reason
        )
        told[row.episode_id] = told.get(row.episode_id, False) or out
        if not told[row.episode_id] and row.message_id:
            by_bundle.setdefault(row.message_id, []).append(row.episode_id)
    for bundle in await _with_maybe_out_before(connection, sorted(by_bundle)):
        told |= dict.fromkeys(by_bundle[bundle], True)
    return told


def _maybe_out(state: str | None, reason: str | None) -> bool:
    return state in MAYBE_OUT or reason in UNPROVEN


async def _with_maybe_out_before(connection: AsyncConnection, bundles: Sequence[str]) -> set[str]:
    """Those of `bundles` that were made instead of one that may have arrived."""
    before: dict[str, list[str]] = {}
    for chunk in chunks(bundles):
        rows = await connection.execute(
            select(messages.c.bundle, messages.c.extra).where(
                messages.c.bundle.in_(chunk), messages.c.part == 1
            )
        )
        for bundle, extra in rows:
            for earlier in Extra.of(extra).instead_of:
                before.setdefault(earlier, []).append(bundle)
    found: set[str] = set()
    for chunk in chunks(sorted(before)):
        states = await connection.execute(
            select(messages.c.bundle, messages.c.state, messages.c.reason).where(messages.c.bundle.in_(chunk))
        )
        for bundle, state, reason in states:
            if _maybe_out(state, reason):
                found.update(before[bundle])
    return found


async def compose(connection: AsyncConnection, taken: Sequence[Head], bundle: str) -> None:
    """The pending `taken` are told by `bundle` from now on. Raises Moved unless all are as they were read."""
    by_reason: dict[str, list[int]] = {}
    for head in taken:
        by_reason.setdefault(head.reason, []).append(head.id)
    for reason, ids in by_reason.items():
        for chunk in chunks(ids):
            result = await connection.execute(
                notices.update()
                .where(
                    notices.c.id.in_(chunk),
                    notices.c.state == NoticeState.PENDING.value,
                    notices.c.reason == reason,
                )
                .values(state=NoticeState.COMPOSED.value, message_id=bundle, reason="")
            )
            if _count(result) != len(chunk):
                raise Moved


async def redirect(
    connection: AsyncConnection,
    moving: Sequence[Head],
    way: int,
    why: str,
    deadline_at_s: float | None = None,
) -> None:
    """The pending `moving` wait for another way. Those that are no longer as they were read stay."""
    change: dict[str, object] = {"reason": waiting(way, why)}
    if deadline_at_s is not None:
        change["deadline_at"] = deadline_at_s
    by_reason: dict[str, list[int]] = {}
    for head in moving:
        by_reason.setdefault(head.reason, []).append(head.id)
    for reason, ids in by_reason.items():
        for chunk in chunks(ids):
            await connection.execute(
                notices.update()
                .where(
                    notices.c.id.in_(chunk),
                    notices.c.state == NoticeState.PENDING.value,
                    notices.c.reason == reason,
                )
                .values(**change)
            )


async def reopen(
    connection: AsyncConnection,
    ids: Sequence[int],
    bundle: str,
    way: int,
    why: str,
    deadline_at_s: float | None = None,
    *,
    also_told: bool = False,
) -> int:
    """What `bundle` was to tell waits again, for `way`; how many that were. `also_told` takes back what counted
    as told by it."""
    change: dict[str, object] = {
        "state": NoticeState.PENDING.value,
        "reason": waiting(way, why),
        "settled_at": None,
    }
    if deadline_at_s is not None:
        change["deadline_at"] = deadline_at_s
    states = [NoticeState.COMPOSED.value]
    if also_told:
        states += [NoticeState.DELIVERED.value, NoticeState.MERGED.value]
    total = 0
    for chunk in chunks(ids):
        result = await connection.execute(
            notices.update()
            .where(notices.c.id.in_(chunk), notices.c.state.in_(states), notices.c.message_id == bundle)
            .values(**change)
        )
        total += _count(result)
    return total


async def settle(
    connection: AsyncConnection,
    ids: Sequence[int],
    state: NoticeState,
    reason: str,
    now_s: float,
    *,
    bundle: str | None = None,
    only_from: Collection[NoticeState] = (NoticeState.PENDING, NoticeState.COMPOSED),
    only_of: str | None = None,
) -> int:
    """Brings those of `ids` to their end that are in one of `only_from`; how many that were.

    `bundle` is noted as what told them; with `only_of` those are left alone that another bundle tells.
    """
    change: dict[str, object] = {"state": state.value, "reason": reason[:40], "settled_at": now_s}
    if bundle is not None:
        change["message_id"] = bundle
    total = 0
    for chunk in chunks(ids):
        wanted = notices.update().where(
            notices.c.id.in_(chunk), notices.c.state.in_([one.value for one in only_from])
        )
        if only_of is not None:
            wanted = wanted.where(notices.c.message_id == only_of)
        total += _count(await connection.execute(wanted.values(**change)))
    return total


async def untold(connection: AsyncConnection, bundle: str) -> int:
    """How many notices wait for `bundle` to tell them."""
    found = await connection.execute(
        select(func.count())
        .select_from(notices)
        .where(notices.c.message_id == bundle, notices.c.state == NoticeState.COMPOSED.value)
    )
    return int(found.scalar_one())


async def lanes_with_pending(connection: AsyncConnection) -> set[Lane]:
    """Lanes for which something waits."""
    found = await connection.execute(
        select(notices.c.recipient, notices.c.reason)
        .where(notices.c.state == NoticeState.PENDING.value)
        .distinct()
    )
    return {Lane(row.recipient, read_waiting(row.reason)[0]) for row in found}


async def pending(connection: AsyncConnection, severities: Collection[Severity]) -> list[tuple[str, Head]]:
    """Everything of `severities` that waits, with its recipient."""
    found = await connection.execute(
        _HEADS.where(
            notices.c.state == NoticeState.PENDING.value,
            notices.c.severity.in_([one.value for one in severities]),
        ).order_by(notices.c.id)
    )
    return [(row.recipient, _head(row)) async for some in slices(found) for row in some]


async def depth(connection: AsyncConnection) -> tuple[dict[str, int], float | None]:
    """How many notices are under way by state, and when the oldest of them was made."""
    found = await connection.execute(
        select(notices.c.state, func.count(), func.min(notices.c.created_at))
        .where(notices.c.state.in_(UNDER_WAY))
        .group_by(notices.c.state)
    )
    rows = [(str(state), int(count), float(oldest)) for state, count, oldest in found]
    return {state: count for state, count, _ in rows}, min((oldest for *_, oldest in rows), default=None)


async def worth_showing(
    connection: AsyncConnection, waiting: Sequence[Head], firing: Collection[str] | None
) -> list[int]:
    """Of each alert of `waiting` that may still fire the newest notice, and what is about no alert.

    `firing` are the fingerprints that do; None: whatever the store calls open.
    """
    newest = {head.fingerprint or str(head.id): head for head in waiting}
    if firing is not None:
        return [one.id for key, one in newest.items() if key in firing or one.episode_id is None]
    found = {one.id for one in newest.values() if one.episode_id is None}
    by_episode = {one.episode_id: one.id for one in newest.values() if one.episode_id is not None}
    for chunk in chunks(sorted(by_episode)):
        rows = await connection.execute(
            select(episodes.c.id).where(episodes.c.id.in_(chunk), episodes.c.status == "open")
        )
        found |= {by_episode[episode] for (episode,) in rows}
    return sorted(found)


async def add(
    connection: AsyncConnection,
    *,
    kind: Kind,
    recipient: str,
    severity: Severity,
    body: Body,
    created_at_s: float,
    deadline_at_s: float,
    language: str = "",
    episode_id: int | None = None,
) -> int:
    """A new notice with a finished text; its id."""
    made = await connection.execute(
        notices.insert()
        .values(
            kind=kind.value,
            state=NoticeState.PENDING.value,
            recipient=recipient,
            severity=severity.value,
            body=write_body(body),
            created_at=created_at_s,
            deadline_at=deadline_at_s,
            language=language,
            episode_id=episode_id,
        )
        .returning(notices.c.id)
    )
    return int(made.scalar_one())
