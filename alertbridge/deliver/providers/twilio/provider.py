"""Twilio: a 201 says that it is queued; the status callback, or asking, says that it was sent on."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlencode

import aiohttp

from alertbridge.deliver.providers.base import (
    Handshake,
    InboundEvent,
    InboundRequest,
    MessageEvent,
    Outcome,
    OutcomeClass,
    Outgoing,
    Receipt,
    Session,
    SessionState,
    StatusEvent,
    Traits,
)
from alertbridge.deliver.providers.calls import Answer, Calls, as_form, basic_login
from alertbridge.deliver.providers.gateway import Gateway
from alertbridge.deliver.providers.once import Once
from alertbridge.deliver.providers.parameters import parameters_of
from alertbridge.deliver.providers.payload import BODY_LIMIT_BYTES
from alertbridge.deliver.providers.twilio.config import TwilioSection
from alertbridge.deliver.providers.twilio.payloads import Form, Resource
from alertbridge.deliver.providers.twilio.signature import check_signature
from alertbridge.deliver.providers.twilio.verdicts import CODES, PHONE_OFF, STATUSES
from alertbridge.deliver.providers.verdicts import MALFORMED, accept, by_status, permanent
from runtime.clock import Clock

TEXT_LIMIT = 1600
OUR_ID = "message"
"""Query parameter of the callback's address that holds our id of the message."""
FIELDS_LIMIT = 200
RECEIPTS: Mapping[str, Receipt | None] = {
    "sent": Receipt.ACKED,
    "delivered": Receipt.DELIVERED,
    "read": Receipt.READ,
    "undelivered": Receipt.FAILED,
    "failed": Receipt.FAILED,
}
ACCOUNT_STATES: Mapping[str, SessionState] = {
    "active": SessionState.WORKING,
    "suspended": SessionState.BANNED,
    "closed": SessionState.BANNED,
}


class Twilio(Gateway[TwilioSection]):
    """One sender."""

    def __init__(self, section: TwilioSection, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._token = section.auth_token.get_secret_value() if section.auth_token is not None else ""
        user, password = section.account_sid, self._token
        if section.api_key is not None and section.api_key.secret is not None:
            user, password = section.api_key.sid, section.api_key.secret.get_secret_value()
        whatsapp = section.service == "whatsapp"
        traits = Traits(
            text_limit=TEXT_LIMIT,
            tells_acks=True,  # it can always be asked
            tells_delivered=True,
            tells_read=whatsapp,
            has_templates=whatsapp and section.content is not None,
            formats_whatsapp=whatsapp,
        )
        headers = {"Authorization": basic_login(user, password)}
        super().__init__(section, Calls(section, session, clock, headers), clock, traits)
        self._path = f"/2010-04-01/Accounts/{section.account_sid}"
        self._phones_off = Once()

    async def send(self, message: Outgoing) -> Outcome:
        """A text, or the template; pictures would have to lie at a public address, so there are none."""
        address = self._addressed(message)
        if isinstance(address, Outcome):
            return address
        if message.as_template and self._section.content is None:
            return permanent("no_template").outcome("there is no template in the configuration")
        form = self._form(message, f"{self._prefix}{address.e164}")
        answer = await self._calls.ask("POST", f"{self._path}/Messages.json", as_form(form))
        if isinstance(answer, Outcome):
            return answer
        told = Resource.read_or_empty(answer.body)
        if not answer.succeeded:
            return self._refused(answer, told, as_template=message.as_template)
        if RECEIPTS.get(told.status) is Receipt.FAILED:
            return self._failed(told.error_code, message.id)
        return (accept() if told.sid else MALFORMED).outcome(provider_id=told.sid)

    @property
    def _prefix(self) -> str:
        return "whatsapp:" if self._section.service == "whatsapp" else ""

    def _form(self, message: Outgoing, to: str) -> dict[str, str]:
        section = self._section
        form = {"To": to, "ValidityPeriod": str(section.validity_s)}
        if section.messaging_service_sid:
            form["MessagingServiceSid"] = section.messaging_service_sid
        if section.sender:
            form["From"] = f"{self._prefix}{section.sender}"
        if message.as_template and section.content is not None:
            names = tuple(section.content.variables.values())
            texts = parameters_of(message, names, section.content.text_limit)
            variables = dict(zip(section.content.variables, texts, strict=True))
            form |= {"ContentSid": section.content.sid, "ContentVariables": json.dumps(variables)}
        else:
            form["Body"] = message.text
        if section.webhook_url is not None:
            form["StatusCallback"] = f"{section.webhook_url}?{urlencode({OUR_ID: message.id})}"
        return form

    def _refused(self, answer: Answer, told: Resource, *, as_template: bool = False) -> Outcome:
        known = CODES.get(told.code) if told.code is not None else None
        verdict = known or by_status(answer.status, STATUSES)
        if verdict.kind is OutcomeClass.SWITCH and (as_template or not self._traits.has_templates):
            verdict = permanent(verdict.reason)
        detail = f"{told.code}: {told.message}" if told.code is not None else ""
        return self._calls.refused(verdict, answer, detail)

    def _failed(self, code: int | None, our_id: str) -> Outcome:
        """What it means that a message failed after Twilio had taken it."""
        verdict = CODES.get(code or 0, permanent("undeliverable"))
        if code == PHONE_OFF and not (our_id and self._phones_off.first(our_id)):
            verdict = permanent(verdict.reason)
        if verdict.kind is OutcomeClass.SWITCH and not self._traits.has_templates:
            verdict = permanent(verdict.reason)
        return verdict.outcome(f"error {code}" if code is not None else "")

    async def status_of(self, provider_id: str) -> Receipt | None:
        """Asks for the message."""
        if not provider_id.isalnum():
            return None
        answer = await self._calls.ask("GET", f"{self._path}/Messages/{provider_id}.json")
        if isinstance(answer, Outcome) or not answer.succeeded:
            return None
        return RECEIPTS.get(Resource.read_or_empty(answer.body).status)

    async def session(self) -> Session:
        """Whether the account is active; a sender has no state of its own."""
        answer = await self._calls.ask("GET", f"{self._path}.json")
        if isinstance(answer, Outcome) or not answer.succeeded:
            return self._untold(answer)
        status = Resource.read_or_empty(answer.body).status
        return self._session(ACCOUNT_STATES.get(status, SessionState.UNKNOWN), f"account {status}")

    # -- webhooks

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """A status callback, or what a person wrote."""
        if len(request.body) > BODY_LIMIT_BYTES:
            raise ValueError("the body is too large")
        body = request.body.decode("utf-8", "replace")
        form = parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_LIMIT)
        configured = str(self._section.webhook_url or "")
        query = f"?{urlencode(request.query)}" if request.query else ""
        urls = (request.url, f"{configured}{query}" if configured else "")
        check_signature(request, self._token.encode(), urls, form)
        told = Form.of(dict(form))
        if not told.sid:
            raise ValueError("there is no MessageSid")
        if told.status and told.status not in ("received", "receiving"):
            return tuple(self._status(told, request.query.get(OUR_ID, "")))
        return tuple(_message(told))

    def _status(self, told: Form, our_id: str) -> Iterator[StatusEvent]:
        receipt = RECEIPTS.get(told.status)
        if receipt is not None:
            outcome = self._failed(told.error_code, our_id) if receipt is Receipt.FAILED else None
            yield StatusEvent(f"{told.sid}:{told.status}", told.sid, receipt, our_id, outcome=outcome)


def _message(told: Form) -> Iterator[MessageEvent]:
    said = told.wa_id or told.sender.removeprefix("whatsapp:").removeprefix("+")
    number = said if said.isascii() and said.isdigit() else ""
    if number:
        yield MessageEvent(
            event_id=told.sid,
            provider_id=told.sid,
            chat=number,
            number=number,
            lid="",
            text=told.body or told.button_text,
            at_s=0.0,  # Twilio does not tell
            quoted_id=told.quoted_id,
            button=told.button,
            forwarded=told.forwarded or told.frequently_forwarded,
        )
