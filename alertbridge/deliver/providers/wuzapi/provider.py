"""wuzapi: takes our own message id, and its 200 comes after WhatsApp's server took the message."""

import base64
from collections.abc import Mapping
from urllib.parse import parse_qs

import aiohttp

from alertbridge.deliver.providers.base import (
    Handshake,
    InboundEvent,
    InboundRequest,
    MessageEvent,
    Outcome,
    Outgoing,
    Receipt,
    Session,
    SessionState,
    StatusEvent,
    Traits,
)
from alertbridge.deliver.providers.calls import Answer, Calls, Deadline, as_json
from alertbridge.deliver.providers.flags import FlagHistory
from alertbridge.deliver.providers.gateway import Gateway
from alertbridge.deliver.providers.payload import BODY_LIMIT_BYTES
from alertbridge.deliver.providers.section import WHATSAPP_TEXT_LIMIT
from alertbridge.deliver.providers.signatures import check_token
from alertbridge.deliver.providers.verdicts import (
    MALFORMED,
    Verdict,
    accept,
    by_status,
    pause,
    permanent,
    reconnect,
    unknown,
)
from alertbridge.deliver.providers.wuzapi.config import WuzapiSection
from alertbridge.deliver.providers.wuzapi.payloads import Envelope, Event, Happened
from alertbridge.numbers import chat_of, person_of
from runtime.clock import Clock

SECRET_PARAMETER = "secret"  # noqa: S105  the name of a query parameter
ERRORS: tuple[tuple[str, Verdict], ...] = (
    ("no session", reconnect("not_connected")),
    ("not connected", reconnect("not_connected")),
    ("not logged in", reconnect("not_connected")),
    ("463", pause("reachout_timelock")),
    ("no LID found", permanent("not_on_whatsapp")),
)
"""A 500 that says so much that the outcome is known."""
STATUSES: Mapping[int, Verdict] = {500: unknown("server_error")}
ALREADY = "already connected"
RECEIPTS: Mapping[str, Receipt] = {
    "": Receipt.DELIVERED,
    "delivered": Receipt.DELIVERED,
    "read": Receipt.READ,
    "played": Receipt.READ,
}


class Wuzapi(Gateway[WuzapiSection]):
    """One user of a server."""

    def __init__(self, section: WuzapiSection, session: aiohttp.ClientSession, clock: Clock) -> None:
        token = section.token.get_secret_value() if section.token is not None else ""
        heard = section.webhook.configured
        traits = Traits(
            text_limit=WHATSAPP_TEXT_LIMIT,
            acks_on_accept=True,
            takes_our_id=True,
            tells_delivered=heard,
            tells_read=heard,
            sends_images=True,
        )
        calls = Calls(section, session, clock, {"Token": token})
        super().__init__(section, calls, clock, traits, pairing_path="/login")
        self._flags = FlagHistory(clock)

    async def send(self, message: Outgoing) -> Outcome:
        """With our id, so that a repeat is the same message."""
        address = self._addressed(message)
        if isinstance(address, Outcome):
            return address
        body: dict[str, object] = {"Phone": str(address), "Id": message.id}
        if message.quote_id:
            body["ContextInfo"] = {"StanzaId": message.quote_id, "Participant": address.jid()}
        if message.image is not None and len(message.text) <= self._traits.caption_limit:
            data = base64.b64encode(message.image.png).decode()
            path, body = "/chat/send/image", {**body, "Image": f"data:image/png;base64,{data}"}
            body["Caption"] = message.text
        else:
            path, body = "/chat/send/text", {**body, "Body": message.text}
        answer = await self._calls.ask("POST", path, as_json(body))
        if isinstance(answer, Outcome):
            return answer
        told = Envelope.read_or_empty(answer.body)
        if not answer.succeeded:
            return self._refused(answer, told)
        return (accept() if told.success and told.data.id else MALFORMED).outcome(provider_id=told.data.id)

    def _refused(self, answer: Answer, told: Envelope) -> Outcome:
        known = (verdict for words, verdict in ERRORS if answer.status == 500 and words in told.error)
        return self._calls.refused(next(known, by_status(answer.status, STATUSES)), answer, told.error)

    async def session(self) -> Session:
        """By two flags, and by what they were before."""
        answer = await self._calls.ask("GET", "/session/status")
        if isinstance(answer, Outcome):
            return self._untold(answer)
        told = Envelope.read_or_empty(answer.body)
        if not answer.succeeded:
            if answer.status == 500 and "no session" in told.error:
                return self._session(SessionState.DISCONNECTED, told.error)
            return self._untold(answer)
        if told.data.connected is None or told.data.logged_in is None:
            return self._session(SessionState.UNKNOWN, "the answer cannot be read")
        state, detail = self._flags.state(connected=told.data.connected, logged_in=told.data.logged_in)
        return self._session(state, detail, person_of(told.data.jid)[0])

    async def reconnect(self) -> Outcome:
        """Connects; one that says it is connected already is taken at its word."""
        return await self._connect(self._calls.deadline())

    async def restart(self) -> Outcome:
        """Disconnects, which keeps the login, and connects again."""
        within = self._calls.deadline()
        await self._calls.ask("POST", "/session/disconnect", within=within)
        return await self._connect(within)

    async def _connect(self, within: Deadline) -> Outcome:
        body = as_json({"Subscribe": ["Message", "ReadReceipt"], "Immediate": True})
        answer = await self._calls.ask("POST", "/session/connect", body, within=within)
        if isinstance(answer, Outcome):
            return answer
        told = Envelope.read_or_empty(answer.body)
        if not answer.succeeded and ALREADY not in told.error:
            return self._refused(answer, told)
        self._flags.reconnected()
        return accept("connect").outcome()

    # -- webhooks

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """Messages and receipts, as a form whose `jsonData` holds them."""
        given = request.query.get(SECRET_PARAMETER, "")
        check_token(given, self._section.webhook.key, f"{SECRET_PARAMETER} in the address")
        if len(request.body) > BODY_LIMIT_BYTES:
            raise ValueError("the body is too large")
        form = parse_qs(request.body.decode("utf-8", "replace"), max_num_fields=20)
        data = form.get("jsonData", [""])[0]
        event = Event.read(data.encode("utf-8", "replace") if data else request.body)
        if event.type == "ReadReceipt":
            return _receipts(event)
        return _message(event.event) if event.type == "Message" else ()


def _receipts(event: Event) -> tuple[InboundEvent, ...]:
    receipt = RECEIPTS.get(event.event.type.lower())
    if receipt is None or event.event.is_from_me:
        return ()
    at_s = event.event.at_s or None
    return tuple(
        StatusEvent(f"{sent_id}:{receipt.value}", sent_id, receipt, our_id=sent_id, at_s=at_s)
        for sent_id in event.event.message_ids
        if sent_id
    )


def _message(happened: Happened) -> tuple[InboundEvent, ...]:
    info = happened.info
    chat = chat_of(info.chat)
    if not info.id or not chat:
        return ()
    number, lid = person_of(info.sender, info.sender_alt)
    edited = happened.is_edit or bool(info.edit) or happened.message.is_edited
    return (
        MessageEvent(
            event_id=f"{info.id}:edited" if edited else info.id,
            provider_id=info.id,
            chat=chat,
            number=number,
            lid=lid,
            text=happened.message.text,
            at_s=info.at_s,
            is_group=chat.endswith("@g.us"),
            from_me=info.is_from_me,
            quoted_id=happened.message.quoted_id,
            button=happened.message.button_id,
            forwarded=happened.message.is_forwarded,
            edited=edited,
        ),
    )
