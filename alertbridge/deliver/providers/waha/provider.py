"""WAHA: a 201 says that the socket took it; its `message.ack` webhook says that WhatsApp did."""

import base64
from collections.abc import Mapping
from urllib.parse import quote

import aiohttp

from alertbridge.deliver.providers.baileys import RECEIPTS, refused_later
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
    SessionEvent,
    SessionState,
    StatusEvent,
    Traits,
)
from alertbridge.deliver.providers.calls import Answer, Calls, Deadline, as_json
from alertbridge.deliver.providers.gateway import Gateway
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
    unknown,
)
from alertbridge.deliver.providers.waha.config import WahaSection
from alertbridge.deliver.providers.waha.payloads import Event, Fault, Payload, Sent, SessionInfo
from alertbridge.numbers import Address, chat_of, person_of
from runtime.clock import Clock

STATUSES: Mapping[int, Verdict] = {
    404: config("session_not_found"),
    422: permanent("not_supported"),  # only in Plus, or not by this engine
    500: unknown("server_error"),
}
SESSION_REFUSALS: Mapping[str, Verdict] = {
    "STARTING": reconnect("session_starting"),
    "FAILED": reconnect("session_failed"),  # broken or logged out; only one restart tells
    "STOPPED": reconnect("session_stopped"),
    "SCAN_QR_CODE": config("logged_out", logged_out=True),
}
"""A 422 that names the session's status."""
EXCEPTIONS: tuple[tuple[str, Verdict], ...] = (
    ("463", pause("reachout_timelock")),
    ("No LID for user", permanent("not_on_whatsapp")),
)
"""A 500 whose exception says so much that the outcome is known."""
STATES: Mapping[str, tuple[SessionState, str]] = {
    "WORKING": (SessionState.WORKING, ""),
    "STARTING": (SessionState.STARTING, ""),
    "SCAN_QR_CODE": (SessionState.NEEDS_PAIRING, "waits for its code to be scanned"),
    "STOPPED": (SessionState.DISCONNECTED, "stopped"),
    "FAILED": (SessionState.DISCONNECTED, "failed: broken or logged out, a restart tells"),
}
ACKS: Mapping[int, Receipt | None] = {
    -1: Receipt.FAILED,
    0: None,
    1: Receipt.ACKED,
    2: Receipt.DELIVERED,
    3: Receipt.READ,
    4: Receipt.READ,
}


class Waha(Gateway[WahaSection]):
    """One session of a WAHA server."""

    def __init__(self, section: WahaSection, session: aiohttp.ClientSession, clock: Clock) -> None:
        key = section.api_key.get_secret_value() if section.api_key is not None else ""
        heard = section.webhook.configured
        traits = Traits(
            text_limit=WHATSAPP_TEXT_LIMIT,
            tells_acks=heard,
            tells_delivered=heard,
            tells_read=heard,
            sends_images=section.images,
            mends_tell=1,  # FAILED: broken, or logged out
        )
        calls = Calls(section, session, clock, {"X-Api-Key": key})
        super().__init__(section, calls, clock, traits, pairing_path="/dashboard")
        self._path = f"/api/sessions/{quote(section.session)}"
        self._restarted_broken = False

    async def send(self, message: Outgoing) -> Outcome:
        """A picture that this server cannot send is left out."""
        address = self._addressed(message)
        if isinstance(address, Outcome):
            return address
        within = self._calls.deadline()
        pictured = message.image is not None and len(message.text) <= self._traits.caption_limit
        if pictured and self._section.images:
            outcome = await self._send(message, address, within, with_image=True)
            if outcome.reason != STATUSES[422].reason:
                return outcome
        return await self._send(message, address, within, with_image=False)

    async def _send(
        self, message: Outgoing, address: Address, within: Deadline, *, with_image: bool
    ) -> Outcome:
        body: dict[str, object] = {"session": self._section.session, "chatId": address.jid("c.us")}
        if message.quote_id:
            body["reply_to"] = message.quote_id
        if with_image and message.image is not None:
            data = base64.b64encode(message.image.png).decode()
            body["file"] = {"mimetype": "image/png", "filename": message.image.file_name, "data": data}
            body["caption"] = message.text
        else:
            body |= {"text": message.text, "linkPreview": False}
        path = "/api/sendImage" if with_image else "/api/sendText"
        answer = await self._calls.ask("POST", path, as_json(body), within=within)
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return self._refused(answer)
        sent_id = Sent.read_or_empty(answer.body).message_id
        verdict = accept() if sent_id else MALFORMED
        return verdict.outcome(provider_id=sent_id)

    def _refused(self, answer: Answer) -> Outcome:
        fault = Fault.read_or_empty(answer.body)
        if answer.status == 422 and (known := SESSION_REFUSALS.get(fault.status)) is not None:
            return self._calls.refused(known, answer, f"the session is {fault.status}")
        said = (verdict for words, verdict in EXCEPTIONS if answer.status == 500 and words in fault.text)
        return self._calls.refused(next(said, by_status(answer.status, STATUSES)), answer, fault.text)

    async def session(self) -> Session:
        """The state by its word. One that failed again after our restart is logged out."""
        return self._told(await self._calls.ask("GET", self._path))

    def _told(self, answer: Answer | Outcome) -> Session:
        if isinstance(answer, Outcome) or not answer.succeeded:
            return self._untold(answer)
        return self._state(SessionInfo.read_or_empty(answer.body))

    def _state(self, info: SessionInfo) -> Session:
        if info.status not in STATES:
            return self._session(SessionState.UNKNOWN, f"unknown status {info.status!r}")
        state, detail = STATES[info.status]
        if info.status == "WORKING":
            self._restarted_broken = False
        elif info.status == "FAILED" and self._restarted_broken:
            state, detail = SessionState.LOGGED_OUT, "failed again after a restart: it must be paired again"
        return self._session(state, detail, person_of(info.me.id)[0])

    async def reconnect(self) -> Outcome:
        """Starts what is stopped and restarts the rest; a session that waits for a scan is left alone."""
        within = self._calls.deadline()
        answer = await self._calls.ask("GET", self._path, within=within)
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return self._refused(answer)
        info = SessionInfo.read_or_empty(answer.body)
        if self._state(info).state in (SessionState.NEEDS_PAIRING, SessionState.LOGGED_OUT):
            return SESSION_REFUSALS["SCAN_QR_CODE"].outcome("only pairing again helps")
        self._restarted_broken = self._restarted_broken or info.status == "FAILED"
        return await self._act("start" if info.status == "STOPPED" else "restart", within)

    async def restart(self) -> Outcome:
        """Restarts the session whatever it says of itself, since it may be half dead."""
        return await self._act("restart", self._calls.deadline())

    async def _act(self, action: str, within: Deadline) -> Outcome:
        answer = await self._calls.ask("POST", f"{self._path}/{action}", within=within)
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return self._refused(answer)
        state = self._told(answer).state
        if state in (SessionState.NEEDS_PAIRING, SessionState.LOGGED_OUT):
            return SESSION_REFUSALS["SCAN_QR_CODE"].outcome("only pairing again helps")
        return Outcome(OutcomeClass.ACCEPTED, action)

    # -- webhooks

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """`message`, `message.ack` and `session.status` of our session."""
        check_hmac(request, self._section.webhook.key, header_name="X-Webhook-Hmac", algorithm="sha512")
        event = Event.read(request.body)
        if event.session and event.session != self._section.session:
            return ()
        if event.event == "session.status":
            at_s = event.timestamp or self._clock.time() // 60
            session = self._state(SessionInfo.of(event.payload))
            return (SessionEvent(event.id or f"session:{session.state.value}:{at_s:.3f}", session),)
        if event.event == "message.ack":
            return self._acked(Payload.of(event.payload), event)
        if event.event in ("message", "message.any", "message.edited"):
            return self._message(Payload.of(event.payload), edited=event.event == "message.edited")
        return ()

    def _acked(self, payload: Payload, event: Event) -> tuple[InboundEvent, ...]:
        word = payload.ack_name.upper()
        receipt = RECEIPTS.get(word) if word else ACKS.get(payload.ack) if payload.ack is not None else None
        if not payload.id or receipt is None:
            return ()
        outcome = None
        if receipt is Receipt.FAILED:
            outcome = refused_later(payload.raw.stubs or payload.raw.update.stubs)
        event_id = f"{payload.id}:{receipt.value}"
        return (StatusEvent(event_id, payload.id, receipt, at_s=event.timestamp or None, outcome=outcome),)

    def _message(self, payload: Payload, *, edited: bool) -> tuple[InboundEvent, ...]:
        chat = chat_of(payload.sender)
        if not payload.id or not chat:
            return ()
        is_group = chat.endswith("@g.us")
        typed = (*payload.raw.key.people, payload.raw.info.sender, payload.raw.info.sender_alt)
        number, lid = person_of(payload.participant if is_group else payload.sender, *typed)
        edited = edited or payload.raw.message.is_edited
        return (
            MessageEvent(
                event_id=f"{payload.id}:edited:{payload.timestamp:.0f}" if edited else payload.id,
                provider_id=payload.id,
                chat=chat,
                number=number,
                lid=lid,
                text=payload.body,
                at_s=payload.timestamp,
                is_group=is_group,
                from_me=payload.from_me,
                quoted_id=payload.reply_to.id or payload.raw.message.quoted_id,
                button=payload.raw.message.button_id,
                forwarded=payload.raw.is_forwarded or payload.raw.message.is_forwarded,
                edited=edited,
            ),
        )
