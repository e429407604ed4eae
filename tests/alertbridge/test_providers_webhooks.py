"""What comes in through a provider's webhook is believed only with its proof, and read for what it is."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from alertbridge.deliver.providers.base import (
    Handshake,
    InboundEvent,
    InboundRequest,
    MessageEvent,
    OutcomeClass,
    Provider,
    Receipt,
    SessionEvent,
    SessionState,
    StatusEvent,
    WebhookRefused,
)
from tests.fakes.channel_sections import HANDSHAKE, KEY, WEBHOOK, provider_of
from tests.fakes.clock import FakeClock
from tests.fakes.provider_webhooks import (
    ACKS,
    GROUP,
    LID,
    MESSAGES,
    NOW_S,
    PERSON,
    SECRET,
    SENT,
    SIGN,
    WITHOUT_LID,
    evolution,
    gowa,
    meta,
    post,
    signed,
    waha,
    with_message_id,
    wuzapi_message,
)

NAMES = tuple(SIGN)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(time_s=float(NOW_S))


@pytest.fixture
def providers(session: aiohttp.ClientSession, clock: FakeClock) -> dict[str, Provider]:
    return {name: provider_of(name, "http://127.0.0.1:1", session, clock) for name in NAMES}


def one(provider: Provider, request: InboundRequest) -> InboundEvent:
    """The one event of a webhook."""
    found = provider.receive(request)
    assert isinstance(found, tuple)
    (event,) = found
    return event


def message_of(provider: Provider, request: InboundRequest) -> MessageEvent:
    event = one(provider, request)
    assert isinstance(event, MessageEvent)
    return event


def status_of(provider: Provider, request: InboundRequest) -> StatusEvent:
    event = one(provider, request)
    assert isinstance(event, StatusEvent)
    return event


@pytest.mark.parametrize("name", NAMES)
def test_a_status_says_what_became_of_a_message(name: str, providers: dict[str, Provider]) -> None:
    """The provider's id of the message and its receipt; the same webhook again is the same event."""
    body, receipt = ACKS[name]
    event = status_of(providers[name], signed(name, body))
    assert (event.provider_id, event.receipt.value) == (SENT, receipt)
    assert event.event_id
    assert status_of(providers[name], signed(name, body)) == event


@pytest.mark.parametrize("name", NAMES)
def test_a_message_tells_who_wrote_it(name: str, providers: dict[str, Provider]) -> None:
    """Number and LID come from typed fields, without device; the name that somebody chose is none of them."""
    event = message_of(providers[name], signed(name, MESSAGES[name]))
    assert (event.provider_id, event.text, event.number) == ("3AIN", "ack 481", PERSON)
    assert event.lid == ("" if name in WITHOUT_LID else LID)
    assert event.chat == (PERSON if name in WITHOUT_LID else f"{LID}@lid")
    assert event.at_s == (0.0 if name == "twilio" else NOW_S)
    marks = (event.is_group, event.from_me, event.forwarded, event.edited, event.history)
    assert not any(marks)
    assert message_of(providers[name], signed(name, MESSAGES[name])).event_id == event.event_id


@pytest.mark.parametrize("name", NAMES)
def test_what_is_forged_is_refused(name: str, providers: dict[str, Provider]) -> None:
    """A wrong secret, none at all, or a body that was changed on the way: nothing of it is believed or repeated."""
    body, _ = ACKS[name]
    true = signed(name, body)
    forged = [SIGN[name](body, "wrong"), SIGN[name](body, ""), replace(true, headers={}, query={})]
    if name in ("waha", "gowa", "cloud", "twilio"):
        forged += [
            replace(true, body=true.body + b" "),
            replace(true, body=true.body.replace(b"SENT", b"LOST")),
        ]
    for request in forged:
        with pytest.raises(WebhookRefused) as refused:
            providers[name].receive(request)
        assert SECRET[name] not in str(refused.value)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "twilio"])
def test_without_a_secret_every_webhook_is_refused(
    name: str, session: aiohttp.ClientSession, clock: FakeClock
) -> None:
    """Also one that is signed with nothing."""
    deaf = provider_of(name, "http://127.0.0.1:1", session, clock, webhook={})
    body, _ = ACKS[name]
    for secret in ("", WEBHOOK):
        with pytest.raises(WebhookRefused, match="no secret"):
            deaf.receive(SIGN[name](body, secret))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_payload_of_the_provider_is_a_value_error_or_nothing(
    name: str, providers: dict[str, Provider]
) -> None:
    """Truncated, deeply nested, of the wrong type, not UTF-8: the proof holds, and yet nothing can be read."""
    provider, sign, secret = providers[name], SIGN[name], SECRET[name]
    odd: list[object] = [{}, {"event": 5, "data": 7, "payload": [], "entry": "x", "type": {}}]
    if name != "twilio":
        odd += [[], "text", None, [[]], {"entry": [{"changes": [None, {"value": [1]}]}]}]
    for value in odd:
        try:
            assert provider.receive(sign(value, secret)) == ()
        except ValueError:
            continue
    if name in ("waha", "gowa", "cloud"):
        header, algorithm, prefix = {
            "waha": ("X-Webhook-Hmac", "sha512", ""),
            "gowa": ("X-Hub-Signature-256", "sha256", "sha256="),
            "cloud": ("X-Hub-Signature-256", "sha256", "sha256="),
        }[name]
        whole = json.dumps(MESSAGES[name]).encode()
        for body in (whole[:-20], b"[" * 200_000, b"\xff\xfe{}", b"", b"{" + b" " * 5_000_000 + b"}"):
            digest = hmac.new(secret.encode(), body, algorithm).hexdigest()
            with pytest.raises(ValueError, match="body"):
                provider.receive(post(body, {header: prefix + digest}))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "waha",
            waha("message.ack", id=SENT, ack=-1, ackName="ERROR", _data={"messageStubParameters": ["463"]}),
        ),
        (
            "waha",
            waha("message.ack", id=SENT, ack=-1, _data={"update": {"messageStubParameters": [463]}}),
        ),
        (
            "evolution",
            evolution(
                "messages.update", {"keyId": SENT, "status": "ERROR", "messageStubParameters": ["463"]}
            ),
        ),
        ("bot", {"event": "status", "id": SENT, "status": "error", "error": "463"}),
    ],
)
def test_a_time_lock_told_later_pauses_the_channel(
    name: str, body: object, providers: dict[str, Provider]
) -> None:
    """463 after a success answer means the same as 463 at once."""
    event = status_of(providers[name], signed(name, body))
    assert event.receipt is Receipt.FAILED
    assert event.outcome is not None
    assert event.outcome.kind is OutcomeClass.PAUSE


def test_metas_refusal_by_webhook_means_what_it_means_in_an_answer(providers: dict[str, Provider]) -> None:
    """131047 switches to the template though Meta had said 200; our own id comes back."""
    failed = {
        "id": SENT,
        "status": "failed",
        "biz_opaque_callback_data": "OURS",
        "errors": [{"code": 131047}],
    }
    event = status_of(providers["cloud"], signed("cloud", meta(statuses=[failed])))
    assert event.our_id == "OURS"
    assert event.outcome is not None
    assert event.outcome.kind is OutcomeClass.SWITCH


def test_a_batch_of_metas_is_read_whole(providers: dict[str, Provider]) -> None:
    """Several statuses, messages and entries in one body; one odd among them does not hide the others."""
    statuses = [
        {"id": "a", "status": "sent"},
        None,
        {"id": "b", "status": "read"},
        {"status": "sent"},
        {"id": "c", "status": "new word"},
    ]
    body = meta(statuses=statuses, messages=[{"from": PERSON, "id": "m"}, "odd"])
    body["entry"] = [*body["entry"], *body["entry"], 7]  # type: ignore[misc]  # a list by construction
    found = providers["cloud"].receive(signed("cloud", body))
    assert isinstance(found, tuple)
    assert [event.event_id for event in found] == ["a:sent", "b:read", "m"] * 2


def test_another_number_of_the_same_app_is_not_ours(providers: dict[str, Provider]) -> None:
    """Meta, WAHA, Evolution and GOWA post for every number of a server to the same address."""
    about = {"metadata": {"phone_number_id": "1"}, "statuses": [{"id": "a", "status": "sent"}]}
    others = {
        "cloud": {"entry": [{"changes": [{"field": "messages", "value": about}]}]},
        "waha": {**waha("message.ack", id=SENT, ack=1), "session": "sales"},
        "evolution": {**evolution("messages.update", {"keyId": SENT, "status": "READ"}), "instance": "sales"},
        "gowa": {**gowa("message.ack", ids=[SENT], receipt_type="read"), "session_id": "org_9"},
    }
    for name, body in others.items():
        assert providers[name].receive(signed(name, body)) == ()


def test_trouble_of_the_account_is_told(providers: dict[str, Provider]) -> None:
    """An error without a message is about the number itself."""
    event = one(providers["cloud"], signed("cloud", meta(errors=[{"code": 131031, "message": "locked"}])))
    assert isinstance(event, SessionEvent)
    assert event.session.state is SessionState.MISCONFIGURED


def test_metas_check_of_the_address(providers: dict[str, Provider]) -> None:
    """The challenge comes back only for the right word."""
    query = {"hub.mode": "subscribe", "hub.verify_token": HANDSHAKE, "hub.challenge": "1158201444"}
    assert providers["cloud"].receive(InboundRequest("GET", {}, query, b"")) == Handshake("1158201444")
    for changed in (
        {"hub.verify_token": "wrong"},
        {"hub.verify_token": ""},
        {"hub.mode": "x"},
        {"hub.challenge": "<script>"},
    ):
        with pytest.raises(WebhookRefused):
            providers["cloud"].receive(InboundRequest("GET", {}, {**query, **changed}, b""))


def test_sessions_are_told(providers: dict[str, Provider]) -> None:
    """A change of the session is an event, each with its own id, and one of a later day is no replay."""
    rows = [
        ("waha", waha("session.status", name="default", status="SCAN_QR_CODE"), SessionState.NEEDS_PAIRING),
        ("waha", waha("session.status", name="default", status="FAILED"), SessionState.DISCONNECTED),
        (
            "evolution",
            evolution("connection.update", {"state": "close", "statusReason": 401}),
            SessionState.LOGGED_OUT,
        ),
        (
            "evolution",
            evolution("CONNECTION_UPDATE", {"state": "close", "statusReason": 403}),
            SessionState.BANNED,
        ),
        (
            "evolution",
            evolution("connection.update", {"state": "open", "statusReason": 200}),
            SessionState.WORKING,
        ),
        ("evolution", evolution("connection.update", {"state": "refused"}), SessionState.NEEDS_PAIRING),
        ("bot", {"event": "session", "status": "logged_out"}, SessionState.LOGGED_OUT),
        ("bot", {"event": "session", "status": "down", "code": 402}, SessionState.BANNED),
    ]
    for name, body, state in rows:
        event = one(providers[name], signed(name, body))
        assert isinstance(event, SessionEvent)
        assert (event.session.state, bool(event.event_id)) == (state, True)


def test_a_session_event_of_another_minute_is_another_event(
    providers: dict[str, Provider], clock: FakeClock
) -> None:
    """Where the provider gives neither id nor time, copies within a minute are one."""
    body = {"event": "session", "status": "down"}
    first = one(providers["bot"], signed("bot", body))
    clock.advance(120)
    assert one(providers["bot"], signed("bot", body)).event_id != first.event_id


@pytest.mark.parametrize("name", ["waha", "evolution", "gowa", "wuzapi", "bot"])
def test_a_group_is_told_from_a_person(name: str, providers: dict[str, Provider]) -> None:
    """The answer goes to the group; who wrote comes from the participant's typed fields."""
    raw = {
        "key": {
            "remoteJid": GROUP,
            "participant": f"{LID}@lid",
            "participantAlt": f"{PERSON}@s.whatsapp.net",
            "id": "3AIN",
        },
        "message": {
            "extendedTextMessage": {"text": "status", "contextInfo": {"stanzaId": SENT, "isForwarded": True}}
        },
    }
    bodies: dict[str, object] = {
        "waha": waha(
            "message",
            id=f"false_{GROUP}_3AIN_{LID}@lid",
            **{"from": GROUP},
            participant=f"{LID}@lid",
            body="status",
            replyTo={"id": SENT},
            _data=raw,
        ),
        "evolution": evolution("messages.upsert", raw),
        "gowa": gowa(
            "message",
            id="3AIN",
            chat_id=GROUP,
            **{"from": f"{PERSON}@s.whatsapp.net"},
            from_lid=f"{LID}@lid",
            body="status",
            replied_to_id=SENT,
            forwarded=True,
        ),
        "wuzapi": {
            "type": "Message",
            "event": {
                "Info": {
                    "ID": "3AIN",
                    "Chat": GROUP,
                    "Sender": f"{LID}:4@lid",
                    "SenderAlt": f"{PERSON}@s.whatsapp.net",
                },
                "Message": {
                    "extendedTextMessage": {
                        "text": "status",
                        "contextInfo": {"stanzaID": SENT, "isForwarded": True},
                    }
                },
            },
        },
        "bot": {
            "event": "message",
            "id": "3AIN",
            "chat": GROUP,
            "from": f"{PERSON}@s.whatsapp.net",
            "lid": f"{LID}@lid",
            "text": "status",
            "quoted_id": SENT,
            "forwarded": True,
        },
    }
    event = message_of(providers[name], signed(name, bodies[name]))
    assert (event.chat, event.is_group, event.number, event.lid) == (GROUP, True, PERSON, LID)
    assert (event.provider_id, event.text, event.quoted_id, event.forwarded) == ("3AIN", "status", SENT, True)


def test_a_sender_who_hides_his_number_has_none(providers: dict[str, Provider]) -> None:
    """Fail closed: no number is made of a name, a text or the chat."""
    raw = {
        "key": {"remoteJid": f"{LID}@lid", "id": "3AIN"},
        "pushName": PERSON,
        "message": {"conversation": PERSON},
    }
    for name, body in (
        ("evolution", evolution("messages.upsert", raw)),
        ("waha", waha("message", id="3AIN", **{"from": f"{LID}@lid"}, body=PERSON, _data=raw)),
        ("wuzapi", wuzapi_message(SenderAlt="", PushName=PERSON)),
        (
            "gowa",
            gowa("message", id="3AIN", chat_id=f"{LID}@lid", **{"from": f"{LID}@lid"}, from_name=PERSON),
        ),
    ):
        event = message_of(providers[name], signed(name, body))
        assert (event.number, event.lid) == ("", LID)


def test_edits_and_history_are_marked(providers: dict[str, Provider]) -> None:
    """What is no fresh command says so, and an edit is another event than what it changed."""
    raw = {"key": {"remoteJid": f"{PERSON}@s.whatsapp.net", "id": "3AIN"}, "message": {"conversation": "run"}}
    protocol = {**raw, "message": {"protocolMessage": {"editedMessage": {"conversation": "run"}}}}
    edits = [
        ("waha", waha("message.edited", id="3AIN", **{"from": f"{PERSON}@c.us"}, body="run")),
        ("waha", waha("message", id="3AIN", **{"from": f"{PERSON}@c.us"}, body="run", _data=protocol)),
        ("evolution", evolution("messages.edited", raw)),
        ("evolution", evolution("messages.upsert", protocol)),
        ("gowa", gowa("message.edited", id="3AIN", chat_id=f"{PERSON}@s.whatsapp.net", body="run")),
        ("wuzapi", wuzapi_message(Edit="1")),
        ("bot", {"event": "message", "id": "3AIN", "from": PERSON, "text": "run", "edited": True}),
        ("cloud", meta(messages=[{"from": PERSON, "id": "3AIN", "type": "unsupported"}])),
    ]
    for name, body in edits:
        event = message_of(providers[name], signed(name, body))
        assert event.edited
        assert name == "cloud" or event.event_id != "3AIN"
    old = message_of(providers["evolution"], signed("evolution", evolution("messages.set", [raw])))
    assert old.history
    history = {"type": "HistorySync", "event": {"Data": {"conversations": []}}}
    assert providers["wuzapi"].receive(signed("wuzapi", history)) == ()


def test_buttons_are_read(providers: dict[str, Provider]) -> None:
    """A quick reply of a template, and a button of an interactive message."""
    template = {"from": PERSON, "id": "1", "type": "button", "button": {"payload": "ack:481", "text": "Ack"}}
    tapped = {
        "from": PERSON,
        "id": "2",
        "type": "interactive",
        "interactive": {"button_reply": {"id": "ack:482"}},
    }
    found = [
        message_of(providers["cloud"], signed("cloud", meta(messages=[one_]))) for one_ in (template, tapped)
    ]
    assert [event.button for event in found] == ["ack:481", "ack:482"]


def test_twilios_callback_knows_our_id_and_retries_a_phone_that_is_off_once(
    providers: dict[str, Provider],
) -> None:
    """The callback's address carries our id; 30003 is tried once more and then no longer."""
    body = {"MessageSid": SENT, "MessageStatus": "undelivered", "ErrorCode": "30003"}
    kinds = []
    for _ in range(2):
        event = status_of(providers["twilio"], with_message_id(body, "OURS"))
        assert event.our_id == "OURS"
        assert event.outcome is not None
        kinds.append(event.outcome.kind)
    assert kinds == [OutcomeClass.RETRY, OutcomeClass.PERMANENT]


def test_twilios_signature_holds_behind_a_proxy(providers: dict[str, Provider]) -> None:
    """What the web server takes for the address may be wrong; the configured one counts, with or without port."""
    body, _ = ACKS["twilio"]
    request = signed("twilio", body)
    assert providers["twilio"].receive(replace(request, url="http://10.0.0.5:9700/webhooks/twilio"))
    text = "https://bridge.example.net:443/webhooks/twilioMessageSid3EB0SENTMessageStatussent"
    signature = base64.b64encode(hmac.new(KEY.encode(), text.encode(), hashlib.sha1).digest()).decode()
    assert providers["twilio"].receive(replace(request, headers={"x-twilio-signature": signature}))


def _jwt(claims: object, key: str = WEBHOOK, algorithm: str = "HS256") -> InboundRequest:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed_part = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    digest = hmac.new(key.encode(), signed_part.encode(), hashlib.sha256).digest()
    token = f"{signed_part}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    body, _ = ACKS["evolution"]
    return post(json.dumps(body).encode(), {"authorization": f"Bearer {token}"})


def test_evolutions_jwt(session: aiohttp.ClientSession, clock: FakeClock) -> None:
    """Only one that is signed with our key by HS256 and has not expired."""
    webhook = {"secret": WEBHOOK, "proof": "jwt"}
    provider = provider_of("evolution", "http://127.0.0.1:1", session, clock, webhook=webhook)
    assert provider.receive(_jwt({"iat": NOW_S, "exp": NOW_S + 600}))
    refused = [
        _jwt({"exp": NOW_S - 600}),
        _jwt({"iat": NOW_S}),
        _jwt({"exp": True}),
        _jwt({"exp": NOW_S + 600, "nbf": NOW_S + 300}),
        _jwt({"exp": NOW_S + 600}, key="wrong"),
        _jwt({"exp": NOW_S + 600}, algorithm="none"),
        _jwt([]),
        post(b"{}", {"Authorization": "Bearer a.b.c"}),
        post(b"{}", {"Authorization": "Bearer ä.ö.ü"}),
        post(b"{}", {"Authorization": "Basic x"}),
        post(b"{}", {"X-Secret": WEBHOOK}),
    ]
    for request in refused:
        with pytest.raises(WebhookRefused):
            provider.receive(request)
