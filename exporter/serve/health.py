"""/-/healthy: the process works. /-/ready: it can be sent requests."""

from aiohttp import web

from exporter.serve.keys import LIFE
from exporter.serve.life import Phase


async def healthy(request: web.Request) -> web.Response:
    """200 as long as this process can answer at all; routers that fail do not make it sick."""
    return web.Response(text="healthy\n")


async def ready(request: web.Request) -> web.Response:
    """200 from the moment it listens with a configuration until it begins to stop, 503 otherwise."""
    phase = request.app[LIFE].phase
    return web.Response(status=200 if phase is Phase.SERVING else 503, text=f"{phase.value}\n")


def routes() -> list[web.RouteDef]:
    """Health and readiness."""
    return [web.get("/-/healthy", healthy), web.get("/-/ready", ready)]
