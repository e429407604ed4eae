"""Meta's limits: the window, the pace, and its errors by code."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from simulator.whatsapp.providers.cloudlimits import PairRate, Throughput
from tests.fakes.phone_world import PhoneWorld, phone_world
from tests.fakes.provider_calls import CALLS, CLOUD


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    """Windows are open, so that every provider takes a text."""
    async with phone_world(cloud={"window": "open"}, twilio={"window": "open"}) as world:
        yield world


# -- Meta's limits


async def test_the_window_is_closed_until_somebody_writes() -> None:
    """131047 in the answer or by webhook, as set; a person who writes opens it."""
    async with phone_world() as world:
        call = CALLS["cloud"]
        status, body = await call.send(world)
        assert (status, body["error"]["code"]) == (400, 131047)
        await world.ask("PUT", "/control/settings/cloud", json={"window_told": "webhook"})
        assert (await call.send(world, to="6281300000008"))[0] == 200
        told = json.loads((await world.until_heard(1))[0].body)["entry"][0]["changes"][0]["value"][
            "statuses"
        ][0]
        assert (told["status"], told["errors"][0]["code"]) == ("failed", 131047)
        await world.write("hello")
        await world.until_heard(2)
        world.simulator.providers["cloud"].set({"limits": "off"})
        assert (await call.send(world))[0] == 200


async def test_metas_errors_by_code(world: PhoneWorld) -> None:
    """Any code, in the answer or later; too long a text; an account that is locked shows in the health."""
    call = CALLS["cloud"]
    await world.fault("cloud", "error", code=131042, times=1)
    assert (await call.send(world))[1]["error"]["code"] == 131042
    await world.fault("cloud", "error", code=131026, later=1, times=1)
    assert (await call.send(world, to="6281300000008"))[0] == 200
    assert (await call.send(world, "x" * 4097, to="6281300000009"))[1]["error"]["code"] == 100
    await world.fault("cloud", "template_paused")
    template = {"name": "noc_alert_v2", "language": {"code": "id"}, "components": []}
    message = {
        "messaging_product": "whatsapp",
        "to": "6281300000010",
        "type": "template",
        "template": template,
    }
    assert (await world.ask("POST", CLOUD, json=message, headers=call.headers))["error"]["code"] == 132000
    template["components"] = [
        {"type": "body", "parameters": [{"type": "text", "text": "a"}, {"type": "text", "text": "b\nc"}]}
    ]
    assert (await world.ask("POST", CLOUD, json=message, headers=call.headers))["error"]["code"] == 132018
    await world.fault("cloud", "banned")
    health = await world.ask("GET", "/cloud/v25.0/106540352242922?fields=health_status", headers=call.headers)
    assert health["health_status"]["can_send_message"] == "BLOCKED"


def test_the_pair_rate_lends_a_burst_against_the_time_after_it() -> None:
    """20 at once are fine, and then two minutes of silence; one per 6 s goes on for ever."""
    rate = PairRate()
    assert all(rate.take(100.0 + number / 10) for number in range(20))
    assert not rate.take(106.5)
    assert not rate.take(219.9)
    assert rate.take(220.1)
    steady = PairRate()
    assert all(steady.take(1000.0 + 6.0 * number) for number in range(1000))
    burst = PairRate()
    assert [burst.take(0.0) for _ in range(46)].count(True) == 45


def test_the_throughput_is_80_a_second() -> None:
    """The 81st waits for the second to pass."""
    throughput = Throughput()
    assert [throughput.take(5.0) for _ in range(81)].count(True) == 80
    assert throughput.take(6.0)


async def test_the_pair_rate_is_131056(world: PhoneWorld) -> None:
    """For one person alone."""
    call = CALLS["cloud"]
    found = [await call.send(world) for _ in range(46)]
    assert found[-1][1]["error"]["code"] == 131056
    assert (await call.send(world, to="6281300000009"))[0] == 200


async def test_metas_handshake() -> None:
    """The challenge has to come back; nobody there does not verify."""
    async with phone_world(cloud={"webhook": "http://127.0.0.1:1/nowhere"}) as world:
        assert await world.ask("POST", "/control/webhooks/verify") == {"verified": False}
