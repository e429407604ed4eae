"""What is done to the simulator from outside, under ``/control``; it always answers."""

from __future__ import annotations

import json
from http import HTTPStatus

from aiohttp import web

from .faults import COMMON, FaultBoard, FaultError
from .providers import Cloud, Provider, SettingsError
from .world import World


class Control:
    """Faults, settings, webhooks and sessions."""

    def __init__(self, world: World, providers: dict[str, Provider]) -> None:
        self._world = world
        self._providers = providers

    def routes(self) -> list[web.RouteDef]:
        """All under /control."""
        return [
            web.get("/control/faults", self._faults),
            web.post("/control/faults", self._set_fault),
            web.delete("/control/faults", self._clear_faults),
            web.get("/control/settings", self._settings),
            web.put("/control/settings/{provider}", self._set),
            web.get("/control/webhooks", self._webhooks),
            web.post("/control/webhooks/verify", self._verify),
            web.get("/control/sessions", self._sessions),
            web.post("/control/scan", self._scan),
        ]

    def _provider(self, name: object) -> Provider:
        if not isinstance(name, str) or name not in self._providers:
            raise problem(f"there is no provider {name!r}; known: {', '.join(self._providers)}")
        return self._providers[name]

    def _boards(self, name: str | None) -> list[FaultBoard]:
        chosen = self._providers.values() if name in (None, "*") else [self._provider(name)]
        return [provider.faults for provider in chosen]

    def _active(self) -> dict[str, object]:
        return {name: one.faults.active for name, one in self._providers.items() if one.faults.active}

    async def _faults(self, _: web.Request) -> web.Response:
        known = {
            name: {
                fault: {"description": about.description, "parameters": {**about.parameters, **COMMON}}
                for fault, about in provider.faults.known.items()
            }
            for name, provider in self._providers.items()
        }
        return web.json_response({"active": self._active(), "known": known})

    async def _set_fault(self, request: web.Request) -> web.Response:
        body = await object_in(request)
        name, fault = body.pop("provider", None), body.pop("fault", None)
        if not isinstance(name, str) or not isinstance(fault, str):
            raise problem('wanted: {"provider": NAME or "*", "fault": NAME, PARAMETER: NUMBER}')
        boards = [board for board in self._boards(name) if name != "*" or fault in board.known]
        if not boards:
            raise problem(f"no provider has a fault {fault!r}")
        try:
            for board in boards:
                board.set(fault, **body)
        except FaultError as error:
            raise problem(str(error)) from error
        return web.json_response(self._active())

    async def _clear_faults(self, request: web.Request) -> web.Response:
        name, fault = request.query.get("provider"), request.query.get("fault")
        try:
            for board in self._boards(name):
                if fault is None or fault in board.known or name not in (None, "*"):
                    board.clear(fault)
        except FaultError as error:
            raise problem(str(error)) from error
        return web.json_response(self._active())

    async def _settings(self, _: web.Request) -> web.Response:
        return web.json_response({name: one.settings for name, one in self._providers.items()})

    async def _set(self, request: web.Request) -> web.Response:
        provider = self._provider(request.match_info["provider"])
        body = await object_in(request)
        try:
            provider.set({key: str(value) for key, value in body.items()})
        except SettingsError as error:
            raise problem(str(error)) from error
        return web.json_response(provider.settings)

    async def _webhooks(self, _: web.Request) -> web.Response:
        return web.json_response([delivery.as_json() for delivery in self._world.courier.log])

    async def _verify(self, _: web.Request) -> web.Response:
        cloud = self._providers["cloud"]
        verified = isinstance(cloud, Cloud) and await cloud.shake_hands()
        return web.json_response(
            {"verified": verified}, status=HTTPStatus.OK if verified else HTTPStatus.BAD_GATEWAY
        )

    async def _sessions(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                name: {"state": one.session.link.value, "restarts": one.session.restarts}
                for name, one in self._providers.items()
                if one.session is not None
            }
        )

    async def _scan(self, request: web.Request) -> web.Response:
        session = self._provider(request.query.get("provider")).session
        return web.json_response({"scanned": session is not None and session.scan()})


def problem(message: str, kind: type[web.HTTPException] = web.HTTPBadRequest) -> web.HTTPException:
    """A refusal that says why."""
    return kind(text=json.dumps({"error": message}), content_type="application/json")


async def object_in(request: web.Request) -> dict[str, object]:
    """The JSON object in the body. Raises HTTPBadRequest."""
    try:
        body = json.loads(await request.text())
    except ValueError as error:
        raise problem("the body is not JSON") from error
    if not isinstance(body, dict):
        raise problem("the body is not an object")
    return body
