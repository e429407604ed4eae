"""A fault of our own in a handler: logged and counted here, told to the client without any detail."""

from collections.abc import Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_log = structlog.stdlib.get_logger("runtime.serving")


def contain_faults(program: str, count: Callable[[], None]) -> Middleware:
    """The middleware that answers 500 for whatever a handler did not expect; `count` is called each time."""

    @web.middleware
    async def contain(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise  # an answer, not a fault
        except Exception:  # noqa: BLE001  the edge of one request: it must cost neither the process nor another one
            count()
            _log.exception("request.failed", method=request.method, path=request.path, client=request.remote)
            return web.Response(status=500, text=f"internal error; the {program}'s log tells what happened\n")

    return contain
