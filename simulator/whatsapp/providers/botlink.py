"""The simulated bot, which is a process of its own: its messages show on the phone, what people write goes to it."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from ..phone import Message, State
from ..webhooks import Hook, Repeats
from ..world import Inbound
from .base import Draft, Provider, Refusal, as_json
from .generic import inbound_as_json


class BotLink(Provider):
    """Started with ``--phone``, the bot enters its own address as `webhook`. What is sent is sent to the bot."""

    name = "bot"
    about = "the simulated bot (tikwatch-simulator-bot --phone URL); it is spoken to at its own address"
    tells = False
    repeats = Repeats(waits_s=(1.0, 2.0, 5.0, 10.0))

    def routes(self) -> list[web.RouteDef]:
        """None: it has an address of its own."""
        return []

    def authorised(self, request: web.Request) -> bool:
        """There is nothing to ask for."""
        return True

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """There is nothing to ask for."""
        return web.Response(status=status)

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """What became of a message, as its phone tells WhatsApp."""
        told = state in (State.DELIVERED, State.READ, State.FAILED)
        return self._hook("receipt", {"id": message.id, "status": state.value}) if told else None

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """A message, as the bot gives it on."""
        return self._hook("inbound", inbound_as_json(inbound))

    def _hook(self, path: str, body: Mapping[str, object]) -> Hook | None:
        if not self.settings["webhook"]:
            return None
        url = f"{self.settings['webhook'].rstrip('/')}/control/{path}"
        return Hook(url, as_json(body), {"Content-Type": "application/json"})
