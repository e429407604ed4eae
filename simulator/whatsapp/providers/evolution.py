"""Evolution API v2: one instance, webhooks without a signature but with headers of one's own."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from aiohttp import web

from ..addresses import AddressError, chat_of, jid
from ..faults import SESSION, Fault
from ..phone import Image, Message, State
from ..session import Link, Session
from ..webhooks import Hook, Repeats
from ..world import Inbound, World
from .baileys import QR_PNG, raw_message
from .base import Draft, Provider, Refusal, as_json, json_body, object_of, text_of

GROUP_DIGITS = 18
"""Bare digits of that many or more are taken as a group."""
_STATES = {Link.OPEN: "open", Link.CONNECTING: "connecting", Link.NEEDS_QR: "connecting"}
_STATUS = {
    State.FAILED: "ERROR",
    State.PENDING: "PENDING",
    State.SERVER_ACK: "SERVER_ACK",
    State.DELIVERED: "DELIVERY_ACK",
    State.READ: "READ",
}
_OLD_GROUP = re.compile(r"\d{10,20}-\d{8,12}")


class Evolution(Provider):
    """A server with one Baileys instance."""

    name = "evolution"
    about = "Evolution API: /message/sendText/{instance}, /instance/connectionState/{instance}"
    own_faults: ClassVar[Mapping[str, Fault]] = SESSION
    defaults: ClassVar[Mapping[str, str]] = {
        "token": "evolution-key",
        "instance": "noc",
        "number": "6281200000001",
        "webhook_header": "X-Secret",
        "webhook_secret": "evolution-webhook-secret",
    }
    repeats = Repeats(
        waits_s=(5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0),
        final=frozenset({400, 401, 403, 404, 422}),
    )

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(world, settings)
        self.session: Session = Session(
            self.faults,
            connect_s=world.timing.connect_s,
            monotonic=world.phone.monotonic,
            told=lambda link: self._told(link),
        )

    def routes(self) -> list[web.RouteDef]:
        """Those that an alert and its recovery need."""
        return [
            web.post("/message/sendText/{instance}", self._send_text),
            web.post("/message/sendMedia/{instance}", self._send_media),
            web.get("/instance/connectionState/{instance}", self._state),
            web.get("/instance/fetchInstances", self._instances),
            web.get("/instance/connect/{instance}", self._connect),
            web.post("/instance/restart/{instance}", self._restart),
            web.delete("/instance/logout/{instance}", self._logout),
            web.post("/webhook/set/{instance}", self._set_webhook),
            web.post("/chat/whatsappNumbers/{instance}", self._numbers),
        ]

    def authorised(self, request: web.Request) -> bool:
        """apikey."""
        return request.headers.get("apikey") == self.settings["token"]

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """Evolution's error form."""
        if why is Refusal.WRONG_TOKEN:
            return _error(HTTPStatus.UNAUTHORIZED, "Unauthorized")
        if why is Refusal.RATE_LIMITED:
            return _error(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests")
        if why is Refusal.NO_NUMBER and draft is not None:
            return _error(
                HTTPStatus.BAD_REQUEST, {"jid": jid(draft.chat), "exists": False, "number": draft.chat}
            )
        said = "rate-overlimit: 463" if why is Refusal.TIMELOCK else "Error: Connection Closed"
        return _error(HTTPStatus(status if why is Refusal.SERVER_ERROR else 500), said)

    def check(self, draft: Draft) -> web.Response | None:
        """Without a connection it is an error of the server."""
        closed = self.session.link is not Link.OPEN
        return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "Error: Connection Closed") if closed else None

    def _other(self, request: web.Request) -> web.Response | None:
        name = request.match_info["instance"]
        if name == self.settings["instance"]:
            return None
        return _error(HTTPStatus.NOT_FOUND, f'The "{name}" instance does not exist')

    # -- sending

    async def _send_text(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request) or {}
        if not text_of(body, "text"):
            return _error(HTTPStatus.BAD_REQUEST, ['instance requires property "text"'])
        return await self._send(request, body, text_of(body, "text"), None)

    async def _send_media(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request) or {}
        media, image = text_of(body, "media"), None
        if not media or text_of(body, "mediatype") not in {"image", "document", "video"}:
            return _error(HTTPStatus.BAD_REQUEST, ['instance requires property "media" and "mediatype"'])
        if not media.startswith(("http://", "https://")):
            try:
                image = Image(
                    base64.b64decode(media, validate=True), text_of(body, "mimetype") or "image/png"
                )
            except binascii.Error:
                return _error(HTTPStatus.BAD_REQUEST, "Owned media must be a url or base64")
        return await self._send(request, body, text_of(body, "caption"), image)

    async def _send(
        self, request: web.Request, body: Mapping[str, object], text: str, image: Image | None
    ) -> web.StreamResponse:
        if (missing := self._other(request)) is not None:
            return missing
        number = text_of(body, "number").lstrip("+")
        if (number.isdigit() and len(number) >= GROUP_DIGITS) or _OLD_GROUP.fullmatch(number):
            number += "@g.us"
        try:
            chat = chat_of(number)
        except AddressError:
            return _error(HTTPStatus.BAD_REQUEST, {"jid": jid(number), "exists": False, "number": number})
        quoted = text_of(object_of(object_of(body, "quoted"), "key"), "id") or None
        return await self.send(request, Draft(chat, text, image=image, quoted_id=quoted), self._sent)

    def _sent(self, message: Message) -> web.Response:
        kind = "conversation" if message.image is None else "imageMessage"
        content: object = message.text if message.image is None else {"caption": message.text}
        return web.json_response(
            {
                "key": {"remoteJid": jid(message.chat), "fromMe": True, "id": message.id},
                "pushName": "",
                "status": "PENDING",
                "message": {kind: content},
                "contextInfo": None,
                "messageType": kind,
                "messageTimestamp": int(message.at_s),
                "instanceId": "6f63d2db-0000-4000-8000-000000000001",
                "source": "web",
            },
            status=HTTPStatus.CREATED,
        )

    async def _numbers(self, request: web.Request) -> web.Response:
        body = await json_body(request) or {}
        asked = body.get("numbers")
        found = []
        for number in asked if isinstance(asked, list) else []:
            absent = (
                number in self.world.phone.absent or self.faults.look("no_number", str(number)) is not None
            )
            found.append({"jid": jid(str(number)), "exists": not absent, "number": str(number)})
        return self._other(request) or web.json_response(found)

    # -- the instance

    @property
    def _word(self) -> str:
        return _STATES.get(self.session.link, "close")

    def _instance(self) -> dict[str, object]:
        return {"instance": {"instanceName": self.settings["instance"], "state": self._word}}

    async def _state(self, request: web.Request) -> web.Response:
        return self._other(request) or web.json_response(self._instance())

    async def _instances(self, request: web.Request) -> web.Response:
        name = request.query.get("instanceName", self.settings["instance"])
        if name != self.settings["instance"]:
            return _error(HTTPStatus.NOT_FOUND, f'The "{name}" instance does not exist')
        code = self.session.code
        found = {
            "id": "6f63d2db-0000-4000-8000-000000000001",
            "name": name,
            "connectionStatus": self._word,
            "ownerJid": jid(self.settings["number"]),
            "integration": "WHATSAPP-BAILEYS",
            "token": self.settings["token"],
            "disconnectionReasonCode": code,
            "disconnectionObject": None
            if code is None
            else f'{{"error":{{"output":{{"statusCode":{code}}}}}}}',
            "disconnectionAt": None if code is None else "2026-11-22T20:00:00.000Z",
        }
        return web.json_response([found])

    async def _connect(self, request: web.Request) -> web.Response:
        if (missing := self._other(request)) is not None:
            return missing
        if self.session.link is not Link.OPEN:
            self.session.restart()
        if self.faults.look("logged_out") is None:
            return web.json_response(self._instance())
        code = f"data:image/png;base64,{base64.b64encode(QR_PNG).decode()}"
        pairing = "ABCDEFGH" if "number" in request.query else None
        return web.json_response({"pairingCode": pairing, "code": "2@simulated", "base64": code, "count": 1})

    async def _restart(self, request: web.Request) -> web.Response:
        """From `close` it fails, but with status 200."""
        if (missing := self._other(request)) is not None:
            return missing
        if self._word == "close":
            self.session.restarts += 1
            return web.json_response({"error": True, "message": "Error: Connection Closed"})
        self.session.restart()
        return web.json_response(self._instance())

    async def _logout(self, request: web.Request) -> web.Response:
        if (missing := self._other(request)) is not None:
            return missing
        if self._word == "close":
            name = self.settings["instance"]
            return _error(HTTPStatus.BAD_REQUEST, [f'The "{name}" instance is not connected'])
        self.session.log_out()
        return web.json_response(
            {"status": "SUCCESS", "error": False, "response": {"message": "Instance logged out"}}
        )

    async def _set_webhook(self, request: web.Request) -> web.Response:
        if (missing := self._other(request)) is not None:
            return missing
        hook = object_of(await json_body(request) or {}, "webhook")
        self.settings["webhook"] = text_of(hook, "url") if hook.get("enabled") is True else ""
        for header, value in object_of(hook, "headers").items():
            self.settings["webhook_header"], self.settings["webhook_secret"] = header, str(value)
        shown = {
            "url": self.settings["webhook"],
            "enabled": bool(self.settings["webhook"]),
            "webhookByEvents": False,
        }
        return web.json_response(shown, status=HTTPStatus.CREATED)

    # -- webhooks

    def _told(self, link: Link) -> None:
        reason = {Link.OPEN: 200}.get(link, self.session.code)
        about = {"instance": self.settings["instance"], "state": self._word, "statusReason": reason}
        self.post(self._hook("connection.update", about))

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """messages.update"""
        about = {
            "keyId": message.id,
            "remoteJid": jid(message.chat),
            "fromMe": True,
            "status": _STATUS[state],
            "instanceId": "6f63d2db-0000-4000-8000-000000000001",
        }
        return self._hook("messages.update", about)

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """messages.upsert; what history sync brings comes as messages.set."""
        raw = raw_message(inbound)
        raw.pop("broadcast")
        message = object_of(raw, "message")
        data = {**raw, "messageType": next(iter(message)), "source": "android"}
        if inbound.history:
            return self._hook("messages.set", [data])
        return self._hook("messages.edited" if inbound.edited else "messages.upsert", data)

    def _hook(self, event: str, data: object) -> Hook:
        body = as_json(
            {
                "event": event,
                "instance": self.settings["instance"],
                "data": data,
                "destination": self.settings["webhook"],
                "date_time": "2026-11-22T20:00:00.000Z",
                "sender": jid(self.settings["number"]),
                "server_url": "http://127.0.0.1:8080",
                "apikey": self.settings["token"],
            }
        )
        headers = {"Content-Type": "application/json"}
        if self.settings["webhook_header"]:
            headers[self.settings["webhook_header"]] = self.secret("webhook_secret").decode()
        return Hook(self.settings["webhook"], body, headers)


def _error(status: HTTPStatus, message: object) -> web.Response:
    listed = message if isinstance(message, list) else [message]
    body = {"status": status.value, "error": status.phrase, "response": {"message": listed}}
    return web.json_response(body, status=status)
