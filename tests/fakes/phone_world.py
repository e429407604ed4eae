"""The simulated providers in this process, behind a real port, with a receiver of their webhooks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator.whatsapp import SimulatorApp, Timing, World

QUICK = Timing(ack_s=0.01, delivered_s=0.01, connect_s=0.3)
PERSON = "6281300000002"


@dataclass(frozen=True)
class Heard:
    """One webhook as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PhoneWorld:
    """Where the simulator is, and what it told by webhook."""

    simulator: SimulatorApp
    url: str
    client: aiohttp.ClientSession
    heard: list[Heard] = field(default_factory=list)
    answer_status: int = 200

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """The JSON that comes back."""
        async with self.client.request(method, self.url + path, **options) as answer:
            return await answer.json()

    async def fault(self, provider: str, name: str, **parameters: object) -> None:
        """Switch a fault on."""
        found = await self.ask(
            "POST", "/control/faults", json={"provider": provider, "fault": name, **parameters}
        )
        assert "error" not in found, found

    async def mend(self) -> None:
        """Switch every fault off."""
        await self.ask("DELETE", "/control/faults")

    async def write(self, text: str, **more: object) -> Any:
        """Somebody writes to the bot."""
        return await self.ask("POST", "/phone/inbound", json={"from": PERSON, "text": text, **more})

    async def messages(self, **query: str) -> list[dict[str, Any]]:
        """What is on the phone."""
        found: list[dict[str, Any]] = await self.ask("GET", "/phone/messages", params=query)
        return found

    async def until_messages(
        self, condition: Callable[[list[dict[str, Any]]], bool], **query: str
    ) -> list[dict[str, Any]]:
        """What is on the phone, once it is so. Raises TimeoutError."""
        async with asyncio.timeout(60):
            while not condition(found := await self.messages(**query)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found

    async def until(self, condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
        """Return when `condition` holds. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110  what it asks about tells nobody when it changes
                await asyncio.sleep(0.005)

    async def until_heard(self, count: int) -> list[Heard]:
        """The webhooks, once there are so many."""
        await self.until(lambda: len(self.heard) >= count)
        return self.heard

    async def alone(self, stack: AsyncExitStack, name: str) -> str:
        """The address of one provider at the root of a port of its own."""
        server = TestServer(self.simulator.alone(name))
        await server.start_server(access_log=None)
        stack.push_async_callback(server.close)
        return str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def phone_world(timing: Timing = QUICK, **settings: dict[str, str]) -> AsyncIterator[PhoneWorld]:
    """The simulator; its webhooks go to ``/hook/PROVIDER`` of a receiver that answers `answer_status`."""
    heard: list[Heard] = []
    world: PhoneWorld | None = None

    async def hear(request: web.Request) -> web.Response:
        heard.append(Heard(request.path, dict(request.headers), await request.read()))
        return web.Response(status=world.answer_status if world is not None else 503)

    receiver = web.Application()
    receiver.add_routes([web.post("/hook/{provider}", hear)])
    async with AsyncExitStack() as stack:
        hooks = TestServer(receiver)
        await hooks.start_server(access_log=None)
        stack.push_async_callback(hooks.close)
        simulator = SimulatorApp(World(timing))
        for name, provider in simulator.providers.items():
            provider.set({"webhook": str(hooks.make_url(f"/hook/{name}")), **settings.get(name, {})})
        server = TestServer(simulator.app())
        await server.start_server(access_log=None)
        stack.push_async_callback(server.close)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        world = PhoneWorld(simulator, str(server.make_url("")).rstrip("/"), client, heard)
        yield world
