"""The simulated providers speak as the real ones: answers, errors, sessions; by default and under faults."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from tests.fakes.phone_world import PERSON, PhoneWorld, phone_world
from tests.fakes.provider_calls import CALLS, Call

SESSIONS = ("waha", "evolution", "gowa", "wuzapi", "generic")
each = pytest.mark.parametrize("name", CALLS)


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    """Windows are open, so that every provider takes a text."""
    async with phone_world(cloud={"window": "open"}, twilio={"window": "open"}) as world:
        yield world


async def state_of(world: PhoneWorld, state: str) -> dict[str, Any]:
    """The only message, once it is so far."""
    async with asyncio.timeout(60):
        while not (found := await world.messages(direction="out")) or found[0]["state"] != state:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len(found) == 1
    return found[0]


@each
async def test_a_text_comes_to_the_phone(world: PhoneWorld, name: str) -> None:
    """With the provider's success status, its id in the answer, and all the states after each other."""
    call = CALLS[name]
    status, body = await call.send(world)
    assert status == call.status
    shown = await state_of(world, "delivered")
    assert (shown["id"], shown["to"], shown["text"], shown["via"]) == (call.id(body), PERSON, "BotDown", name)
    acked, delivered = shown["states"]["server_ack"], shown["states"]["delivered"]
    assert shown["at"] <= acked <= delivered
    await world.ask("POST", "/phone/read", json={"chat": PERSON})
    assert (await state_of(world, "read"))["states"]["read"] >= delivered


@each
async def test_wrong_credentials_are_refused(world: PhoneWorld, name: str) -> None:
    """With 401 in the provider's words; the same under the fault, however right they are."""
    call = CALLS[name]
    bare = Call(call.path, {}, call.body, call.status, call.id, form=call.form)
    assert (await bare.send(world))[0] == 401
    await world.fault(name, "wrong_token")
    assert (await call.send(world))[0] == 401
    assert await world.messages() == []


@each
async def test_unknown_outcomes(world: PhoneWorld, name: str) -> None:
    """No answer, a cut connection, an error or nonsense: the message is out, or it is not, as the fault says."""
    call = CALLS[name]
    for fault in ("hang", "reset", "malformed", "html", "error_after_delivery"):
        for delivered in (1, 0) if fault != "error_after_delivery" else (1,):
            await world.ask("DELETE", "/phone/messages")
            more = {} if fault == "error_after_delivery" else {"delivered": delivered}
            await world.fault(name, fault, times=1, **more)
            if fault == "hang":
                sending = asyncio.create_task(call.send(world))
                await world.until(lambda: len(world.simulator.world.phone.arrivals) == 1)
                assert not sending.done()
                sending.cancel()
            elif fault == "reset":
                with pytest.raises(aiohttp.ClientError):
                    await call.send(world)
            else:
                status, body = await call.send(world)
                assert (status, body is None) == (500, False) if "error" in fault else (200, True)
            assert len(await world.messages()) == delivered, (fault, delivered)
    assert (await call.send(world))[0] == call.status


@each
async def test_the_pace_is_refused_with_a_pause(world: PhoneWorld, name: str) -> None:
    """429 and Retry-After; a fault for one number leaves the others alone."""
    call = CALLS[name]
    await world.fault(name, "rate_limited", to=PERSON, retry_after=9)
    async with world.client.post(
        world.url + call.path,
        headers=call.headers,
        **({"data": call.body(PERSON, "x")} if call.form else {"json": call.body(PERSON, "x")}),
    ) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "9")
    assert (await call.send(world, to="6281300000009"))[0] == call.status
    arrivals = await world.ask("GET", "/phone/arrivals")
    assert [(one["to"], one["taken"]) for one in arrivals] == [(PERSON, False), ("6281300000009", True)]
    assert arrivals[0]["monotonic_s"] <= arrivals[1]["monotonic_s"]


@each
async def test_a_number_without_whatsapp(world: PhoneWorld, name: str) -> None:
    """Is refused in the answer, whether by a fault or because the person left."""
    call = CALLS[name]
    await world.fault(name, "no_number", times=1)
    assert (await call.send(world))[0] in (400, 500)
    await world.ask("PUT", f"/phone/people/{PERSON}", json={"on_whatsapp": False})
    assert (await call.send(world))[0] in (400, 500)
    await world.ask("PUT", f"/phone/people/{PERSON}", json={"on_whatsapp": True})
    assert (await call.send(world))[0] == call.status


@each
async def test_a_phone_that_is_off_gets_it_later(world: PhoneWorld, name: str) -> None:
    """The server has it; delivered when the phone is on again."""
    await world.ask("PUT", f"/phone/people/{PERSON}", json={"online": False})
    await CALLS[name].send(world)
    await state_of(world, "server_ack")
    await world.ask("PUT", f"/phone/people/{PERSON}", json={"online": True})
    await state_of(world, "delivered")


@each
async def test_unavailable_and_slow(world: PhoneWorld, name: str) -> None:
    """503 with a pause before anything is read; or an answer that takes its time."""
    call = CALLS[name]
    await world.fault(name, "unavailable", retry_after=3)
    assert (await call.send(world))[0] == 503
    await world.mend()
    await world.fault(name, "slow", seconds=0.1)
    began = asyncio.get_running_loop().time()
    assert (await call.send(world))[0] == call.status
    assert asyncio.get_running_loop().time() - began >= 0.1


@pytest.mark.parametrize("name", ["cloud", "waha", "evolution", "twilio", "generic"])
async def test_half_dead_takes_and_never_acknowledges(world: PhoneWorld, name: str) -> None:
    """A success, and then nothing; where a session is restarted the next message goes out."""
    call = CALLS[name]
    await world.fault(name, "no_ack")
    assert (await call.send(world))[0] == call.status
    await asyncio.sleep(0.1)
    assert (await world.messages())[0]["state"] == "pending"


@pytest.mark.parametrize(("name", "status"), [("gowa", 504), ("wuzapi", 500)])
async def test_half_dead_lets_the_caller_wait_where_the_answer_is_the_ack(
    world: PhoneWorld, name: str, status: int
) -> None:
    """A time-out's error, and nothing on the phone."""
    await world.fault(name, "no_ack", seconds=0.05)
    assert (await CALLS[name].send(world))[0] == status
    assert await world.messages() == []


DOWN = {"waha": 422, "evolution": 500, "gowa": 401, "wuzapi": 500, "generic": 503}
RESTARTS = {
    "waha": ("POST", "/waha/api/sessions/default/restart"),
    "evolution": ("GET", "/evolution/instance/connect/noc"),
    "gowa": ("GET", "/gowa/app/reconnect"),
    "wuzapi": ("POST", "/wuzapi/session/connect"),
    "generic": ("POST", "/generic/api/restart-connection"),
}


@pytest.mark.parametrize("name", SESSIONS)
async def test_a_broken_session_is_mended_by_a_restart(world: PhoneWorld, name: str) -> None:
    """A send is refused; after a restart and the time to connect it goes out, and the restart is counted."""
    call, (method, path) = CALLS[name], RESTARTS[name]
    await world.fault(name, "disconnected")
    assert (await call.send(world))[0] == DOWN[name]
    await world.ask(method, path, headers=call.headers)
    sessions = await world.ask("GET", "/control/sessions")
    assert sessions[name] == {"state": "connecting", "restarts": 1}
    session = world.simulator.providers[name].session
    await world.until(lambda: session is not None and session.link.value == "open")
    assert (await call.send(world))[0] == call.status


@pytest.mark.parametrize("name", SESSIONS)
async def test_a_logged_out_session_wants_a_scan(world: PhoneWorld, name: str) -> None:
    """Restarts show a code and mend nothing; a scan does."""
    call, (method, path) = CALLS[name], RESTARTS[name]
    await world.fault(name, "logged_out")
    await world.ask(method, path, headers=call.headers)
    session = world.simulator.providers[name].session
    await world.until(lambda: session is not None and session.link.value == "needs_qr")
    assert (await call.send(world))[0] == DOWN[name]
    assert await world.ask("POST", "/control/scan", params={"provider": name}) == {"scanned": True}
    await world.until(lambda: session is not None and session.link.value == "open")
    assert (await call.send(world))[0] == call.status


@pytest.mark.parametrize("code", [402, 403, 406])
async def test_a_ban_is_told_with_its_code(world: PhoneWorld, code: int) -> None:
    """By Evolution where the reason code is; nothing mends it but clearing the fault."""
    await world.fault("evolution", "banned", code=code)
    headers = CALLS["evolution"].headers
    (instance,) = await world.ask("GET", "/evolution/instance/fetchInstances", headers=headers)
    assert (instance["connectionStatus"], instance["disconnectionReasonCode"]) == ("close", code)
    await world.ask("GET", "/evolution/instance/connect/noc", headers=headers)
    state = await world.ask("GET", "/evolution/instance/connectionState/noc", headers=headers)
    assert state == {"instance": {"instanceName": "noc", "state": "close"}}
    update = json.loads((await world.until_heard(1))[0].body)
    assert (update["event"], update["data"]["statusReason"]) == ("connection.update", code)


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [("gowa", 429, "WA_REACHOUT_TIMELOCK"), ("wuzapi", 500, "463"), ("generic", 463, "timelock")],
)
async def test_a_time_lock_in_the_answer(world: PhoneWorld, name: str, status: int, word: str) -> None:
    """463, in each one's words."""
    await world.fault(name, "timelock", later=0)
    found, body = await CALLS[name].send(world)
    assert (found, word in json.dumps(body)) == (status, True)


@pytest.mark.parametrize("name", ["waha", "evolution"])
async def test_a_time_lock_that_comes_later(world: PhoneWorld, name: str) -> None:
    """Taken, and failed by webhook."""
    await world.fault(name, "timelock")
    assert (await CALLS[name].send(world))[0] == 201
    assert (await state_of(world, "failed"))["error"] == "463"
    told = json.loads((await world.until_heard(1))[0].body)
    assert "ERROR" in (told.get("payload", {}).get("ackName"), told.get("data", {}).get("status"))


async def test_evolution_restarts_from_close_with_an_error_and_status_200(world: PhoneWorld) -> None:
    """Its quirk; from `open` it restarts."""
    headers = CALLS["evolution"].headers
    await world.fault("evolution", "disconnected")
    async with world.client.post(world.url + "/evolution/instance/restart/noc", headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (200, True)
    await world.mend()
    assert "instance" in await world.ask("POST", "/evolution/instance/restart/noc", headers=headers)
    missing = await world.ask("GET", "/evolution/instance/connectionState/other", headers=headers)
    assert missing["response"]["message"] == ['The "other" instance does not exist']


@pytest.mark.parametrize(
    ("engine", "id_of"),
    [
        ("NOWEB", lambda body: body["key"]["id"]),
        ("WEBJS", lambda body: body["id"]["_serialized"].rpartition("_")[2]),
        ("GOWS", lambda body: body["id"].rpartition("_")[2]),
    ],
)
async def test_wahas_answer_depends_on_the_engine(
    world: PhoneWorld, engine: str, id_of: Callable[[Any], str]
) -> None:
    """The id is in another place; the webhook always has the serialized form."""
    await world.ask("PUT", "/control/settings/waha", json={"engine": engine})
    _, body = await CALLS["waha"].send(world)
    shown = (await world.messages())[0]
    assert shown["id"] == id_of(body)
    ack = json.loads((await world.until_heard(1))[0].body)
    assert (ack["event"], ack["payload"]["ack"], ack["payload"]["ackName"]) == ("message.ack", 1, "SERVER")
    assert ack["payload"]["id"] == f"true_{PERSON}@c.us_{shown['id']}"


async def test_wahas_core_sends_no_images(world: PhoneWorld) -> None:
    """422 without Plus; with it the image is on the phone."""
    png = base64.b64encode(b"\x89PNG").decode()
    body = {
        "session": "default",
        "chatId": f"{PERSON}@c.us",
        "caption": "x",
        "file": {"mimetype": "image/png", "data": png},
    }
    headers = CALLS["waha"].headers
    await world.ask("PUT", "/control/settings/waha", json={"tier": "CORE"})
    refused = await world.ask("POST", "/waha/api/sendImage", json=body, headers=headers)
    assert refused["statusCode"] == 422
    await world.ask("PUT", "/control/settings/waha", json={"tier": "PLUS"})
    await world.ask("POST", "/waha/api/sendImage", json=body, headers=headers)
    assert (await world.messages())[0]["image"] == "/phone/images/1"


async def test_gowas_two_401_are_told_apart(world: PhoneWorld) -> None:
    """Wrong credentials are plain text; a session that is down is JSON."""
    call = CALLS["gowa"]
    bare = Call(call.path, {}, call.body, 200, call.id)
    assert await bare.send(world) == (401, None)
    await world.fault("gowa", "disconnected")
    status, body = await call.send(world)
    assert (status, body["code"]) == (401, "AUTHENTICATION_ERROR")
    found = await world.ask("GET", "/gowa/app/status", headers=call.headers)
    assert (found["results"]["is_connected"], found["results"]["is_logged_in"]) == (False, True)
    other = await world.ask("GET", "/gowa/app/status", headers={**call.headers, "X-Device-Id": "org_9"})
    assert other["code"] == "DEVICE_NOT_FOUND"


async def test_a_repeat_with_our_own_id_shows_once(world: PhoneWorld) -> None:
    """With wuzapi, and with a self-written bot."""
    for name, key in (("wuzapi", "Id"), ("generic", "id")):
        call = CALLS[name]
        for _ in range(2):
            body = {**call.body(PERSON, "BotDown"), key: "90B2F8B13FAC8A9CF6B06E99C7834DC5"}
            await world.ask("POST", call.path, json=body, headers=call.headers)
        assert len(await world.messages()) == 1
        await world.ask("DELETE", "/phone/messages")


async def test_a_bots_own_limiter_queues_with_429(world: PhoneWorld) -> None:
    """The message is out, and the body says so."""
    await world.fault("generic", "queued")
    status, body = await CALLS["generic"].send(world)
    assert (status, body["queued"], body["queueId"]) == (429, True, (await world.messages())[0]["id"])
