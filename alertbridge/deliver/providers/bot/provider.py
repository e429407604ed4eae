"""A bot's own endpoint: what is sent and where the facts stand comes from the configuration."""

import base64
import re
from collections.abc import Mapping
from urllib.parse import quote

import aiohttp

from alertbridge.deliver.providers.baileys import RECEIPTS, disconnected, refused_later
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
from alertbridge.deliver.providers.bot.config import ActionSection, BotSection, HealthSection, SendSection
from alertbridge.deliver.providers.bot.paths import flag_at, text_at
from alertbridge.deliver.providers.bot.payloads import Event
from alertbridge.deliver.providers.bot.presets import CONTRACT
from alertbridge.deliver.providers.bot.templating import RENDER_ERRORS, SAMPLE, render, render_json
from alertbridge.deliver.providers.calls import Answer, Calls, Deadline, as_json
from alertbridge.deliver.providers.gateway import Gateway
from alertbridge.deliver.providers.payload import clean_id, parse_json, read_moment
from alertbridge.deliver.providers.signatures import check_token, header
from alertbridge.deliver.providers.verdicts import (
    MALFORMED,
    NOTHING_TO_MEND,
    Verdict,
    accept,
    by_status,
    pause,
    permanent,
    reconnect,
)
from alertbridge.numbers import Address, chat_of, person_of
from runtime.clock import Clock

STATUSES: Mapping[int, Verdict] = {463: pause("reachout_timelock"), 503: reconnect("not_connected")}
"""What a bot means by a status, where it is not what a web server means."""
NO_SUCH_PATH = by_status(404, STATUSES)
"""A bot that cannot send pictures has no path for them; the text matters more."""
RECEIPT_WORDS: Mapping[str, Receipt | None] = {
    **RECEIPTS,
    "SENT": Receipt.ACKED,
    "ACKED": Receipt.ACKED,
    "DELIVERED": Receipt.DELIVERED,
    "FAILED": Receipt.FAILED,
}
_ENDED = frozenset({SessionState.DISCONNECTED, SessionState.LOGGED_OUT})
_FLAGS = {True: SessionState.WORKING, False: SessionState.DISCONNECTED}
_STATES: Mapping[str, SessionState] = {state.value: state for state in SessionState}
_CONTRACT_WORDS = HealthSection.model_validate(CONTRACT["health"]).states


class Bot(Gateway[BotSection]):
    """One bot."""

    def __init__(self, section: BotSection, session: aiohttp.ClientSession, clock: Clock) -> None:
        headers = {}
        if section.token is not None:
            headers[section.token_header] = f"{section.token_prefix}{section.token.get_secret_value()}"
        traits = Traits(
            text_limit=section.text_limit,
            acks_on_accept=section.acks_on_accept,
            tells_acks=section.proves,
            takes_our_id=section.takes_our_id,
            tells_delivered=section.proves,
            tells_read=section.proves,
            sends_images=section.send_image is not None,
        )
        calls = Calls(section, session, clock, headers)
        super().__init__(section, calls, clock, traits, pairing_path=section.qr_path)

    async def send(self, message: Outgoing) -> Outcome:
        """Fills in the templates and reads the answer; a template that fails is a mistake of the configuration."""
        address = self._addressed(message)
        if isinstance(address, Outcome):
            return address
        within = self._calls.deadline()
        with_image = self._section.send_image
        if (
            with_image is not None
            and message.image is not None
            and len(message.text) <= self._traits.caption_limit
        ):
            outcome = await self._send(with_image, message, address, within)
            if outcome.reason != NO_SUCH_PATH.reason:
                return outcome
        return await self._send(self._section.send, message, address, within)

    async def _send(self, way: SendSection, message: Outgoing, address: Address, within: Deadline) -> Outcome:
        values = self._values(message, address)
        try:
            path = render(
                way.path, {k: quote(v, safe="") if isinstance(v, str) else v for k, v in values.items()}
            )
            headers = {name: _line(render(value, values)) for name, value in way.headers.items()}
            body = as_json(render_json(way.body, values))
        except RENDER_ERRORS as error:
            return permanent("template_error").outcome(type(error).__name__)
        content = None if way.method == "GET" else body
        answer = await self._calls.ask(way.method, path, content, headers=headers, within=within)
        return answer if isinstance(answer, Outcome) else self._judged(answer, way, message.id)

    def _values(self, message: Outgoing, address: Address) -> dict[str, object]:
        """What templates know of a message."""
        forms = {
            "digits": str(address),
            "e164": address.jid() if "@" in str(address) else address.e164,
            "jid": address.jid(),
            "web_jid": address.jid("c.us"),
        }
        fields = message.template_fields
        return {
            **SAMPLE,
            "to": forms[self._section.to_form],
            "digits": address.user,
            "jid": address.jid(),
            "text": message.text,
            "id": message.id,
            "quote_id": message.quote_id,
            "severity": fields.get("severity", ""),
            "title": fields.get("title", ""),
            "is_group": address.is_group,
            "image": base64.b64encode(message.image.png).decode() if message.image is not None else "",
        }

    def _judged(self, answer: Answer, way: SendSection, our_id: str) -> Outcome:
        """By the body before the status: a 429 can be a yes, a 200 a no."""
        try:
            document = parse_json(answer.body)
        except ValueError:
            document = None
        sent_id = clean_id(next((text for place in way.id_at if (text := text_at(document, place))), ""))
        if not way.id_at and self._section.takes_our_id:
            sent_id = our_id
        detail = text_at(document, way.error_at)
        if answer.status == 429 and flag_at(document, way.queued_at):
            return Outcome(OutcomeClass.QUEUED_REMOTE, "queued", provider_id=sent_id)
        if (word := way.statuses.get(answer.status)) is not None and word not in (
            "accepted",
            "queued_remote",
        ):
            return self._calls.refused(Verdict(OutcomeClass(word), f"status_{answer.status}"), answer, detail)
        if not answer.succeeded and word is None:
            return self._calls.refused(by_status(answer.status, STATUSES), answer, detail)
        if flag_at(document, way.ok_at) is False:
            return self._calls.refused(permanent("refused"), answer, detail)
        if way.id_at and not sent_id:
            return MALFORMED.outcome(f"HTTP {answer.status}")
        queued = word == "queued_remote" or (word is None and answer.status == 202)
        return Outcome(OutcomeClass.QUEUED_REMOTE if queued else OutcomeClass.ACCEPTED, provider_id=sent_id)

    async def status_of(self, provider_id: str) -> Receipt | None:
        """Asks the bot, where it can be asked."""
        if self._section.status is None or not provider_id:
            return None
        path = render(self._section.status.path, {**SAMPLE, "id": quote(provider_id, safe="")})
        answer = await self._calls.ask("GET", path)
        if isinstance(answer, Outcome) or not answer.succeeded:
            return None
        try:
            word = text_at(parse_json(answer.body), self._section.status.state_at)
        except ValueError:
            return None
        return RECEIPT_WORDS.get(word.upper())

    async def session(self) -> Session:
        """By the word, the flag and the code that the bot tells, whichever there are."""
        health = self._section.health
        if health is None:
            return self._session(SessionState.UNKNOWN, "the bot cannot be asked: health is not configured")
        answer = await self._calls.ask("GET", render(health.path, SAMPLE))
        if isinstance(answer, Outcome) or not (answer.succeeded or answer.status == 503):
            return self._untold(answer)
        try:
            document = parse_json(answer.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            return self._untold(answer)
        return self._read(document, health, working=answer.succeeded)

    def _read(self, document: object, health: HealthSection, *, working: bool) -> Session:
        word = text_at(document, health.state_at)
        meant = health.states.get(word) or health.states.get(word.lower())
        state = _STATES.get(meant) if meant is not None else None
        connected = flag_at(document, health.connected_at)
        if state is None:
            told = working if connected is None else connected
            silent = connected is None and bool(health.state_at or health.connected_at)
            state = _FLAGS[told] if not (told and silent) else SessionState.UNKNOWN
        if connected is False and state is SessionState.WORKING:
            state = SessionState.DISCONNECTED
        own = text_at(document, health.own_jid_at)
        number = person_of(own)[0] or (own if re.fullmatch(r"[1-9][0-9]{6,14}", own) else "")
        locked_until_s = read_moment(text_at(document, health.locked_until_at))
        if state is SessionState.WORKING and locked_until_s > self._clock.time():
            return self._session(
                SessionState.TIMELOCKED, "locked: no new chats", number, until_s=locked_until_s
            )
        code = text_at(document, health.code_at)
        if state in _ENDED and code.isdigit():
            found = disconnected(int(code[:6]))
            if found.state is not SessionState.DISCONNECTED:
                return self._session(found.state, found.detail, number)
        return self._session(state, word or "", number)

    async def reconnect(self) -> Outcome:
        """Tells the bot to connect again, where it can be told."""
        return await self._act(self._section.reconnect)

    async def restart(self) -> Outcome:
        """Tells the bot to start afresh, where it can be told."""
        return await self._act(self._section.restart)

    async def _act(self, action: ActionSection | None) -> Outcome:
        if action is None:
            return NOTHING_TO_MEND.outcome()
        content = None if action.method == "GET" else as_json({})
        answer = await self._calls.ask(action.method, render(action.path, SAMPLE), content)
        if isinstance(answer, Outcome):
            return answer
        if answer.succeeded:
            return accept("asked").outcome()
        return self._calls.refused(by_status(answer.status), answer)

    # -- webhooks

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """One event, or a list of them, in the shape of `payloads.Event`."""
        hook = self._section.webhook
        given = header(request, hook.header).strip()
        check_token(re.sub(r"\ABearer\s+", "", given, flags=re.IGNORECASE), hook.key, hook.header)
        document = parse_json(request.body)
        several = document if isinstance(document, list) else [document]
        return tuple(event for one in several for event in self._events(Event.of(one)))

    def _events(self, event: Event) -> tuple[InboundEvent, ...]:
        if event.event in ("status", "ack", "message.ack"):
            return self._status(event)
        if event.event in ("session", "session.status"):
            state = _STATES.get(_CONTRACT_WORDS.get(event.status, event.status), SessionState.UNKNOWN)
            session = disconnected(event.code) if event.code and state in _ENDED else self._session(state)
            at_s = event.at_s or self._clock.time() // 60
            told = self._session(session.state, session.detail)
            return (SessionEvent(event.event_id or f"session:{told.state.value}:{at_s:.3f}", told),)
        return self._message(event) if event.event == "message" else ()

    def _status(self, event: Event) -> tuple[InboundEvent, ...]:
        receipt = RECEIPT_WORDS.get(event.status.upper())
        if receipt is None or not (event.id or event.our_id):
            return ()
        outcome = refused_later([event.error]) if receipt is Receipt.FAILED else None
        our_id = event.our_id or (event.id if self._section.takes_our_id else "")
        event_id = event.event_id or f"{event.id or event.our_id}:{receipt.value}"
        return (StatusEvent(event_id, event.id, receipt, our_id, event.at_s or None, outcome),)

    def _message(self, event: Event) -> tuple[InboundEvent, ...]:
        number, lid = person_of(event.sender, f"{event.sender.lstrip('+')}@c.us", event.lid)
        chat = chat_of(event.chat) or chat_of(f"{event.chat}@c.us")
        is_group = event.is_group or chat.endswith("@g.us")
        chat = chat or ("" if is_group else number or (f"{lid}@lid" if lid else ""))
        if not event.id or not chat:
            return ()
        return (
            MessageEvent(
                event_id=event.event_id or (f"{event.id}:edited" if event.edited else event.id),
                provider_id=event.id,
                chat=chat,
                number=number,
                lid=lid,
                text=event.text,
                at_s=event.at_s,
                is_group=is_group,
                from_me=event.from_me,
                quoted_id=event.quoted_id,
                button=event.button,
                forwarded=event.forwarded,
                edited=event.edited,
                history=event.history,
            ),
        )


def _line(text: str) -> str:
    """A header's value: one line of printable ASCII, since nothing else may stand there."""
    return "".join(c for c in text if " " <= c <= "~")
