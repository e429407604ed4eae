"""HTTP control of a running network: see routers, switch faults, reboot, read what was received."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from .device import Device
from .faults import FAULTS, FaultError

if TYPE_CHECKING:
    from .network import Network


class Control:
    """A small HTTP server beside the routers; every answer is JSON."""

    def __init__(self, network: Network, host: str, port: int) -> None:
        self._network = network
        self._host = host
        self.port = port
        self._runner: web.AppRunner | None = None

    def __repr__(self) -> str:
        return f"<Control {self.url}>"

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{self._host}:{self.port}"

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application(middlewares=[_told])
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/routers", self._routers),
                web.get("/faults", self._kinds),
                web.get("/routers/{name}/faults", self._faults),
                web.put("/routers/{name}/faults", self._replace),
                web.post("/routers/{name}/faults", self._add),
                web.delete("/routers/{name}/faults", self._clear),
                web.post("/routers/{name}/reboot", self._reboot),
                web.get("/routers/{name}/log", self._log),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        if self.port == 0:
            self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _device(self, request: web.Request) -> Device:
        name = request.match_info["name"]
        device = self._network.devices.get(name)
        if device is None:
            raise _bad(f"unknown router {name!r}", list(self._network.devices), web.HTTPNotFound)
        return device

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "routers": len(self._network)})

    async def _routers(self, _: web.Request) -> web.Response:
        return web.json_response([describe(device) for device in self._network])

    async def _kinds(self, _: web.Request) -> web.Response:
        return web.json_response(fault_table())

    async def _faults(self, request: web.Request) -> web.Response:
        return web.json_response(self._device(request).faults.active)

    async def _replace(self, request: web.Request) -> web.Response:
        device, faults = self._device(request), await _faults_of(request)
        device.faults.clear()
        return _set(device, faults)

    async def _add(self, request: web.Request) -> web.Response:
        return _set(self._device(request), await _faults_of(request))

    async def _clear(self, request: web.Request) -> web.Response:
        device, name = self._device(request), request.query.get("fault")
        if name is not None and name not in FAULTS:
            raise _bad(f"unknown fault {name!r}", list(FAULTS))
        device.faults.clear(name)
        return web.json_response(device.faults.active)

    async def _reboot(self, request: web.Request) -> web.Response:
        device, text = self._device(request), request.query.get("down_s", "1")
        try:
            down_s = float(text)
        except ValueError as error:
            raise _bad(f"down_s: {text!r} is not a number", ["seconds, such as 1.5"]) from error
        if not 0 <= down_s <= 3600:
            raise _bad("down_s: out of range", ["0 to 3600"])
        device.reboot(down_s)
        return web.json_response({"name": device.name, "down_s": down_s})

    async def _log(self, request: web.Request) -> web.Response:
        device, text = self._device(request), request.query.get("limit", "200")
        if not text.isdigit():
            raise _bad(f"limit: {text!r} is not a number", ["0 and more"])
        entries = list(device.log)[-int(text) :] if int(text) else []
        return web.json_response([entry._asdict() for entry in entries])


def describe(device: Device) -> dict[str, object]:
    """What there is to know of a router, without its password."""
    spec = device.spec
    return {
        "name": spec.name,
        "profile": spec.profile,
        "version": spec.version,
        "address": spec.host,
        "port": device.port,
        "tls": spec.tls is not None,
        "username": spec.username,
        "listening": device.listening,
        "connections": device.connections_open,
        "connections_total": device.connections_total,
        "commands_total": device.commands_total,
        "faults": device.faults.active,
    }


def fault_table() -> dict[str, object]:
    """Every fault with its description and parameters."""
    return {
        name: {
            "description": kind.description,
            "parameters": {
                key: {"default": parameter.default, "description": parameter.description}
                for key, parameter in kind.parameters.items()
            },
        }
        for name, kind in FAULTS.items()
    }


def _bad(
    message: str, allowed: list[str], kind: type[web.HTTPException] = web.HTTPBadRequest
) -> web.HTTPException:
    body = json.dumps({"error": message, "allowed": allowed})
    return kind(text=body, content_type="application/json")


@web.middleware
async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A wrong fault is a 400 that names what is allowed."""
    try:
        return await handler(request)
    except FaultError as error:
        raise _bad(str(error), list(FAULTS)) from error


async def _faults_of(request: web.Request) -> dict[str, dict[str, str | float]]:
    """The body: `{"fault": NAME, PARAMETER: VALUE}` or `{NAME: {PARAMETER: VALUE}}` for several."""
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise _bad("the body is not JSON", ['{"fault": "hang"}', '{"slow_menu": {"seconds": 2}}']) from error
    if not isinstance(body, dict):
        raise _bad("the body is not an object", ['{"fault": "hang"}'])
    faults = dict(body)
    if "fault" in body:
        name = str(faults.pop("fault"))
        faults = {name: faults}
    for name, settings in faults.items():
        if not isinstance(settings, dict):
            raise _bad(f"{name}: parameters must be an object", ['{"hang": {}}'])
    return faults


def _set(device: Device, faults: dict[str, dict[str, str | float]]) -> web.Response:
    for name, settings in faults.items():
        device.faults.set(name, **settings)
    return web.json_response(device.faults.active)
