"""The bridge's page in a real browser: it renews itself, keeps what one types, and its forms work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alertbridge.deliver.providers.base import Outcome, OutcomeClass
from tests.fakes.bridge_app import PASSWORD, USER, Bench, bench
from tests.fakes.bridge_scene import add_episode, bad_day
from tests.fakes.browser import Browser, Page

pytestmark = [pytest.mark.system("chromium"), pytest.mark.timeout(300)]
RENEWED_S = 60.0


@asynccontextmanager
async def open_page(folder: Path, query: str = "?lang=en") -> AsyncIterator[tuple[Bench, Page]]:
    async with bench(folder) as bridge, Browser.start() as browser:
        async with bridge.database.write() as connection:
            await bad_day(connection, bridge.clock.time())
        bridge.parts.channels.record("cloud", Outcome(OutcomeClass.CONFIG, reason="logged_out"))
        login = bridge.url.replace("//", f"//{USER}:{PASSWORD}@")
        page = await browser.open(f"{login}/{query}")
        await page.look_like(width=1200, height=900)
        yield bridge, page


def is_clean(bridge: Bench, page: Page) -> bool:
    """No complaint of the policy or the script, and nothing asked of anybody else. A login is asked for once."""
    elsewhere = [url for url in page.requests if "127.0.0.1" not in url and not url.startswith("data:")]
    return page.complaints == [] and elsewhere == []


async def text_of(page: Page, selector: str) -> str:
    return str(await page.evaluate(f"document.querySelector({selector!r}).innerText"))


async def test_it_renews_itself_and_keeps_what_one_types(tmp_path: Path) -> None:
    """A new alert comes by itself; the reason that is being typed stays, with the caret; so does an open message."""
    async with open_page(tmp_path) as (bridge, page):
        await page.evaluate("document.querySelector('#dead input[name=reason]').focus()")
        await page.send("Input.insertText", text="the gateway")
        await page.evaluate("document.querySelector('#messages details').open = true")
        opened = await page.evaluate(
            "document.querySelector('#messages details').closest('[data-key]').dataset.key"
        )
        async with bridge.database.write() as connection:
            await add_episode(connection, "BrandNew", severity="critical", now_s=bridge.clock.time())
        await page.until(
            "document.getElementById('firing').innerText.includes('BrandNew')", timeout_s=RENEWED_S
        )
        assert (
            await page.evaluate("document.querySelector('#dead input[name=reason]').value") == "the gateway"
        )
        assert await page.evaluate("document.activeElement.name") == "reason"
        await page.send("Input.insertText", text=" is back")
        assert await page.evaluate("document.activeElement.value") == "the gateway is back"
        assert await page.evaluate(f"document.querySelector('[data-key=\"{opened}\"] details').open")
        assert (await page.evaluate("document.title")).startswith("(3) ")
        assert is_clean(bridge, page), (page.complaints, page.requests)


async def test_a_dead_letter_is_dropped_and_a_channel_resumed(tmp_path: Path) -> None:
    """With a reason, by a click; the page says that it is done, and it is."""
    async with open_page(tmp_path) as (bridge, page):
        before = len((await bridge.json("/api/v1/dead-letters"))["dead_letters"])
        await page.evaluate("document.querySelector('#dead input[name=reason]').focus()")
        await page.send("Input.insertText", text="told by phone")
        await page.evaluate("document.querySelector('#dead button[value=drop]').click()")
        await page.until("document.getElementById('said')?.innerText.includes('Dropped')")
        assert len((await bridge.json("/api/v1/dead-letters"))["dead_letters"]) == before - 1
        assert "stopped" in await text_of(page, "#channels")
        await page.evaluate("document.querySelector('#channels input[name=reason]').focus()")
        await page.send("Input.insertText", text="paired again")
        await page.evaluate("document.querySelector('#channels button[value=resume]').click()")
        await page.until("document.getElementById('said')?.innerText.includes('used again')")
        assert "stopped" not in await text_of(page, "#channels")
        await page.evaluate("document.querySelector('#dead button[value=drop]').click()")
        assert await page.evaluate("document.querySelector('#dead input[name=reason]').matches(':invalid')")
        assert is_clean(bridge, page), (page.complaints, page.requests)


async def test_what_fires_is_searched_as_one_types(tmp_path: Path) -> None:
    """The list narrows, the address keeps the words, and an empty search shows all again."""
    async with open_page(tmp_path) as (bridge, page):
        await page.evaluate("document.getElementById('q').focus()")
        await page.send("Input.insertText", text="noc-bot")
        await page.until("document.querySelectorAll('#firing .card').length === 1")
        assert "BotSessionDead" in await text_of(page, "#firing")
        assert "q=noc-bot" in await page.evaluate("location.search")
        await page.evaluate("document.getElementById('q').value = ''")
        await page.evaluate("document.getElementById('q').dispatchEvent(new Event('input'))")
        await page.until("document.querySelectorAll('#firing .card').length === 10")
        assert is_clean(bridge, page), (page.complaints, page.requests)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
async def test_nothing_sticks_out(tmp_path: Path, width: int, dark: bool) -> None:
    """On a phone and on a desk, light and dark, in both languages, the page is no wider than the screen."""
    async with open_page(tmp_path) as (bridge, page):
        async with bridge.database.write() as connection:
            await add_episode(
                connection,
                "Long" * 60,
                now_s=bridge.clock.time(),
                labels={"router": "r" * 300, "x" * 90: "y"},
            )
        await page.look_like(width=width, height=900, dark=dark)
        for language, word in (("en", "Firing now"), ("id", "Sedang menyala")):
            await page.send("Page.navigate", url=f"{bridge.url}/?lang={language}")
            await page.until(
                f"document.body?.innerText.includes({word!r}) && document.readyState === 'complete'"
            )
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        ink, ground = await page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
            ".map(c => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))"
        )
        assert (ink > ground) is dark
        unnamed = (
            "[...document.querySelectorAll('button, input, select')].filter(one => one.offsetParent && "
            "!(one.textContent || one.ariaLabel || one.labels?.[0]?.textContent)).length"
        )
        assert await page.evaluate(unnamed) == 0
        assert is_clean(bridge, page), (page.complaints, page.requests)


async def test_a_bridge_that_is_gone_is_noticed(tmp_path: Path) -> None:
    """The page says since when there is no answer, and what is to be seen stays."""
    async with Browser.start() as browser:
        async with bench(tmp_path) as bridge:
            async with bridge.database.write() as connection:
                await bad_day(connection, bridge.clock.time())
            login = bridge.url.replace("//", f"//{USER}:{PASSWORD}@")
            page = await browser.open(f"{login}/?lang=en")
        await page.until("!document.getElementById('lost').hidden", timeout_s=RENEWED_S)
        assert "No answer from the bridge since" in await text_of(page, "#lost")
        assert "RouterDown" in await text_of(page, "#firing")
