"""GOWA 9 (go-whatsapp-web-multidevice): envelope, two meanings of 401, 429 for a time lock, signed webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

from aiohttp import web
from aiohttp.web import FileField

from ..addresses import AddressError, chat_of, jid
from ..phone import Image, Message, State
from ..session import Link
from ..webhooks import Hook, Repeats
from ..world import Inbound
from .base import Draft, Refusal, as_json, json_body, text_of
from .sink import basic
from .whatsmeow import Whatsmeow

_DURATIONS = frozenset({0, 86_400, 604_800, 7_776_000})
_RECEIPTS = {State.DELIVERED: "delivered", State.READ: "read"}


class Gowa(Whatsmeow):
    """A server with one device."""

    name = "gowa"
    about = "GOWA: /send/message, /send/image, /app/status, /app/reconnect"
    defaults: ClassVar[Mapping[str, str]] = {
        "user": "noc",
        "password": "gowa-password",
        "device": "org_2",
        "number": "6281200000001",
        "webhook_secret": "gowa-webhook-secret",
    }
    repeats = Repeats(waits_s=(1.0, 2.0, 4.0, 8.0))
    open_paths = ("/health",)

    def routes(self) -> list[web.RouteDef]:
        """Those that an alert and its recovery need."""
        return [
            web.post("/send/message", self._send_message),
            web.post("/send/image", self._send_image),
            web.get("/user/check", self._check_number),
            web.get("/app/status", self._status),
            web.get("/devices", self._devices),
            web.get("/devices/{device}/status", self._status),
            web.get("/app/reconnect", self._reconnect),
            web.post("/devices/{device}/reconnect", self._reconnect),
            web.get("/app/logout", self._logout),
            web.get("/app/login", self._login),
            web.get("/health", self._health),
        ]

    def authorised(self, request: web.Request) -> bool:
        """HTTP Basic."""
        return request.headers.get("Authorization") == basic(self.settings["user"], self.settings["password"])

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """The envelope; but wrong credentials get plain text, from before the application."""
        if why is Refusal.WRONG_TOKEN:
            challenge = {"WWW-Authenticate": "basic realm=Restricted"}
            return web.Response(status=401, text="Unauthorized", headers=challenge)
        number, code, message = {
            Refusal.RATE_LIMITED: (429, "TOO_MANY_REQUESTS", "rate-overlimit"),
            Refusal.NO_NUMBER: (400, "INVALID_JID", "Phone is not on WhatsApp"),
            Refusal.TIMELOCK: (429, "WA_REACHOUT_TIMELOCK", "server returned error 463"),
            Refusal.SERVER_ERROR: (status, "INTERNAL_SERVER_ERROR", "something went wrong"),
        }[why]
        return _envelope(code, message, status=number)

    def timed_out(self) -> web.Response:
        """504."""
        return _envelope("GATEWAY_TIMEOUT", "timed out waiting for the server", status=504)

    def check(self, draft: Draft) -> web.Response | None:
        """A session that is down gets 401 as well."""
        if self.session.link is Link.OPEN:
            return None
        message = "you are not logged in" if not self._logged_in else "you are not connected"
        return _envelope("AUTHENTICATION_ERROR", message, status=401)

    def _device_missing(self, request: web.Request) -> web.Response | None:
        asked = (
            request.match_info.get("device")
            or request.headers.get("X-Device-Id")
            or request.query.get("device_id")
        )
        if asked in (None, self.settings["device"]):
            return None
        return _envelope("DEVICE_NOT_FOUND", f"device {asked} not found", status=404)

    # -- sending

    async def _send_message(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request) or dict(await request.post())
        duration = body.get("duration") or 0
        if not text_of(body, "message"):
            return _envelope("VALIDATION_ERROR", "message: cannot be blank.", status=400)
        if duration not in _DURATIONS:
            return _envelope("VALIDATION_ERROR", "duration: must be a valid value.", status=400)
        return await self._send(request, body, text_of(body, "message"), None)

    async def _send_image(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        file, image = form.get("image"), None
        if isinstance(file, FileField):
            image = Image(file.file.read(), file.content_type)
        elif not text_of(form, "image_url"):
            return _envelope("VALIDATION_ERROR", "either Image or ImageURL must be provided", status=400)
        return await self._send(request, form, text_of(form, "caption"), image)

    async def _send(
        self, request: web.Request, body: Mapping[str, object], text: str, image: Image | None
    ) -> web.StreamResponse:
        if (missing := self._device_missing(request)) is not None:
            return missing
        phone = text_of(body, "phone")
        if not phone:
            return _envelope("VALIDATION_ERROR", "phone: cannot be blank.", status=400)
        try:
            chat = chat_of(phone)
        except AddressError:
            return _envelope("INVALID_JID", "your JID is invalid", status=400)
        quoted = text_of(body, "reply_message_id") or None
        draft = Draft(chat, text, image=image, quoted_id=quoted, state=State.SERVER_ACK)
        return await self.send(request, draft, self._sent)

    def _sent(self, message: Message) -> web.Response:
        results = {"message_id": message.id, "status": f"Message sent to {jid(message.chat)}"}
        return _envelope("SUCCESS", "Success", results)

    async def _check_number(self, request: web.Request) -> web.Response:
        try:
            chat = chat_of(request.query.get("phone", ""))
        except AddressError:
            return _envelope("INVALID_JID", "your JID is invalid", status=400)
        absent = chat in self.world.phone.absent or self.faults.look("no_number", chat) is not None
        return _envelope("SUCCESS", "Success check user", {"is_on_whatsapp": not absent})

    # -- the device

    @property
    def _logged_in(self) -> bool:
        return self.session.link not in (Link.LOGGED_OUT, Link.NEEDS_QR, Link.BANNED)

    async def _status(self, request: web.Request) -> web.Response:
        if (missing := self._device_missing(request)) is not None:
            return missing
        results = {
            "is_connected": self.session.link in (Link.OPEN, Link.NEEDS_QR),
            "is_logged_in": self._logged_in,
            "device_id": self.settings["device"],
            "jid": jid(self.settings["number"]) if self._logged_in else "",
        }
        return _envelope("SUCCESS", "Connection status retrieved", results)

    async def _devices(self, _: web.Request) -> web.Response:
        state = "logged_in" if self._logged_in else "disconnected"
        device = {"id": self.settings["device"], "jid": jid(self.settings["number"]), "state": state}
        return _envelope("SUCCESS", "Fetch device success", [device])

    async def _reconnect(self, request: web.Request) -> web.Response:
        if (missing := self._device_missing(request)) is not None:
            return missing
        self.session.restart()
        return _envelope("SUCCESS", "Reconnect success")

    async def _logout(self, request: web.Request) -> web.Response:
        if (missing := self._device_missing(request)) is not None:
            return missing
        self.session.log_out()
        return _envelope("SUCCESS", "Success logout")

    async def _login(self, _: web.Request) -> web.Response:
        if self._logged_in:
            return _envelope("ALREADY_LOGGED_IN", "you already logged in", status=400)
        self.session.restart()
        results = {"qr_link": "http://127.0.0.1:3000/qrcode/scan.png", "qr_duration": 30}
        return _envelope("SUCCESS", "Login success", results)

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="OK")

    # -- webhooks

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """Delivered and read; the server's acknowledgement was the answer."""
        if state not in _RECEIPTS:
            return None
        receipt = {
            "ids": [message.id],
            "chat_id": jid(message.chat),
            "from": jid(message.chat),
            "receipt_type": _RECEIPTS[state],
            "receipt_type_description": f"means the message was {_RECEIPTS[state]}",
        }
        return self._hook("message.ack", receipt)

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """A message; a hidden number is in `from_lid`, next to the number."""
        payload: dict[str, object] = {
            "id": inbound.id,
            "chat_id": jid(inbound.chat),
            "from": jid(inbound.sender),
            "from_name": inbound.name,
            "sender_display_name": inbound.name,
            "timestamp": datetime.fromtimestamp(inbound.at_s, UTC)
            .isoformat(timespec="seconds")
            .replace("+00:00", "Z"),
            "is_from_me": False,
            "body": inbound.text,
        }
        if inbound.lid is not None:
            payload["from_lid"] = inbound.lid
        if inbound.quoted_id is not None:
            payload |= {"replied_to_id": inbound.quoted_id, "quoted_body": inbound.quoted_text}
        if inbound.forwarded:
            payload["forwarded"] = True
        if inbound.edited:
            payload["original_message_id"] = inbound.quoted_id or inbound.id
        return self._hook("message.edited" if inbound.edited else "message", payload)

    def _hook(self, event: str, payload: Mapping[str, object]) -> Hook:
        body = as_json(
            {
                "event": event,
                "device_id": jid(self.settings["number"]),
                "session_id": self.settings["device"],
                "payload": payload,
            }
        )
        signature = hmac.new(self.secret("webhook_secret"), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        return Hook(self.settings["webhook"], body, headers)


def _envelope(code: str, message: str, results: object = None, *, status: int = 200) -> web.Response:
    return web.json_response({"code": code, "message": message, "results": results}, status=status)
