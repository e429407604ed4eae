"""/-/healthy: the process works. /-/ready: it can be sent requests."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from runtime.serving.life import LIFE, Phase

Check = Callable[[web.Request], Awaitable[str]]
"""A sentence that says why it is not ready, empty when it is."""


async def healthy(request: web.Request) -> web.Response:
    """200 as long as this process can answer at all; what it watches or talks to does not make it sick."""
    return web.Response(text="healthy\n")


def routes(check: Check | None = None) -> list[web.RouteDef]:
    """Health and readiness; ready from the moment it listens until it begins to stop, if `check` finds nothing."""

    async def ready(request: web.Request) -> web.Response:
        phase = request.app[LIFE].phase
        if phase is not Phase.SERVING:
            return web.Response(status=503, text=f"{phase.value}\n")
        why_not = await check(request) if check is not None else ""
        if why_not:
            return web.Response(status=503, text=f"{why_not}\n")
        return web.Response(text=f"{phase.value}\n")

    return [web.get("/-/healthy", healthy), web.get("/-/ready", ready)]
