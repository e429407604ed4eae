"""A draft becomes messages: the text, its parts, and everything that is known of them. Pure but for the renderer."""

from collections.abc import Sequence
from dataclasses import dataclass

from alertbridge.deliver.composing import Draft
from alertbridge.deliver.fallback import preface
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.model import Kind, MessageKind, MessageState, Notice
from alertbridge.deliver.outbox.outages import Beside
from alertbridge.deliver.outbox.rows import Extra, Message, bundle_for, new_id
from alertbridge.deliver.ports import Texts
from alertbridge.deliver.providers.base import Traits
from alertbridge.deliver.render.rendering import AwaySummary
from alertbridge.deliver.render.text import shorten, split
from alertbridge.deliver.route.addressbook import Recipient
from alertbridge.deliver.sending import MARK_CHARACTERS

SHORT_CHANNEL = 1000
SHORT_PARTS = 3
"""A channel whose messages are shorter than SHORT_CHANNEL (SMS) gets at most so many for one text."""

TELLS_NO_TIME = frozenset({MessageKind.SINGLE, MessageKind.GROUP})
"""Kinds of which the text does not say for how long it has waited, as those of a digest and of a summary do."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where, when and instead of what a draft is written. `waited_s`: for how long the oldest has waited."""

    lane: Lane
    recipient: Recipient
    traits: Traits
    now_s: float
    waited_s: float = 0.0
    instead_of: tuple[str, ...] = ()
    away: AwaySummary | None = None


def write(draft: Draft, told: Sequence[Notice], occasion: Occasion, texts: Texts) -> list[Message]:
    """The parts of one text, READY, in order. `told` are the draft's notices; of a summary, those that it names."""
    way = occasion.recipient.ways[occasion.lane.way]
    language = next((notice.language for notice in told if notice.language), occasion.recipient.language)
    why = draft.heads[0].why
    text = _text(draft, told, occasion, texts, language)
    if occasion.lane.way and (why or draft.kind is not MessageKind.PLAIN):
        text = f"{preface(language, way=way.channel, first=occasion.recipient.channel, why=why)}\n{text}"
    pieces = _pieces(text, occasion.traits, language)
    extra = Extra(
        notices=tuple(sorted(head.id for head in draft.heads)),
        instead_of=occasion.instead_of,
        language=language,
        title=texts.title(_worst(told), language) if told else text.splitlines()[0],
        why=why,
        waited_s=occasion.waited_s if draft.kind in TELLS_NO_TIME else 0.0,
        starts_at_s=min(
            (notice.subject.starts_at_s for notice in told if notice.kind is Kind.FIRING and notice.subject),
            default=None,
        ),
    )
    ids = [new_id() for _ in pieces]
    bundle = bundle_for(ids[0], occasion.lane.way)
    return [
        Message(
            id=message_id,
            bundle=bundle,
            part=number,
            parts=len(pieces),
            recipient=occasion.lane.recipient,
            channel=way.channel,
            address=way.address,
            kind=draft.kind,
            room=draft.room,
            severity=draft.severity,
            text=piece,
            state=MessageState.READY,
            created_at_s=occasion.now_s,
            accepted_at_s=min(head.created_at_s for head in draft.heads),
            deadline_at_s=min(head.deadline_at_s for head in draft.heads),
            extra=extra,
        )
        for number, (message_id, piece) in enumerate(zip(ids, pieces, strict=True), start=1)
    ]


def _text(draft: Draft, told: Sequence[Notice], occasion: Occasion, texts: Texts, language: str) -> str:
    rich = occasion.traits.formats_whatsapp
    now_s = occasion.now_s
    match draft.kind:
        case MessageKind.PLAIN:
            return texts.alert(told[0], language=language, now_s=now_s, rich=rich)
        case MessageKind.SINGLE:
            return texts.alert(told[0], language=language, now_s=now_s, rich=rich)
        case MessageKind.GROUP:
            return texts.group(told, language=language, now_s=now_s, rich=rich)
        case MessageKind.DIGEST:
            since_s = min(notice.created_at_s for notice in told)
            return texts.digest(told, since_s=since_s, language=language, now_s=now_s, rich=rich)
        case MessageKind.SUMMARY:
            if occasion.away is None:
                raise ValueError("a summary needs to know what still fires")
            text = texts.away(occasion.away, language=language, now_s=now_s, rich=rich)
            said = [
                notice.body.text.strip().splitlines()[0]
                for notice in told
                if notice.body and notice.body.text.strip()
            ]
            return "\n".join([text, *(f"- {line}" for line in dict.fromkeys(said[-5:]))])


def _pieces(text: str, traits: Traits, language: str) -> tuple[str, ...]:
    limit = max(traits.text_limit - MARK_CHARACTERS, 40)
    if traits.text_limit < SHORT_CHANNEL:
        text = shorten(text, limit * SHORT_PARTS - 40, language)
    return split(text, limit)


def _worst(told: Sequence[Notice]) -> Notice:
    return min(told, key=lambda notice: (notice.severity.rank, notice.id))


def away_of(
    draft: Draft, told: Sequence[Notice], firing: frozenset[str] | None, beside: Beside
) -> AwaySummary:
    """What a summary says. `firing`: fingerprints that Alertmanager calls active, None when it cannot be asked.

    `told` holds one notice at least of each alert that may still fire.
    """
    newest = {notice.subject.fingerprint: notice.subject for notice in told if notice.subject is not None}
    if firing is None:
        still = [subject for subject in newest.values() if subject.ends_at_s is None]
    else:
        still = [subject for fingerprint, subject in newest.items() if fingerprint in firing]
    return AwaySummary(
        total=len({head.episode_id for head in draft.heads if head.episode_id is not None}) + beside.over,
        still_firing=sorted(still, key=lambda subject: (subject.severity.rank, subject.starts_at_s)),
        since_s=beside.since_s,
        unknown=firing is None,
        told_elsewhere=beside.told_elsewhere,
    )
