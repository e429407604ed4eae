"""What goes out to each provider: the body, and what is left out when it cannot be had."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest

from alertbridge.deliver.providers.base import Image, OutcomeClass, Outgoing
from alertbridge.deliver.providers.parameters import flatten, parameters_of
from tests.fakes.channel_sections import CONTENT, KEY, provider_of
from tests.fakes.clock import FakeClock
from tests.fakes.provider_answers import ACCEPTED, GROUP, PERSON, SENT_ID
from tests.fakes.scripted_http import Asked, Reply, ScriptedHttp, Trick

MESSAGE = Outgoing("0123456789ABCDEF0123456789ABCDEF", PERSON, 'FIRING "BotDown"\nbot-1', quote_id="3EB0Q")
FIELDS = {"severity": "CRITICAL", "title": "BotDown", "text": "down\nfor 3 min"}
TEMPLATE = replace(MESSAGE, as_template=True, template_fields=FIELDS)
MEDIA = "/v23.0/106540352242922/media"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedHttp]:
    async with ScriptedHttp().serving() as scripted:
        yield scripted


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def asked_of(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession, message: Outgoing, **changes: Any
) -> Asked:
    """The one request that a message makes."""
    server.usual = ACCEPTED[name]
    await provider_of(name, server.url, session, FakeClock(), **changes).send(message)
    return server.asked[-1]


EXPECTED: dict[str, tuple[str, dict[str, object]]] = {
    "waha": (
        "/api/sendText",
        {
            "session": "default",
            "chatId": f"{PERSON}@c.us",
            "text": MESSAGE.text,
            "linkPreview": False,
            "reply_to": "3EB0Q",
        },
    ),
    "evolution": (
        "/message/sendText/noc",
        {
            "number": f"{PERSON}@s.whatsapp.net",
            "text": MESSAGE.text,
            "delay": 0,
            "linkPreview": False,
            "quoted": {"key": {"id": "3EB0Q"}},
        },
    ),
    "gowa": (
        "/send/message",
        {"phone": f"{PERSON}@s.whatsapp.net", "message": MESSAGE.text, "reply_message_id": "3EB0Q"},
    ),
    "wuzapi": (
        "/chat/send/text",
        {
            "Phone": PERSON,
            "Body": MESSAGE.text,
            "Id": MESSAGE.id,
            "ContextInfo": {"StanzaId": "3EB0Q", "Participant": f"{PERSON}@s.whatsapp.net"},
        },
    ),
    "bot": ("/send", {"to": f"{PERSON}@s.whatsapp.net", "text": MESSAGE.text, "id": MESSAGE.id}),
    "rickicode": (
        "/api/send",
        {"to": f"{PERSON}@s.whatsapp.net", "message": MESSAGE.text, "priority": "high"},
    ),
    "cloud": (
        "/v23.0/106540352242922/messages",
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": PERSON,
            "type": "text",
            "text": {"preview_url": False, "body": MESSAGE.text},
            "biz_opaque_callback_data": MESSAGE.id,
            "context": {"message_id": "3EB0Q"},
        },
    ),
}
LOGIN = {
    "waha": ("X-Api-Key", KEY),
    "evolution": ("apikey", KEY),
    "wuzapi": ("Token", KEY),
    "bot": ("Authorization", f"Bearer {KEY}"),
    "cloud": ("Authorization", f"Bearer {KEY}"),
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_a_text_goes_out_as_the_provider_wants_it(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """Path, body and login, key by key; the connection is not kept."""
    asked = await asked_of(name, server, session, MESSAGE)
    path, body = EXPECTED[name]
    assert (asked.method, asked.path, asked.json) == ("POST", path, body)
    assert asked.headers["Connection"] == "close"
    if name in LOGIN:
        header, value = LOGIN[name]
        assert {key.lower(): text for key, text in asked.headers.items()}[header.lower()] == value


async def test_twilio_gets_a_form(server: ScriptedHttp, session: aiohttp.ClientSession) -> None:
    """With the callback's address that holds our id; a template has no body."""
    asked = await asked_of("twilio", server, session, MESSAGE)
    assert parse_qs(asked.body.decode()) == {
        "To": [f"whatsapp:+{PERSON}"],
        "From": ["whatsapp:+6281200000001"],
        "Body": [MESSAGE.text],
        "ValidityPeriod": ["14400"],
        "StatusCallback": [f"https://bridge.example.net/webhooks/twilio?message={MESSAGE.id}"],
    }
    form = parse_qs((await asked_of("twilio", server, session, TEMPLATE)).body.decode())
    assert form["ContentSid"] == [CONTENT]
    assert json.loads(form["ContentVariables"][0]) == {
        "1": "CRITICAL",
        "2": "BotDown",
        "3": "down · for 3 min",
    }
    assert "Body" not in form
    sms = parse_qs((await asked_of("sms", server, session, MESSAGE)).body.decode())
    assert (sms["To"], sms["From"]) == ([f"+{PERSON}"], ["+15005550006"])


async def test_meta_gets_the_template_with_flat_parameters(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """One line each, none of them empty."""
    asked = await asked_of("cloud", server, session, TEMPLATE)
    assert asked.json["template"] == {
        "name": "noc_alert",
        "language": {"code": "id"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "CRITICAL"},
                    {"type": "text", "text": "BotDown"},
                    {"type": "text", "text": "down · for 3 min"},
                ],
            }
        ],
    }


@pytest.mark.parametrize("code", [132000, 132001, 132012, 132015, 132016])
async def test_a_template_at_fault_is_replaced_by_the_plain_one(
    code: int, server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """Within the same attempt; when that is at fault too, it is the end."""
    provider = provider_of("cloud", server.url, session, FakeClock())
    refused = Reply.json(400, {"error": {"code": code}})
    server.queue.extend([refused, ACCEPTED["cloud"]])
    assert (await provider.send(TEMPLATE)).kind is OutcomeClass.ACCEPTED
    assert [asked.json["template"]["name"] for asked in server.asked] == ["noc_alert", "noc_plain"]  # type: ignore[index]  # an object
    server.queue.extend([refused, refused])
    assert (await provider.send(TEMPLATE)).kind is OutcomeClass.PERMANENT


async def test_without_a_template_a_closed_window_is_the_end(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """SWITCH is only said when there is something to switch to, and never of a template itself."""
    closed = Reply.json(400, {"error": {"code": 131047}})
    server.usual = closed
    bare = provider_of("cloud", server.url, session, FakeClock(), template=None, plain_template=None)
    assert not bare.traits.has_templates
    assert (await bare.send(MESSAGE)).kind is OutcomeClass.PERMANENT
    assert (await bare.send(TEMPLATE)).reason == "no_template"
    assert (
        await provider_of("cloud", server.url, session, FakeClock()).send(TEMPLATE)
    ).kind is OutcomeClass.PERMANENT


async def test_a_picture_that_meta_does_not_take_is_left_out(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """An upload is tried twice; a text too long for a caption goes alone; 131053 later in the send too."""
    provider = provider_of("cloud", server.url, session, FakeClock())
    pictured = replace(MESSAGE, image=Image(b"png"))
    server.by_path[MEDIA] = Reply.json(500, {"error": {"code": 131053}})
    server.usual = ACCEPTED["cloud"]
    assert (await provider.send(pictured)).provider_id == SENT_ID
    assert [asked.path.endswith("media") for asked in server.asked] == [True, True, False]
    server.by_path[MEDIA] = Reply.json(200, {"id": "1166"})
    server.queue.extend([Reply.json(400, {"error": {"code": 131053}}), ACCEPTED["cloud"]])
    assert (await provider.send(pictured)).kind is OutcomeClass.ACCEPTED
    assert [asked.json.get("type") for asked in server.asked[-2:]] == ["image", "text"]
    asked = len(server.asked)
    assert (await provider.send(replace(pictured, text="x" * 1025))).kind is OutcomeClass.ACCEPTED
    assert len(server.asked) == asked + 1


async def test_an_attempt_has_one_deadline_over_all_of_its_calls(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """An upload that stalls uses the time up; the text was never written, so it is tried again."""
    server.by_path[MEDIA] = Reply(trick=Trick.STALL)
    server.usual = ACCEPTED["cloud"]
    provider = provider_of("cloud", server.url, session, FakeClock(), timeout_s=0.2)
    outcome = await provider.send(replace(MESSAGE, image=Image(b"png")))
    assert (outcome.kind, len(server.asked)) == (OutcomeClass.RETRY, 1)


async def test_a_pair_rate_waits_longer_each_time_and_for_that_person_only(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """1, 4, 16 s and so on up to a limit; a success begins anew."""
    provider = provider_of("cloud", server.url, session, FakeClock())
    server.usual = Reply.json(400, {"error": {"code": 131056}})
    waits = [(await provider.send(MESSAGE)).retry_after_s for _ in range(7)]
    assert waits == [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 1024.0]
    assert (await provider.send(replace(MESSAGE, address="6281300000003"))).retry_after_s == 1.0
    server.queue.append(ACCEPTED["cloud"])
    await provider.send(MESSAGE)
    assert (await provider.send(MESSAGE)).retry_after_s == 1.0


async def test_a_bots_templates_cannot_break_its_json(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """Quotes and line ends stay inside their text; headers are one line; a path is quoted."""
    send = {
        "path": "/wa/{{ digits }}/{{ id }}",
        "headers": {"X-Title": "{{ title }}"},
        "body": {"to": ["{{ to }}"], "text": {"body": "{{ severity }}: {{ text }}"}, "n": 1, "flag": None},
    }
    odd = replace(
        MESSAGE, id="../../x?y", template_fields={"title": "a\r\nX-Evil: 1\u00e9", "severity": "CRITICAL"}
    )
    asked = await asked_of("bot", server, session, odd, send=send, preset="none", takes_our_id=False)
    assert asked.path == f"/wa/{PERSON}/..%2F..%2Fx%3Fy"
    assert asked.json == {"to": [PERSON], "text": {"body": f"CRITICAL: {MESSAGE.text}"}, "n": 1, "flag": None}
    assert asked.headers["X-Title"] == "aX-Evil: 1"
    assert "X-Evil" not in asked.headers


async def test_a_bots_answer_is_judged_as_the_configuration_says(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """Statuses of its own, an id deep inside, a 200 that means no."""
    send = {
        "id_at": ["data.ids.0"],
        "ok_at": "success",
        "error_at": "error",
        "statuses": {200: "accepted", 418: "pause"},
    }
    provider = provider_of("bot", server.url, session, FakeClock(), preset="none", send=send)
    rows = [
        (Reply.json(200, {"success": True, "data": {"ids": [77]}}), OutcomeClass.ACCEPTED, "77"),
        (Reply.json(200, {"success": False, "error": "no credit"}), OutcomeClass.PERMANENT, ""),
        (Reply.json(200, {"success": True, "data": {"ids": []}}), OutcomeClass.UNKNOWN, ""),
        (Reply.json(418, {}), OutcomeClass.PAUSE, ""),
    ]
    for reply, kind, sent_id in rows:
        server.usual = reply
        outcome = await provider.send(MESSAGE)
        assert (outcome.kind, outcome.provider_id) == (kind, sent_id)


@pytest.mark.parametrize("name", ["waha", "evolution", "gowa", "wuzapi", "bot"])
async def test_a_group_is_written_as_a_group(
    name: str, server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """Never as bare digits, which some gateways take for a number."""
    asked = await asked_of(name, server, session, replace(MESSAGE, address=GROUP))
    assert GROUP in asked.json.values()


def test_parameters_fit_their_limit_and_the_text_gives_way() -> None:
    """Severity and title are kept as long as they can be."""
    message = replace(TEMPLATE, template_fields={**FIELDS, "text": "x" * 2000})
    texts = parameters_of(message, ("severity", "title", "text"), 100)
    assert texts[:2] == ["CRITICAL", "BotDown"]
    assert sum(map(len, texts)) == 100
    assert texts[2].endswith("…")
    assert parameters_of(replace(message, template_fields={}), ("title",), 100) == ["-"]
    assert flatten(" a\tb \r\n\n  c     d\u2028e ") == "a b · c d · e"


async def test_retry_after_is_a_number_or_a_date(
    server: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """By our clock, within a day; what is neither is left out."""
    clock = FakeClock(time_s=1_790_000_000.0)
    provider = provider_of("waha", server.url, session, clock)
    rows = {
        "120": 120.0,
        "Mon, 21 Sep 2026 14:15:20 GMT": 120.0,
        "Mon, 21 Sep 2020 14:15:20 GMT": 0.0,
        "9" * 30: 86_400.0,
        "soon": None,
        "-5": None,
        "": None,
    }
    for header, expected in rows.items():
        server.usual = Reply(429, b"", {"Retry-After": header})
        assert (await provider.send(MESSAGE)).retry_after_s == expected
