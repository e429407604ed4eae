"""The bot over HTTP: its contract, and under ``/control`` what is done to it from outside."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from .faults import FAULTS, BotFaultError
from .news import Reporter
from .state import RECEIPTS, SimulatedBot

TICK_S = 0.05
INBOUND_KEYS = ("id", "from", "chat", "text", "timestamp", "quoted_id", "lid", "name", "forwarded", "edited")
PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works</h1></body></html>"


class BotServer:
    """The application; `restart` is called when the process shall end so that its supervisor starts it again."""

    def __init__(
        self,
        bot: SimulatedBot,
        *,
        token: str = "",
        restart: Callable[[], None],
        reporter: Reporter | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.bot = bot
        self._token = token
        self._restart = restart
        self._reporter = reporter or Reporter()
        self._wall_clock = wall_clock
        self._inbound_count = 0

    def __repr__(self) -> str:
        return f"<BotServer {self.bot!r}>"

    def app(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application(middlewares=[_told, self._now, self._guard, self._faulty])
        app.add_routes(
            [
                web.get("/health", self._health),
                web.post("/send", self._send),
                web.post("/send-image", self._send_image),
                web.get("/messages", self._log),
                web.get("/messages/{id}", self._message),
                web.post("/reconnect", self._reconnect),
                web.post("/restart", self._end),
                web.get("/qr", self._qr),
                web.post("/logout", self._logout),
                web.get("/queue", self._queue),
                web.post("/queue/clear", self._clear_queue),
                web.get("/control/faults", self._faults),
                web.post("/control/faults", self._set_fault),
                web.delete("/control/faults", self._clear_fault),
                web.post("/control/scan", self._scan),
                web.post("/control/inbound", self._inbound),
                web.post("/control/receipt", self._receipt),
            ]
        )
        app.cleanup_ctx.append(self._ticking)
        return app

    async def _ticking(self, _: web.Application) -> AsyncIterator[None]:
        async def tick() -> None:
            while True:
                self.bot.advance(self._wall_clock())
                while self.bot.news:
                    self._reporter.tell(self.bot.news.popleft())
                await asyncio.sleep(TICK_S)

        await self._reporter.open()
        task = asyncio.create_task(tick())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await self._reporter.close()

    # -- before the handlers

    @web.middleware
    async def _now(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What a request finds is how things are now, not as of the last tick."""
        self.bot.advance(self._wall_clock())
        return await handler(request)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """With a token, everything but the control asks for it."""
        wanted = f"Bearer {self._token}"
        if self._token and not _is_control(request) and request.headers.get("Authorization") != wanted:
            raise _problem("the token is missing or wrong", web.HTTPUnauthorized)
        return await handler(request)

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers as the faults that are on want it; the control always answers."""
        faults = self.bot.faults
        if _is_control(request):
            return await handler(request)
        while "frozen" in faults:  # noqa: ASYNC110  clearing the fault is not an event
            await asyncio.sleep(TICK_S)
        if "slow" in faults:
            await asyncio.sleep(faults.parameter("slow", "seconds"))
        if (answer := self._wrong_answer()) is not None:
            return answer
        response = await handler(request)
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            if "half_body" in faults:
                return await _half(request, response.body)
            if "drip" in faults:
                return await _drip(request, response.body, faults.parameter("drip", "seconds"))
            if "huge_body" in faults:
                return await _huge(request, int(faults.parameter("huge_body", "megabytes")))
        return response

    def _wrong_answer(self) -> web.Response | None:
        faults = self.bot.faults
        if "wrong_json" in faults:
            return web.json_response({"hello": ["world"], "health": None})
        if "broken_json" in faults:
            return web.Response(text='{"status": "ok", "connection": open', content_type="application/json")
        if "html" in faults:
            return web.Response(text=PAGE, content_type="text/html")
        if "status_500" in faults:
            return web.json_response({"error": "boom"}, status=HTTPStatus.INTERNAL_SERVER_ERROR)
        if "redirect" in faults:
            return web.Response(status=HTTPStatus.FOUND, headers={"Location": "/control/faults"})
        return None

    # -- the contract

    async def _health(self, _: web.Request) -> web.Response:
        status = HTTPStatus.OK if self.bot.can_send else HTTPStatus.SERVICE_UNAVAILABLE
        return web.json_response(self.bot.health(), status=status)

    async def _send(self, request: web.Request) -> web.Response:
        return await self._take(await _body(request), "text", None)

    async def _send_image(self, request: web.Request) -> web.Response:
        body = await _body(request)
        image = body.get("image")
        try:
            base64.b64decode(str(image), validate=True)
        except binascii.Error as error:
            raise _problem("image is base64") from error
        if not isinstance(image, str) or not image:
            raise _problem("wanted: to, caption, image and, if you like, id, each a text")
        return await self._take(body, "caption", image)

    async def _take(self, body: dict[str, object], text_key: str, image: str | None) -> web.Response:
        to, text, message_id = body.get("to"), body.get(text_key), body.get("id")
        if not (isinstance(to, str) and to and isinstance(text, str) and isinstance(message_id, str | None)):
            raise _problem(f"wanted: to, {text_key} and, if you like, id, each a text")
        if not self.bot.can_send:
            raise _problem(f"the session is {self.bot.state.value}", web.HTTPServiceUnavailable)
        while "send_hangs" in self.bot.faults and not self.bot.faults.parameter("send_hangs", "delivered"):  # noqa: ASYNC110
            await asyncio.sleep(TICK_S)
        message = self.bot.send(to, text, message_id, image=image)
        while "send_hangs" in self.bot.faults:  # noqa: ASYNC110  clearing the fault is not an event
            await asyncio.sleep(TICK_S)
        if "queued" in self.bot.faults:
            queued = {"error": "rate limit", "queued": True, "queueId": message.id}
            return web.json_response(queued, status=HTTPStatus.TOO_MANY_REQUESTS)
        return web.json_response({"id": message.id, "queued": True}, status=HTTPStatus.ACCEPTED)

    async def _message(self, request: web.Request) -> web.Response:
        message = self.bot.messages.get(request.match_info["id"])
        if message is None:
            raise _problem("no such message", web.HTTPNotFound)
        return web.json_response({"id": message.id, "status": message.status})

    async def _log(self, _: web.Request) -> web.Response:
        return web.json_response(list(self.bot.log))

    async def _reconnect(self, _: web.Request) -> web.Response:
        return web.json_response({"reconnecting": self.bot.reconnect()}, status=HTTPStatus.ACCEPTED)

    async def _end(self, _: web.Request) -> web.Response:
        asyncio.get_running_loop().call_later(TICK_S, self._restart)
        return web.json_response({"restarting": True}, status=HTTPStatus.ACCEPTED)

    async def _qr(self, _: web.Request) -> web.Response:
        if not self.bot.show_qr():
            raise _problem("there is nothing to pair", web.HTTPConflict)
        return web.json_response({"qr": "2@simulated"})

    async def _logout(self, _: web.Request) -> web.Response:
        self.bot.logout()
        return web.json_response({"state": self.bot.state.value})

    async def _queue(self, request: web.Request) -> web.Response:
        state = self.bot.queue_state()
        if request.query.get("full") == "1":
            offset, limit = (
                request.query.get(name, default) for name, default in (("offset", "0"), ("limit", "1000"))
            )
            if not (offset.isdecimal() and limit.isdecimal()):
                raise _problem("offset and limit are whole numbers")
            state["messages"] = self.bot.queued(int(offset), int(limit))
        return web.json_response(state)

    async def _clear_queue(self, request: web.Request) -> web.Response:
        body = await _body(request)
        older_than_s, ids = body.get("older_than_s", 0), body.get("ids")
        if isinstance(older_than_s, bool) or not isinstance(older_than_s, int | float):
            raise _problem("older_than_s is a number")
        if ids is not None and not isinstance(ids, list):
            raise _problem("ids is a list")
        return web.json_response({"removed": self.bot.clear_queue(older_than_s, ids)})

    # -- the control

    async def _faults(self, _: web.Request) -> web.Response:
        known = {
            name: {"description": fault.description, "parameters": dict(fault.parameters)}
            for name, fault in FAULTS.items()
        }
        return web.json_response({"active": self.bot.faults.active, "known": known})

    async def _set_fault(self, request: web.Request) -> web.Response:
        body = await _body(request)
        name = body.pop("fault", None)
        if not isinstance(name, str):
            raise _problem('wanted: {"fault": NAME, PARAMETER: NUMBER}')
        self.bot.faults.set(name, **body)
        self.bot.advance(self._wall_clock())
        return web.json_response(self.bot.faults.active)

    async def _clear_fault(self, request: web.Request) -> web.Response:
        self.bot.mend(request.query.get("fault"))
        return web.json_response(self.bot.faults.active)

    async def _scan(self, _: web.Request) -> web.Response:
        return web.json_response({"scanned": self.bot.scan()})

    async def _inbound(self, request: web.Request) -> web.Response:
        body = await _body(request)
        self._inbound_count += 1
        given = {key: body[key] for key in INBOUND_KEYS if body.get(key) is not None}
        heard = self.bot.hear(
            {
                "id": f"IN{self._inbound_count:08d}",
                "from": "6281300000002",
                "text": "ping",
                "timestamp": int(self._wall_clock()),
                "quoted_id": None,
                **given,
            }
        )
        status = HTTPStatus.OK if heard else HTTPStatus.SERVICE_UNAVAILABLE
        return web.json_response({"received": self.bot.counts.received}, status=status)

    async def _receipt(self, request: web.Request) -> web.Response:
        body = await _body(request)
        message_id, status = body.get("id"), body.get("status")
        if not isinstance(message_id, str) or status not in RECEIPTS:
            raise _problem(f"wanted: id and status, one of {', '.join(RECEIPTS)}")
        return web.json_response({"changed": self.bot.receipt(message_id, str(status))})


def _is_control(request: web.Request) -> bool:
    return request.path.startswith("/control/")


def _problem(message: str, kind: type[web.HTTPException] = web.HTTPBadRequest) -> web.HTTPException:
    return kind(text=json.dumps({"error": message}), content_type="application/json")


@web.middleware
async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A wrong fault is a 400 that names what there is."""
    try:
        return await handler(request)
    except BotFaultError as error:
        raise _problem(str(error)) from error


async def _body(request: web.Request) -> dict[str, object]:
    if not request.can_read_body:
        return {}
    try:
        body = await request.json()
    except ValueError as error:
        raise _problem("the body is not JSON") from error
    if not isinstance(body, dict):
        raise _problem("the body is not an object")
    return body


async def _begin(request: web.Request, length: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = length
    await response.prepare(request)
    return response


async def _half(request: web.Request, body: bytes) -> web.StreamResponse:
    response = await _begin(request, len(body))
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _drip(request: web.Request, body: bytes, pause_s: float) -> web.StreamResponse:
    response = await _begin(request, len(body))
    with suppress(ConnectionError):
        for byte in body:
            await response.write(bytes([byte]))
            await asyncio.sleep(pause_s)
    return response


async def _huge(request: web.Request, megabytes: int) -> web.StreamResponse:
    """Without a length, so that only who counts while reading finds out."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    piece = b"1," * (512 * 1024)
    with suppress(ConnectionError):
        await response.write(b"[")
        for _ in range(megabytes):
            await response.write(piece)
        await response.write(b"1]")
    return response
