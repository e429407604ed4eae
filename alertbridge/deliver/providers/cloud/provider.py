"""The Cloud API: a 200 says that Meta accepted it; the status webhook `sent` says that WhatsApp's server has it."""

from collections.abc import Mapping
from dataclasses import replace

import aiohttp

from alertbridge.deliver.providers.base import (
    Handshake,
    Image,
    InboundEvent,
    InboundRequest,
    Outcome,
    OutcomeClass,
    Outgoing,
    Session,
    SessionState,
    Traits,
    WebhookRefused,
)
from alertbridge.deliver.providers.calls import Answer, Calls, Content, Deadline, as_json, as_multipart
from alertbridge.deliver.providers.cloud import payloads
from alertbridge.deliver.providers.cloud.config import CloudSection
from alertbridge.deliver.providers.cloud.messages import image_body, template_body, text_body
from alertbridge.deliver.providers.cloud.verdicts import (
    MEDIA_FAULT,
    PAIR_RATE,
    TEMPLATE_FAULTS,
    verdict_of,
)
from alertbridge.deliver.providers.cloud.webhooks import events_of
from alertbridge.deliver.providers.gateway import Gateway
from alertbridge.deliver.providers.signatures import check_hmac, check_token
from alertbridge.deliver.providers.verdicts import MALFORMED, accept, permanent
from alertbridge.numbers import AddressRefused
from runtime.clock import Clock

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
IMAGE_LIMIT_BYTES = 5 * 1024 * 1024
UPLOAD_TRIES = 2
_PAIR_EXPONENT_LIMIT = 5
_FIELDS = "display_phone_number,status,quality_rating,health_status"

STATES: Mapping[str, SessionState] = {
    "BANNED": SessionState.BANNED,
    "RESTRICTED": SessionState.TIMELOCKED,
    "PAUSED": SessionState.TIMELOCKED,
    "DELETED": SessionState.MISCONFIGURED,
    "DISCONNECTED": SessionState.MISCONFIGURED,
    "MIGRATED": SessionState.MISCONFIGURED,
    "OFFLINE": SessionState.MISCONFIGURED,
    "UNVERIFIED": SessionState.MISCONFIGURED,
    "PENDING": SessionState.MISCONFIGURED,
}
"""The number's status; the others can send."""


class Cloud(Gateway[CloudSection]):
    """One business number."""

    def __init__(self, section: CloudSection, session: aiohttp.ClientSession, clock: Clock) -> None:
        token = section.token.get_secret_value() if section.token is not None else ""
        heard = section.webhook.configured
        traits = Traits(
            text_limit=TEXT_LIMIT,
            tells_acks=heard,
            tells_delivered=heard,
            tells_read=heard,
            has_templates=section.template is not None,
            sends_images=True,
            caption_limit=CAPTION_LIMIT,
        )
        super().__init__(
            section, Calls(section, session, clock, {"Authorization": f"Bearer {token}"}), clock, traits
        )
        self._path = f"/{section.version}/{section.phone_number_id}"
        self._pair_refusals: dict[str, int] = {}

    async def send(self, message: Outgoing) -> Outcome:
        """As a template when that is asked for; else as a picture, when there is one and Meta takes it, or a text."""
        address = self._addressed(message)
        if isinstance(address, Outcome):
            return address
        within = self._calls.deadline()
        if message.as_template:
            outcome = await self._as_template(message, address.user, within)
        else:
            outcome = await self._free(message, address.user, within)
        return self._paced(outcome, address.user)

    async def _free(self, message: Outgoing, to: str, within: Deadline) -> Outcome:
        image = message.image
        if image is not None and len(message.text) <= CAPTION_LIMIT and len(image.png) <= IMAGE_LIMIT_BYTES:
            media_id = await self._uploaded(image, within)
            if isinstance(media_id, str):
                outcome = await self._post(as_json(image_body(message, to, media_id)), within)
                if outcome.reason != MEDIA_FAULT:
                    return outcome
        outcome = await self._post(as_json(text_body(message, to)), within)
        if outcome.kind is OutcomeClass.SWITCH and self._section.template is None:
            return permanent(outcome.reason).outcome(f"{outcome.detail}; there is no template")
        return outcome

    async def _as_template(self, message: Outgoing, to: str, within: Deadline) -> Outcome:
        """With the plain template when the usual one is at fault."""
        outcome = permanent("no_template").outcome("there is no template in the configuration")
        for template in (self._section.template, self._section.plain_template):
            if template is not None:
                outcome = await self._post(as_json(template_body(message, to, template)), within)
                if outcome.reason not in TEMPLATE_FAULTS:
                    break
        if outcome.kind is OutcomeClass.SWITCH:
            return permanent(outcome.reason).outcome(outcome.detail)  # it was a template already
        return outcome

    async def _uploaded(self, image: Image, within: Deadline) -> str | None:
        """The picture's id at Meta; None when it cannot be had, since the text matters more."""
        fields = {"messaging_product": "whatsapp", "type": "image/png"}
        content = as_multipart(fields, "file", "image.png", image.png, "image/png")
        for _ in range(UPLOAD_TRIES):
            answer = await self._calls.ask("POST", f"{self._path}/media", content, within=within)
            if isinstance(answer, Answer) and answer.succeeded:
                return payloads.Answer.read_or_empty(answer.body).id or None
        return None

    async def _post(self, content: Content, within: Deadline) -> Outcome:
        answer = await self._calls.ask("POST", f"{self._path}/messages", content, within=within)
        if isinstance(answer, Outcome):
            return answer
        told = payloads.Answer.read_or_empty(answer.body)
        if not answer.succeeded or told.error is not None:
            return self._refused(answer, told.error)
        if told.first.message_status == "paused":
            return permanent("template_paused").outcome("the template is paused")
        verdict = accept(told.first.message_status) if told.first.id else MALFORMED
        return verdict.outcome(provider_id=told.first.id)

    def _refused(self, answer: Answer, error: payloads.MetaError | None) -> Outcome:
        code = error.code if error is not None else None
        detail = f"{code}: {error.text}" if error is not None and code is not None else ""
        outcome = self._calls.refused(verdict_of(code, answer.status), answer, detail)
        minutes = payloads.regain_minutes(answer.header("X-Business-Use-Case-Usage"))
        if outcome.reason == "rate_limited" and minutes is not None:
            return replace(outcome, retry_after_s=minutes * 60.0)
        return outcome

    def _paced(self, outcome: Outcome, to: str) -> Outcome:
        """How long one person must be left alone: 1, 4, 16 s and so on, as Meta advises."""
        if outcome.reason != verdict_of(PAIR_RATE, 400).reason:
            self._pair_refusals.pop(to, None)
            return outcome
        tries = self._pair_refusals.get(to, 0)
        self._pair_refusals[to] = min(tries + 1, _PAIR_EXPONENT_LIMIT)
        return replace(outcome, retry_after_s=4.0**tries)

    async def session(self) -> Session:
        """The number's status and whether all that it depends upon can send."""
        answer = await self._calls.ask("GET", f"{self._path}?fields={_FIELDS}")
        if isinstance(answer, Outcome):
            return self._untold(answer)
        number = payloads.Number.read_or_empty(answer.body)
        if number.error is not None and number.error.code is not None:
            verdict = verdict_of(number.error.code, answer.status)
            wrong = verdict.kind in (OutcomeClass.CONFIG, OutcomeClass.PERMANENT)
            state = SessionState.MISCONFIGURED if wrong else SessionState.UNREACHABLE
            return self._session(state, f"{number.error.code}: {number.error.text}")
        if not answer.succeeded:
            return self._untold(answer)
        return self._healthy(number)

    def _healthy(self, number: payloads.Number) -> Session:
        try:
            own = (
                str(self._section.parsed(number.display_phone_number)) if number.display_phone_number else ""
            )
        except AddressRefused:
            own = ""
        said = [
            f"{entity.entity_type} {entity.can_send_message}: {error.error_description}"
            for entity in number.health.entities
            for error in entity.errors
        ]
        able, detail = number.health.can_send_message, "; ".join([number.status, *said])
        if not number.status and not able:
            return self._session(SessionState.UNKNOWN, "the answer cannot be read")
        state = STATES.get(number.status, SessionState.WORKING)
        if state is SessionState.WORKING and able == "BLOCKED":
            state = SessionState.MISCONFIGURED
        return self._session(state, detail, own)

    # -- webhooks

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """Meta's check of the address, or what it tells: statuses, messages, trouble of the account."""
        if request.method == "GET":
            return self._shake_hands(request)
        check_hmac(
            request,
            self._section.webhook.key,
            header_name="X-Hub-Signature-256",
            algorithm="sha256",
            prefix="sha256=",
        )
        return tuple(events_of(payloads.Webhook.read(request.body), self._section.phone_number_id))

    def _shake_hands(self, request: InboundRequest) -> Handshake:
        token = self._section.handshake.token
        key = token.get_secret_value().encode() if token is not None else b""
        check_token(request.query.get("hub.verify_token", ""), key, "hub.verify_token")
        challenge = request.query.get("hub.challenge", "")
        if request.query.get("hub.mode") != "subscribe" or not challenge.isascii() or not challenge.isalnum():
            raise WebhookRefused("is not a check of the address")
        return Handshake(challenge[:100])
