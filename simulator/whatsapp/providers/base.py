"""What the providers have in common: a guard, a send with faults around it, webhooks."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from aiohttp import web
from aiohttp.typedefs import Handler

from ..faults import GENERAL, HOOKS, LIFE, Fault, FaultBoard
from ..phone import Direction, Image, Message, State
from ..session import Session
from ..webhooks import Hook, Repeats
from ..world import Inbound, World

PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works</h1></body></html>"
BODY_LIMIT = 128 * 1024 * 1024


class Refusal(Enum):
    """Why a request is refused; each provider says it in its own way."""

    WRONG_TOKEN = "wrong_token"  # noqa: S105  a name of a fault
    RATE_LIMITED = "rate_limited"
    NO_NUMBER = "no_number"
    TIMELOCK = "timelock"
    SERVER_ERROR = "server_error"


class SettingsError(ValueError):
    """No such setting of a provider."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a request wants to be sent. `id` where the caller chose the message's own id."""

    chat: str
    text: str
    image: Image | None = None
    id: str | None = None
    client_id: str | None = None
    quoted_id: str | None = None
    template: str | None = None
    state: State = State.PENDING
    error: str | None = None


class Provider(ABC):
    """One provider. `settings` are its credentials and switches, all text."""

    name: ClassVar[str]
    about: ClassVar[str]
    own_faults: ClassVar[Mapping[str, Fault]] = {}
    left_out: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Mapping[str, str]] = {}
    repeats: ClassVar[Repeats] = Repeats()
    open_paths: ClassVar[tuple[str, ...]] = ()
    hears: ClassVar[bool] = True
    tells: ClassVar[bool] = True
    """Whether it has webhooks for whoever sends alerts."""

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        self.world = world
        known = {**GENERAL, **LIFE, **HOOKS, **self.own_faults}
        for name in self.left_out:
            del known[name]
        self.faults = FaultBoard(self.name, known, self.refresh)
        self.settings = {"webhook": "", **self.defaults}
        self.set(settings or {})
        self.session: Session | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.faults!r}>"

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings. Raises SettingsError."""
        for key, value in settings.items():
            if key not in self.settings:
                raise SettingsError(f"{self.name} has no setting {key!r}; known: {', '.join(self.settings)}")
            self.settings[key] = value

    def refresh(self) -> None:
        """The faults have changed."""
        self.world.phone.tell_change()
        if self.session is not None:
            self.session.refresh()

    def app(self) -> web.Application:
        """Its paths, to be mounted under a prefix or served alone."""
        app = web.Application(middlewares=[self._faulty, self._guarded], client_max_size=BODY_LIMIT)
        app.add_routes(self.routes())
        return app

    # -- what a provider says for itself

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Its paths, without a prefix."""

    @abstractmethod
    def authorised(self, request: web.Request) -> bool:
        """Whether the credentials are right."""

    @abstractmethod
    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """The provider's own words for it; `status` is for SERVER_ERROR alone."""

    def check(self, draft: Draft) -> web.Response | None:
        """The provider's own reasons not to send this."""
        return None

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """The webhook that tells of a message's state."""
        return None

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """The webhook that brings what a person wrote."""
        return None

    # -- webhooks

    def tell_state(self, message: Message, state: State) -> None:
        """A message of it has come further."""
        self.post(self.state_hook(message, state))

    def tell_inbound(self, inbound: Inbound, done: Callable[[bool], None]) -> bool:
        """Somebody wrote to it; False when it has no webhook."""
        return self.post(self.inbound_hook(inbound), done)

    def post(self, hook: Hook | None, done: Callable[[bool], None] | None = None) -> bool:
        """Send a webhook, if there is one and somewhere to send it."""
        if hook is None or not hook.url:
            return False
        self.world.courier.send(hook, self.faults, self.repeats, done)
        return True

    def secret(self, setting: str) -> bytes:
        """The key for a signature; a wrong one while that fault is on."""
        wrong = b"not it" if "webhooks_unsigned" in self.faults else b""
        return self.settings[setting].encode() + wrong

    # -- a send

    async def send(
        self, request: web.Request, draft: Draft, answer: Callable[[Message], web.Response]
    ) -> web.StreamResponse:
        """Refuse, or show the message on the phone and answer; with the faults that are on around it."""
        draft = self._doomed(draft)
        refused = self._refused(draft)
        self.world.phone.arrived(self.name, draft.chat, taken=refused is None)
        if refused is not None:
            return refused
        for name in ("hang", "reset", "malformed", "html"):
            numbers = self.faults.use(name, draft.chat)
            if numbers is not None:
                if numbers["delivered"]:
                    self.take(draft)
                return await self._spoilt(name, request, numbers)
        message = self.take(draft)
        if (numbers := self.faults.use("error_after_delivery", draft.chat)) is not None:
            return self.refusal(Refusal.SERVER_ERROR, draft, int(numbers["status"]))
        return answer(message)

    def take(self, draft: Draft) -> Message:
        """Show it on the phone; one with an id that is there is not shown again."""
        phone = self.world.phone
        message_id = draft.id or self.world.new_id()
        shown = phone.find(draft.chat, message_id)
        if shown is not None:
            return shown
        now_s = phone.wall()
        message = phone.add(
            Message(
                message_id,
                draft.chat,
                draft.text,
                self.name,
                Direction.OUT,
                now_s,
                phone.monotonic(),
                client_id=draft.client_id,
                quoted_id=draft.quoted_id,
                template=draft.template,
                image=draft.image,
                states={draft.state: now_s},
            )
        )
        self.world.start(self, message, error=draft.error)
        return message

    def _doomed(self, draft: Draft) -> Draft:
        """What WhatsApp refuses only after the gateway has taken it."""
        numbers = self.faults.look("timelock", draft.chat)
        if numbers is None or not numbers["later"]:
            return draft
        self.faults.use("timelock", draft.chat)
        return replace(draft, error="463")

    def _refused(self, draft: Draft) -> web.Response | None:
        chat = draft.chat
        if (numbers := self.faults.use("rate_limited", chat)) is not None:
            response = self.refusal(Refusal.RATE_LIMITED, draft, 429)
            if numbers["retry_after"]:
                response.headers["Retry-After"] = f"{numbers['retry_after']:g}"
            return response
        if (numbers := self.faults.use("error_before_delivery", chat)) is not None:
            return self.refusal(Refusal.SERVER_ERROR, draft, int(numbers["status"]))
        if (
            draft.error is None
            and "timelock" in self.faults
            and self.faults.use("timelock", chat) is not None
        ):
            return self.refusal(Refusal.TIMELOCK, draft, 463)
        if (own := self.check(draft)) is not None:
            return own
        if self.faults.use("no_number", chat) is not None or chat in self.world.phone.absent:
            return self.refusal(Refusal.NO_NUMBER, draft, 400)
        return None

    async def _spoilt(
        self, name: str, request: web.Request, numbers: Mapping[str, float]
    ) -> web.StreamResponse:
        if name == "malformed":
            return web.Response(text='{"messages":[{"id":"wam', content_type="application/json")
        if name == "html":
            return web.Response(text=PAGE, content_type="text/html")
        if name == "hang":
            try:
                async with asyncio.timeout(numbers["seconds"]):
                    await self.world.closing.wait()
            except TimeoutError:
                return web.Response(status=504, text="Gateway Timeout")
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    # -- before the handlers

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if (numbers := self.faults.use("unavailable")) is not None:
            headers = {"Retry-After": f"{numbers['retry_after']:g}"} if numbers["retry_after"] else {}
            return web.Response(status=int(numbers["status"]), text="unavailable", headers=headers)
        if (numbers := self.faults.use("slow")) is not None:
            await asyncio.sleep(numbers["seconds"])
        return await handler(request)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.endswith(self.open_paths or ("\0",)) and (
            "wrong_token" in self.faults or not self.authorised(request)
        ):
            return self.refusal(Refusal.WRONG_TOKEN, None, 401)
        return await handler(request)


def as_json(body: object) -> bytes:
    """A webhook's body; what is not ASCII is escaped, as Meta does it."""
    return json.dumps(body, separators=(",", ":")).encode()


async def json_body(request: web.Request) -> dict[str, object] | None:
    """The object in the body; None when there is none."""
    try:
        body = json.loads(await request.text())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def text_of(body: Mapping[str, object], key: str) -> str:
    """A text in a body; empty when it is not there or no text."""
    value = body.get(key)
    return value if isinstance(value, str) else ""


def object_of(body: Mapping[str, object], key: str) -> dict[str, object]:
    """An object in a body; empty when it is not there or no object."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}
