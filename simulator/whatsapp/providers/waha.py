"""WAHA: one session, the answer's shape by engine, webhooks signed with HMAC-SHA512."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from aiohttp import web

from ..addresses import AddressError, chat_of, jid, web_jid
from ..faults import SESSION, Fault
from ..phone import Image, Message, State
from ..session import Link, Session
from ..webhooks import Hook, Repeats
from ..world import Inbound, World
from .baileys import QR_PNG, raw_message
from .base import Draft, Provider, Refusal, as_json, json_body, object_of, text_of

WAIT_FOR_WORKING_S = 10.0
"""A send waits that long for a session that is starting."""
_STATUS = {
    Link.OPEN: "WORKING",
    Link.CONNECTING: "STARTING",
    Link.BROKEN: "FAILED",
    Link.NEEDS_QR: "SCAN_QR_CODE",
    Link.LOGGED_OUT: "FAILED",
    Link.BANNED: "FAILED",
    Link.STOPPED: "STOPPED",
}
_ACK = {
    State.FAILED: (-1, "ERROR"),
    State.PENDING: (0, "PENDING"),
    State.SERVER_ACK: (1, "SERVER"),
    State.DELIVERED: (2, "DEVICE"),
    State.READ: (3, "READ"),
}
ENGINES = ("WEBJS", "NOWEB", "GOWS")


class Waha(Provider):
    """A server with one session. `engine` is WEBJS, NOWEB or GOWS; `tier` PLUS or CORE (no media, no /health)."""

    name = "waha"
    about = "WAHA: /api/sendText, /api/sendImage, /api/sessions/{name}, /ping"
    own_faults: ClassVar[Mapping[str, Fault]] = SESSION
    defaults: ClassVar[Mapping[str, str]] = {
        "token": "waha-key",
        "session": "default",
        "engine": "NOWEB",
        "tier": "PLUS",
        "number": "6281200000001",
        "hmac_key": "waha-hmac-key",
    }
    repeats = Repeats(waits_s=(2.0,) * 15)
    open_paths = ("/ping",)

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(world, settings)
        self.session: Session = Session(
            self.faults,
            connect_s=world.timing.connect_s,
            monotonic=world.phone.monotonic,
            told=lambda link: self._told(link),
        )
        self._events = 0

    def routes(self) -> list[web.RouteDef]:
        """As in its OpenAPI, without what an alert needs not."""
        return [
            web.post("/api/sendText", self._send_text),
            web.post("/api/sendImage", self._send_image),
            web.get("/api/contacts/check-exists", self._check_exists),
            web.get("/api/sessions", self._sessions),
            web.get("/api/sessions/{name}", self._show),
            web.put("/api/sessions/{name}", self._configure),
            web.post("/api/sessions/{name}/{action:start|stop|restart|logout}", self._act),
            web.get("/api/{name}/auth/qr", self._qr),
            web.post("/api/{name}/auth/request-code", self._code),
            web.get("/api/version", self._version),
            web.get("/api/server/status", self._server_status),
            web.get("/ping", self._ping),
            web.get("/health", self._health),
        ]

    def authorised(self, request: web.Request) -> bool:
        """X-Api-Key."""
        return request.headers.get("X-Api-Key") == self.settings["token"]

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """NestJS's shapes; what went wrong inside is a 500 with `exception` that echoes the request."""
        if why is Refusal.WRONG_TOKEN:
            return web.json_response({"message": "Unauthorized", "statusCode": 401}, status=401)
        if why is Refusal.RATE_LIMITED:
            body = {"message": "ThrottlerException: Too Many Requests", "statusCode": 429}
            return web.json_response(body, status=429)
        said = {
            Refusal.NO_NUMBER: "No LID for user",
            Refusal.TIMELOCK: "Message failed: error 463",
            Refusal.SERVER_ERROR: "Connection Closed",
        }[why]
        return self._exception(said, draft, status if why is Refusal.SERVER_ERROR else 500)

    def _exception(self, message: str, draft: Draft | None, status: int) -> web.Response:
        echo = {} if draft is None else {"chatId": web_jid(draft.chat), "text": draft.text}
        body = {
            "statusCode": status,
            "timestamp": "2026-11-22T20:00:00.000Z",
            "exception": {"message": message, "name": "Error", "stack": f"Error: {message}\n    at sendText"},
            "request": {"path": "/api/sendText", "method": "POST", "body": echo, "query": {}},
            "version": self._about(),
        }
        return web.json_response(body, status=status)

    def _about(self) -> dict[str, str]:
        return {"version": "2026.1.1", "engine": self.settings["engine"], "tier": self.settings["tier"]}

    # -- sending

    async def _send_text(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request)
        if body is None or not text_of(body, "text"):
            return _bad("text should not be empty")
        return await self._send(request, body, text_of(body, "text"), None)

    async def _send_image(self, request: web.Request) -> web.StreamResponse:
        if self.settings["tier"] != "PLUS":
            return _unprocessable("The feature is available only in Plus version for 'NOWEB' engine.")
        body = await json_body(request)
        file = object_of(body, "file") if body is not None else {}
        if body is None or not (text_of(file, "data") or text_of(file, "url")):
            return _bad("file.data or file.url is required")
        try:
            data = base64.b64decode(text_of(file, "data"), validate=True)
        except binascii.Error:
            return _bad("file.data must be base64")
        image = Image(data, text_of(file, "mimetype") or "image/jpeg") if data else None
        return await self._send(request, body, text_of(body, "caption"), image)

    async def _send(
        self, request: web.Request, body: Mapping[str, object], text: str, image: Image | None
    ) -> web.StreamResponse:
        if (missing := self._other(text_of(body, "session") or "default")) is not None:
            return missing
        try:
            chat = chat_of(text_of(body, "chatId"))
        except AddressError as error:
            return self._exception(str(error), None, 500)
        if "@" not in text_of(body, "chatId"):
            return _bad("chatId must end with @c.us, @g.us, @lid or @s.whatsapp.net")
        deadline_s = self.world.phone.monotonic() + WAIT_FOR_WORKING_S
        while self.session.link is Link.CONNECTING and self.world.phone.monotonic() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        draft = Draft(chat, text, image=image, quoted_id=_bare(text_of(body, "reply_to")))
        return await self.send(request, draft, self._sent)

    def check(self, draft: Draft) -> web.Response | None:
        """The session has to work."""
        if self.session.link is Link.OPEN:
            return None
        return web.json_response(
            {
                "error": "Session status is not as expected. Try again later or restart the session",
                "session": self.settings["session"],
                "status": _STATUS[self.session.link],
                "expected": ["WORKING"],
            },
            status=422,
        )

    def _sent(self, message: Message) -> web.Response:
        at_s = int(message.at_s)
        if self.settings["engine"] == "WEBJS":
            body: dict[str, object] = {
                "_data": {"id": self._web_id(message), "ack": 0, "body": message.text, "t": at_s},
                "id": self._web_id(message),
                "ack": 0,
                "hasMedia": message.image is not None,
                "body": message.text,
                "timestamp": at_s,
                "from": f"{self.settings['number']}@c.us",
                "to": web_jid(message.chat),
                "fromMe": True,
            }
        elif self.settings["engine"] == "GOWS":
            body = {"id": self._id(message), "timestamp": at_s, "_data": {"ID": message.id}}
        else:
            body = {
                "key": {"remoteJid": jid(message.chat), "fromMe": True, "id": message.id},
                "message": {"extendedTextMessage": {"text": message.text}},
                "messageTimestamp": str(at_s),
                "status": "PENDING",
            }
        return web.json_response(body, status=HTTPStatus.CREATED)

    def _id(self, message: Message) -> str:
        return f"true_{web_jid(message.chat)}_{message.id}"

    def _web_id(self, message: Message) -> dict[str, object]:
        return {
            "fromMe": True,
            "remote": web_jid(message.chat),
            "id": message.id,
            "_serialized": self._id(message),
        }

    async def _check_exists(self, request: web.Request) -> web.Response:
        try:
            chat = chat_of(request.query.get("phone", ""))
        except AddressError as error:
            return _bad(str(error))
        if chat in self.world.phone.absent or self.faults.look("no_number", chat) is not None:
            return web.json_response({"numberExists": False})
        return web.json_response({"numberExists": True, "chatId": web_jid(chat)})

    # -- the session

    def _other(self, name: str) -> web.Response | None:
        if name == self.settings["session"]:
            return None
        body = {"message": f'Session "{name}" does not exist', "error": "Not Found", "statusCode": 404}
        return web.json_response(body, status=404)

    def _session(self) -> dict[str, object]:
        link = self.session.link
        me = {"id": f"{self.settings['number']}@c.us", "pushName": "NOC"} if link is Link.OPEN else None
        hooks = [{"url": self.settings["webhook"], "events": ["message", "message.ack", "session.status"]}]
        return {
            "name": self.settings["session"],
            "status": _STATUS[link],
            "config": {"webhooks": hooks if self.settings["webhook"] else []},
            "me": me,
            "engine": {"engine": self.settings["engine"]},
        }

    async def _sessions(self, _: web.Request) -> web.Response:
        return web.json_response([self._session()])

    async def _show(self, request: web.Request) -> web.Response:
        return self._other(request.match_info["name"]) or web.json_response(self._session())

    async def _configure(self, request: web.Request) -> web.Response:
        body = await json_body(request) or {}
        hooks = object_of(body, "config").get("webhooks")
        for hook in hooks if isinstance(hooks, list) else []:
            self.settings["webhook"] = text_of(hook, "url")
            self.settings["hmac_key"] = text_of(object_of(hook, "hmac"), "key") or self.settings["hmac_key"]
        self.session.start()
        return await self._show(request)

    async def _act(self, request: web.Request) -> web.Response:
        if (missing := self._other(request.match_info["name"])) is not None:
            return missing
        action = request.match_info["action"]
        if action == "start" and self.session.link is Link.OPEN:
            return web.json_response(self._session(), status=HTTPStatus.CREATED)
        {
            "start": self.session.start,
            "stop": self.session.stop,
            "restart": self.session.restart,
            "logout": self.session.log_out,
        }[action]()
        return web.json_response(self._session(), status=HTTPStatus.CREATED)

    async def _qr(self, request: web.Request) -> web.Response:
        if (missing := self._other(request.match_info["name"])) is not None:
            return missing
        if self.session.link is not Link.NEEDS_QR:
            return _unprocessable(
                f"Can get QR code only in SCAN_QR_CODE status. Session status: {self._session()['status']}"
            )
        if request.query.get("format") == "raw":
            return web.json_response({"value": "2@simulated"})
        return web.Response(body=QR_PNG, content_type="image/png")

    async def _code(self, _: web.Request) -> web.Response:
        if self.session.link is not Link.NEEDS_QR:
            return _unprocessable("Can request code only in SCAN_QR_CODE status")
        return web.json_response({"code": "ABCD-EFGH"}, status=HTTPStatus.CREATED)

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response(self._about())

    async def _server_status(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"startTimestamp": 1_790_000_000_000, "uptime": 3_600_000, "worker": {"id": None}}
        )

    async def _ping(self, _: web.Request) -> web.Response:
        return web.json_response({"message": "pong"})

    async def _health(self, _: web.Request) -> web.Response:
        if self.settings["tier"] != "PLUS":
            return _unprocessable("The feature is available only in Plus version")
        return web.json_response({"status": "ok", "info": {}, "error": {}, "details": {}})

    # -- webhooks

    def _told(self, link: Link) -> None:
        self.post(self._hook("session.status", {"name": self.settings["session"], "status": _STATUS[link]}))

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """message.ack"""
        number, name = _ACK[state]
        stub = (
            {"status": 0, "messageStubParameters": [message.error]}
            if state is State.FAILED
            else {"status": number + 1}
        )
        return self._hook(
            "message.ack",
            {
                "id": self._id(message),
                "from": web_jid(message.chat),
                "to": f"{self.settings['number']}@c.us",
                "participant": None,
                "fromMe": True,
                "ack": number,
                "ackName": name,
                "_data": {"key": {"remoteJid": jid(message.chat), "id": message.id}, "update": stub},
            },
        )

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """A message; the raw one in `_data` has the fields for hidden numbers, forwards and quotes."""
        who = inbound.lid or (jid if self.settings["engine"] == "NOWEB" else web_jid)(inbound.sender)
        chat = web_jid(inbound.chat) if inbound.group else inbound.lid or web_jid(inbound.chat)
        quoted = None
        if inbound.quoted_id is not None:
            quoted = {"id": inbound.quoted_id, "participant": None, "body": inbound.quoted_text}
        payload = {
            "id": f"false_{chat}_{inbound.id}",
            "timestamp": int(inbound.at_s),
            "from": chat,
            "fromMe": False,
            "to": f"{self.settings['number']}@c.us",
            "participant": who if inbound.group else None,
            "body": inbound.text,
            "hasMedia": False,
            "replyTo": quoted,
            "_data": raw_message(inbound),
        }
        if inbound.edited:
            return self._hook(
                "message.edited", {**payload, "editedMessageId": inbound.quoted_id or inbound.id}
            )
        return self._hook("message", payload)

    def _hook(self, event: str, payload: Mapping[str, object]) -> Hook:
        self._events += 1
        milliseconds = int(self.world.phone.wall() * 1000)
        number = f"{milliseconds:013d}{self._events:06d}"
        body = as_json(
            {
                "id": f"evt_{number}",
                "timestamp": milliseconds,
                "event": event,
                "session": self.settings["session"],
                "engine": self.settings["engine"],
                "metadata": {},
                "me": {"id": f"{self.settings['number']}@c.us", "pushName": "NOC"},
                "payload": payload,
                "environment": self._about(),
            }
        )
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Request-Id": f"req_{number}",
            "X-Webhook-Timestamp": str(milliseconds),
        }
        if self.settings["hmac_key"]:
            headers["X-Webhook-Hmac"] = hmac.new(self.secret("hmac_key"), body, hashlib.sha512).hexdigest()
            headers["X-Webhook-Hmac-Algorithm"] = "sha512"
        return Hook(self.settings["webhook"], body, headers)


def _bare(message_id: str) -> str | None:
    return message_id.rpartition("_")[2] or None


def _bad(message: str) -> web.Response:
    body = {"message": [message], "error": "Bad Request", "statusCode": 400}
    return web.Response(status=400, text=json.dumps(body), content_type="application/json")


def _unprocessable(message: str) -> web.Response:
    body = {"message": message, "error": "Unprocessable Entity", "statusCode": 422}
    return web.json_response(body, status=422)
