"""Webhooks as each provider posts them, with the proof that it gives."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from alertbridge.deliver.providers.base import InboundRequest
from tests.fakes.channel_sections import KEY, WEBHOOK

PUBLIC = "https://bridge.example.net/webhooks/twilio"
NOW_S = 1_790_000_000
OUR_NUMBER, PERSON, LID, GROUP = (
    "6281200000001",
    "6281300000002",
    "987654321012345",
    "120363000000000001@g.us",
)
SENT = "3EB0SENT"


def post(
    body: bytes,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    url: str = "",
) -> InboundRequest:
    """A POST as the web server hands it on."""
    return InboundRequest("POST", dict(headers or {}), dict(query or {}), body, url)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _hmac(name: str, algorithm: str, prefix: str) -> Callable[[object, str], InboundRequest]:
    def signed(value: object, secret: str) -> InboundRequest:
        body = _json(value)
        return post(body, {name: prefix + hmac.new(secret.encode(), body, algorithm).hexdigest()})

    return signed


def _header(name: str, prefix: str = "") -> Callable[[object, str], InboundRequest]:
    return lambda value, secret: post(_json(value), {name: f"{prefix}{secret}"})


def _wuzapi(value: object, secret: str) -> InboundRequest:
    form = urlencode({"jsonData": json.dumps(value), "token": "planted-form-token"})
    return post(form.encode(), query={"secret": secret})


def _twilio(value: object, secret: str, query: Mapping[str, str] | None = None) -> InboundRequest:
    assert isinstance(value, dict)
    fields = {str(key): str(text) for key, text in value.items()}
    url = f"{PUBLIC}?{urlencode(query)}" if query else PUBLIC
    text = url + "".join(f"{key}{fields[key]}" for key in sorted(fields))
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return post(urlencode(fields).encode(), {"X-Twilio-Signature": signature}, query, url)


SIGN: Mapping[str, Callable[[object, str], InboundRequest]] = {
    "waha": _hmac("X-Webhook-Hmac", "sha512", ""),
    "evolution": _header("x-secret"),
    "gowa": _hmac("X-Hub-Signature-256", "sha256", "sha256="),
    "cloud": _hmac("X-Hub-Signature-256", "sha256", "sha256="),
    "wuzapi": _wuzapi,
    "bot": _header("Authorization", "Bearer "),
    "twilio": _twilio,
}
"""How each proves what it posts; by a body of JSON (Twilio: of fields) and a secret."""
SECRET: Mapping[str, str] = {name: KEY if name == "twilio" else WEBHOOK for name in SIGN}


def signed(name: str, value: object) -> InboundRequest:
    """A true webhook."""
    return SIGN[name](value, SECRET[name])


def with_message_id(value: object, our_id: str) -> InboundRequest:
    """Twilio's callback to the address that we gave it."""
    return _twilio(value, KEY, {"message": our_id})


def meta(**value: object) -> dict[str, object]:
    """A webhook of Meta's about our number."""
    about = {"metadata": {"phone_number_id": "106540352242922"}, **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [{"field": "messages", "value": about}]}],
    }


def waha(event: str, **payload: object) -> dict[str, object]:
    about = {"id": "evt_1", "timestamp": NOW_S * 1000, "event": event, "session": "default"}
    return {**about, "payload": payload}


def evolution(event: str, data: object) -> dict[str, object]:
    return {"event": event, "instance": "noc", "data": data, "apikey": "planted-instance-key"}


def gowa(event: str, **payload: object) -> dict[str, object]:
    about = {"event": event, "device_id": f"{OUR_NUMBER}@s.whatsapp.net", "session_id": "org_2"}
    return {**about, "payload": payload}


def wuzapi_message(**info: object) -> dict[str, object]:
    usual = {
        "ID": "3AIN",
        "Chat": f"{LID}@lid",
        "Sender": f"{LID}@lid",
        "SenderAlt": f"{PERSON}:3@s.whatsapp.net",
    }
    event = {
        "Info": {**usual, "Timestamp": "2026-09-21T14:13:20Z", **info},
        "Message": {"conversation": "ack 481"},
    }
    return {"type": "Message", "event": event}


_RAW = {
    "key": {
        "remoteJid": f"{LID}@lid",
        "remoteJidAlt": f"{PERSON}@s.whatsapp.net",
        "fromMe": False,
        "id": "3AIN",
    },
    "pushName": "6281200000099",
    "message": {"conversation": "ack 481"},
    "messageTimestamp": NOW_S,
}

ACKS: Mapping[str, tuple[object, str]] = {
    "waha": (waha("message.ack", id=f"true_{PERSON}@c.us_{SENT}", ack=1, ackName="SERVER"), "acked"),
    "evolution": (evolution("messages.update", {"keyId": SENT, "status": "SERVER_ACK"}), "acked"),
    "gowa": (gowa("message.ack", ids=[SENT], receipt_type="delivered"), "delivered"),
    "cloud": (meta(statuses=[{"id": SENT, "status": "sent", "timestamp": str(NOW_S)}]), "acked"),
    "wuzapi": (
        {"type": "ReadReceipt", "state": "Read", "event": {"MessageIDs": [SENT], "Type": "read"}},
        "read",
    ),
    "bot": ({"event": "ack", "id": SENT, "status": "server_ack"}, "acked"),
    "twilio": ({"MessageSid": SENT, "MessageStatus": "sent"}, "acked"),
}
"""A webhook that says of message SENT what became of it, and what that is."""

MESSAGES: Mapping[str, object] = {
    "waha": waha(
        "message",
        id=f"false_{LID}@lid_3AIN",
        timestamp=NOW_S,
        **{"from": f"{LID}@lid"},
        body="ack 481",
        _data=_RAW,
    ),
    "evolution": evolution("messages.upsert", _RAW),
    "gowa": gowa(
        "message",
        id="3AIN",
        chat_id=f"{LID}@lid",
        **{"from": f"{PERSON}@s.whatsapp.net"},
        from_lid=f"{LID}@lid",
        timestamp="2026-09-21T14:13:20Z",
        body="ack 481",
    ),
    "cloud": meta(
        messages=[
            {
                "from": PERSON,
                "id": "3AIN",
                "timestamp": str(NOW_S),
                "type": "text",
                "text": {"body": "ack 481"},
            }
        ]
    ),
    "wuzapi": wuzapi_message(),
    "bot": {
        "event": "message",
        "id": "3AIN",
        "from": PERSON,
        "lid": f"{LID}@lid",
        "chat": f"{LID}@lid",
        "text": "ack 481",
        "timestamp": NOW_S,
    },
    "twilio": {"MessageSid": "3AIN", "From": f"whatsapp:+{PERSON}", "WaId": PERSON, "Body": "ack 481"},
}
"""A person's message "ack 481" with id 3AIN; by LID and number where the provider knows LIDs."""
WITHOUT_LID = frozenset({"cloud", "twilio"})
