"""The simulated providers, asked by clients that others wrote: pywa, Twilio's own, and Apprise's plugins."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import apprise
import httpx
import pytest
from apprise.plugins.twilio import NotifyTwilio
from apprise.plugins.whatsapp import NotifyWhatsApp
from pywa_async import WhatsApp
from pywa_async import errors as cloud_errors
from pywa_async.types.templates import BodyText, TemplateLanguage
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client as TwilioClient

from tests.fakes.phone_world import PERSON, PhoneWorld, phone_world

pytestmark = [
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated"),  # Apprise's, as it loads its plugins
    pytest.mark.filterwarnings("ignore:(BasicAuth|The 'auth' parameter) is deprecated"),  # Twilio's client
]

CLOUD_TOKEN = "EAAcloudtoken0123456789"
TWILIO_TOKEN = "89abcdef0123456789abcdef01234567"
PHONE_ID = "106540352242922"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    async with phone_world() as world:
        yield world


@pytest.fixture
async def pywa(world: PhoneWorld) -> AsyncIterator[WhatsApp]:
    """pywa, which thinks that it speaks to Meta."""
    async with httpx.AsyncClient() as session:
        client = WhatsApp(
            phone_id=PHONE_ID,
            token=CLOUD_TOKEN,
            session=session,
            server=None,
            app_secret="cloud-app-secret",
        )
        session.base_url = httpx.URL(f"{world.url}/cloud/v25.0")
        yield client


async def test_pywa_sends_text_in_the_window_that_a_person_opened(world: PhoneWorld, pywa: WhatsApp) -> None:
    """Outside the window Meta's error comes out as pywa's own class; inside, the message is on the phone."""
    with pytest.raises(cloud_errors.ReEngagementMessage):
        await pywa.send_message(to=PERSON, text="too early")
    await world.write("hello")
    sent = await pywa.send_message(to=PERSON, text="*FIRING* BotDown", tracker="outbox-1")
    shown = (await world.messages(direction="out"))[0]
    assert (shown["id"], shown["client_id"], shown["text"]) == (sent.id, "outbox-1", "*FIRING* BotDown")


async def test_pywa_sends_a_template_and_an_image(world: PhoneWorld, pywa: WhatsApp) -> None:
    """The template needs no window and the right number of parameters; the image is uploaded first."""
    language = TemplateLanguage.INDONESIAN
    await pywa.send_template(
        to=PERSON, name="noc_alert_v2", language=language, params=[BodyText.params("CRITICAL", "BotDown")]
    )
    with pytest.raises(cloud_errors.TemplateParamCountMismatch):
        await pywa.send_template(
            to="6281300000003", name="noc_alert_v2", language=language, params=[BodyText.params("CRITICAL")]
        )
    await world.write("hello", **{"from": "6281300000004"})
    await pywa.send_image(to="6281300000004", image=PNG, caption="ping 24h", mime_type="image/png")
    template, image = await world.messages(direction="out")
    assert (template["template"], template["text"]) == ("noc_alert_v2", "CRITICAL\nBotDown")
    async with world.client.get(world.url + image["image"]) as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", PNG)


async def test_pywa_believes_the_webhooks(world: PhoneWorld, pywa: WhatsApp) -> None:
    """Signature, statuses and inbound messages pass its validator and its parser."""
    await world.write("ack 481", quoted_id="wamid.X1", name="Budi")
    await pywa.send_message(to=PERSON, text="ok", tracker="outbox-2")
    heard = await world.until_heard(3)
    for hook in heard:
        assert await pywa.webhook_update_validator(hook.body, hook.headers["X-Hub-Signature-256"]) is None
        spoilt = hook.body.replace(b"whatsapp", b"whatsupp", 1)
        assert await pywa.webhook_update_validator(spoilt, hook.headers["X-Hub-Signature-256"]) is not None
    inbound, sent, delivered = (json.loads(hook.body)["entry"][0]["changes"][0]["value"] for hook in heard)
    assert inbound["messages"][0]["context"]["id"] == "wamid.X1"
    assert [one["statuses"][0]["status"] for one in (sent, delivered)] == ["sent", "delivered"]
    assert sent["statuses"][0]["biz_opaque_callback_data"] == "outbox-2"


class ToSimulator(AsyncTwilioHttpClient):
    """Twilio's client, which asks the simulator in the place of api.twilio.com."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    async def request(self, method: str, url: str, *rest: Any, **more: Any) -> Response:
        """As its parent, elsewhere."""
        return await super().request(method, self._base + urlsplit(url).path, *rest, **more)


@pytest.fixture
async def twilio(world: PhoneWorld) -> AsyncIterator[TwilioClient]:
    client: HttpClient = ToSimulator(f"{world.url}/twilio")
    async with client:  # type: ignore[attr-defined]  # the asynchronous one is a context manager
        yield TwilioClient(ACCOUNT, TWILIO_TOKEN, http_client=client)


async def test_twilios_client_sends_and_polls(world: PhoneWorld, twilio: TwilioClient) -> None:
    """A message that is created is queued, and read back as delivered with its times parsed."""
    await world.write("hello", via="twilio")
    sent = await twilio.messages.create_async(
        to=f"whatsapp:+{PERSON}", from_="whatsapp:+6281200000001", body="*FIRING* BotDown"
    )
    assert (sent.status, sent.error_code, sent.date_created is not None) == ("queued", None, True)
    await world.until_heard(3)
    assert (await twilio.messages(sent.sid).fetch_async()).status == "delivered"


async def test_twilios_client_reads_the_errors(world: PhoneWorld, twilio: TwilioClient) -> None:
    """Each with its code; outside the window the message fails later, with 63016."""
    for options, code in (
        ({"to": "nobody", "body": "x"}, 21211),
        ({"to": f"+{PERSON}", "body": "x" * 1601}, 21617),
        ({"to": f"+{PERSON}"}, 21619),
    ):
        with pytest.raises(TwilioRestException) as caught:
            await twilio.messages.create_async(from_="+15550001", **options)
        assert (caught.value.code, caught.value.status) == (code, 400)
    sent = await twilio.messages.create_async(
        to=f"whatsapp:+{PERSON}", from_="whatsapp:+6281200000001", body="x"
    )
    await world.until_heard(1)
    found = await twilio.messages(sent.sid).fetch_async()
    assert (found.status, found.error_code) == ("undelivered", 63016)
    await world.fault("twilio", "wrong_token")
    with pytest.raises(TwilioRestException) as refused:
        await twilio.messages.create_async(to=f"+{PERSON}", from_="+15550001", body="x")
    assert (refused.value.code, refused.value.status) == (20003, 401)


async def test_twilios_validator_believes_the_callbacks(world: PhoneWorld, twilio: TwilioClient) -> None:
    """Status callbacks and inbound messages carry a signature over address and form."""
    hook_url = world.simulator.providers["twilio"].settings["webhook"]
    await world.write("status é", via="twilio", quoted_id="SM1", forwarded=True)
    await twilio.messages.create_async(
        to=f"whatsapp:+{PERSON}",
        from_="whatsapp:+6281200000001",
        body="x",
        status_callback=f"{hook_url}?own=1",
    )
    inbound, sent, _ = await world.until_heard(3)
    validator = RequestValidator(TWILIO_TOKEN)
    for hook, url in ((inbound, hook_url), (sent, f"{hook_url}?own=1")):
        form = dict(parse_qsl(hook.body.decode(), keep_blank_values=True))
        assert validator.validate(url, form, hook.headers["X-Twilio-Signature"])
        assert not validator.validate(url, {**form, "Body": "other"}, hook.headers["X-Twilio-Signature"])
    form = dict(parse_qsl(inbound.body.decode()))
    assert (form["Body"], form["OriginalRepliedMessageSid"], form["Forwarded"]) == ("status é", "SM1", "true")


async def notify(url: str, body: str, title: str = "") -> bool:
    """Apprise in a thread, as it blocks; it leaves its connections to the collector."""

    def send() -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            target = apprise.Apprise()
            assert target.add(url)
            return bool(target.notify(body=body, title=title))

    return await asyncio.to_thread(send)


async def test_apprises_evolution_plugin_sends(world: PhoneWorld) -> None:
    """To the root of a port of its own, since it knows no prefix; a closed instance is a failure."""
    async with AsyncExitStack() as stack:
        host = (await world.alone(stack, "evolution")).removeprefix("http://")
        url = f"evolution://evolution-key@{host}/noc/{PERSON}"
        assert await notify(url, "BotDown")
        await world.fault("evolution", "disconnected")
        assert not await notify(url, "BotDown")
    assert [message["text"] for message in await world.messages()] == ["BotDown"]


async def test_apprises_whatsapp_plugin_sends(world: PhoneWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text in the window, and its template outside."""
    monkeypatch.setattr(NotifyWhatsApp, "notify_url", world.url + "/cloud/{fb_ver}/{phone_id}/messages")
    assert not await notify(f"whatsapp://{CLOUD_TOKEN}@{PHONE_ID}/+{PERSON}", "too early")
    template = f"whatsapp://noc_alert_v2:{CLOUD_TOKEN}@{PHONE_ID}/+{PERSON}?lang=id&:body=1&:type=2"
    assert await notify(template, "BotDown")
    await world.write("hello", **{"from": "6281300000005"})
    assert await notify(f"whatsapp://{CLOUD_TOKEN}@{PHONE_ID}/+6281300000005", "BotDown")


async def test_apprises_twilio_plugin_sends(world: PhoneWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SMS."""
    monkeypatch.setattr(
        NotifyTwilio,
        "notify_sms_url",
        world.url + "/twilio/2010-04-01/Accounts/{sid}/Messages.json",
    )
    assert await notify(f"twilio://{ACCOUNT}:{TWILIO_TOKEN}@15550000001/{PERSON}", "BotDown")
    assert (await world.messages())[0]["via"] == "twilio"


async def test_apprises_json_plugin_reaches_the_sink(world: PhoneWorld) -> None:
    """Title and message show in the chat of that name."""
    target = world.url.replace("http://", "json://")
    assert await notify(f"{target}/sink/noc", "BotDown", "CRITICAL")
    (shown,) = await world.messages()
    assert (shown["to"], shown["text"]) == ("fallback:noc", "CRITICAL\nBotDown")
