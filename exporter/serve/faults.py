"""A fault of our own in a handler: logged and counted here, told to the client without any detail."""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.serve.keys import SELF_METRICS

_log = structlog.stdlib.get_logger("exporter.serve")


@web.middleware
async def contain_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 500 for whatever a handler did not expect."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise  # an answer, not a fault
    except Exception:  # noqa: BLE001  the edge of one request: it must cost neither the process nor another request
        request.app[SELF_METRICS].request_faults.inc()
        _log.exception("request.failed", method=request.method, path=request.path, client=request.remote)
        return web.Response(status=500, text="internal error; the exporter's log tells what happened\n")
