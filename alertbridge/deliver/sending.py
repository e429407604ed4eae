"""What leaves for a message, and what an attempt's outcome makes of it. Pure.

This is the only place that says of a message that it is late or may be a repeat: no template can lose the mark.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from alertbridge.deliver.model import Body, MessageState
from alertbridge.deliver.outbox.rows import Message
from alertbridge.deliver.providers.base import Image, Outcome, OutcomeClass, Outgoing, Traits
from alertbridge.deliver.render.humanise import duration
from alertbridge.deliver.render.words import words

MARK_CHARACTERS = 48
"""Room that every part keeps for what is put before its text when it is sent."""

BELIEVED = "believed"
"""Reason of an ACKED message whose channel never tells an ack."""


def outgoing(
    message: Message, traits: Traits, age_s: float, late_after_s: float, body: Body | None
) -> Outgoing:
    """`message`, composed `age_s` ago, as the provider gets it; `body` holds the picture and the quoted message, if
    any. The marks stand before the text and the title, since an approved template may show only one of them."""
    marks = _marks(message, age_s, late_after_s)
    image = body.image_png if body is not None and message.part == 1 and traits.sends_images else None
    severity = words(message.extra.language).severities[message.severity]
    text = f"{marks}{message.text}"
    return Outgoing(
        id=message.id,
        address=message.address,
        text=text,
        image=None if image is None else Image(image),
        quote_id=body.quote_id if body is not None else "",
        as_template=message.extra.as_template,
        template_fields={"severity": severity, "title": f"{marks}{message.extra.title}", "text": text},
    )


def _marks(message: Message, age_s: float, late_after_s: float) -> str:
    language = message.extra.language
    table = words(language)
    marks = [table.repeated] if message.repeated else []
    late_s = message.extra.waited_s + age_s
    if late_s > late_after_s:
        marks.append(table.late.format(duration(late_s, language)))
    return f"({', '.join(marks)}) " if marks else ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited after an attempt: for another one, and for the server's ack. Seconds."""

    retry_s: float
    proof_s: float


def after(message: Message, outcome: Outcome, traits: Traits, now_s: float, patience: Patience) -> Message:
    """What becomes of a SENDING `message`. FAILED: this way will not do it."""
    return _AFTER[outcome.kind](replace(message, next_attempt_at_s=None), outcome, traits, now_s, patience)


def _accepted(message: Message, outcome: Outcome, traits: Traits, now_s: float, _: Patience) -> Message:
    sent = replace(
        message,
        state=MessageState.SENT,
        reason="",
        sent_at_s=now_s,
        provider_id=outcome.provider_id or message.provider_id,
    )
    if traits.acks_on_accept:
        return replace(sent, state=MessageState.ACKED, acked_at_s=now_s)
    if not traits.tells_acks:
        return replace(sent, state=MessageState.ACKED, reason=BELIEVED)
    return sent


def _retry(message: Message, outcome: Outcome, traits: Traits, now_s: float, patience: Patience) -> Message:
    wait_s = max(patience.retry_s, outcome.retry_after_s or 0.0)
    again = replace(
        message, state=MessageState.RETRY, reason=outcome.reason[:60], next_attempt_at_s=now_s + wait_s
    )
    return _perhaps_a_repeat(again, traits) if outcome.may_be_out else again


def _perhaps_a_repeat(message: Message, traits: Traits) -> Message:
    """It is sent again and may be out already, which it says unless the provider would notice by the id."""
    if traits.takes_our_id:
        return message.with_extra(unknowns=message.extra.unknowns + 1)
    return replace(message, repeated=True)


def _held(message: Message, outcome: Outcome, _: Traits, now_s: float, patience: Patience) -> Message:
    """Whether the channel is used again is not this message's business: the channel's state says it."""
    return replace(
        message,
        state=MessageState.RETRY,
        reason=outcome.reason[:60],
        next_attempt_at_s=now_s + patience.retry_s,
    )


def _unknown(message: Message, outcome: Outcome, traits: Traits, now_s: float, patience: Patience) -> Message:
    wait_s = patience.retry_s if traits.takes_our_id else patience.proof_s
    return replace(
        message,
        state=MessageState.UNKNOWN,
        reason="",
        next_attempt_at_s=now_s + wait_s,
        provider_id=outcome.provider_id or message.provider_id,
    ).with_extra(unknowns=message.extra.unknowns + 1)


def _switch(message: Message, outcome: Outcome, traits: Traits, _now_s: float, _: Patience) -> Message:
    return as_template(message, outcome) if may_switch(message, traits) else _refused(message, outcome)


def may_switch(message: Message, traits: Traits) -> bool:
    """Whether it can be tried as a template, which is done once."""
    return traits.has_templates and not message.extra.as_template


def as_template(message: Message, outcome: Outcome) -> Message:
    """`message`, to be sent at once as a template."""
    return replace(message, state=MessageState.READY, reason=outcome.reason[:60]).with_extra(as_template=True)


def _refused(message: Message, outcome: Outcome) -> Message:
    return replace(message, state=MessageState.FAILED, reason=outcome.reason[:60] or outcome.kind.value)


def _permanent(message: Message, outcome: Outcome, _traits: Traits, _now_s: float, _: Patience) -> Message:
    return _refused(message, outcome)


_AFTER: dict[OutcomeClass, Callable[[Message, Outcome, Traits, float, Patience], Message]] = {
    OutcomeClass.ACCEPTED: _accepted,
    OutcomeClass.QUEUED_REMOTE: _accepted,
    OutcomeClass.RETRY: _retry,
    OutcomeClass.UNKNOWN: _unknown,
    OutcomeClass.RECONNECT: _held,
    OutcomeClass.SWITCH: _switch,
    OutcomeClass.PAUSE: _held,
    OutcomeClass.CONFIG: _held,
    OutcomeClass.PERMANENT: _permanent,
}


def left_behind(message: Message, traits: Traits, now_s: float) -> Message:
    """What becomes of a message that was being sent when its sender died: it goes again at once, marked unless the
    provider would notice by the id."""
    again = replace(message, state=MessageState.RETRY, reason="sender_died", next_attempt_at_s=now_s)
    return _perhaps_a_repeat(again, traits).with_extra(unknowns=message.extra.unknowns + 1)


def backoff_s(failures: int, first_s: float, longest_s: float, dice: float) -> float:
    """The pause after `failures` in a row: doubling, with jitter of half of it (`dice` in 0..1)."""
    whole_s = min(longest_s, first_s * 2.0 ** min(failures, 30))
    return float(whole_s * (0.5 + dice / 2))
