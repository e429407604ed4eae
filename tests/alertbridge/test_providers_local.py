"""Providers without a gateway of their own: the terminal, a file, and whatever Apprise speaks."""

import io
import json
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from alertbridge.deliver.providers.apprise.config import AppriseSection
from alertbridge.deliver.providers.apprise.provider import Apprise, Letter, Notify, notify
from alertbridge.deliver.providers.base import (
    Image,
    InboundRequest,
    OutcomeClass,
    Outgoing,
    SessionState,
    WebhookRefused,
)
from alertbridge.deliver.providers.console.config import ConsoleSection
from alertbridge.deliver.providers.console.provider import Console
from alertbridge.deliver.providers.file.config import FileSection
from alertbridge.deliver.providers.file.provider import JsonLines
from tests.fakes.channel_sections import channel_of
from tests.fakes.clock import FakeClock
from tests.fakes.scripted_http import Reply, ScriptedHttp

MESSAGE = Outgoing(
    "A" * 32, "6281300000002", "FIRING BotDown\nbot-1 offline", template_fields={"title": "BotDown"}
)
pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)  # one of Apprise's plugins
TOKEN = "planted-token-in-the-url-8d1"


async def test_the_console_shows_a_message_without_control_characters() -> None:
    """What could steer the terminal is left out."""
    stream = io.StringIO()
    console = Console(ConsoleSection(kind="console", name="c"), stream=stream)
    outcome = await console.send(replace(MESSAGE, text="one\x1b[2J\ntwo", image=Image(b"x")))
    assert (outcome.kind, outcome.provider_id) == (OutcomeClass.ACCEPTED, MESSAGE.id)
    assert stream.getvalue() == "-- to 6281300000002 with chart.png\n    one[2J\n    two\n"
    stream.close()
    assert (await console.send(MESSAGE)).kind is OutcomeClass.RETRY
    assert (await console.session()).state is SessionState.WORKING
    with pytest.raises(WebhookRefused):
        console.receive(InboundRequest("POST", {}, {}, b"{}"))


async def test_the_file_has_a_line_for_each_message(tmp_path: Path) -> None:
    """In order and whole; a folder that is not there is a matter of trying again."""
    section = FileSection(kind="file", name="f", path=tmp_path / "sent.jsonl")
    file = JsonLines(section, FakeClock())
    assert (await file.send(MESSAGE)).kind is OutcomeClass.ACCEPTED
    await file.send(replace(MESSAGE, text="\ud800 broken", as_template=True))
    first, second = map(json.loads, section.path.read_text(encoding="utf-8").splitlines())
    assert (first["text"], first["to"], first["template"]) == (MESSAGE.text, MESSAGE.address, None)
    assert second["template"] == {"title": "BotDown"}
    lost = JsonLines(FileSection(kind="file", name="f", path=tmp_path / "no" / "sent"), FakeClock())
    assert (await lost.send(MESSAGE)).kind is OutcomeClass.RETRY


def apprise_of(url: str, send: Notify = notify, *, timeout_s: float = 5.0) -> Apprise:
    """The provider of an Apprise URL."""
    section = channel_of({"kind": "apprise", "name": "fallback", "url": url, "timeout_s": timeout_s})
    assert isinstance(section, AppriseSection)
    return Apprise(section, send=send)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedHttp]:
    async with ScriptedHttp().serving() as scripted:
        yield scripted


async def test_apprise_sends_by_its_url(server: ScriptedHttp) -> None:
    """A real call of Apprise: the recipient's address is filled in, True is believed, False is tried again."""
    server.usual = Reply.json(200, {})
    provider = apprise_of(f"json://{server.url.removeprefix('http://')}/{{to}}/?x=1")
    outcome = await provider.send(MESSAGE)
    assert outcome.kind is OutcomeClass.ACCEPTED
    (asked,) = server.asked
    assert asked.path.startswith("/6281300000002")
    assert (asked.json["message"], asked.json["title"]) == (MESSAGE.text, "BotDown")
    server.usual = Reply(500)
    assert (await provider.send(MESSAGE)).kind is OutcomeClass.RETRY
    assert (await provider.session()).state is SessionState.WORKING
    await provider.close()


async def test_limits_come_from_the_service() -> None:
    """A text for SMS is short, one for ntfy long; none of them knows WhatsApp's marks, nor acks."""
    sms = apprise_of(f"twilio://AC{'0' * 32}:{'1' * 32}@15005550006/{{number}}")
    ntfy = apprise_of("ntfys://ntfy.example.net/topic")
    assert sms.traits.text_limit <= 160 < ntfy.traits.text_limit
    for provider in (sms, ntfy):
        traits = provider.traits
        assert (traits.formats_whatsapp, traits.acks_on_accept, traits.tells_acks) == (False, False, False)
        assert (await provider.session()).state is SessionState.WORKING


async def test_a_url_that_apprise_does_not_know_is_told() -> None:
    """Nothing is sent, and `check` says so by the session."""
    provider = apprise_of("carrierpigeon://coop/7")
    assert (await provider.send(MESSAGE)).kind is OutcomeClass.CONFIG
    assert (await provider.session()).state is SessionState.MISCONFIGURED


async def test_a_call_that_hangs_is_given_up_and_hanging_ones_are_bounded() -> None:
    """Its outcome is unknown, since the thread goes on; further ones are not even begun."""
    release = threading.Event()

    def hang(letter: Letter) -> bool:
        return release.wait(20)

    provider = apprise_of("ntfys://ntfy.example.net/topic", hang, timeout_s=0.05)
    kinds = [(await provider.send(MESSAGE)).kind for _ in range(5)]
    release.set()
    assert kinds == [OutcomeClass.UNKNOWN] * 4 + [OutcomeClass.RETRY]
    await provider.close()


async def test_what_apprise_raises_is_an_outcome_without_its_text() -> None:
    """Also what it raises for a body that it does not take."""

    def fail(letter: Letter) -> bool:
        raise TypeError(letter.url)

    outcome = await apprise_of(f"ntfys://{TOKEN}@ntfy.example.net/topic", fail).send(MESSAGE)
    assert outcome.kind is OutcomeClass.RETRY
    assert TOKEN not in repr(outcome)


async def test_no_part_of_the_url_is_logged(caplog: pytest.LogCaptureFixture, server: ScriptedHttp) -> None:
    """Neither by Apprise nor by what it calls with, at the most talkative level."""
    caplog.set_level(logging.DEBUG)
    server.usual = Reply(403)
    host = server.url.removeprefix("http://")
    provider = apprise_of(f"json://user-{TOKEN}:pass-{TOKEN}@{host}/path-{TOKEN}/?+X-Key=header-{TOKEN}")
    assert (await provider.send(MESSAGE)).kind is OutcomeClass.RETRY
    logging.getLogger("apprise").warning(
        "sent to %s", f"json://user-{TOKEN}:pass-{TOKEN}@{host}/path-{TOKEN}/"
    )
    assert server.asked
    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(provider)
    await provider.close()
