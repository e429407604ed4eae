"""GOWA: its 200 comes after WhatsApp's server took the message; its webhooks tell only delivered and read.

So a time lock (463) is told by the answer of the send that it hits, and a loss after the 200 is told by nothing: no
webhook of GOWA's says that a message failed, and one that is not delivered may wait for a phone that is off.
"""

from collections.abc import Mapping

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
from alertbridge.deliver.providers.calls import Answer, Calls, as_json, as_multipart, basic_login
from alertbridge.deliver.providers.flags import FlagHistory
from alertbridge.deliver.providers.gateway import Gateway
from alertbridge.deliver.providers.gowa.config import GowaSection
from alertbridge.deliver.providers.gowa.payloads import Envelope, Event, Payload
from alertbridge.deliver.providers.once import Once
from alertbridge.deliver.providers.section import WHATSAPP_TEXT_LIMIT
from alertbridge.deliver.providers.signatures import check_hmac
from alertbridge.deliver.providers.verdicts import (
    MALFORMED,
    Verdict,
    accept,
    by_status,
    config,
    pause,
    permanent,
    reconnect,
    retry,
    unknown,
)
from alertbridge.numbers import chat_of, person_of
from runtime.clock import Clock

SERVER_ERROR = retry("server_error", may_be_out=True)
"""Worth one more try at once; but nobody knows whether the first one reached WhatsApp."""
CODES: Mapping[str, Verdict] = {
    "VALIDATION_ERROR": permanent("bad_request"),
    "INVALID_JID": permanent("not_on_whatsapp"),
    "AUTHENTICATION_ERROR": reconnect("not_connected"),  # the session, not our password
    "NOT_FOUND": config("device_not_found"),
    "DEVICE_NOT_FOUND": config("device_not_found"),
    "DEVICE_ID_REQUIRED": config("device_not_found"),
    "DEVICE_MANAGER_UNAVAILABLE": retry("unavailable"),
    "CONTEXT_ERROR": unknown("timeout"),
    "GATEWAY_TIMEOUT": unknown("timeout"),
    "WA_REACHOUT_TIMELOCK": pause("reachout_timelock"),
    "INTERNAL_SERVER_ERROR": SERVER_ERROR,
    "INVALID_WA_CLI": SERVER_ERROR,
    "UPLOAD_MEDIA_ERROR": SERVER_ERROR,
    "SESSION_SAVED_ERROR": SERVER_ERROR,
    "QR_CHANNEL_ERROR": SERVER_ERROR,
}
STATUSES: Mapping[int, Verdict] = {500: SERVER_ERROR}
TRIED_ALREADY = unknown("server_error")
"""What a server error means the second time: it may be out, and out again."""
RECEIPTS: Mapping[str, Receipt] = {
    "delivered": Receipt.DELIVERED,
    "read": Receipt.READ,
    "played": Receipt.READ,
}


class Gowa(Gateway[GowaSection]):
    """One device of a server."""

    def __init__(self, section: GowaSection, session: aiohttp.ClientSession, clock: Clock) -> None:
        headers = {"X-Device-Id": section.device} if section.device else {}
        if section.password is not None:
            headers["Authorization"] = basic_login(section.username, section.password.get_secret_value())
        heard = section.webhook.configured
        traits = Traits(
            text_limit=WHATSAPP_TEXT_LIMIT,
            acks_on_accept=True,
            tells_delivered=heard,
            tells_read=heard,
            sends_images=True,
        )
        super().__init__(section, Calls(section, session, clock, headers), clock, traits, pairing_path="/")
        self._server_errors = Once()
        self._flags = FlagHistory(clock)

    async def send(self, message: Outgoing) -> Outcome:
        """With a picture as a form, without one as JSON."""
        address = self._addressed(message)
        if isinstance(address, Outcome):
            return address
        fields = {"phone": address.jid()}
        if message.quote_id:
            fields["reply_message_id"] = message.quote_id
        if message.image is not None and len(message.text) <= self._traits.caption_limit:
            path, fields = "/send/image", {**fields, "caption": message.text}
            content = as_multipart(fields, "image", "chart.png", message.image.png, "image/png")
        else:
            path, content = "/send/message", as_json({**fields, "message": message.text})
        answer = await self._calls.ask("POST", path, content)
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return self._refused(answer, message.id)
        sent_id = Envelope.read_or_empty(answer.body).results.message_id
        return (accept() if sent_id else MALFORMED).outcome(provider_id=sent_id)

    def _refused(self, answer: Answer, our_id: str = "") -> Outcome:
        """By the word, which is what tells a session that is down from a password that is wrong."""
        told = Envelope.read_or_empty(answer.body)
        verdict = CODES.get(told.code) or by_status(answer.status, STATUSES)
        if verdict.reason == TRIED_ALREADY.reason and our_id and not self._server_errors.first(our_id):
            verdict = TRIED_ALREADY
        return self._calls.refused(verdict, answer, f"{told.code}: {told.message}" if told.code else "")

    async def session(self) -> Session:
        """By two flags, and by what they were before."""
        answer = await self._calls.ask("GET", "/app/status")
        if isinstance(answer, Outcome) or not answer.succeeded:
            return self._untold(answer)
        told = Envelope.read_or_empty(answer.body).results
        if told.is_connected is None or told.is_logged_in is None:
            return self._session(SessionState.UNKNOWN, "the answer cannot be read")
        state, detail = self._flags.state(connected=told.is_connected, logged_in=told.is_logged_in)
        return self._session(state, detail, person_of(told.jid)[0])

    async def reconnect(self) -> Outcome:
        """Asks for the connection again, of this device only."""
        answer = await self._calls.ask("GET", "/app/reconnect")
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return self._refused(answer)
        self._flags.reconnected()
        return Outcome(OutcomeClass.ACCEPTED, "reconnect")

    async def restart(self) -> Outcome:
        """There is nothing stronger than to reconnect."""
        return await self.reconnect()

    # -- webhooks

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """Messages and receipts of our device."""
        check_hmac(
            request,
            self._section.webhook.key,
            header_name="X-Hub-Signature-256",
            algorithm="sha256",
            prefix="sha256=",
        )
        event = Event.read(request.body)
        if self._section.device and event.session_id and event.session_id != self._section.device:
            return ()
        payload = Payload.of(event.payload)
        if event.event == "message.ack":
            return _receipts(payload)
        if event.event in ("message", "message.edited"):
            return _message(payload, edited=event.event == "message.edited")
        return ()


def _receipts(payload: Payload) -> tuple[InboundEvent, ...]:
    receipt = RECEIPTS.get(payload.receipt_type)
    if receipt is None:
        return ()
    at_s = payload.timestamp or None
    return tuple(
        StatusEvent(f"{sent_id}:{receipt.value}", sent_id, receipt, at_s=at_s)
        for sent_id in payload.ids
        if sent_id
    )


def _message(payload: Payload, *, edited: bool) -> tuple[InboundEvent, ...]:
    chat = chat_of(payload.chat_id)
    if not payload.id or not chat:
        return ()
    number, lid = person_of(payload.sender, payload.sender_lid)
    return (
        MessageEvent(
            event_id=f"{payload.id}:edited" if edited else payload.id,
            provider_id=payload.id,
            chat=chat,
            number=number,
            lid=lid,
            text=payload.body,
            at_s=payload.timestamp,
            is_group=chat.endswith("@g.us"),
            from_me=payload.is_from_me,
            quoted_id=payload.replied_to_id,
            forwarded=payload.forwarded,
            edited=edited or bool(payload.original_message_id),
        ),
    )
