"""What takes any message at all: fallbacks (Apprise's json://, webhooks), and an SMS-like gateway."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from ..addresses import AddressError, chat_of
from ..phone import Message, State
from .base import Draft, Provider, Refusal, json_body, text_of

_TEXTS = ("message", "text", "body", "content", "msg")


class Sink(Provider):
    """``POST /sink/NAME`` with any body: the chat `NAME` of fallbacks. Without credentials."""

    name = "sink"
    hears = False
    tells = False
    about = "POST /sink/{name}: any body; Apprise: json://host:port/sink/{name}"
    left_out = frozenset(
        {"no_number", "webhooks_duplicate", "webhooks_reordered", "webhooks_silent", "webhooks_unsigned"}
    )

    def routes(self) -> list[web.RouteDef]:
        """Any name, one level."""
        return [web.post("/{name}", self._take), web.put("/{name}", self._take)]

    def authorised(self, request: web.Request) -> bool:
        """Everybody."""
        return True

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """The word for it."""
        wanted = {Refusal.WRONG_TOKEN: 401, Refusal.RATE_LIMITED: 429}.get(why, status)
        return web.json_response({"error": why.value}, status=wanted)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        draft = Draft(f"fallback:{request.match_info['name']}", _said(text), state=State.SERVER_ACK)
        return await self.send(request, draft, lambda message: web.json_response({"id": message.id}))


class Sms(Provider):
    """``POST /sms/send`` with `to` and `text`, as JSON or form; Basic credentials; 160 characters or 70 a part."""

    name = "sms"
    hears = False
    tells = False
    about = "POST /sms/send {to, text}"
    defaults: ClassVar[Mapping[str, str]] = {"user": "noc", "password": "sms-password"}

    def routes(self) -> list[web.RouteDef]:
        """One path."""
        return [web.post("/send", self._take)]

    def authorised(self, request: web.Request) -> bool:
        """HTTP Basic."""
        return request.headers.get("Authorization") == basic(self.settings["user"], self.settings["password"])

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """The word for it."""
        wanted = {Refusal.WRONG_TOKEN: 401, Refusal.RATE_LIMITED: 429, Refusal.NO_NUMBER: 400}.get(
            why, status
        )
        return web.json_response({"error": why.value}, status=wanted)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        body: Mapping[str, object] = dict(form) if form else await json_body(request) or {}
        try:
            chat = chat_of(text_of(body, "to"))
        except AddressError as error:
            return web.json_response({"error": str(error)}, status=400)
        text = text_of(body, "text")
        if not text:
            return web.json_response({"error": "text is empty"}, status=400)

        def answer(message: Message) -> web.Response:
            size = 160 if text.isascii() else 70
            return web.json_response({"id": message.id, "parts": -(-len(text) // size)}, status=202)

        return await self.send(request, Draft(chat, text, client_id=text_of(body, "id") or None), answer)


def basic(user: str, password: str) -> str:
    """The header's value for HTTP Basic."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _said(text: str) -> str:
    """What a person should read of any body: title and message where it has them, else all of it."""
    try:
        body = json.loads(text)
    except ValueError:
        return text
    if not isinstance(body, dict):
        return text
    message = next((body[key] for key in _TEXTS if isinstance(body.get(key), str)), "")
    title = body.get("title")
    return "\n".join(part for part in (title, message) if isinstance(part, str) and part) or text
