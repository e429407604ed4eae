"""The PPP secrets of a router, read for a probe's thread by the router's client in the event loop."""

import asyncio
import concurrent.futures
from collections.abc import Callable, Sequence

from exporter.collectors.reader import Source
from exporter.collectors.table import Record
from routeros import CommandDeadline, Priority, RouterError

PATH = "/ppp/secret/print"
FIELDS = ("name", "disabled")


class RouterSecrets:
    """Reads through the clients that the collectors use: the same connections, breaker and in-flight limit.

    `client_of` is called in `loop`, and raises LookupError for a router that is no longer there.
    """

    def __init__(self, client_of: Callable[[str], Source], loop: asyncio.AbstractEventLoop) -> None:
        self._client_of = client_of
        self._loop = loop

    def __call__(self, router: str, *, within_s: float) -> Sequence[Record]:
        """See `exporter.probes.drift.Secrets`. Never in the loop's own thread."""
        asked = self._ask(router)
        try:
            answer = asyncio.run_coroutine_threadsafe(asked, self._loop)
        except RuntimeError as closed:
            asked.close()
            raise RouterError("the exporter is stopping", router=router) from closed
        try:
            return answer.result(within_s)
        except concurrent.futures.TimeoutError as late:
            answer.cancel()
            raise CommandDeadline(
                f"no answer within {within_s:g} s", router=router, path=PATH, allowed_s=within_s
            ) from late
        except concurrent.futures.CancelledError as cancelled:
            raise RouterError("the exporter is stopping", router=router) from cancelled

    async def _ask(self, router: str) -> Sequence[Record]:
        try:
            client = self._client_of(router)
        except LookupError as unknown:
            raise RouterError("is no longer watched", router=router) from unknown
        reply = await client.call(PATH, proplist=FIELDS, priority=Priority.LOW, idempotent=True, large=True)
        return reply.records


def no_secrets(router: str, *, within_s: float) -> Sequence[Record]:
    """Stands where nobody reads routers, as when the documentation is made. Raises RouterError."""
    del within_s
    raise RouterError("nobody reads routers here", router=router)
