"""What Meta's webhooks say, as events (pure)."""

import hashlib
from collections.abc import Iterator, Mapping

from alertbridge.deliver.providers.base import (
    InboundEvent,
    MessageEvent,
    OutcomeClass,
    Receipt,
    Session,
    SessionEvent,
    SessionState,
    StatusEvent,
)
from alertbridge.deliver.providers.cloud.payloads import Message, MetaError, Status, Value, Webhook
from alertbridge.deliver.providers.cloud.verdicts import verdict_of

RECEIPTS: Mapping[str, Receipt] = {
    "sent": Receipt.ACKED,
    "delivered": Receipt.DELIVERED,
    "read": Receipt.READ,
    "played": Receipt.READ,
    "failed": Receipt.FAILED,
}
_ACCOUNT: Mapping[OutcomeClass, SessionState] = {
    OutcomeClass.CONFIG: SessionState.MISCONFIGURED,
    OutcomeClass.PAUSE: SessionState.TIMELOCKED,
}
"""Trouble of the account as a whole that matters; anything else passes by itself."""


def events_of(webhook: Webhook, phone_number_id: str) -> Iterator[InboundEvent]:
    """Everything that is about our number, in the order in which it stands there."""
    for entry in webhook.entry:
        for change in entry.changes:
            about = change.value.metadata.phone_number_id
            if change.field == "messages" and about in ("", phone_number_id):
                yield from _value(change.value, entry.time)


def _value(value: Value, at_s: float) -> Iterator[InboundEvent]:
    for status in value.statuses:
        if (told := _status(status)) is not None:
            yield told
    for message in value.messages:
        if message.id and message.sender:
            yield _message(message)
    for error in value.errors:
        state = _ACCOUNT.get(verdict_of(error.code, 400).kind)
        if state is not None:
            yield SessionEvent(f"account:{error.code}:{at_s:.0f}", Session(state, _short(error)))


def _status(status: Status) -> StatusEvent | None:
    receipt = RECEIPTS.get(status.status)
    if receipt is None or not status.id:
        return None
    outcome = None
    if receipt is Receipt.FAILED:
        error = status.errors[0] if status.errors else MetaError()
        outcome = verdict_of(error.code, 400).outcome(_short(error))
    return StatusEvent(
        f"{status.id}:{status.status}",
        status.id,
        receipt,
        status.our_id,
        status.timestamp or None,
        outcome,
    )


def _short(error: MetaError) -> str:
    text = "".join(c if c.isprintable() else " " for c in error.text)[:200]
    return f"{error.code}: {text}" if error.code is not None else text


def _message(message: Message) -> MessageEvent:
    number = message.sender if message.sender.isascii() and message.sender.isdigit() else ""
    tapped = message.interactive.button_reply.id or message.interactive.list_reply.id
    title = message.interactive.button_reply.title or message.interactive.list_reply.title
    return MessageEvent(
        event_id=message.id,
        provider_id=message.id,
        chat=number or _opaque(message.sender),
        number=number,
        lid="",
        text=message.text.body or message.image.caption or message.button.text or title,
        at_s=message.timestamp,
        is_group=bool(message.group_id),
        quoted_id=message.context.id,
        button=message.button.payload or tapped,
        forwarded=message.context.forwarded or message.context.frequently_forwarded,
        edited=message.type in ("unsupported", "edit"),  # what Meta hands on of an edited message has no text
    )


def _opaque(sender: str) -> str:
    """A name for somebody whose number Meta does not tell; no address."""
    return f"unknown-{hashlib.sha256(sender.encode('utf-8', 'replace')).hexdigest()[:16]}"
