"""What the simulated providers tell by webhook, and what is done to them from outside."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest

from simulator.whatsapp.addresses import AddressError, chat_of
from simulator.whatsapp.faults import FaultError
from simulator.whatsapp.providers import PROVIDERS, SettingsError
from tests.fakes.phone_world import PERSON, PhoneWorld, phone_world


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    """Windows are open, so that every provider takes a text."""
    async with phone_world(cloud={"window": "open"}, twilio={"window": "open"}) as world:
        yield world


# -- webhooks


def signed(world: PhoneWorld, name: str, key: str, digest: str, body: bytes) -> str:
    secret = world.simulator.providers[name].settings[key]
    return hmac.new(secret.encode(), body, getattr(hashlib, digest)).hexdigest()


async def test_signatures_are_over_the_raw_body(world: PhoneWorld) -> None:
    """SHA-512 by WAHA, SHA-256 by GOWA, a header of one's own by Evolution; a wrong one under the fault."""
    for name in ("waha", "gowa", "evolution"):
        await world.write("status ü", via=name)
        await world.fault(name, "webhooks_unsigned")
        await world.write("status", via=name)
    await world.until_heard(6)
    waha, bad_waha, gowa, bad_gowa, evolution, bad_evolution = sorted(
        world.heard, key=lambda hook: ("waha", "gowa", "evolution").index(hook.path.rpartition("/")[2])
    )
    assert waha.headers["X-Webhook-Hmac"] == signed(world, "waha", "hmac_key", "sha512", waha.body)
    assert bad_waha.headers["X-Webhook-Hmac"] != signed(world, "waha", "hmac_key", "sha512", bad_waha.body)
    assert gowa.headers["X-Hub-Signature-256"] == "sha256=" + signed(
        world, "gowa", "webhook_secret", "sha256", gowa.body
    )
    assert bad_gowa.headers["X-Hub-Signature-256"] != "sha256=" + signed(
        world, "gowa", "webhook_secret", "sha256", bad_gowa.body
    )
    assert evolution.headers["X-Secret"] == "evolution-webhook-secret" != bad_evolution.headers["X-Secret"]


async def test_what_people_write_has_each_providers_shape(world: PhoneWorld) -> None:
    """Text, quoted id, the hidden number beside the real one, forwards: each where that provider has them."""
    lid = "123456789012345@lid"
    for name in ("waha", "evolution", "gowa", "wuzapi", "generic"):
        more = {
            "quoted_id": "3EB089",
            "lid": lid,
            "forwarded": True,
            "chat": "120363000000000001@g.us",
            "name": "Budi",
        }
        await world.write("ack 481", via=name, **more)
    await world.until_heard(5)
    bodies = {hook.path.rpartition("/")[2]: hook.body for hook in world.heard}
    wuzapi = json.loads(parse_qs(bodies["wuzapi"].decode())["jsonData"][0])["event"]
    waha, evolution = json.loads(bodies["waha"])["payload"], json.loads(bodies["evolution"])["data"]
    gowa, generic = json.loads(bodies["gowa"])["payload"], json.loads(bodies["generic"])
    assert (waha["body"], waha["participant"], waha["replyTo"]["id"]) == ("ack 481", lid, "3EB089")
    assert waha["_data"]["key"]["participantAlt"] == f"{PERSON}@s.whatsapp.net"
    context = evolution["message"]["extendedTextMessage"]["contextInfo"]
    assert (evolution["key"]["participant"], context["stanzaId"], context["isForwarded"]) == (
        lid,
        "3EB089",
        True,
    )
    assert (gowa["from"], gowa["from_lid"], gowa["replied_to_id"]) == (
        f"{PERSON}@s.whatsapp.net",
        lid,
        "3EB089",
    )
    assert (wuzapi["Info"]["Sender"], wuzapi["Info"]["SenderAlt"]) == (lid, f"{PERSON}@s.whatsapp.net")
    assert (generic["from"], generic["lid"], generic["chat"]) == (PERSON, lid, "120363000000000001@g.us")


async def test_edits_and_history_are_told_as_such(world: PhoneWorld) -> None:
    """By events or fields of their own."""
    for name in ("waha", "evolution", "gowa", "wuzapi"):
        await world.write("run reboot", via=name, edited=True, quoted_id="3EB0")
    await world.write("old", via="wuzapi", history=True, timestamp=1_700_000_000)
    await world.write("old", via="evolution", history=True, timestamp=1_700_000_000)
    await world.until_heard(6)
    kinds = []
    for hook in world.heard:
        body = json.loads(
            parse_qs(hook.body.decode())["jsonData"][0] if hook.path.endswith("wuzapi") else hook.body
        )
        kinds.append(body.get("type") or body["event"])
    assert sorted(kinds) == sorted(
        ["message.edited", "messages.edited", "message.edited", "Message", "HistorySync", "messages.set"]
    )


async def test_webhooks_are_doubled_reordered_silenced(world: PhoneWorld) -> None:
    """As the faults say."""
    await world.fault("generic", "webhooks_duplicate", copies=2, times=1)
    await world.write("one", via="generic")
    assert len({hook.body for hook in await world.until_heard(3)}) == 1
    await world.fault("generic", "webhooks_reordered", seconds=0.5)
    for text in ("two", "three", "four"):
        await world.write(text, via="generic")
    heard = [json.loads(hook.body)["text"] for hook in (await world.until_heard(6))[3:]]
    assert heard == ["two", "four", "three"]
    await world.fault("generic", "webhooks_silent")
    await world.write("five", via="generic")
    await asyncio.sleep(0.05)
    assert len(world.heard) == 6


async def test_a_refused_webhook_is_repeated_as_the_provider_does(world: PhoneWorld) -> None:
    """Evolution gives up after a 401 at once, and the bubble says so; GOWA tries again."""
    world.answer_status = 401
    await world.write("one", via="evolution")
    await world.write("two", via="gowa")
    await world.until_heard(2)
    world.answer_status = 200
    await world.until_heard(3)
    found = {message["via"]: message["state"] for message in await world.messages(direction="in")}
    assert found["evolution"] == "failed"
    log = await world.ask("GET", "/control/webhooks")
    assert {one["provider"]: one["statuses"] for one in log} == {"evolution": [401], "gowa": [401, 200]}


# -- control


async def test_faults_are_listed_set_and_cleared(world: PhoneWorld) -> None:
    """Each with description and parameters; a wrong one is a 400 that names what there is; `*` is for all."""
    listed = await world.ask("GET", "/control/faults")
    assert listed["known"].keys() == PROVIDERS.keys()
    assert listed["known"]["gowa"]["no_ack"]["parameters"] == {
        "seconds": 30,
        "curable": 1,
        "times": 0,
        "to": "",
    }
    for wrong in (
        {"provider": "waha", "fault": "melted"},
        {"provider": "nobody", "fault": "slow"},
        {"provider": "*", "fault": "melted"},
        {"provider": "waha", "fault": "slow", "minutes": 1},
        {"provider": "waha", "fault": "slow", "seconds": "long"},
        {"provider": "waha", "fault": "slow", "to": 5},
        {"fault": "slow"},
    ):
        assert "error" in await world.ask("POST", "/control/faults", json=wrong), wrong
    await world.fault("*", "timelock")
    active = await world.ask("DELETE", "/control/faults", params={"provider": "waha"})
    assert set(active) == {"evolution", "gowa", "wuzapi", "generic"}
    assert await world.ask("DELETE", "/control/faults") == {}


def test_wrong_faults_and_settings_say_what_there_is(world: PhoneWorld) -> None:
    """Also to who asks in this process."""
    provider = world.simulator.providers["waha"]
    with pytest.raises(FaultError, match="has no fault 'melted'; known: unavailable"):
        provider.faults.set("melted")
    with pytest.raises(SettingsError, match="has no setting 'colour'"):
        provider.set({"colour": "blue"})


@pytest.mark.parametrize(
    ("address", "chat"),
    [
        ("6281300000002", "6281300000002"),
        ("+62 813-0000-0002", "6281300000002"),
        ("whatsapp:+6281300000002", "6281300000002"),
        ("6281300000002:12@s.whatsapp.net", "6281300000002"),
        ("6281300000002@c.us", "6281300000002"),
        ("120363000000000001@g.us", "120363000000000001@g.us"),
        ("123456789012345@lid", "123456789012345@lid"),
    ],
)
def test_addresses_of_one_chat(address: str, chat: str) -> None:
    """However a provider writes it, it is the same chat."""
    assert chat_of(address) == chat


@pytest.mark.parametrize("address", ["", "0813", "081300000002", "nobody", "status@broadcast", "62813@", "+"])
def test_what_is_no_address(address: str) -> None:
    """Is refused, a local number with its zero as well."""
    with pytest.raises(AddressError):
        chat_of(address)
