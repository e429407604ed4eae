"""Each kind of bot, as its documentation says it answers, becomes the same few metrics."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import responses

from exporter.bots.fields import Field
from exporter.bots.presets import PRESETS, Session
from exporter.config_bots import BotKind, BotSection, FieldName, StateWord
from exporter.probes.bot import Bot
from exporter.probes.fetch import Failure

BASE = "http://bot.example.net:3000"
KEY = "k3y-of-the-bot"
NOW_S = 1_795_377_602.0  # 2026-11-22T20:00:02Z
HEALTH: dict[str, Any] = {
    "status": "ok",
    "connection": "open",
    "logged_in": True,
    "needs_qr": False,
    "jid": "6281200000001@s.whatsapp.net",
    "since": "2026-11-22T08:00:00Z",
    "uptime_s": 43200,
    "last_frame_at": "2026-11-22T20:00:01Z",
    "last_inbound_at": "2026-11-22T19:58:40Z",
    "last_ack_at": "2026-11-22T19:59:58Z",
    "last_probe": {"at": "2026-11-22T19:59:00Z", "ok": True, "rtt_ms": 412},
    "last_disconnect": {"code": 428, "name": "connectionClosed", "at": "2026-11-22T07:59:50Z"},
    "reachout_timelock_until": None,
    "queue": {"pending": 3, "oldest_s": 1.5, "failed": 2},
    "versions": {"bot": "1.4.0", "baileys": "7.0.0-rc13", "wa": "2.3000.1030"},
}


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as web:
        yield web


def bot(**settings: Any) -> Bot:
    section = BotSection.model_validate({"name": "noc", "url": BASE, **settings})
    return Bot(section, wall_clock=lambda: NOW_S)


def measured(bot: Bot) -> dict[str, float]:
    """What was measured by name, with the values of the labels behind it."""
    found: dict[str, float] = {}
    for one in bot.measure():
        labels = "/".join(value for value in one.labels.values())
        key = f"{one.family.name.removeprefix('whatsapp_bot_')}{f' {labels}' if labels else ''}"
        assert key not in found
        found[key] = one.value
    return found


def state(found: dict[str, float]) -> str | None:
    """The state that holds; exactly one does when any is told."""
    states = {key.split()[1]: value for key, value in found.items() if key.startswith("session_state ")}
    assert sum(states.values()) == (1 if states else 0)
    return next((name for name, value in states.items() if value), None)


def failure(found: dict[str, float]) -> str | None:
    """The reason that holds, of all there are."""
    reasons = {key.split()[1]: value for key, value in found.items() if key.startswith("failure ")}
    assert reasons.keys() == {reason.value for reason in Failure}
    return next((name for name, value in reasons.items() if value), None)


def test_a_baileys_bot_tells_everything(web: responses.RequestsMock) -> None:
    """The minimal contract, field by field, with the token in the header."""
    web.get(
        f"{BASE}/health",
        json=HEALTH,
        match=[responses.matchers.header_matcher({"Authorization": f"Bearer {KEY}"})],
    )
    found = measured(bot(kind="baileys", api_key=KEY))
    assert state(found) == "open"
    assert failure(found) is None
    assert 0 <= found.pop("response_seconds") < 5
    assert {k: v for k, v in found.items() if not k.startswith(("session_state", "failure"))} == {
        "up": 1,
        "connected": 1,
        "queue_length default": 3,
        "messages_failed_total": 2,
        "queue_oldest_seconds": 1.5,
        "last_received_timestamp_seconds": NOW_S - 82,
        "last_frame_timestamp_seconds": NOW_S - 1,
        "last_ack_timestamp_seconds": NOW_S - 4,
        "last_self_probe_timestamp_seconds": NOW_S - 62,
        "self_probe_success": 1,
        "self_probe_round_trip_seconds": 0.412,
        "connected_since_timestamp_seconds": NOW_S - 43_202,
        "last_disconnect_code": 428,
        "info baileys/1.4.0/7.0.0-rc13/2.3000.1030": 1,
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "degraded"}, "half_dead"),
        ({"last_frame_at": "2026-11-22T19:50:00Z"}, "half_dead"),
        ({"last_probe": {"at": "2026-11-22T19:59:00Z", "ok": False}}, "half_dead"),
        ({"oldest_unacked_at": "2026-11-22T19:57:00Z"}, "half_dead"),
        ({"oldest_unacked_at": "2026-11-22T20:00:00Z"}, "open"),
        ({"last_frame_at": None}, "open"),
        ({"connection": "close"}, "close"),
        ({"needs_qr": True}, "needs_qr"),
        ({"logged_in": False}, "logged_out"),
        ({"status": "down", "connection": "close"}, "close"),
        ({"status": "down", "connection": "close", "last_disconnect": {"code": 401}}, "logged_out"),
        ({"status": "down", "connection": "close", "last_disconnect": {"code": 403}}, "banned"),
        ({"status": "connecting", "last_disconnect": {"code": 401}}, "connecting"),
        ({"status": "banned"}, "banned"),
        ({"status": "melting"}, "other"),
        ({"status": None}, "open"),
    ],
)
def test_the_state_is_what_is_proved(
    web: responses.RequestsMock, changes: dict[str, Any], expected: str
) -> None:
    """A flag that contradicts the word, old proof and a failed test message each go before `ok`; 503 is an answer."""
    status = 200 if expected == "open" else 503
    web.get(f"{BASE}/health", json={**HEALTH, **changes}, status=status)
    found = measured(bot(kind="baileys"))
    assert state(found) == expected
    assert (found["up"], found["connected"]) == (1, int(expected == "open"))


def test_the_age_of_proof_is_taken_by_the_bots_clock(web: responses.RequestsMock) -> None:
    """A bot whose clock is an hour behind is not half dead: its own Date header says what time it is there."""
    behind = {**HEALTH, "last_frame_at": "2026-11-22T19:00:00Z"}
    web.get(f"{BASE}/health", json=behind, headers={"Date": "Sun, 22 Nov 2026 19:00:01 GMT"})
    assert state(measured(bot(kind="baileys"))) == "open"


def test_queues_with_names_go_before_the_nameless_one(web: responses.RequestsMock) -> None:
    """Numbers or objects, each under its name; what is no length is left out."""
    queues = {"high": 1, "bulk": {"pending": 7}, "odd": "many", "list": [1, 2]}
    web.get(f"{BASE}/health", json={**HEALTH, "queues": queues})
    found = measured(bot(kind="baileys"))
    assert {key: value for key, value in found.items() if key.startswith("queue_length")} == {
        "queue_length high": 1,
        "queue_length bulk": 7,
        "queue_length list": 2,
    }


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("WORKING", "open"),
        ("STARTING", "connecting"),
        ("SCAN_QR_CODE", "needs_qr"),
        ("STOPPED", "close"),
        ("FAILED", "failed"),
        ("PONDERING", "other"),
    ],
)
def test_waha(web: responses.RequestsMock, word: str, expected: str) -> None:
    """WAHA's session, with the key in X-Api-Key; the version comes from an address of its own."""
    key = responses.matchers.header_matcher({"X-Api-Key": KEY})
    session = {"name": "default", "status": word, "me": {"id": "62812@c.us"}, "engine": {}}
    web.get(f"{BASE}/api/sessions/default", json=session, match=[key])
    version = {"version": "2026.1.1", "engine": "GOWS", "tier": "PLUS"}
    web.get(f"{BASE}/api/version", json=version, match=[key])
    found = measured(bot(kind="waha", api_key=KEY))
    assert state(found) == expected
    assert found["info waha/2026.1.1/GOWS"] == 1


@pytest.mark.parametrize(
    ("word", "code", "expected"),
    [
        ("open", None, "open"),
        ("connecting", 401, "connecting"),
        ("close", None, "close"),
        ("close", 401, "logged_out"),
        ("close", 402, "banned"),
        ("refused", None, "needs_qr"),
    ],
)
def test_evolution_api(web: responses.RequestsMock, word: str, code: int | None, expected: str) -> None:
    """The state by the instance's name, the reason of a disconnect from the list of instances."""
    key = responses.matchers.header_matcher({"apikey": KEY})
    answer = {"instance": {"instanceName": "noc 1", "state": word}}
    web.get(f"{BASE}/instance/connectionState/noc%201", json=answer, match=[key])
    listed = [{"connectionStatus": word, "disconnectionReasonCode": code, "integration": "WHATSAPP-BAILEYS"}]
    query = responses.matchers.query_param_matcher({"instanceName": "noc 1"})
    web.get(f"{BASE}/instance/fetchInstances", json=listed, match=[key, query])
    web.get(f"{BASE}/", json={"status": 200, "version": "2.3.6"})
    found = measured(bot(kind="evolution", api_key=KEY, session="noc 1"))
    assert state(found) == expected
    assert found["info evolution/2.3.6/WHATSAPP-BAILEYS"] == 1


@pytest.mark.parametrize(
    ("connected", "logged_in", "expected"),
    [(True, True, "open"), (True, False, "needs_qr"), (False, True, "connecting"), (False, False, "close")],
)
def test_gowa(web: responses.RequestsMock, connected: bool, logged_in: bool, expected: str) -> None:
    """The four cases of two flags, with HTTP Basic and the device in a header."""
    headers = {"Authorization": "Basic bm9jOmszeS1vZi10aGUtYm90", "X-Device-Id": "org_2"}
    results = {"is_connected": connected, "is_logged_in": logged_in, "device_id": "org_2"}
    web.get(
        f"{BASE}/app/status",
        json={"code": "SUCCESS", "results": results},
        match=[responses.matchers.header_matcher(headers)],
    )
    found = measured(bot(kind="gowa", username="noc", api_key=KEY, session="org_2"))
    assert state(found) == expected


@pytest.mark.parametrize(
    ("word", "answers", "expected"),
    [
        ("CONNECTED", True, "open"),
        ("CONNECTED", False, "close"),
        ("INITIALIZING", False, "connecting"),
        ("QRCODE", True, "needs_qr"),
        ("CLOSED", False, "close"),
    ],
)
def test_wppconnect(web: responses.RequestsMock, word: str, answers: bool, expected: str) -> None:
    """The word of the session counts; that the page in the browser answers is needed too, and not enough."""
    key = responses.matchers.header_matcher({"Authorization": f"Bearer {KEY}"})
    session = {"status": word, "qrcode": None, "version": "2.10.4"}
    web.get(f"{BASE}/api/noc/status-session", json=session, match=[key])
    check = {"status": answers, "message": "whatever"}
    web.get(f"{BASE}/api/noc/check-connection-session", json=check, match=[key])
    assert state(measured(bot(kind="wppconnect", session="noc", api_key=KEY))) == expected


def test_any_json_by_pointers(web: responses.RequestsMock) -> None:
    """The configuration says where each field stands and what the words mean; a state goes by either case."""
    body = {
        "success": True,
        "connection": {"sessionHealth": "Healthy", "v": 3},
        "statistics": {"sent": "120", "received": 80, "errors": 4, "last": 1_795_377_600_000},
        "lists": {"a/b": [1, 2, 3]},
    }
    web.get(f"{BASE}/whatsapp/api/status?full=1", json=body)
    found = measured(
        bot(
            kind="http",
            url=f"{BASE}/whatsapp/api/status?full=1",
            fields={
                "state": "/connection/sessionHealth",
                "version": "/connection/v",
                "messages_sent": "/statistics/sent",
                "messages_received": "/statistics/received",
                "messages_failed": "/statistics/errors",
                "last_sent_at": "/statistics/last",
                "reconnects": "/statistics/none",
            },
            states={"healthy": "open", "dead": "close"},
            queues={"bulk": "/lists/a~1b", "none": "/lists/none"},
        )
    )
    assert state(found) == "open"
    assert found["messages_sent_total"] == 120
    assert found["messages_received_total"] == 80
    assert found["messages_failed_total"] == 4
    assert found["last_sent_timestamp_seconds"] == NOW_S - 2
    assert found["queue_length bulk"] == 3
    assert found["info http/3"] == 1
    assert not {"reconnects_total", "queue_length none"} & found.keys()


@pytest.mark.parametrize(
    ("more", "header"),
    [
        ({}, {"Authorization": f"Bearer {KEY}"}),
        ({"api_key_header": "Token"}, {"Token": KEY}),
        ({"username": "noc"}, {"Authorization": "Basic bm9jOmszeS1vZi10aGUtYm90"}),
    ],
)
def test_the_key_goes_into_the_header_that_is_wanted(
    web: responses.RequestsMock, more: dict[str, str], header: dict[str, str]
) -> None:
    """A bearer token, a header of its own, or HTTP Basic."""
    web.get(BASE, json={"s": "open"}, match=[responses.matchers.header_matcher(header)])
    assert state(measured(bot(kind="http", api_key=KEY, fields={"state": "/s"}, **more))) == "open"


def test_what_only_adds_may_fail(web: responses.RequestsMock) -> None:
    """A bot is up when its state can be had, though it tells no version."""
    web.get(f"{BASE}/api/sessions/noc", json={"status": "WORKING"})
    web.get(f"{BASE}/api/version", status=422)
    found = measured(bot(kind="waha", session="noc"))
    assert (found["up"], state(found), found["info waha"]) == (1, "open", 1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 401}, "unauthorized"),
        ({"status": 403, "json": HEALTH}, "unauthorized"),
        ({"status": 404}, "not_found"),
        ({"status": 500, "json": HEALTH}, "status"),
        ({"status": 302, "headers": {"Location": "http://elsewhere.example.net/health"}}, "redirect"),
        ({"body": "<!DOCTYPE html><p>ok</p>", "content_type": "application/json"}, "html"),
        ({"body": "\n <html><p>ok</p>"}, "html"),
        ({"body": ""}, "not_json"),
        ({"body": '{"status": "ok", "conn'}, "not_json"),
        ({"body": "OK"}, "not_json"),
        ({"body": b"\xff\xfe\x00"}, "not_json"),
        ({"body": "[" * 100_000}, "not_json"),
        ({"body": '{"status":' + "9" * 5000 + "}"}, "not_json"),
        ({"json": {}}, "unexpected"),
        ({"json": []}, "unexpected"),
        ({"body": "null"}, "unexpected"),
        ({"json": {"hello": "world"}}, "unexpected"),
        ({"json": {"status": ["ok"], "queue": "ok"}}, "unexpected"),
        ({"body": "[" + "1," * 600_000 + "1]"}, "too_large"),
    ],
)
def test_a_bot_that_talks_nonsense_is_not_up(
    web: responses.RequestsMock, answer: dict[str, Any], reason: str
) -> None:
    """The reason is one of a fixed set, and nothing else is told of the bot."""
    web.get(f"{BASE}/health", **answer)
    found = measured(bot(kind="baileys"))
    assert failure(found) == reason
    assert {key: value for key, value in found.items() if not key.startswith("failure")} == {
        "up": 0,
        "connected": 0,
    }


def test_a_hostile_bot_cannot_spoil_the_page(web: responses.RequestsMock) -> None:
    """Texts are cut and made printable, numbers that are none are left out, queues are limited."""
    body = {
        **HEALTH,
        "versions": {"bot": 'x"\n\ud800' + "y" * 500, "baileys": {"a": 1}, "wa": 7},
        "queue": {"pending": -1, "oldest_s": "NaN"},
        "messages": {"sent": 1e400, "received": True, "failed": "0x10"},
        "reconnects": 10**400,
        "queues": {f"q{n}": n for n in range(500)},
        "since": "yesterday",
        "last_ack_at": 0,
    }
    web.get(f"{BASE}/health", json=body)
    found = measured(bot(kind="baileys"))
    (about,) = [key for key in found if key.startswith("info")]
    assert about.startswith('info baileys/x"??yyy')
    assert about.isprintable()
    assert len(about) < 150
    assert sum(key.startswith("queue_length") for key in found) == 50
    missing = ("messages_", "reconnects", "queue_oldest", "connected_since", "last_ack")
    assert not [key for key in found if key.startswith(missing)]


def test_the_words_of_the_configuration_are_those_of_the_tables() -> None:
    """What a Literal must spell out again is spelt the same."""
    assert get_args(BotKind) == tuple(PRESETS)
    assert get_args(StateWord) == tuple(Session)
    assert get_args(FieldName) == tuple(Field)


def test_nothing_that_can_be_printed_of_a_bot_holds_its_key() -> None:
    """Neither the bot, nor how it is asked, nor its section shows the key."""
    made = bot(kind="http", url=f"{BASE}/?token={KEY}", api_key=KEY, fields={"state": "/s"})
    assert KEY not in f"{made!r} {vars(made)['_asking']!r}"
    section = BotSection.model_validate({"name": "noc", "kind": "waha", "url": BASE, "api_key": KEY})
    assert KEY not in repr(section)
