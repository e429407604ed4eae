"""The phone's page in a real browser: bubbles, marks, ticks, writing, buttons; hostile text stays text."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.fakes.browser import Browser, Page
from tests.fakes.phone_world import PERSON, PhoneWorld, phone_world
from tests.fakes.provider_calls import CALLS

pytestmark = pytest.mark.system("chromium")

GROUP = "120363000000000001@g.us"
HOSTILE = "<img src=x onerror=\"document.title='gone'\"> </script><b>x</b> \u202eabc\u202c"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
async def world() -> AsyncIterator[PhoneWorld]:
    async with phone_world(cloud={"window": "open"}) as world:
        yield world


@pytest.fixture
async def page(world: PhoneWorld) -> AsyncIterator[Page]:
    """The page on a phone's screen, with one message there."""
    await CALLS["waha"].send(world, "*KRITIS* BotDown")
    async with Browser.start() as browser:
        page = await browser.open(world.url + "/")
        await page.look_like(width=390, height=844)
        await page.until("document.querySelector('#chat-list button') !== null")
        yield page
        assert page.complaints == []
        assert all(url.startswith((world.url, "data:")) for url in page.requests)


async def open_chat(page: Page, chat: str = PERSON) -> None:
    await page.until(f"document.querySelector('[data-chat=\"{chat}\"]') !== null")
    await page.evaluate(f"document.querySelector('[data-chat=\"{chat}\"]').click()")
    await page.until("document.querySelector('.bubble') !== null")


async def text_of(page: Page, text: str) -> str:
    """The HTML that the page's own marks make of a text."""
    return str(
        await page.evaluate(
            f"import('./marks.js').then(({{marked}}) => {{ const box = document.createElement('div');"
            f" box.append(marked({json.dumps(text)})); return box.innerHTML; }})"
        )
    )


async def test_marks_are_rendered_as_whatsapp_does(page: Page) -> None:
    """At the borders of words only, on one line, nested; what is no mark stays as it is."""
    for text, html in (
        ("*bold* _it_ ~st~", "<strong>bold</strong> <em>it</em> <s>st</s>"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("eth*a*b node_load_5", "eth*a*b node_load_5"),
        ("* no* *no * ** __", None),
        ("2*3*4 = 24", "2*3*4 = 24"),
        ("(*x*), *y*.", "(<strong>x</strong>), <strong>y</strong>."),
        ("*one\ntwo*", "*one\ntwo*"),
        ("```a *b*\n<i>```", '<code class="block">a *b*\n&lt;i&gt;</code>'),
        ("`x_1_y`", "<code>x_1_y</code>"),
        ("> quote\n- item", '<span class="quoted-line">quote</span>\n<span class="bullet">item</span>'),
        (HOSTILE, None),
    ):
        found = await text_of(page, text)
        if html is not None:
            assert found == html
        else:
            assert "<strong>" not in found
            assert "<img" not in found


async def test_a_message_goes_through_its_ticks_live(world: PhoneWorld, page: Page) -> None:
    """A clock while nobody has it, one tick at the server, two on the phone, blue when the chat is open."""
    await open_chat(page)
    tick = "[...document.querySelectorAll('.bubble')].at(-1).querySelector('svg').dataset.state"
    await page.until(f"{tick} === 'read'")
    await world.fault("waha", "no_ack", times=1)
    await CALLS["waha"].send(world, "half-dead")
    await page.until(f"document.querySelectorAll('.bubble').length === 2 && {tick} === 'pending'")
    await world.fault("waha", "phone_off")
    await CALLS["waha"].send(world, "off")
    await page.until(f"document.querySelectorAll('.bubble').length === 3 && {tick} === 'server_ack'")
    assert await page.evaluate("document.querySelectorAll('.bubble.away').length") == 2
    await world.mend()
    await page.until(f"{tick} === 'read'")
    await world.fault("waha", "timelock")
    await CALLS["waha"].send(world, "refused")
    await page.until("document.querySelector('.bubble.failed .error')?.textContent === 'not delivered: 463'")


async def test_hostile_text_stays_text(world: PhoneWorld, page: Page) -> None:
    """In bubbles, names, the list, errors and buttons."""
    await world.ask("PUT", f"/phone/people/{PERSON}", json={"name": HOSTILE})
    await CALLS["waha"].send(world, HOSTILE)
    await world.write(HOSTILE, via="waha", name=HOSTILE, chat=GROUP)
    await world.ask(
        "PUT",
        "/phone/panel",
        json=[{"label": HOSTILE, "url": world.url + "/control/faults", "method": "GET"}],
    )
    await page.send("Page.reload")
    await open_chat(page)
    await page.until("document.querySelectorAll('.bubble').length === 2")
    assert await page.evaluate("document.title") == "Phone"
    assert await page.evaluate("document.querySelectorAll('#app img, #app b').length") == 0
    assert HOSTILE in await page.evaluate("document.getElementById('buttons').textContent")
    await open_chat(page, GROUP)
    assert HOSTILE in await page.evaluate("document.querySelector('.who').textContent")


async def test_a_person_writes_and_quotes(world: PhoneWorld, page: Page) -> None:
    """The text goes out as that person's message, with the quoted id, and shows with its ticks."""
    await open_chat(page)
    await page.evaluate("document.querySelector('.reply').click()")
    assert await page.evaluate("document.getElementById('quote-text').textContent") == "KRITIS BotDown"
    await page.evaluate(
        "document.getElementById('text').value = 'ack 481'; document.getElementById('send').click()"
    )
    await page.until("document.querySelector('.mine svg')?.dataset.state === 'delivered'")
    assert await page.evaluate("document.querySelector('.mine .said').textContent") == "KRITIS BotDown"
    told = [json.loads(hook.body) for hook in world.heard]
    inbound = next(one["payload"] for one in told if one["event"] == "message")
    sent = (await world.messages(direction="out"))[0]
    assert (inbound["from"], inbound["body"], inbound["replyTo"]["id"]) == (
        f"{PERSON}@c.us",
        "ack 481",
        sent["id"],
    )
    assert await page.evaluate("document.getElementById('text').value") == ""


async def test_in_a_group_somebody_writes_as_who_they_are(world: PhoneWorld, page: Page) -> None:
    """The number is asked for."""
    await world.write("hello", via="waha", chat=GROUP)
    await open_chat(page, GROUP)
    assert await page.evaluate("document.getElementById('as').hidden") is False
    await page.evaluate(
        "document.getElementById('as').value = '6281300000007'; document.getElementById('text').value = 'status';"
        " document.getElementById('send').click()"
    )
    await page.until("document.querySelectorAll('.mine').length === 2")
    assert (await world.messages(direction="in"))[-1]["from"] == "6281300000007"


async def test_images_and_fallbacks_show(world: PhoneWorld, page: Page) -> None:
    """A picture with its caption; a fallback's chat has nobody to write to."""
    file = {"mimetype": "image/png", "filename": "x", "data": PIXEL}
    body = {"session": "default", "chatId": f"{PERSON}@c.us", "caption": "ping 24h", "file": file}
    await world.ask("POST", "/waha/api/sendImage", json=body, headers=CALLS["waha"].headers)
    await open_chat(page)
    await page.until("document.querySelector('.bubble img')?.naturalWidth === 1")
    await world.ask("POST", "/sink/noc", json={"title": "CRITICAL", "message": "logged out"})
    await open_chat(page, "fallback:noc")
    assert await page.evaluate("document.getElementById('title').textContent") == "Fallback: noc"
    assert await page.evaluate("document.getElementById('write').hidden") is True


async def test_a_button_is_pressed(world: PhoneWorld, page: Page) -> None:
    """What it does is done, and what came of it is said."""
    fault = {"provider": "waha", "fault": "logged_out"}
    button = {"label": "Log out", "method": "POST", "url": world.url + "/control/faults", "body": fault}
    await world.ask("PUT", "/phone/panel", json=[button])
    await page.until("document.querySelector('#buttons button') !== null")
    await page.evaluate("document.querySelector('#buttons button').click()")
    await page.until("document.getElementById('pressed').textContent.startsWith('Log out: 200')")
    assert "logged_out" in world.simulator.providers["waha"].faults


@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640), (768, 1024), (1200, 800)])
async def test_nothing_is_wider_than_the_screen(
    world: PhoneWorld, page: Page, width: int, height: int
) -> None:
    """With a long word, in a chat and in the list, light and dark; the box to write in is on the screen."""
    await CALLS["waha"].send(world, "x" * 400 + " ```" + "y" * 200 + "```")
    for dark in (False, True):
        await page.look_like(width=width, height=height, dark=dark)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await open_chat(page)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        bottom = await page.evaluate("document.getElementById('send').getBoundingClientRect().bottom")
        assert 0 < bottom <= height
        await page.evaluate("document.getElementById('back').click()")


async def test_the_page_finds_its_way_back(world: PhoneWorld, page: Page) -> None:
    """When everything was cleared there is nothing; what comes next shows."""
    await open_chat(page)
    await world.ask("DELETE", "/phone/messages")
    await page.until("!document.getElementById('no-chats').hidden")
    await CALLS["waha"].send(world, "again")
    await open_chat(page)
    await page.until("document.querySelector('.bubble .text').textContent === 'again'")
