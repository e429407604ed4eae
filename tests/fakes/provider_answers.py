"""What each provider answers to a send, and what each answer means: the rows of the contract test."""

from collections.abc import Mapping
from dataclasses import dataclass

from alertbridge.deliver.providers.base import OutcomeClass as O
from tests.fakes.scripted_http import Reply

SENT_ID = "3EB0A1B2C3"
PERSON = "6281300000002"
GROUP = "120363000000000001@g.us"

ACCEPTED: Mapping[str, Reply] = {
    "waha": Reply.json(
        201, {"key": {"remoteJid": f"{PERSON}@s.whatsapp.net", "id": SENT_ID}, "status": "PENDING"}
    ),
    "evolution": Reply.json(201, {"key": {"fromMe": True, "id": SENT_ID}, "status": "PENDING"}),
    "gowa": Reply.json(200, {"code": "SUCCESS", "message": "Success", "results": {"message_id": SENT_ID}}),
    "wuzapi": Reply.json(200, {"code": 200, "success": True, "data": {"Details": "Sent", "Id": SENT_ID}}),
    "bot": Reply.json(200, {"id": SENT_ID, "queued": False}),
    "rickicode": Reply.json(200, {"success": True, "messageId": SENT_ID}),
    "cloud": Reply.json(200, {"messaging_product": "whatsapp", "messages": [{"id": SENT_ID}]}),
    "twilio": Reply.json(201, {"sid": SENT_ID, "status": "queued", "error_code": None}),
    "sms": Reply.json(201, {"sid": SENT_ID, "status": "queued", "error_code": None}),
}
"""The answer of a provider that took the message."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to a send, and what must become of it."""

    provider: str
    title: str
    reply: Reply
    kind: O
    reason: str
    retry_after_s: float | None = None
    logged_out: bool = False

    def __str__(self) -> str:
        return f"{self.provider}-{self.title}"


def _meta(code: int, status: int = 400, details: str = "why") -> Reply:
    error = {
        "message": f"(#{code}) title",
        "type": "OAuthException",
        "code": code,
        "error_data": {"details": details},
    }
    return Reply.json(status, {"error": error})


def _twilio(code: int, status: int = 400) -> Reply:
    return Reply.json(status, {"code": code, "message": "why", "more_info": "x", "status": status})


def _gowa(status: int, code: str) -> Reply:
    return Reply.json(status, {"code": code, "message": "why", "results": None})


def _waha_down(status: str) -> Reply:
    error = "Session status is not as expected. Try again later or restart the session"
    return Reply.json(422, {"error": error, "session": "default", "status": status, "expected": ["WORKING"]})


def _waha_broke(message: str) -> Reply:
    return Reply.json(
        500, {"statusCode": 500, "exception": {"message": message}, "request": {"body": {"text": "x"}}}
    )


def _evolution(status: int, *messages: object) -> Reply:
    return Reply.json(status, {"status": status, "error": "Bad", "response": {"message": list(messages)}})


def _wuzapi(status: int, error: str) -> Reply:
    return Reply.json(status, {"code": status, "success": False, "error": error})


_CLOUD: Mapping[O, Mapping[str, tuple[int, ...]]] = {
    O.CONFIG: {
        "unauthorized": (0, 190),
        "forbidden": (3, 10, 200, 250, 299, 131005),
        "number_deleted": (33,),
        "billing": (131042,),
        "account_locked": (131031, 368),
        "not_registered": (131045, 133010),
        "registration": (133000, 133005, 133006, 133016),
        "group_suspended": (131207,),
    },
    O.RETRY: {
        "unavailable": (1, 2, 131000, 131016, 133004),
        "rate_limited": (4, 80007, 130429, 131208),
        "pair_rate": (131056,),
        "maintenance": (131057,),
        "media": (131052, 131053),
    },
    O.PAUSE: {"spam_limit": (131048,)},
    O.SWITCH: {"window_closed": (131047,)},
    O.PERMANENT: {
        "not_delivered_by_choice": (131049, 130472),
        "undeliverable": (131026,),
        "own_number": (131021,),
        "bad_request": (131008, 131009, 100, 131051),
        "template": (132000, 132001, 132005, 132007, 132012, 132018),
        "template_paused": (132015, 132016),
        "group": (131020, 131041),
    },
}
_TWILIO: Mapping[O, Mapping[str, tuple[int, ...]]] = {
    O.CONFIG: {"unauthorized": (20003,), "country_not_enabled": (21408,), "account_locked": (63112,)},
    O.RETRY: {
        "rate_limited": (20429, 63017, 63119, 63018),
        "unavailable": (63012, 30001, 30008),
        "phone_off": (30003,),
    },
    O.PAUSE: {"daily_limit": (63038,)},
    O.SWITCH: {"window_closed": (63016,)},
    O.PERMANENT: {
        "bad_recipient": (63003, 63024, 21211, 21614, 30005, 30006),
        "unsubscribed": (21610,),
        "blocked": (30004, 30007, 63013),
        "too_long": (21617, 21658),
    },
}


def _by_code(provider: str, table: Mapping[O, Mapping[str, tuple[int, ...]]]) -> list[Row]:
    answer = _meta if provider == "cloud" else _twilio
    return [
        Row(provider, str(code), answer(code), kind, reason)
        for kind, reasons in table.items()
        for reason, codes in reasons.items()
        for code in codes
    ]


_PLAIN_401 = Reply(401, b"Unauthorized", {"Content-Type": "text/plain"})

OWN_ROWS: tuple[Row, ...] = (
    *_by_code("cloud", _CLOUD),
    *_by_code("twilio", _TWILIO),
    Row("cloud", "rate by 429", _meta(130429, 429), O.RETRY, "rate_limited"),
    Row("cloud", "bare 500", Reply(500, b"oops"), O.RETRY, "unavailable"),
    Row("cloud", "unknown code", _meta(999_999), O.PERMANENT, "refused"),
    Row(
        "cloud",
        "usage header",
        Reply.json(
            400,
            {"error": {"code": 80007}},
            X_Business_Use_Case_Usage='{"1":[{"estimated_time_to_regain_access": 9}]}',
        ),
        O.RETRY,
        "rate_limited",
        540.0,
    ),
    Row("sms", "window", _twilio(63016), O.PERMANENT, "window_closed"),
    Row(
        "twilio",
        "failed at once",
        Reply.json(201, {"sid": "SM1", "status": "failed", "error_code": 30007}),
        O.PERMANENT,
        "blocked",
    ),
    Row("waha", "starting", _waha_down("STARTING"), O.RECONNECT, "session_starting"),
    Row("waha", "failed", _waha_down("FAILED"), O.RECONNECT, "session_failed"),
    Row("waha", "stopped", _waha_down("STOPPED"), O.RECONNECT, "session_stopped"),
    Row("waha", "scan", _waha_down("SCAN_QR_CODE"), O.CONFIG, "logged_out", logged_out=True),
    Row("waha", "plus only", Reply.json(422, {"message": "only in Plus"}), O.PERMANENT, "not_supported"),
    Row(
        "waha", "no session", Reply.json(404, {"message": "Session not found"}), O.CONFIG, "session_not_found"
    ),
    Row("waha", "broke", _waha_broke("Connection Closed"), O.UNKNOWN, "server_error"),
    Row("waha", "time lock", _waha_broke("failed: error 463"), O.PAUSE, "reachout_timelock", 86_400.0),
    Row("waha", "no number", _waha_broke("No LID for user"), O.PERMANENT, "not_on_whatsapp"),
    Row("waha", "key", Reply.json(401, {"statusCode": 401}), O.CONFIG, "unauthorized"),
    Row(
        "evolution",
        "no number",
        _evolution(400, {"jid": "x", "exists": False}),
        O.PERMANENT,
        "not_on_whatsapp",
    ),
    Row("evolution", "bad request", _evolution(400, "instance requires property"), O.PERMANENT, "refused"),
    Row("evolution", "key", _evolution(401, "Unauthorized"), O.CONFIG, "unauthorized"),
    Row("evolution", "no instance", _evolution(404, "does not exist"), O.CONFIG, "instance_not_found"),
    Row("evolution", "version 1", _evolution(500, "reading 'textMessage'"), O.CONFIG, "version_1"),
    Row("evolution", "time lock", _evolution(500, "error 463"), O.PAUSE, "reachout_timelock"),
    Row("evolution", "broke", _evolution(500, "Error: Connection Closed"), O.UNKNOWN, "server_error"),
    Row("gowa", "validation", _gowa(400, "VALIDATION_ERROR"), O.PERMANENT, "bad_request"),
    Row("gowa", "jid", _gowa(400, "INVALID_JID"), O.PERMANENT, "not_on_whatsapp"),
    Row("gowa", "device id", _gowa(400, "DEVICE_ID_REQUIRED"), O.CONFIG, "device_not_found"),
    Row("gowa", "session down", _gowa(401, "AUTHENTICATION_ERROR"), O.RECONNECT, "not_connected"),
    Row("gowa", "password", _PLAIN_401, O.CONFIG, "unauthorized"),
    Row("gowa", "not found", _gowa(404, "NOT_FOUND"), O.CONFIG, "device_not_found"),
    Row("gowa", "device", _gowa(404, "DEVICE_NOT_FOUND"), O.CONFIG, "device_not_found"),
    Row("gowa", "manager", _gowa(503, "DEVICE_MANAGER_UNAVAILABLE"), O.RETRY, "unavailable"),
    Row("gowa", "context", _gowa(408, "CONTEXT_ERROR"), O.UNKNOWN, "timeout"),
    Row("gowa", "gateway", _gowa(504, "GATEWAY_TIMEOUT"), O.UNKNOWN, "timeout"),
    Row("gowa", "time lock", _gowa(429, "WA_REACHOUT_TIMELOCK"), O.PAUSE, "reachout_timelock", 86_400.0),
    Row("gowa", "rate", _gowa(429, "TOO_MANY_REQUESTS"), O.RETRY, "rate_limited"),
    *(
        Row("gowa", code, _gowa(500, code), O.RETRY, "server_error")
        for code in (
            "INTERNAL_SERVER_ERROR",
            "INVALID_WA_CLI",
            "UPLOAD_MEDIA_ERROR",
            "SESSION_SAVED_ERROR",
            "QR_CHANNEL_ERROR",
        )
    ),
    Row("wuzapi", "no session", _wuzapi(500, "no session"), O.RECONNECT, "not_connected"),
    Row("wuzapi", "socket", _wuzapi(500, "websocket not connected"), O.RECONNECT, "not_connected"),
    Row("wuzapi", "time lock", _wuzapi(500, "server returned error 463"), O.PAUSE, "reachout_timelock"),
    Row("wuzapi", "no number", _wuzapi(500, "no LID found for user"), O.PERMANENT, "not_on_whatsapp"),
    Row("wuzapi", "timed out", _wuzapi(500, "timed out waiting"), O.UNKNOWN, "server_error"),
    Row("wuzapi", "bad request", _wuzapi(400, "missing Phone in Payload"), O.PERMANENT, "refused"),
    Row("wuzapi", "token", _wuzapi(401, "unauthorized"), O.CONFIG, "unauthorized"),
    Row("bot", "202", Reply.json(202, {"id": SENT_ID, "queued": True}), O.QUEUED_REMOTE, ""),
    Row("bot", "not connected", Reply.json(503, {"error": "not connected"}), O.RECONNECT, "not_connected"),
    Row("bot", "time lock", Reply.json(463, {"error": "timelock"}), O.PAUSE, "reachout_timelock"),
    Row("bot", "limited", Reply.json(429, {"error": "slow", "queued": False}), O.RETRY, "rate_limited"),
    Row("rickicode", "queued", Reply.json(429, {"queued": True, "queueId": 77}), O.QUEUED_REMOTE, "queued"),
    Row("rickicode", "queued, no id", Reply.json(429, {"queued": True}), O.QUEUED_REMOTE, "queued"),
    Row("rickicode", "limited", Reply.json(429, {"success": False}), O.RETRY, "rate_limited"),
)


def _padded(body: bytes) -> bytes:
    """A good answer with far too much in it."""
    return body[:-1] + b',"pad":"' + b"x" * 3_000_000 + b'"}'


EVERYBODY = tuple(ACCEPTED)
_SERVICE_DOWN = {"bot": O.RECONNECT, "rickicode": O.RECONNECT}

SHARED_ROWS: tuple[Row, ...] = tuple(
    row
    for name in EVERYBODY
    for row in (
        Row(
            name,
            "redirect",
            Reply(302, b"", {"Location": "https://login.example.net/"}),
            O.CONFIG,
            "redirected",
        ),
        Row(name, "plain 401", _PLAIN_401, O.CONFIG, "unauthorized"),
        Row(name, "plain 403", Reply(403, b"no"), O.CONFIG, "forbidden"),
        Row(name, "plain 400", Reply(400, b"no"), O.PERMANENT, "refused"),
        Row(name, "plain 413", Reply(413, b"no"), O.PERMANENT, "refused"),
        Row(name, "plain 429", Reply(429, b"slow", {"Retry-After": "17"}), O.RETRY, "rate_limited", 17.0),
        Row(
            name,
            "plain 503",
            Reply(503, b"busy", {"Retry-After": "9"}),
            _SERVICE_DOWN.get(name, O.RETRY),
            "not_connected" if name in _SERVICE_DOWN else "unavailable",
            9.0,
        ),
        Row(name, "plain 504", Reply(504, b"late"), O.UNKNOWN, "timeout"),
        Row(
            name,
            "page",
            Reply(200, b"<!DOCTYPE html><html><body>Log in</body></html>"),
            O.UNKNOWN,
            "malformed",
        ),
        Row(name, "cut off", Reply(201, ACCEPTED[name].body[:-9]), O.UNKNOWN, "malformed"),
        Row(name, "empty", Reply(200, b""), O.UNKNOWN, "malformed"),
        Row(name, "a list", Reply(200, b"[1, 2]"), O.UNKNOWN, "malformed"),
        Row(name, "null", Reply(200, b"null"), O.UNKNOWN, "malformed"),
        Row(name, "huge", Reply(200, _padded(ACCEPTED[name].body)), O.UNKNOWN, "malformed"),
        Row(name, "deep", Reply(200, b"[" * 100_000), O.UNKNOWN, "malformed"),
        Row(name, "not text", Reply(200, b"\xff\xfe\x00\x80"), O.UNKNOWN, "malformed"),
    )
)
