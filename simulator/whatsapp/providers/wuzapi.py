"""wuzapi: the caller chooses the message's id, webhooks are forms without signature or repeat."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlencode

from aiohttp import web

from ..addresses import AddressError, chat_of, is_group, jid
from ..phone import Image, Message, State
from ..session import Link
from ..webhooks import Hook, Repeats
from ..world import Inbound
from .baileys import QR_PNG
from .base import Draft, Refusal, json_body, object_of, text_of
from .whatsmeow import Whatsmeow

_RECEIPTS = {State.DELIVERED: ("Delivered", ""), State.READ: ("Read", "read")}


class Wuzapi(Whatsmeow):
    """A server with one user."""

    name = "wuzapi"
    about = "wuzapi: /chat/send/text, /session/status, /session/connect"
    defaults: ClassVar[Mapping[str, str]] = {"token": "wuzapi-token", "number": "6281200000001"}
    repeats = Repeats(waits_s=())

    def routes(self) -> list[web.RouteDef]:
        """Those that an alert and its recovery need."""
        return [
            web.post("/chat/send/text", self._send_text),
            web.post("/chat/send/image", self._send_image),
            web.get("/session/status", self._status),
            web.post("/session/connect", self._connect),
            web.post("/session/disconnect", self._disconnect),
            web.post("/session/logout", self._logout),
            web.get("/session/qr", self._qr),
            web.get("/webhook", self._webhook),
            web.post("/webhook", self._webhook),
            web.post("/user/check", self._check_numbers),
        ]

    def authorised(self, request: web.Request) -> bool:
        """Token, as a header or in the query."""
        return (request.headers.get("Token") or request.query.get("token")) == self.settings["token"]

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """The envelope."""
        number, error = {
            Refusal.WRONG_TOKEN: (401, "unauthorized"),
            Refusal.RATE_LIMITED: (429, "rate-overlimit"),
            Refusal.NO_NUMBER: (500, "error sending message: no LID found for user"),
            Refusal.TIMELOCK: (500, "error sending message: server returned error 463"),
            Refusal.SERVER_ERROR: (status, "error sending message: websocket not connected"),
        }[why]
        return _failure(number, error)

    def timed_out(self) -> web.Response:
        """whatsmeow's own deadline."""
        return _failure(500, "error sending message: timed out waiting for message send response")

    def check(self, draft: Draft) -> web.Response | None:
        """There has to be a session."""
        return None if self.session.link is Link.OPEN else _failure(500, "no session")

    # -- sending

    async def _send_text(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request)
        if body is None:
            return _failure(400, "could not decode Payload")
        if not text_of(body, "Body"):
            return _failure(400, "missing Body in Payload")
        return await self._send(request, body, text_of(body, "Body"), None)

    async def _send_image(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request) or {}
        head, comma, data = text_of(body, "Image").partition(";base64,")
        if not comma or not head.startswith("data:image/"):
            return _failure(400, 'image data should start with "data:image/png;base64,"')
        try:
            image = Image(base64.b64decode(data, validate=True), head.removeprefix("data:"))
        except binascii.Error:
            return _failure(400, "could not decode base64 encoded data from payload")
        return await self._send(request, body, text_of(body, "Caption"), image)

    async def _send(
        self, request: web.Request, body: Mapping[str, object], text: str, image: Image | None
    ) -> web.StreamResponse:
        if not text_of(body, "Phone"):
            return _failure(400, "missing Phone in Payload")
        try:
            chat = chat_of(text_of(body, "Phone"))
        except AddressError:
            return _failure(400, "could not parse Phone")
        own_id = text_of(body, "Id") or None
        quoted = text_of(object_of(body, "ContextInfo"), "StanzaId") or None
        draft = Draft(
            chat, text, image=image, id=own_id, client_id=own_id, quoted_id=quoted, state=State.SERVER_ACK
        )
        return await self.send(request, draft, self._sent)

    def _sent(self, message: Message) -> web.Response:
        return _success({"Details": "Sent", "Id": message.id, "Timestamp": _iso(message.at_s)})

    async def _check_numbers(self, request: web.Request) -> web.Response:
        asked = (await json_body(request) or {}).get("Phone")
        users = []
        for number in asked if isinstance(asked, list) else []:
            absent = (
                number in self.world.phone.absent or self.faults.look("no_number", str(number)) is not None
            )
            users.append(
                {"IsInWhatsapp": not absent, "JID": jid(str(number)), "Query": number, "VerifiedName": ""}
            )
        return _success({"Users": users})

    # -- the session

    @property
    def _logged_in(self) -> bool:
        return self.session.link not in (Link.LOGGED_OUT, Link.NEEDS_QR, Link.BANNED)

    async def _status(self, _: web.Request) -> web.Response:
        connected = self.session.link in (Link.OPEN, Link.NEEDS_QR)
        return _success({"Connected": connected, "LoggedIn": connected and self._logged_in})

    async def _connect(self, _: web.Request) -> web.Response:
        if self.session.link is Link.OPEN and self.faults.look("no_ack") is None:
            return _failure(500, "already connected")
        self.session.restart()
        details = {
            "details": "Connected!",
            "events": "Message,ReadReceipt",
            "jid": jid(self.settings["number"]),
        }
        return _success({**details, "webhook": self.settings["webhook"]})

    async def _disconnect(self, _: web.Request) -> web.Response:
        if self.session.link is not Link.OPEN:
            return _failure(500, "no session")
        self.session.stop()
        return _success({"Details": "Disconnected"})

    async def _logout(self, _: web.Request) -> web.Response:
        if self.session.link is not Link.OPEN:
            return _failure(500, "no session")
        self.session.log_out()
        return _success({"Details": "Logged out"})

    async def _qr(self, _: web.Request) -> web.Response:
        shown = self.session.link is Link.NEEDS_QR
        code = f"data:image/png;base64,{base64.b64encode(QR_PNG).decode()}" if shown else ""
        return (
            _success({"QRCode": code}) if shown or not self._logged_in else _failure(500, "already logged in")
        )

    async def _webhook(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.settings["webhook"] = text_of(await json_body(request) or {}, "webhookURL")
        return _success({"webhook": self.settings["webhook"], "subscribe": ["Message", "ReadReceipt"]})

    # -- webhooks

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """ReadReceipt, which tells of delivered as well."""
        if state not in _RECEIPTS:
            return None
        word, kind = _RECEIPTS[state]
        event = {
            "Chat": jid(message.chat),
            "Sender": jid(message.chat),
            "IsFromMe": False,
            "IsGroup": is_group(message.chat),
            "MessageIDs": [message.id],
            "Timestamp": _iso(message.states[state]),
            "Type": kind,
        }
        return self._hook({"type": "ReadReceipt", "state": word, "event": event})

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """Message, or HistorySync."""
        context: dict[str, object] = {}
        if inbound.quoted_id is not None:
            context |= {"stanzaID": inbound.quoted_id, "quotedMessage": {"conversation": inbound.quoted_text}}
        if inbound.forwarded:
            context |= {"isForwarded": True, "forwardingScore": 1}
        message: dict[str, object] = {"conversation": inbound.text}
        if context:
            message = {"extendedTextMessage": {"text": inbound.text, "contextInfo": context}}
        sender = inbound.lid or jid(inbound.sender)
        info = {
            "Chat": jid(inbound.chat) if inbound.group else sender,
            "Sender": sender,
            "SenderAlt": jid(inbound.sender) if inbound.lid is not None else "",
            "IsFromMe": False,
            "IsGroup": inbound.group,
            "ID": inbound.id,
            "PushName": inbound.name,
            "Timestamp": _iso(inbound.at_s),
            "Type": "text",
            "Edit": "1" if inbound.edited else "",
        }
        event = {"Info": info, "Message": message, "IsEdit": inbound.edited}
        if inbound.history:
            return self._hook({"type": "HistorySync", "event": {"Data": {"conversations": [event]}}})
        return self._hook({"type": "Message", "event": event})

    def _hook(self, body: Mapping[str, object]) -> Hook:
        form = urlencode({"jsonData": json.dumps(body), "token": self.settings["token"]}).encode()
        return Hook(self.settings["webhook"], form, {"Content-Type": "application/x-www-form-urlencoded"})


def _success(data: object) -> web.Response:
    return web.json_response({"code": 200, "success": True, "data": data})


def _failure(status: int, error: str) -> web.Response:
    return web.json_response({"code": status, "success": False, "error": error}, status=status)


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
