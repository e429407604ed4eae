"""Twilio's Messages resource: WhatsApp and SMS, status callbacks and inbound messages as signed forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import ClassVar
from urllib.parse import urlencode

from aiohttp import web

from ..addresses import AddressError, chat_of
from ..faults import Fault
from ..phone import Message, State
from ..webhooks import Hook, Repeats
from ..world import Inbound, World
from .base import Draft, Provider, Refusal
from .cloudlimits import Windows
from .sink import basic

BODY_LIMIT = 1600
_STATUS = {
    State.PENDING: "queued",
    State.SERVER_ACK: "sent",
    State.DELIVERED: "delivered",
    State.READ: "read",
    State.FAILED: "undelivered",
}
ERRORS: Mapping[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    21211: (400, "Invalid 'To' Phone Number"),
    21408: (
        400,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    ),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21619: (400, "A text message body or media urls must be specified."),
    63003: (400, "Channel could not find To address"),
    63016: (400, "Failed to send freeform message because you are outside the allowed window"),
    63017: (429, "Rate limit exceeded"),
    63018: (429, "Rate limit exceeded for Channel"),
    63038: (429, "Account exceeded the daily messages limit"),
    63112: (400, "The Meta and/or WhatsApp Business Accounts connected to the sender were disabled by Meta"),
}


class Twilio(Provider):
    """One account."""

    name = "twilio"
    about = "Twilio: /2010-04-01/Accounts/{sid}/Messages.json"
    own_faults: ClassVar[Mapping[str, Fault]] = {
        "window_closed": Fault(
            "63016: nobody has written for 24 h; told by webhook when `later` is 1", {"later": 1}
        ),
        "error": Fault(
            "this code of Twilio's; in the answer, or by webhook when `later` is 1",
            {"code": 63018, "later": 0},
        ),
        "banned": Fault("63112: Meta has disabled the account", {"code": 63112}),
    }
    defaults: ClassVar[Mapping[str, str]] = {
        "account": "AC0123456789abcdef0123456789abcdef",
        "token": "89abcdef0123456789abcdef01234567",
        "number": "6281200000001",
        "window": "real",  # or open
    }
    repeats = Repeats(waits_s=())

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(world, settings)
        self.windows = Windows()
        self._forms: dict[str, dict[str, str]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Sending, polling, and the account for a harmless check."""
        base = "/2010-04-01/Accounts/{account}"
        return [
            web.post(f"{base}/Messages.json", self._create),
            web.get(base + "/Messages/{sid:SM[0-9a-f]{32}}.json", self._fetch),
            web.get("/2010-04-01/Accounts/{account:AC[0-9a-f]{32}}.json", self._account),
        ]

    def authorised(self, request: web.Request) -> bool:
        """HTTP Basic: account and token."""
        return request.headers.get("Authorization") == basic(self.settings["account"], self.settings["token"])

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """Twilio's error object."""
        if why is Refusal.SERVER_ERROR:
            return _error(20500, status=status)
        return _error({Refusal.WRONG_TOKEN: 20003, Refusal.RATE_LIMITED: 20429}.get(why, 63003))

    # -- sending

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["account"] != self.settings["account"]:
            return _error(20404)
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        body, template = form.get("Body", ""), form.get("ContentSid")
        if (wrong := _wrong(form)) is not None:
            return _error(wrong)
        try:
            chat = chat_of(form["To"])
        except AddressError:
            return _error(21211)
        text = body
        if template is not None:
            values = _variables(form.get("ContentVariables", "{}"))
            text = "\n".join(values) or template
        error = self._later_error(chat, form, template)
        sid = f"SM{hashlib.sha256(self.world.new_id().encode()).hexdigest()[:32]}"
        self._forms[sid] = form
        draft = Draft(chat, text, id=sid, template=template, error=error)

        def answer(message: Message) -> web.Response:
            return web.json_response(self._resource(message), status=201)

        return await self.send(request, draft, answer)

    def _later_error(self, chat: str, form: Mapping[str, str], template: str | None) -> str | None:
        if (fault := self.faults.look("error", chat)) is not None and fault["later"]:
            self.faults.use("error", chat)
            return str(int(fault["code"]))
        if not form["To"].startswith("whatsapp:") or template is not None:
            return None
        fault = self.faults.use("window_closed", chat)
        closed = self.settings["window"] == "real" and not self.windows.is_open(chat, self.world.phone.wall())
        return "63016" if fault is not None or closed else None

    def check(self, draft: Draft) -> web.Response | None:
        """What Twilio refuses in the answer."""
        chat = draft.chat
        if "banned" in self.faults:
            return _error(63112)
        if (fault := self.faults.look("error", chat)) is not None and not fault["later"]:
            self.faults.use("error", chat)
            return _error(int(fault["code"]))
        fault = self.faults.look("window_closed", chat)
        told_now = fault is not None and not fault["later"]
        return _error(63016) if draft.error == "63016" and told_now else None

    def _resource(self, message: Message) -> dict[str, object]:
        form, account = self._forms.get(message.id, {}), self.settings["account"]
        at = format_datetime(datetime.fromtimestamp(message.at_s, UTC))
        code = int(message.error) if message.error is not None and message.error.isdigit() else None
        return {
            "sid": message.id,
            "account_sid": account,
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "api_version": "2010-04-01",
            "body": message.text,
            "to": form.get("To"),
            "from": form.get("From"),
            "direction": "outbound-api",
            "status": _STATUS[message.state],
            "error_code": code,
            "error_message": None if code is None else ERRORS.get(code, (0, "Unknown error"))[1],
            "num_media": "0",
            "num_segments": "0" if form.get("To", "").startswith("whatsapp:") else "1",
            "price": None,
            "price_unit": "USD",
            "date_created": at,
            "date_updated": at,
            "date_sent": None,
            "subresource_uris": {"media": f"/2010-04-01/Accounts/{account}/Messages/{message.id}/Media.json"},
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{message.id}.json",
        }

    async def _fetch(self, request: web.Request) -> web.Response:
        sid = request.match_info["sid"]
        form = self._forms.get(sid)
        message = None if form is None else self.world.phone.find(chat_of(form["To"]), sid)
        return _error(20404) if message is None else web.json_response(self._resource(message))

    async def _account(self, request: web.Request) -> web.Response:
        if request.match_info["account"] != self.settings["account"]:
            return _error(20404)
        status = "suspended" if "banned" in self.faults else "active"
        return web.json_response({"sid": self.settings["account"], "status": status, "type": "Full"})

    # -- webhooks

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """A status callback, to where the request asked for it."""
        form = self._forms.get(message.id, {})
        status = {
            "MessageSid": message.id,
            "MessageStatus": _STATUS[state],
            "SmsSid": message.id,
            "SmsStatus": _STATUS[state],
            "AccountSid": self.settings["account"],
            "ApiVersion": "2010-04-01",
            "From": form.get("From", ""),
            "To": form.get("To", ""),
        }
        if message.error is not None:
            status["ErrorCode"] = message.error
        return self._hook(form.get("StatusCallback") or self.settings["webhook"], status)

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """A message to the account's WhatsApp number; it opens the window."""
        self.windows.wrote_s[inbound.sender] = max(
            inbound.at_s, self.windows.wrote_s.get(inbound.sender, 0.0)
        )
        sid = f"SM{hashlib.sha256(inbound.id.encode()).hexdigest()[:32]}"
        form = {
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": self.settings["account"],
            "ApiVersion": "2010-04-01",
            "From": f"whatsapp:+{inbound.sender}",
            "To": f"whatsapp:+{self.settings['number']}",
            "Body": inbound.text,
            "WaId": inbound.sender,
            "ProfileName": inbound.name or inbound.sender,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "MessageType": "text",
        }
        if inbound.quoted_id is not None:
            form |= {
                "OriginalRepliedMessageSid": inbound.quoted_id,
                "OriginalRepliedMessageSender": form["To"],
            }
        if inbound.forwarded:
            form["Forwarded"] = "true"
        return self._hook(self.settings["webhook"], form)

    def _hook(self, url: str, form: Mapping[str, str]) -> Hook:
        signed = url + "".join(f"{key}{form[key]}" for key in sorted(form))
        signature = base64.b64encode(hmac.new(self.secret("token"), signed.encode(), hashlib.sha1).digest())
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature.decode(),
            "I-Twilio-Idempotency-Token": self.world.new_id(),
        }
        return Hook(url, urlencode(form).encode(), headers)


def _wrong(form: Mapping[str, str]) -> int | None:
    if not form.get("To"):
        return 21604
    if not (form.get("From") or form.get("MessagingServiceSid")):
        return 21603
    if not (form.get("Body") or form.get("MediaUrl") or form.get("ContentSid")):
        return 21619
    return 21617 if len(form.get("Body", "")) > BODY_LIMIT else None


def _variables(text: str) -> list[str]:
    try:
        values = json.loads(text)
    except ValueError:
        return []
    return [str(values[key]) for key in sorted(values)] if isinstance(values, dict) else []


def _error(code: int, *, status: int | None = None) -> web.Response:
    known, message = ERRORS.get(code, (400, "Unknown error"))
    number = status or known
    more = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response(
        {"code": code, "message": message, "more_info": more, "status": number}, status=number
    )
