"""The phone over HTTP, under ``/phone``: what is on it, what people write, who is online, events for the page."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from http import HTTPStatus

import aiohttp
from aiohttp import web

from .addresses import AddressError, chat_of, is_group
from .control import object_in, problem
from .phone import Direction, Image, Message, State
from .world import Inbound, World

KEEP_ALIVE_S = 15.0
BUTTON_TIMEOUT = aiohttp.ClientTimeout(total=30)
PERSON = "6281300000002"
_SAFE_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})


class PhoneApi:
    """`default_via` is the provider of a chat in which nobody has written yet."""

    def __init__(self, world: World, *, default_via: str = "cloud") -> None:
        self._world = world
        self._phone = world.phone
        self._default_via = default_via
        self._panel: list[dict[str, object]] = []

    def routes(self) -> list[web.RouteDef]:
        """All under /phone."""
        return [
            web.get("/phone/messages", self._messages),
            web.post("/phone/messages", self._show),
            web.delete("/phone/messages", self._clear),
            web.get("/phone/arrivals", self._arrivals),
            web.get("/phone/images/{seq:\\d+}", self._image),
            web.post("/phone/inbound", self._inbound),
            web.post("/phone/read", self._read),
            web.get("/phone/people", self._people),
            web.put("/phone/people/{number}", self._person),
            web.get("/phone/events", self._events),
            web.get("/phone/panel", self._get_panel),
            web.put("/phone/panel", self._put_panel),
            web.post("/phone/panel/{index:\\d+}", self._press),
        ]

    # -- messages

    async def _messages(self, request: web.Request) -> web.Response:
        """`since` is a message's `seq` or a Unix time; `to`, `via` and `direction` narrow it down."""
        since = _number(request.query.get("since", "0"))
        wanted = {key: request.query[key] for key in ("to", "via", "direction") if key in request.query}
        found = []
        for message in self._phone.messages.values():
            if (message.seq if since < 1e9 else message.at_s) <= since:
                continue
            shown = message.as_json()
            if all(shown[key] == value for key, value in wanted.items()):
                found.append(shown)
        return web.json_response(found)

    async def _show(self, request: web.Request) -> web.Response:
        """A message or its state from a process of its own, such as the simulated bot."""
        body = await object_in(request)
        try:
            chat = chat_of(str(body.get("to", "")))
            state = State(body.get("state", State.PENDING.value))
            image = _picture(body.get("image"))
        except (AddressError, ValueError) as error:
            raise problem(str(error)) from error
        via, text = body.get("via"), body.get("text")
        if not isinstance(via, str) or not via or not isinstance(text, str):
            raise problem("wanted: to, text, via and, if you like, id, state, image, client_id, quoted_id")
        now_s = self._phone.wall()
        message_id = _text(body, "id") or self._world.new_id()
        before = self._phone.find(chat, message_id)
        message = self._phone.add(
            Message(
                message_id,
                chat,
                text,
                via,
                Direction.OUT,
                now_s,
                self._phone.monotonic(),
                client_id=_text(body, "client_id"),
                quoted_id=_text(body, "quoted_id"),
                image=image,
                states={State.PENDING: now_s},
            )
        )
        self._world.move(message, state, _text(body, "error"))
        gateway = self._world.gateways.get(via)
        if gateway is not None and not before:
            self._world.start(gateway, message)
        return web.json_response(message.as_json(), status=HTTPStatus.CREATED)

    async def _clear(self, _: web.Request) -> web.Response:
        self._phone.clear()
        return web.json_response([])

    async def _arrivals(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {"via": one.via, "to": one.chat, "monotonic_s": one.monotonic_s, "taken": one.taken}
                for one in self._phone.arrivals
            ]
        )

    async def _image(self, request: web.Request) -> web.Response:
        message = self._phone.messages.get(int(request.match_info["seq"]))
        if message is None or message.image is None:
            raise problem("no such image", web.HTTPNotFound)
        known = message.image.mimetype in _SAFE_IMAGES
        kind = message.image.mimetype if known else "application/octet-stream"
        return web.Response(body=message.image.data, content_type=kind)

    # -- people

    async def _inbound(self, request: web.Request) -> web.Response:
        body = await object_in(request)
        try:
            sender = chat_of(_text(body, "from") or PERSON)
            chat = chat_of(_text(body, "chat") or sender)
        except AddressError as error:
            raise problem(str(error)) from error
        if is_group(sender) or not (is_group(chat) or chat == sender):
            raise problem("a person writes to the bot or in a group")
        via = _text(body, "via") or self._last_via(chat)
        if via not in self._world.gateways or not self._world.gateways[via].hears:
            raise problem(f"there is no provider {via!r}; known: {', '.join(self._world.gateways)}")
        quoted_id = _text(body, "quoted_id")
        quoted = self._phone.find(chat, quoted_id) if quoted_id else None
        at_s = body.get("timestamp", self._phone.wall())
        if isinstance(at_s, bool) or not isinstance(at_s, int | float):
            raise problem("timestamp is Unix seconds")
        inbound = Inbound(
            chat,
            sender,
            _text(body, "text") or "",
            _text(body, "id") or self._world.new_id(),
            at_s,
            name=_text(body, "name") or self._phone.names.get(sender, ""),
            quoted_id=quoted_id,
            quoted_text=quoted.text if quoted is not None else "",
            lid=_text(body, "lid"),
            forwarded=body.get("forwarded") is True,
            edited=body.get("edited") is True,
            history=body.get("history") is True,
        )
        message = self._world.write(via, inbound)
        return web.json_response(message.as_json(), status=HTTPStatus.CREATED)

    def _last_via(self, chat: str) -> str:
        for message in reversed(self._phone.messages.values()):
            gateway = self._world.gateways.get(message.via)
            if message.chat == chat and gateway is not None and gateway.hears:
                return message.via
        return self._default_via

    async def _read(self, request: web.Request) -> web.Response:
        body = await object_in(request)
        return web.json_response({"read": self._world.read(str(body.get("chat", "")))})

    async def _people(self, _: web.Request) -> web.Response:
        phone = self._phone
        known = {*phone.names, *phone.offline, *phone.absent}
        return web.json_response([{"number": number, **self._about(number)} for number in sorted(known)])

    def _about(self, number: str) -> dict[str, object]:
        phone = self._phone
        return {
            "name": phone.names.get(number, ""),
            "online": number not in phone.offline,
            "on_whatsapp": number not in phone.absent,
        }

    async def _person(self, request: web.Request) -> web.Response:
        body = await object_in(request)
        number = request.match_info["number"]
        name = _text(body, "name")
        if name is not None:
            self._phone.names[number] = name
        online, on_whatsapp = body.get("online"), body.get("on_whatsapp")
        if not isinstance(online, bool | None) or not isinstance(on_whatsapp, bool | None):
            raise problem("online and on_whatsapp are true or false")
        self._phone.set_person(number, online=online, on_whatsapp=on_whatsapp)
        return web.json_response(self._about(number))

    # -- the page

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        with self._phone.watched() as queue:
            await response.write(b": welcome\n\n")
            while not self._world.closing.is_set():
                try:
                    events = [await asyncio.wait_for(queue.get(), KEEP_ALIVE_S)]
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                while not queue.empty():
                    events.append(queue.get_nowait())
                await response.write("".join(f"data: {json.dumps(event)}\n\n" for event in events).encode())
        return response

    async def _get_panel(self, _: web.Request) -> web.Response:
        return web.json_response(self._panel)

    async def _put_panel(self, request: web.Request) -> web.Response:
        """[{label, method, url, body}]: buttons beside the phone."""
        try:
            panel = json.loads(await request.text())
        except ValueError as error:
            raise problem("the body is not JSON") from error
        if not isinstance(panel, list) or not all(_is_button(button) for button in panel):
            raise problem("wanted: [{label, method, url, body}]")
        self._panel = panel
        self._phone.tell_panel(panel)
        return web.json_response(panel)

    async def _press(self, request: web.Request) -> web.Response:
        """Asks what a button of the panel asks, so that the page asks nobody but this server."""
        index = int(request.match_info["index"])
        if index >= len(self._panel):
            raise problem("no such button", web.HTTPNotFound)
        button = self._panel[index]
        try:
            async with (
                aiohttp.ClientSession(timeout=BUTTON_TIMEOUT) as client,
                client.request(
                    str(button.get("method", "POST")), str(button["url"]), json=button.get("body")
                ) as answer,
            ):
                text = await answer.text(errors="replace")
                return web.json_response({"status": answer.status, "text": text[:2000]})
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return web.json_response({"status": 0, "text": type(error).__name__})


def _is_button(button: object) -> bool:
    return (
        isinstance(button, dict)
        and isinstance(button.get("label"), str)
        and isinstance(button.get("url"), str)
        and button["url"].startswith(("http://", "https://"))
        and button.get("method", "POST") in _METHODS
    )


def _text(body: dict[str, object], key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) and value else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise problem("since is a number") from error


def _picture(value: object) -> Image | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return Image(base64.b64decode(value, validate=True), "image/png")
    except binascii.Error as error:
        raise ValueError("image is not base64") from error
