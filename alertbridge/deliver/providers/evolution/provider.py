"""Evolution API: a 201 with PENDING says that the socket took it; `messages.update` says that WhatsApp did."""

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import aiohttp

from alertbridge.deliver.providers.baileys import RECEIPTS, disconnected, refused_later
from alertbridge.deliver.providers.base import (
    Handshake,
    InboundEvent,
    InboundRequest,
    MessageEvent,
    Outcome,
    Outgoing,
    Receipt,
    Session,
    SessionEvent,
    SessionState,
    StatusEvent,
    Traits,
)
from alertbridge.deliver.providers.calls import Answer, Calls, Deadline, as_json
from alertbridge.deliver.providers.evolution.config import EvolutionSection
from alertbridge.deliver.providers.evolution.payloads import (
    Connection,
    Data,
    Event,
    Fault,
    Instance,
    Instances,
    Sent,
)
from alertbridge.deliver.providers.gateway import Gateway
from alertbridge.deliver.providers.payload import parse_json
from alertbridge.deliver.providers.section import WHATSAPP_TEXT_LIMIT
from alertbridge.deliver.providers.signatures import check_jwt, check_token, header
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
from alertbridge.numbers import chat_of, person_of
from runtime.clock import Clock

STATUSES: Mapping[int, Verdict] = {404: config("instance_not_found"), 500: unknown("server_error")}
ABSENT = permanent("not_on_whatsapp")
TEXTS: tuple[tuple[str, Verdict], ...] = (
    ("463", pause("reachout_timelock")),
    ("textMessage", config("version_1")),  # its answer to the bodies of version 2
)
"""A 500 that says so much that the outcome is known."""
CLOSED = reconnect("session_closed")
LOGGED_OUT = config("logged_out", logged_out=True)
STATES: Mapping[str, SessionState] = {
    "open": SessionState.WORKING,
    "connecting": SessionState.STARTING,
    "close": SessionState.DISCONNECTED,
    "closed": SessionState.DISCONNECTED,
    "refused": SessionState.NEEDS_PAIRING,  # nobody scanned as many codes as it shows
}
_FINAL = frozenset(
    {SessionState.LOGGED_OUT, SessionState.NEEDS_PAIRING, SessionState.BANNED, SessionState.MISCONFIGURED}
)


class Evolution(Gateway[EvolutionSection]):
    """One instance."""

    def __init__(self, section: EvolutionSection, session: aiohttp.ClientSession, clock: Clock) -> None:
        key = section.api_key.get_secret_value() if section.api_key is not None else ""
        heard = section.webhook.configured
        traits = Traits(
            text_limit=WHATSAPP_TEXT_LIMIT,
            tells_acks=heard,
            tells_delivered=heard,
            tells_read=heard,
            sends_images=True,
        )
        calls = Calls(section, session, clock, {"apikey": key})
        super().__init__(section, calls, clock, traits, pairing_path="/manager")
        self._instance = quote(section.instance, safe="")

    async def send(self, message: Outgoing) -> Outcome:
        """A 500 may mean that the connection is closed; the state tells."""
        address = self._addressed(message)
        if isinstance(address, Outcome):
            return address
        within = self._calls.deadline()
        # with its server, since bare digits can be taken for a group
        body: dict[str, object] = {"number": address.jid(), "delay": 0}
        if message.quote_id:
            body["quoted"] = {"key": {"id": message.quote_id}}
        if message.image is not None and len(message.text) <= self._traits.caption_limit:
            path = "sendMedia"
            body |= {
                "mediatype": "image",
                "mimetype": "image/png",
                "caption": message.text,
                "fileName": message.image.file_name,
                "media": base64.b64encode(message.image.png).decode(),
            }
        else:
            path = "sendText"
            body |= {"text": message.text, "linkPreview": False}
        answer = await self._calls.ask(
            "POST", f"/message/{path}/{self._instance}", as_json(body), within=within
        )
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return await self._refused(answer, within)
        sent_id = Sent.read_or_empty(answer.body).key.id
        return (accept() if sent_id else MALFORMED).outcome(provider_id=sent_id)

    async def _refused(self, answer: Answer, within: Deadline) -> Outcome:
        fault = Fault.read_or_empty(answer.body)
        if answer.status == 400 and fault.is_absent:
            return self._calls.refused(ABSENT, answer, "the number is not on WhatsApp")
        verdict = by_status(answer.status, STATUSES)
        if answer.status == 500:
            known = next((verdict for words, verdict in TEXTS if words in fault.text), None)
            if known is not None:
                return self._calls.refused(known, answer, fault.text)
            state = await self._state(within)
            if isinstance(state, str) and STATES.get(state) is not SessionState.WORKING:
                verdict = CLOSED
        return self._calls.refused(verdict, answer, fault.text)

    async def _state(self, within: Deadline) -> str | Answer | Outcome:
        """The connection's word, or what came instead of one."""
        answer = await self._calls.ask("GET", f"/instance/connectionState/{self._instance}", within=within)
        if isinstance(answer, Outcome) or not answer.succeeded:
            return answer
        return Connection.read_or_empty(answer.body).instance.state or answer

    async def session(self) -> Session:
        """The state, and for one that is closed the code that says why."""
        within = self._calls.deadline()
        state = await self._state(within)
        if not isinstance(state, str):
            return self._untold(state)
        if state not in STATES:
            return self._session(SessionState.UNKNOWN, f"unknown state {state!r}")
        about = await self._about(within) if state == "close" or not self._own_number else Instance()
        number = person_of(about.owner)[0]
        if state == "close":
            found = disconnected(about.code)
            return self._session(found.state, found.detail, number)
        return self._session(STATES[state], "" if state == "open" else state, number)

    async def _about(self, within: Deadline) -> Instance:
        path = f"/instance/fetchInstances?instanceName={self._instance}"
        answer = await self._calls.ask("GET", path, within=within)
        if isinstance(answer, Outcome) or not answer.succeeded:
            return Instance()
        try:
            listed = Instances.of({"found": parse_json(answer.body)}).found
        except ValueError:
            return Instance()
        named = [one for one in listed if one.name == self._section.instance]
        return (named or listed or [Instance()])[0]

    async def reconnect(self) -> Outcome:
        """Restarts what is open or connecting, connects what is closed; what a human must mend is left alone."""
        session = await self.session()
        if session.state in _FINAL:
            return (
                LOGGED_OUT.outcome(session.detail)
                if session.pairing_url
                else config("closed").outcome(session.detail)
            )
        if session.state is SessionState.DISCONNECTED:
            return await self._connect(self._calls.deadline())
        return await self.restart()

    async def restart(self) -> Outcome:
        """From `close` a restart fails with status 200 and `error` in the body; then it is connected instead."""
        within = self._calls.deadline()
        answer = await self._calls.ask("POST", f"/instance/restart/{self._instance}", within=within)
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return self._calls.refused(by_status(answer.status, STATUSES), answer)
        if Connection.read_or_empty(answer.body).error:
            return await self._connect(within)
        return accept("restart").outcome()

    async def _connect(self, within: Deadline) -> Outcome:
        answer = await self._calls.ask("GET", f"/instance/connect/{self._instance}", within=within)
        if isinstance(answer, Outcome):
            return answer
        if not answer.succeeded:
            return self._calls.refused(by_status(answer.status, STATUSES), answer)
        told = Connection.read_or_empty(answer.body)
        if told.wants_pairing:
            return LOGGED_OUT.outcome("it shows a code to be scanned")
        return CLOSED.outcome("it does not connect") if told.error else accept("connect").outcome()

    # -- webhooks

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """Messages, their statuses and the connection of our instance."""
        hook = self._section.webhook
        if hook.proof == "jwt":
            check_jwt(request, hook.key, now_s=self._clock.time())
        else:
            check_token(header(request, hook.header), hook.key, hook.header)
        event = Event.read(request.body)
        if event.instance and event.instance != self._section.instance:
            return ()
        return tuple(told for data in event.data for told in self._events(event, data))

    def _events(self, event: Event, data: Data) -> Iterator[InboundEvent]:
        match event.event.lower().replace("_", "."):
            case "messages.upsert" | "messages.set" | "messages.edited" as name:
                yield from _message(data, name.removeprefix("messages."))
            case "messages.update" | "send.message.update":
                yield from _status(data, event.at_s)
            case "connection.update" | "status.instance":
                yield self._connection(event, data)

    def _connection(self, event: Event, data: Data) -> SessionEvent:
        state = STATES.get(data.state, SessionState.UNKNOWN)
        found = disconnected(data.code) if state is SessionState.DISCONNECTED else Session(state)
        session = self._session(found.state, found.detail)
        at_s = event.at_s or self._clock.time() // 60
        return SessionEvent(f"session:{data.state}:{data.code}:{at_s:.3f}", session)


def _status(data: Data, at_s: float) -> Iterator[StatusEvent]:
    sent_id, receipt = data.key_id or data.key.id, RECEIPTS.get(data.status.upper())
    if sent_id and receipt is not None:
        outcome = refused_later(data.stubs) if receipt is Receipt.FAILED else None
        yield StatusEvent(f"{sent_id}:{receipt.value}", sent_id, receipt, at_s=at_s or None, outcome=outcome)


def _message(data: Data, how: str) -> Iterator[MessageEvent]:
    chat = chat_of(data.key.remote_jid)
    if not data.key.id or not chat:
        return
    number, lid = person_of(*data.key.people)
    edited = how == "edited" or data.message.is_edited
    yield MessageEvent(
        event_id=f"{data.key.id}:edited" if edited else data.key.id,
        provider_id=data.key.id,
        chat=chat,
        number=number,
        lid=lid,
        text=data.message.text,
        at_s=data.at_s,
        is_group=data.key.is_group,
        from_me=data.key.from_me,
        quoted_id=data.message.quoted_id or str(data.context.get("stanzaId") or ""),
        button=data.message.button_id,
        forwarded=data.message.is_forwarded or data.context.get("isForwarded") is True,
        edited=edited,
        history=how == "set",
    )
