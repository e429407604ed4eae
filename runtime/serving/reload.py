"""POST /-/reload: reads the configuration again."""

from aiohttp import web

from runtime.loading import ConfigError
from runtime.serving.reloads import RELOADS


async def reload(request: web.Request) -> web.Response:
    """200 when the new configuration is in force; 500 with all that is wrong with it when the old one goes on."""
    if request.can_read_body:
        raise web.HTTPBadRequest(
            text="this takes no body: the configuration is read from the file that the program was started with\n"
        )
    try:
        notes = await request.app[RELOADS].run()
    except ConfigError as error:
        return web.Response(status=500, text=f"not reloaded, the old configuration goes on\n{error}\n")
    return web.Response(text="\n".join(["reloaded", *notes, ""]))


def routes() -> list[web.RouteDef]:
    """Reloading."""
    return [web.post("/-/reload", reload)]
