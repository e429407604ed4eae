"""A bot as people write it themselves: JSON in and out; its own limiter answers 429 and sends all the same."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from aiohttp import web

from ..addresses import AddressError, chat_of
from ..faults import SESSION, Fault
from ..phone import Message, State
from ..session import Link, Session
from ..webhooks import Hook, Repeats
from ..world import Inbound, World
from .base import Draft, Provider, Refusal, as_json, json_body, text_of


class Generic(Provider):
    """``POST /generic/api/send`` with `to`, `message` and, if wanted, `id`: a repeat of an id is shown once."""

    name = "generic"
    about = "a self-written bot: /api/send {to, message, id}, /api/status, /api/restart-connection"
    own_faults: ClassVar[Mapping[str, Fault]] = {
        **SESSION,
        "queued": Fault("429 with `queued`: true, and the message goes out"),
    }
    defaults: ClassVar[Mapping[str, str]] = {"token": "generic-token"}
    repeats = Repeats(waits_s=(5.0, 10.0))

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(world, settings)
        self.session: Session = Session(
            self.faults,
            connect_s=world.timing.connect_s,
            monotonic=world.phone.monotonic,
            told=lambda _: None,
        )

    def routes(self) -> list[web.RouteDef]:
        """Three paths."""
        return [
            web.post("/api/send", self._send),
            web.get("/api/status", self._status),
            web.post("/api/restart-connection", self._restart),
        ]

    def authorised(self, request: web.Request) -> bool:
        """Bearer."""
        return request.headers.get("Authorization") == f"Bearer {self.settings['token']}"

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """`success` false, and the word for it."""
        number = {
            Refusal.WRONG_TOKEN: 401,
            Refusal.RATE_LIMITED: 429,
            Refusal.NO_NUMBER: 400,
            Refusal.TIMELOCK: 463,
            Refusal.SERVER_ERROR: status,
        }[why]
        return web.json_response({"success": False, "error": why.value}, status=number)

    def check(self, draft: Draft) -> web.Response | None:
        """Without a connection nothing is taken."""
        if self.session.link is Link.OPEN:
            return None
        body = {"success": False, "error": "WhatsApp is not connected", "state": self.session.link.value}
        return web.json_response(body, status=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request) or {}
        text = text_of(body, "message") or text_of(body, "text")
        try:
            chat = chat_of(text_of(body, "to"))
        except AddressError as error:
            return web.json_response({"success": False, "error": str(error)}, status=400)
        if not text:
            return web.json_response({"success": False, "error": "message is empty"}, status=400)
        own_id = text_of(body, "id") or None

        def answer(message: Message) -> web.Response:
            if self.faults.use("queued", chat) is not None:
                queued = {"success": False, "error": "rate limit", "queued": True, "queueId": message.id}
                return web.json_response(queued, status=429)
            return web.json_response({"success": True, "messageId": message.id})

        return await self.send(request, Draft(chat, text, id=own_id, client_id=own_id), answer)

    async def _status(self, _: web.Request) -> web.Response:
        is_open = self.session.link is Link.OPEN
        connection = {
            "isConnected": is_open,
            "sessionHealth": "healthy" if is_open else self.session.link.value,
        }
        return web.json_response({"success": True, "connection": connection})

    async def _restart(self, _: web.Request) -> web.Response:
        self.session.restart()
        return web.json_response({"success": True, "message": "may take up to 2 minutes"})

    # -- webhooks, as the simulated bot sends them

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """An acknowledgement."""
        return self._hook({"event": "ack", "id": message.id, "status": state.value, "to": message.chat})

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """A message."""
        return self._hook(inbound_as_json(inbound))

    def _hook(self, body: Mapping[str, object]) -> Hook:
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.secret('token').decode()}",
        }
        return Hook(self.settings["webhook"], as_json(body), headers)


def inbound_as_json(inbound: Inbound) -> dict[str, object]:
    """As the simulated bot gives it on."""
    return {
        "event": "message",
        "id": inbound.id,
        "from": inbound.sender,
        "chat": inbound.chat,
        "text": inbound.text,
        "timestamp": int(inbound.at_s),
        "quoted_id": inbound.quoted_id,
        "lid": inbound.lid,
        "name": inbound.name,
        "forwarded": inbound.forwarded,
        "edited": inbound.edited,
    }
