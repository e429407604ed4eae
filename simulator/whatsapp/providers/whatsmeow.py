"""What the gateways on whatsmeow share: a send's answer is the server's acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from ..faults import SESSION, Fault
from ..phone import Message
from ..session import Session
from ..world import World
from .base import Draft, Provider

LATE_WORDS = frozenset({"late_ack"})
FAULTS: Mapping[str, Fault] = {
    **SESSION,
    "timelock": Fault("WhatsApp's error 463: no new chats from this account", {"later": 0}),
    "no_ack": Fault(
        "half-dead: says it is connected, a send gets no acknowledgement and times out after `seconds`",
        {"seconds": 30, "curable": 1},
    ),
}


class Whatsmeow(Provider):
    """A gateway whose answer waits for the server."""

    own_faults = FAULTS
    left_out = LATE_WORDS

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(world, settings)
        self.session: Session = Session(
            self.faults,
            connect_s=world.timing.connect_s,
            monotonic=world.phone.monotonic,
            told=lambda _: None,
        )

    def timed_out(self) -> web.Response:
        """The provider's word for a send that got no acknowledgement."""
        raise NotImplementedError

    async def send(
        self, request: web.Request, draft: Draft, answer: Callable[[Message], web.Response]
    ) -> web.StreamResponse:
        """As every provider, but half-dead it lets the caller wait."""
        if (numbers := self.faults.use("no_ack", draft.chat)) is None:
            return await super().send(request, draft, answer)
        self.world.phone.arrived(self.name, draft.chat, taken=False)
        await asyncio.sleep(numbers["seconds"])
        return self.timed_out()
