"""The phone over HTTP: what is on it, who is online, events, buttons; and the simulator as a program."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulator.whatsapp import Message, Phone, State
from simulator.whatsapp.__main__ import main
from simulator.whatsapp.phone import MESSAGE_LIMIT, Direction
from tests.fakes.bot_process import bot_process
from tests.fakes.phone_world import PERSON, PhoneWorld, phone_world
from tests.fakes.provider_calls import CALLS

ROOT = Path(__file__).resolve().parents[2]
GROUP = "120363000000000001@g.us"


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    async with phone_world(cloud={"window": "open"}) as world:
        yield world


def bubble(number: int) -> Message:
    return Message(f"m{number}", PERSON, "x", "waha", Direction.OUT, 1000.0 + number, float(number))


def test_a_phone_forgets_the_oldest() -> None:
    """Beyond the limit, with its id; a state never goes back."""
    phone = Phone(lambda: 5.0, lambda: 1.0)
    first = phone.add(bubble(0))
    for number in range(1, MESSAGE_LIMIT + 1):
        phone.add(bubble(number))
    assert phone.find(PERSON, "m0") is None
    assert len(phone.messages) == MESSAGE_LIMIT
    assert phone.move(first, State.DELIVERED)
    assert not phone.move(first, State.SERVER_ACK)
    assert (first.state, first.states[State.DELIVERED]) == (State.DELIVERED, 5.0)


async def test_a_reader_that_is_too_slow_is_told_so() -> None:
    """What it has not read is dropped for one word, and what comes then is there."""
    phone = Phone(lambda: 5.0, lambda: 1.0)
    with phone.watched() as queue:
        for number in range(queue.maxsize + 1):
            phone.add(bubble(number))
        phone.tell_end()
        found = [queue.get_nowait() for _ in range(queue.qsize())]
    assert found[0] == {"behind": True}
    assert found[-1] == {"end": True}
    assert len(found) == 3


async def test_messages_are_listed_since_and_by_chat(world: PhoneWorld) -> None:
    """By `seq` or by time, by number, provider and direction; clearing forgets messages and arrivals."""
    await CALLS["waha"].send(world, "one")
    await CALLS["generic"].send(world, "two", to="6281300000009")
    await world.write("three", via="waha")
    everything = await world.messages()
    assert [message["text"] for message in everything] == ["one", "two", "three"]
    assert [message["text"] for message in await world.messages(since="1")] == ["two", "three"]
    assert [message["text"] for message in await world.messages(since=str(everything[1]["at"]))] == ["three"]
    assert [message["text"] for message in await world.messages(to=PERSON, direction="out")] == ["one"]
    assert "error" in await world.ask("GET", "/phone/messages", params={"since": "yesterday"})
    await world.ask("DELETE", "/phone/messages")
    assert await world.messages() == await world.ask("GET", "/phone/arrivals") == []


async def test_a_process_of_its_own_shows_its_messages(world: PhoneWorld) -> None:
    """By `POST /phone/messages`; the same id again shows once; what is wrong is refused with the reason."""
    image = base64.b64encode(b"\x89PNG").decode()
    body = {"to": f"{PERSON}@s.whatsapp.net", "text": "hello", "via": "own", "id": "A1", "image": image}
    for state in ("pending", "server_ack"):
        shown = await world.ask("POST", "/phone/messages", json={**body, "state": state})
        assert (shown["state"], shown["via"], shown["id"]) == (state, "own", "A1")
    assert len(await world.messages()) == 1
    for wrong in (
        {**body, "to": "nobody"},
        {**body, "state": "lost"},
        {**body, "image": "?"},
        {"to": PERSON, "text": "x"},
        [],
    ):
        assert "error" in await world.ask("POST", "/phone/messages", json=wrong)


async def test_what_a_person_writes_goes_out_where_the_chat_came_from(world: PhoneWorld) -> None:
    """By the provider that wrote last, or the one asked for; taken by the webhook, it has two ticks."""
    await CALLS["gowa"].send(world)
    written = await world.write("status")
    assert (written["via"], written["direction"], written["state"]) == ("gowa", "in", "server_ack")
    await world.until(lambda: any(b"status" in hook.body for hook in world.heard))
    await world.until_messages(lambda found: found[0]["state"] == "delivered", direction="in")
    for wrong in ({"via": "nobody"}, {"via": "sink"}, {"from": GROUP}, {"from": "x"}, {"timestamp": "now"}):
        assert "error" in await world.write("x", **wrong)
    world.simulator.providers["waha"].set({"webhook": ""})
    unheard = await world.write("x", via="waha")
    assert (unheard["state"], unheard["error"]) == ("failed", "waha has no webhook to tell")


async def test_events_come_as_they_happen(world: PhoneWorld) -> None:
    """A message, its states, a panel, and that everything was cleared."""
    seen = []
    async with world.client.get(world.url + "/phone/events") as stream:
        assert stream.content_type == "text/event-stream"
        await stream.content.readuntil(b"\n\n")
        await CALLS["waha"].send(world)
        async with asyncio.timeout(60):
            while not seen or seen[-1].get("message", {}).get("state") != "delivered":
                seen.append(json.loads((await stream.content.readuntil(b"\n\n")).removeprefix(b"data: ")))
        await world.ask("PUT", "/phone/panel", json=[])
        await world.ask("DELETE", "/phone/messages")
        rest = [await stream.content.readuntil(b"\n\n") for _ in range(2)]
    assert [event["message"]["state"] for event in seen] == ["pending", "server_ack", "delivered"]
    assert rest == [b'data: {"panel": []}\n\n', b'data: {"cleared": true}\n\n']


async def test_a_button_asks_through_the_simulator(world: PhoneWorld) -> None:
    """What it asks is fixed by the panel; one that fails says how; what is no button is refused."""
    fault = {"provider": "waha", "fault": "logged_out"}
    panel = [
        {"label": "Log out", "method": "POST", "url": world.url + "/control/faults", "body": fault},
        {"label": "Nobody", "url": "http://127.0.0.1:1/"},
    ]
    await world.ask("PUT", "/phone/panel", json=panel)
    assert await world.ask("GET", "/phone/panel") == panel
    assert (await world.ask("POST", "/phone/panel/0", json={}))["status"] == 200
    assert "logged_out" in world.simulator.providers["waha"].faults
    assert (await world.ask("POST", "/phone/panel/1", json={}))["status"] == 0
    assert "error" in await world.ask("POST", "/phone/panel/2", json={})
    for wrong in (
        {},
        [{"label": "x"}],
        [{"label": "x", "url": "ftp://example.net/"}],
        [{"label": 1, "url": "http://x"}],
    ):
        assert "error" in await world.ask("PUT", "/phone/panel", json=wrong)


async def test_an_image_is_served_as_an_image_or_as_nothing_that_runs(world: PhoneWorld) -> None:
    """Whatever type a sender claims."""
    file = {"mimetype": "text/html", "filename": "x", "data": base64.b64encode(b"<script>").decode()}
    body = {"session": "default", "chatId": f"{PERSON}@c.us", "caption": "x", "file": file}
    await world.ask("POST", "/waha/api/sendImage", json=body, headers=CALLS["waha"].headers)
    async with world.client.get(world.url + "/phone/images/1") as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "error" in await world.ask("GET", "/phone/images/2")


async def test_the_simulated_bot_shows_on_the_phone(world: PhoneWorld) -> None:
    """What it sent is there when it is acked; delivered comes back to it; what a person writes arrives at it."""
    with bot_process("--phone", world.url) as bot:

        async def ask(method: str, path: str, **options: Any) -> Any:
            async with world.client.request(method, bot.url + path, **options) as answer:
                return await answer.json()

        async def until_status(path: str, key: str, wanted: str) -> None:
            async with asyncio.timeout(60):
                while (await ask("GET", path))[key] != wanted:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

        await until_status("/health", "status", "ok")
        await ask("POST", "/send", json={"to": PERSON, "text": "*BotDown*", "id": "m1"})
        image = base64.b64encode(b"\x89PNG").decode()
        await ask("POST", "/send-image", json={"to": PERSON, "caption": "chart", "image": image, "id": "m2"})
        first, second = await world.until_messages(
            lambda shown: [one["state"] for one in shown] == ["delivered", "delivered"], via="bot"
        )
        assert (first["text"], first["client_id"], second["text"]) == ("*BotDown*", "m1", "chart")
        assert second["image"] is not None
        await until_status("/messages/m1", "status", "delivered")
        await world.write("status", id="IN7")
        await world.until_messages(lambda shown: shown[0]["state"] == "delivered", direction="in")
        log = await ask("GET", "/messages")
    assert {"event": "received", "sender": PERSON, "text": "status"} in [
        {key: entry.get(key) for key in ("event", "sender", "text")} for entry in log
    ]


def test_the_program_serves_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """It says where, serves a provider alone where asked, and ends at a signal."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-W", "error", "-m", "simulator.whatsapp", "--port", "0", "--alone", "waha=0"),
            *("--webhook", "http://127.0.0.1:1/{provider}", "--webhook", "gowa=http://127.0.0.1:1/x?a=b"),
            *("--set", "waha.token=k", "--verify-webhook"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        urls = {}
        for _ in range(2):
            name, _, rest = process.stdout.readline().partition(": ")
            urls[name] = rest.split(" ")[0].rstrip("/")
        assert process.stdout.readline() == "webhook not verified\n"
        with urllib.request.urlopen(urls["phone"] + "/control/settings", timeout=60) as answer:
            settings = json.load(answer)
        assert settings["waha"]["webhook"] == "http://127.0.0.1:1/waha"
        assert settings["gowa"]["webhook"] == "http://127.0.0.1:1/x?a=b"
        assert (settings["waha"]["token"], settings["bot"]["webhook"]) == ("k", "")
        with urllib.request.urlopen(urls["waha"] + "/ping", timeout=60) as answer:
            assert json.load(answer) == {"message": "pong"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.parametrize(
    "words",
    [["--set", "nobody.x=1"], ["--set", "waha.x=1"], ["--alone", "waha"], ["--webhook", "nobody=http://x"]],
)
def test_wrong_arguments_are_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With code 2."""
    assert main(["--port", "0", *words]) == 2
    assert words[1].split(".")[0].split("=")[0] in capsys.readouterr().err


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each on a line, by provider, with its parameters."""
    assert main(["--list-faults"]) == 0
    said = capsys.readouterr().out
    assert "gowa: GOWA" in said
    assert "(seconds=30, curable=1)" in said
