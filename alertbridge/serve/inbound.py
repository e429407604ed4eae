"""/webhooks/{channel}: what providers tell, once their signature holds. Each event is taken once.

A provider proves itself by its own signature, not by a login of ours, so these paths stand beside the guards'
logins (their address list holds). A stranger learns nothing: no such channel and no such secret look alike.
"""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from sqlalchemy import delete

from alertbridge.deliver.channel.channels import Channels
from alertbridge.deliver.providers.base import (
    Handshake,
    InboundEvent,
    InboundRequest,
    MessageEvent,
    Receipt,
    SessionEvent,
    StatusEvent,
    WebhookRefused,
)
from alertbridge.parts import Parts
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.schema import inbound_events
from runtime.clock import Clock

PATH = "/webhooks/{channel}"
"""For the guards too, as one of `open_paths`."""
BODY_LIMIT_BYTES = 4 << 20
"""Meta batches; nobody sends more than this."""

log = structlog.get_logger(__name__)

Messages = Callable[[str, MessageEvent], Awaitable[None]]
"""Channel and message -> whoever answers people."""


class InboundDoor:
    """Takes in what providers tell."""

    def __init__(
        self, database: Database, clock: Clock, parts: Callable[[], Parts], messages: Messages
    ) -> None:
        self._database = database
        self._clock = clock
        self._parts = parts
        self._messages = messages

    def __repr__(self) -> str:
        return "<InboundDoor>"

    async def take(self, channel: str, request: InboundRequest) -> Handshake | int:
        """The handshake that is due, or how many events were new.

        Raises WebhookRefused, ValueError, StoreError (let the provider send it again).
        """
        parts = self._parts()
        provider = parts.providers.get(channel)
        if provider is None:
            raise WebhookRefused("no such channel")
        found = provider.receive(request)
        if isinstance(found, Handshake):
            return found
        new = 0
        for event in found:
            if await self._is_new(channel, event):
                new += 1
                try:
                    await self._tell(channel, event, parts)
                except StoreError:
                    await self._forget(channel, event)
                    raise
        return new

    async def _is_new(self, channel: str, event: InboundEvent) -> bool:
        if not event.event_id:
            return True
        async with self._database.write() as connection:
            made = await connection.execute(
                self._database.insert(inbound_events)
                .values(channel=channel, event_id=event.event_id, at=self._clock.time())
                .on_conflict_do_nothing()
            )
        return made.rowcount == 1

    async def _forget(self, channel: str, event: InboundEvent) -> None:
        """It comes again, and must then be new."""
        table = inbound_events
        async with self._database.write() as connection:
            await connection.execute(
                delete(table).where(table.c.channel == channel, table.c.event_id == event.event_id)
            )

    async def _tell(self, channel: str, event: InboundEvent, parts: Parts) -> None:
        match event:
            case StatusEvent():
                self._prove(channel, event, parts.channels)
                if not await parts.delivery.apply_receipt(channel, event):
                    log.debug("inbound.unknown_message", channel=channel, receipt=event.receipt.value)
            case SessionEvent():
                parts.channels.report(channel, event.session)
            case MessageEvent():
                await self._messages(channel, event)

    def _prove(self, channel: str, event: StatusEvent, channels: Channels) -> None:
        """Any ack is proof of life, also of a message that others sent through the same session."""
        if event.receipt is not Receipt.FAILED:
            channels.record_ack(channel)
        elif event.outcome is not None:
            channels.record(channel, event.outcome)


INBOUND = web.AppKey("inbound_door", InboundDoor)


async def take_webhook(request: web.Request) -> web.Response:
    """200 for what was taken, 403 for what is not the provider's, 503 when it should come again."""
    channel = request.match_info["channel"]
    body = await _body(request)
    try:
        found = await request.app[INBOUND].take(
            channel,
            InboundRequest(
                request.method, dict(request.headers), dict(request.query), body, url=str(request.url)
            ),
        )
    except WebhookRefused as refused:
        log.warning("inbound.refused", channel=channel, why=str(refused), client=request.remote)
        return web.Response(status=403, text="refused\n")
    except ValueError as error:
        log.warning("inbound.unreadable", channel=channel, why=type(error).__name__, client=request.remote)
        return web.Response(status=400, text="this is not what the provider sends\n")
    except StoreError as error:
        return web.Response(status=503, text=f"{error}\n", headers={"Retry-After": "5"})
    if isinstance(found, Handshake):
        return web.Response(text=found.text)
    return web.json_response({"new": found})


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        body += piece
        if len(body) > BODY_LIMIT_BYTES:
            raise web.HTTPRequestEntityTooLarge(BODY_LIMIT_BYTES, len(body))
    return bytes(body)


def routes() -> list[web.RouteDef]:
    """The webhooks of every channel."""
    return [web.post(PATH, take_webhook), web.get(PATH, take_webhook, allow_head=False)]
