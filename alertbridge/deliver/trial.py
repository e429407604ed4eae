"""A test message: sent at once, past the outbox and within the limits, so that one sees what the provider says."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import structlog

from alertbridge.alerts import Severity
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Outgoing, Provider, Receipt
from alertbridge.deliver.render.humanise import time_of
from alertbridge.deliver.render.words import words
from alertbridge.deliver.route.addressbook import Recipient, Way
from runtime.clock import Clock

ASK_EVERY_S = 1.0
TAKEN = frozenset({OutcomeClass.ACCEPTED, OutcomeClass.QUEUED_REMOTE})
_TITLES = {"id": "Pesan uji tikwatch", "en": "Test message of tikwatch"}
_TEXTS = {
    "id": "Pesan uji dari tikwatch alertbridge, dikirim oleh {by} pukul {time} lewat kanal {channel}. "
    "Bila pesan ini sampai, kanal berfungsi.",
    "en": "Test message of tikwatch alertbridge, sent by {by} at {time} through the channel {channel}. "
    "If you read this, the channel works.",
}

log = structlog.get_logger(__name__)


class TrialRefused(Exception):
    """The test message was not sent; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went. `proof` is None when nothing proves that it arrived (yet); `took_s` is the provider's answer."""

    recipient: str
    channel: str
    address: str
    outcome: Outcome
    proof: Receipt | None
    took_s: float

    @property
    def taken(self) -> bool:
        """Whether the provider took it."""
        return self.outcome.kind in TAKEN


def way_to(recipient: Recipient, channel: str = "") -> Way:
    """The recipient's way over `channel`; the first one when none is named. Raises TrialRefused."""
    for way in recipient.ways:
        if channel in ("", way.channel):
            return way
    known = ", ".join(way.channel for way in recipient.ways)
    raise TrialRefused(f'{recipient.name} is not reached through "{channel}", only through {known}')


async def send_test(
    recipient: Recipient,
    way: Way,
    provider: Provider,
    *,
    by: str,
    zone: ZoneInfo,
    clock: Clock,
    grant: Callable[[], Awaitable[float]],
    await_s: float = 0.0,
) -> Trial:
    """Sends one test message `way`, and asks for up to `await_s` what became of it.

    `grant` reserves it in the limits and tells the seconds to wait, 0 for none. Raises TrialRefused.
    """
    if (wait_s := await grant()) > 0:
        raise TrialRefused(f"the limits of {way.channel} let the next message go in {wait_s:.0f} s")
    message = _message(recipient, way, by, zone, clock.time())
    began_s = clock.monotonic()
    outcome = await provider.send(message)
    if outcome.kind is OutcomeClass.SWITCH and provider.traits.has_templates:
        outcome = await provider.send(_as_template(message, recipient.language))
    took_s = clock.monotonic() - began_s
    log.info(
        "trial.sent",
        channel=way.channel,
        recipient=recipient.name,
        by=by,
        outcome=outcome.kind.value,
        reason=outcome.reason,
    )
    return Trial(
        recipient.name,
        way.channel,
        way.address,
        outcome,
        await _proof(provider, outcome, clock, await_s),
        took_s,
    )


def _message(recipient: Recipient, way: Way, by: str, zone: ZoneInfo, now_s: float) -> Outgoing:
    language = recipient.language
    text = _TEXTS.get(language, _TEXTS["en"]).format(
        by=by, time=time_of(now_s, zone, language, now_s=now_s), channel=way.channel
    )
    return Outgoing(secrets.token_hex(16).upper(), way.address, text)


def _as_template(message: Outgoing, language: str) -> Outgoing:
    fields = {
        "severity": words(language).severities[Severity.INFO],
        "title": _TITLES.get(language, _TITLES["en"]),
        "text": message.text,
    }
    return Outgoing(message.id, message.address, message.text, as_template=True, template_fields=fields)


async def _proof(provider: Provider, outcome: Outcome, clock: Clock, await_s: float) -> Receipt | None:
    """What the provider says became of it, as soon as it says something."""
    if outcome.kind not in TAKEN:
        return None
    if provider.traits.acks_on_accept:
        return Receipt.ACKED
    end_s = clock.monotonic() + await_s
    while outcome.provider_id and clock.monotonic() < end_s:
        if (found := await provider.status_of(outcome.provider_id)) is not None:
            return found
        await asyncio.sleep(ASK_EVERY_S)
    return None
