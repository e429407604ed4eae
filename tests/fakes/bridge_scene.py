"""What a bridge's store holds on a bad day, written straight into its tables."""

import itertools
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.model import MessageState, NoticeState
from alertbridge.store.schema import attempts, episodes, messages, notices

_IDS = itertools.count(1)


def new_message_id() -> str:
    return f"{next(_IDS):032X}"


async def add_episode(
    connection: AsyncConnection,
    name: str,
    *,
    severity: str = "warning",
    now_s: float,
    age_s: float = 60.0,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **more: object,
) -> int:
    """An alert that fires since `age_s`; its number."""
    values: dict[str, object] = {
        "fingerprint": f"{next(_IDS):016x}",
        "status": "open",
        "name": name,
        "severity": severity,
        "labels": {"alertname": name, "severity": severity, **(labels or {})},
        "annotations": dict(annotations or {}),
        "starts_at": now_s - age_s,
        "opened_at": now_s - age_s + 1,
        "last_seen_at": now_s,
        **more,
    }
    made = await connection.execute(episodes.insert().values(**values).returning(episodes.c.id))
    return int(made.scalar_one())


async def add_notice(
    connection: AsyncConnection,
    episode_id: int | None,
    recipient: str,
    state: NoticeState,
    *,
    at_s: float,
    kind: str = "firing",
    severity: str = "warning",
    message_id: str | None = None,
    reason: str = "",
    not_before_s: float | None = None,
) -> int:
    """What `recipient` is to be told of an episode; its number."""
    is_over = state not in (NoticeState.PENDING, NoticeState.COMPOSED)
    made = await connection.execute(
        notices.insert()
        .values(
            episode_id=episode_id,
            kind=kind,
            state=state.value,
            reason=reason,
            recipient=recipient,
            severity=severity,
            created_at=at_s,
            not_before_at=not_before_s,
            deadline_at=at_s + 600,
            settled_at=at_s + 3 if is_over else None,
            message_id=message_id,
        )
        .returning(notices.c.id)
    )
    return int(made.scalar_one())


async def add_message(
    connection: AsyncConnection,
    recipient: str,
    channel: str,
    text: str,
    state: MessageState,
    *,
    at_s: float,
    severity: str = "warning",
    told: tuple[int, ...] = (),
    message_id: str = "",
    is_fallback: bool = False,
    delivered: bool = False,
    read: bool = False,
    **more: object,
) -> str:
    """A message with one attempt; its id."""
    name = message_id or new_message_id()
    left = state not in (MessageState.READY, MessageState.DEAD)
    acked = state is MessageState.ACKED
    values: dict[str, object] = {
        "id": name,
        "bundle": f"{name}-1" if is_fallback else name,
        "recipient": recipient,
        "channel": channel,
        "address": "62812000000001",
        "kind": "digest" if len(told) > 3 else "single",
        "room": "critical" if severity == "critical" else "normal",
        "severity": severity,
        "text": text,
        "extra": {"notices": list(told)},
        "state": state.value,
        "is_fallback": is_fallback,
        "attempts": 1 if left else 0,
        "created_at": at_s,
        "accepted_at": at_s - 1,
        "deadline_at": at_s + 600,
        "sent_at": at_s + 1 if left else None,
        "acked_at": at_s + 2 if acked else None,
        "delivered_at": at_s + 3 if delivered or read else None,
        "read_at": at_s + 40 if read else None,
        **more,
    }
    await connection.execute(messages.insert().values(**values))
    await connection.execute(
        attempts.insert().values(
            message_id=name,
            channel=channel,
            started_at=at_s,
            ended_at=at_s + 1,
            outcome="accepted" if left else "retry",
            reason="" if left else "timeout",
        )
    )
    return name


async def tell(
    connection: AsyncConnection,
    episode_id: int,
    recipient: str,
    channel: str,
    text: str,
    state: MessageState,
    *,
    at_s: float,
    severity: str = "warning",
    **more: object,
) -> str:
    """A notice of an episode in a message of its own; the message's id."""
    name = new_message_id()
    over = {MessageState.ACKED: NoticeState.DELIVERED, MessageState.DEAD: NoticeState.DEAD}
    bundle = f"{name}-1" if more.get("is_fallback") else name
    told = await add_notice(
        connection,
        episode_id,
        recipient,
        over.get(state, NoticeState.COMPOSED),
        at_s=at_s,
        severity=severity,
        message_id=bundle,
        reason="timeout" if state is MessageState.DEAD else "",
    )
    return await add_message(
        connection,
        recipient,
        channel,
        text,
        state,
        at_s=at_s,
        severity=severity,
        told=(told,),
        message_id=name,
        **more,  # type: ignore[arg-type]  # keywords of add_message
    )


CRITICAL_TEXT = """\
*KRITIS: RouterDown* #481
core-1, site barat

Router core-1 tidak menjawab sejak 3 menit.

Runbook: https://example.net/runbooks/router-down"""
DIGEST_TEXT = """\
5 more warnings in 5 min:
- InterfaceErrors (3): tower-1, tower-2, tower-3
- PoolNearlyFull (2): tower-1, tower-2"""


async def bad_day(connection: AsyncConnection, now_s: float) -> None:
    """A router that is down, a storm of warnings, quiet hours, a fallback, and two dead letters."""
    down = await add_episode(
        connection,
        "RouterDown",
        severity="critical",
        now_s=now_s,
        age_s=190,
        labels={"router": "core-1", "site": "barat", "team": "noc"},
        annotations={
            "summary": "Router core-1 has not answered for 3 minutes.",
            "summary_id": "Router core-1 tidak menjawab sejak 3 menit.",
        },
        acknowledged_by="Budi",
        acknowledged_at=now_s - 95,
    )
    await tell(
        connection,
        down,
        "noc",
        "wa",
        CRITICAL_TEXT,
        MessageState.ACKED,
        at_s=now_s - 185,
        severity="critical",
        read=True,
    )
    await tell(
        connection,
        down,
        "boss",
        "sms",
        CRITICAL_TEXT,
        MessageState.ACKED,
        at_s=now_s - 140,
        severity="critical",
        is_fallback=True,
        reason="believed",
    )
    bot = await add_episode(
        connection,
        "BotSessionDead",
        severity="critical",
        now_s=now_s,
        age_s=45,
        labels={"bot": "noc-bot", "session": "default"},
        annotations={
            "summary": "The bot noc-bot says open, and nothing arrives.",
            "summary_id": "Bot noc-bot mengaku open, tetapi tidak ada yang sampai.",
        },
    )
    await tell(
        connection,
        bot,
        "noc",
        "wa",
        "*CRITICAL: BotSessionDead* #482\nnoc-bot, default",
        MessageState.SENT,
        at_s=now_s - 20,
        severity="critical",
    )
    flapping = await add_episode(
        connection,
        "InterfaceErrors",
        now_s=now_s,
        age_s=1500,
        labels={"router": "tower-1", "interface": "ether5", "site": "timur"},
        annotations={
            "summary": "12 errors per second on ether5.",
            "summary_id": "12 galat per detik di ether5.",
        },
        flapping=True,
    )
    await tell(
        connection,
        flapping,
        "noc",
        "wa",
        "*WARNING: InterfaceErrors* #483\ntower-1, ether5",
        MessageState.ACKED,
        at_s=now_s - 1480,
        delivered=True,
    )
    held = await add_episode(
        connection,
        "PoolNearlyFull",
        now_s=now_s,
        age_s=700,
        labels={"router": "core-1", "pool": "hotspot-pool"},
        annotations={
            "summary": "hotspot-pool is 96% used.",
            "summary_id": "hotspot-pool terpakai 96%.",
        },
    )
    await add_notice(
        connection, held, "noc", NoticeState.PENDING, at_s=now_s - 690, not_before_s=now_s + 5400
    )
    nobody = await add_episode(
        connection,
        "CertificateExpires",
        severity="info",
        now_s=now_s,
        age_s=86_400 * 3,
        labels={"router": "cabin", "certificate": "www"},
    )
    await add_notice(
        connection,
        nobody,
        "",
        NoticeState.SUPPRESSED,
        at_s=now_s - 80_000,
        severity="info",
        reason="no_route",
    )
    folded = []
    digest = new_message_id()
    for number in range(5):
        episode = await add_episode(
            connection,
            "InterfaceErrors" if number < 3 else "PoolNearlyFull",
            now_s=now_s,
            age_s=900,
            labels={"router": f"tower-{number % 3 + 1}", "interface": f"ether{number}"},
        )
        folded.append(
            await add_notice(
                connection, episode, "noc", NoticeState.MERGED, at_s=now_s - 880, message_id=digest
            )
        )
    await add_message(
        connection,
        "noc",
        "wa",
        DIGEST_TEXT,
        MessageState.ACKED,
        at_s=now_s - 860,
        told=tuple(folded),
        message_id=digest,
        delivered=True,
    )
    await add_message(
        connection,
        "boss",
        "wa",
        "*SELESAI: RouterDown* #470\ntower-2, setelah 12 menit",
        MessageState.READY,
        at_s=now_s - 4,
    )
    await add_message(
        connection,
        "field-team",
        "cloud",
        "*PERINGATAN: QueueFull* #475",
        MessageState.UNKNOWN,
        at_s=now_s - 300,
        reason="no_ack",
        repeated=True,
    )
    for name, ago_s in (("LinkDown", 4000), ("UpsOnBattery", 3000)):
        episode = await add_episode(
            connection,
            name,
            now_s=now_s,
            age_s=ago_s,
            labels={"router": "cabin"},
            status="closed",
            closed_at=now_s - 1000,
        )
        await tell(
            connection,
            episode,
            "field-team",
            "cloud",
            f"*PERINGATAN: {name}* #{episode}\ncabin",
            MessageState.DEAD,
            at_s=now_s - ago_s + 5,
            reason="timeout",
        )
