"""What an operator does to a gateway's session, and what the gateway then says of itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator.whatsapp import Timing
from tests.fakes.phone_world import PERSON, PhoneWorld, phone_world
from tests.fakes.provider_calls import CALLS


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    async with phone_world(cloud={"window": "open"}) as world:
        yield world


async def ask(world: PhoneWorld, name: str, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """Status and JSON of one provider's answer; None for what is no JSON."""
    headers = CALLS[name].headers
    async with world.client.request(
        method, f"{world.url}/{name}{path}", headers=headers, **options
    ) as answer:
        return answer.status, await answer.json() if answer.content_type == "application/json" else None


async def until_open(world: PhoneWorld, name: str) -> None:
    session = world.simulator.providers[name].session
    await world.until(lambda: session is not None and session.link.value == "open")


async def test_wahas_session_through_its_life(world: PhoneWorld) -> None:
    """WORKING, STOPPED, STARTING, and after a logout FAILED until a restart shows a code; each change is told."""
    status, shown = await ask(world, "waha", "GET", "/api/sessions/default")
    assert (status, shown["status"], shown["me"]["pushName"]) == (200, "WORKING", "NOC")
    assert (await ask(world, "waha", "GET", "/api/sessions/other"))[0] == 404
    assert (await ask(world, "waha", "POST", "/api/sessions/default/stop"))[1]["status"] == "STOPPED"
    assert (await ask(world, "waha", "POST", "/api/sessions/default/start"))[1]["status"] == "STARTING"
    await until_open(world, "waha")
    assert (await ask(world, "waha", "POST", "/api/sessions/default/logout"))[1]["status"] == "FAILED"
    assert (await ask(world, "waha", "GET", "/api/default/auth/qr"))[0] == 422
    assert (await ask(world, "waha", "POST", "/api/default/auth/request-code"))[0] == 422
    await ask(world, "waha", "POST", "/api/sessions/default/restart")
    session = world.simulator.providers["waha"].session
    await world.until(lambda: session is not None and session.link.value == "needs_qr")
    assert (await ask(world, "waha", "GET", "/api/default/auth/qr", params={"format": "raw"}))[0] == 200
    assert await ask(world, "waha", "POST", "/api/default/auth/request-code") == (201, {"code": "ABCD-EFGH"})
    await world.until_heard(6)
    states = [json.loads(hook.body)["payload"]["status"] for hook in world.heard]
    assert states == ["STOPPED", "STARTING", "WORKING", "FAILED", "STARTING", "SCAN_QR_CODE"]


async def test_a_broken_session_is_told_open_only_after_its_restart(world: PhoneWorld) -> None:
    """STARTING comes before WORKING when a restart mends it."""
    await world.fault("waha", "disconnected")
    await ask(world, "waha", "POST", "/api/sessions/default/restart")
    await world.until_heard(3)
    states = [json.loads(hook.body)["payload"]["status"] for hook in world.heard]
    assert states[-2:] == ["STARTING", "WORKING"]
    assert "WORKING" not in states[:-1]


async def test_waha_waits_for_a_session_that_starts(world: PhoneWorld) -> None:
    """A send during a restart goes out when it is over."""
    await ask(world, "waha", "POST", "/api/sessions/default/restart")
    assert (await CALLS["waha"].send(world))[0] == 201


async def test_waha_tells_of_itself(world: PhoneWorld) -> None:
    """Ping without a key, version, health with Plus alone, and who is on WhatsApp."""
    async with world.client.get(world.url + "/waha/ping") as answer:
        assert await answer.json() == {"message": "pong"}
    assert (await ask(world, "waha", "GET", "/api/version"))[1]["engine"] == "NOWEB"
    assert (await ask(world, "waha", "GET", "/health"))[0] == 200
    exists = {"session": "default", "phone": PERSON}
    path = "/api/contacts/check-exists"
    assert (await ask(world, "waha", "GET", path, params=exists))[1]["chatId"] == f"{PERSON}@c.us"
    await world.fault("waha", "no_number")
    assert (await ask(world, "waha", "GET", path, params=exists))[1] == {"numberExists": False}


async def test_webhooks_are_set_as_each_provider_wants(world: PhoneWorld) -> None:
    """WAHA by the session's configuration, Evolution and wuzapi by a path of their own."""
    url = world.simulator.providers["generic"].settings["webhook"]
    hooks = [{"url": f"{url}-waha", "hmac": {"key": "own"}}]
    await ask(world, "waha", "PUT", "/api/sessions/default", json={"config": {"webhooks": hooks}})
    hook = {"enabled": True, "url": f"{url}-evolution", "headers": {"X-Own": "s3"}}
    await ask(world, "evolution", "POST", "/webhook/set/noc", json={"webhook": hook})
    await ask(world, "wuzapi", "POST", "/webhook", json={"webhookURL": f"{url}-wuzapi"})
    for name in ("evolution", "wuzapi"):
        await world.write("status", via=name)
    await world.until_heard(4)  # two of them WAHA's, which restarts its session
    assert {hook.path for hook in world.heard} >= {"/hook/generic-evolution", "/hook/generic-wuzapi"}
    (evolution,) = (hook for hook in world.heard if hook.path.endswith("-evolution"))
    assert evolution.headers["X-Own"] == "s3"
    settings = world.simulator.providers["waha"].settings
    assert (settings["webhook"], settings["hmac_key"]) == (f"{url}-waha", "own")


@pytest.mark.parametrize("name", ["gowa", "wuzapi"])
async def test_the_four_cases_of_connected_and_logged_in(world: PhoneWorld, name: str) -> None:
    """Fine; down but paired; paired no more; and asking for a code."""
    path, keys = {
        "gowa": ("/app/status", ("is_connected", "is_logged_in")),
        "wuzapi": ("/session/status", ("Connected", "LoggedIn")),
    }[name]

    async def found() -> tuple[bool, bool]:
        _, body = await ask(world, name, "GET", path)
        results = body.get("results") or body["data"]
        return results[keys[0]], results[keys[1]]

    assert await found() == (True, True)
    await world.fault(name, "disconnected")
    assert (await found())[0] is False
    await world.mend()
    await ask(world, name, *{"gowa": ("GET", "/app/logout"), "wuzapi": ("POST", "/session/logout")}[name])
    assert await found() == (False, False)
    await ask(world, name, *{"gowa": ("GET", "/app/login"), "wuzapi": ("POST", "/session/connect")}[name])
    session = world.simulator.providers[name].session
    await world.until(lambda: session is not None and session.link.value == "needs_qr")
    assert await found() == (True, False)


async def test_evolution_logs_out_once(world: PhoneWorld) -> None:
    """The second time there is nothing to log out; connecting shows a code."""
    assert (await ask(world, "evolution", "DELETE", "/instance/logout/noc"))[0] == 200
    assert (await ask(world, "evolution", "DELETE", "/instance/logout/noc"))[0] == 400
    _, shown = await ask(world, "evolution", "GET", "/instance/connect/noc", params={"number": PERSON})
    assert (shown["pairingCode"], shown["base64"][:22]) == ("ABCDEFGH", "data:image/png;base64,")
    await world.fault("evolution", "no_number", to=PERSON)
    _, numbers = await ask(
        world, "evolution", "POST", "/chat/whatsappNumbers/noc", json={"numbers": [PERSON]}
    )
    assert numbers[0]["exists"] is False


@pytest.mark.parametrize("name", ["waha", "gowa"])
async def test_a_restart_mends_a_half_dead_session(world: PhoneWorld, name: str) -> None:
    """Unless it is made not to; what was lost stays lost."""
    more = {"seconds": 0} if name == "gowa" else {}
    restart = {"waha": ("POST", "/api/sessions/default/restart"), "gowa": ("GET", "/app/reconnect")}[name]
    for curable in (0, 1):
        await world.fault(name, "no_ack", curable=curable, **more)
        await CALLS[name].send(world, "lost")
        await ask(world, name, *restart)
        assert ("no_ack" in world.simulator.providers[name].faults) is not bool(curable)
    await until_open(world, name)
    await CALLS[name].send(world, "after")
    found = await world.until_messages(lambda shown: shown[-1]["state"] == "delivered")
    assert [message["state"] for message in found if message["text"] == "lost"] in (
        [],
        ["pending", "pending"],
    )


async def test_late_and_lost() -> None:
    """An acknowledgement that takes its time, and one that says that it failed."""
    async with phone_world(Timing(ack_s=0.0, delivered_s=0.0)) as world:
        await world.fault("waha", "late_ack", seconds=0.2, times=1)
        await CALLS["waha"].send(world)
        (late,) = await world.until_messages(lambda shown: shown[0]["state"] == "delivered")
        assert late["states"]["server_ack"] - late["at"] >= 0.15
        await world.fault("waha", "lost", code=479)
        await CALLS["waha"].send(world)
        (_, lost) = await world.until_messages(lambda shown: shown[1]["state"] == "failed")
        assert lost["error"] == "479"


async def test_metas_handshake_is_answered_by_who_knows_the_token(world: PhoneWorld) -> None:
    """The bare challenge comes back, and the webhook is verified."""

    async def answer(request: web.Request) -> web.Response:
        assert request.query["hub.mode"] == "subscribe"
        known = request.query["hub.verify_token"] == "cloud-verify-token"
        return web.Response(text=request.query["hub.challenge"]) if known else web.Response(status=403)

    app = web.Application()
    app.add_routes([web.get("/hook", answer)])
    async with TestServer(app) as server:
        world.simulator.providers["cloud"].set({"webhook": str(server.make_url("/hook"))})
        assert await world.ask("POST", "/control/webhooks/verify") == {"verified": True}
        world.simulator.providers["cloud"].set({"verify_token": "other"})
        assert await world.ask("POST", "/control/webhooks/verify") == {"verified": False}


async def test_pages_of_others_ask_for_nothing(world: PhoneWorld) -> None:
    """A request that a browser makes for another page is refused; for our own it is not."""
    fault = json.dumps({"provider": "waha", "fault": "logged_out"})
    for origin, status in (("http://evil.example.net", 403), (world.url, 200)):
        async with world.client.post(
            world.url + "/control/faults", data=fault, headers={"Origin": origin}
        ) as answer:
            assert answer.status == status


async def test_what_hangs_ends_with_the_simulator() -> None:
    """A send without an answer does not keep it from ending."""
    async with aiohttp.ClientSession() as client:
        async with phone_world() as world:
            await world.fault("generic", "hang")
            sending = asyncio.create_task(CALLS["generic"].send(replace(world, client=client)))
            await world.until_messages(lambda shown: len(shown) == 1)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 5
        with pytest.raises(aiohttp.ClientError):
            await sending
