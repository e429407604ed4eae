"""The live page in a real browser: numbers that move and are right, and a router that breaks and is mended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import fmean

import pytest

from exporter.live.hub import Pace
from exporter.serve.keys import LIVE
from simulator import Network, RouterSpec
from tests.fakes.browser import Browser, Page
from tests.fakes.served import Served, config_text, router_of, served

pytestmark = [pytest.mark.system("chromium"), pytest.mark.timeout(300)]

QUICK = {
    "breaker": {"failure_limit": 50, "cooldown_s": 0.5, "max_cooldown_s": 0.5, "jitter_ratio": 0},
    "retry": {"attempts": 1},
    "pool": {"connect_timeout_s": 1.0},
}
LIVE_S = 60.0
"""Longest wait for what should come with the next readings, on a busy machine."""


@asynccontextmanager
async def open_page(
    folder: Path, *specs: RouterSpec, query: str = ""
) -> AsyncIterator[tuple[Network, Served, Page]]:
    async with (
        Network(specs) as network,
        served(folder, config_text([router_of(device) for device in network], **QUICK)) as exporter,
        Browser.start() as browser,
    ):
        page = await browser.open(f"{exporter.url}/live{query}")
        await page.look_like(width=1200, height=900)
        yield network, exporter, page


async def state(page: Page, wanted: str) -> None:
    """Wait until the lamp shows that state."""
    await page.until(f"document.getElementById('status').dataset.state === '{wanted}'", timeout_s=LIVE_S)


async def click(page: Page, selector: str) -> None:
    await page.evaluate(f"document.querySelector({selector!r}).click()")


async def numbers(page: Page, key: str) -> list[str]:
    """What the card of a subject holds, in bits per second; empty where nothing is known."""
    found: list[str] = await page.evaluate(
        f"[...document.querySelectorAll('[data-key=\"{key}\"] dd')].map(dd => dd.dataset.bits)"
    )
    return found


async def fresh_numbers(page: Page, key: str, before: list[str]) -> list[float]:
    """The card's numbers as soon as they are others than `before`."""
    text = ",".join(before)
    await page.until(
        f"(t => t !== '{text}' && !t.startsWith(',') && t !== '')"
        f"([...document.querySelectorAll('[data-key=\"{key}\"] dd')].map(dd => dd.dataset.bits).join())",
        timeout_s=LIVE_S,
    )
    return [float(one) for one in await numbers(page, key)]


def is_clean(page: Page, exporter: Served) -> bool:
    """Whether the console is empty and the page asked nobody but this exporter."""
    elsewhere = [url for url in page.requests if not url.startswith((exporter.url, "data:"))]
    return page.complaints == [] and elsewhere == []


async def test_numbers_move_and_are_those_of_the_router(tmp_path: Path) -> None:
    """Chosen by hand and started, an interface shows within 1 % what it carries, again and again; Stop stops."""
    async with open_page(tmp_path, RouterSpec("core"), RouterSpec("hut")) as (network, exporter, page):
        assert await page.evaluate("document.getElementById('stop').disabled")
        await page.evaluate("document.getElementById('search').focus()")
        await page.send("Input.insertText", text="ether1")
        await page.until("document.querySelectorAll('.choice').length === 2")
        await click(page, ".choice input")
        await click(page, "#start")
        await state(page, "live")
        shown: list[list[float]] = []
        true: list[tuple[float, float]] = []
        before: list[str] = ["", ""]
        for _ in range(4):
            shown.append(await fresh_numbers(page, "interface:ether1", before))
            before = await numbers(page, "interface:ether1")
            rate = network["core"].rate_of("ether1")
            true.append((rate.rx_bytes_per_s * 8, rate.tx_bytes_per_s * 8))
        for way in (0, 1):
            assert fmean(one[way] for one in shown) == pytest.approx(
                fmean(one[way] for one in true), rel=0.01
            )
        assert len({tuple(one) for one in shown}) == 4
        drawn = await page.evaluate("document.querySelector('.one').getAttribute('d')")
        assert drawn.count("L") >= 2
        assert await page.evaluate("location.search") == "?router=core&watch=interface%3Aether1&run=1"
        label = await page.evaluate("document.querySelector('.card svg').getAttribute('aria-label')")
        assert label.startswith("ether1: in ")

        await click(page, "#stop")
        await state(page, "stopped")
        asked = len(network["core"].log)
        await asyncio.sleep(3.0)  # what must not come cannot be waited for otherwise
        assert len(network["core"].log) == asked
        assert is_clean(page, exporter), (page.complaints, page.requests)


async def test_a_router_breaks_and_is_mended_before_the_eyes_of_an_operator(tmp_path: Path) -> None:
    """The page says that the picture is old and why, keeps it, begins anew by itself, and recovers by itself."""
    query = "?router=core&watch=interface:ether1&run=1"
    async with open_page(tmp_path, RouterSpec("core"), query=query) as (network, exporter, page):
        last = await fresh_numbers(page, "interface:ether1", ["", ""])
        network["core"].faults.set("refuse")
        network["core"].drop_connections()
        await state(page, "failing")
        await page.until("document.getElementById('notice').innerText.includes('cannot be reached')")
        notice = await page.evaluate("document.getElementById('notice').innerText")
        assert "core cannot be read" in notice
        assert "What you see is from before" in notice
        assert "(1 of 5)" in notice or "(2 of 5)" in notice
        kept = [float(one) for one in await numbers(page, "interface:ether1")]
        assert kept[0] == pytest.approx(last[0], rel=0.1)
        shade = "getComputedStyle(document.querySelector('.card .chart')).filter"
        assert "grayscale" in await page.evaluate(shade)
        await page.until(
            "document.getElementById('notice').innerText.includes('5 times in a row')", timeout_s=LIVE_S
        )
        streams = [url for url in page.requests if "/live/stream" in url]
        assert len(streams) == 1
        await page.until("document.getElementById('notice').innerText.includes('(1 of 5)')", timeout_s=LIVE_S)
        assert len([url for url in page.requests if "/live/stream" in url]) == 2

        network["core"].faults.clear()
        await state(page, "live")
        await page.until("document.getElementById('notice').hidden")
        assert await page.evaluate(shade) == "none"
        await fresh_numbers(page, "interface:ether1", [str(one) for one in kept])
        assert is_clean(page, exporter), (page.complaints, page.requests)


async def test_a_router_that_falls_silent_is_noticed(tmp_path: Path) -> None:
    """A connection that stays open while nothing is answered does not freeze the picture unsaid."""
    query = "?router=core&watch=interface:ether1&run=1"
    async with open_page(tmp_path, RouterSpec("core"), query=query) as (network, _, page):
        await state(page, "live")
        network["core"].faults.set("hang")
        await page.until(
            "document.getElementById('notice').innerText.includes('has not answered for')", timeout_s=LIVE_S
        )
        await state(page, "failing")
        network["core"].faults.clear()
        await state(page, "live")


async def test_an_exporter_that_falls_silent_or_is_gone_is_noticed(tmp_path: Path) -> None:
    """Without a word for six seconds the page says so and connects anew; without an exporter it says that."""
    async with Browser.start() as browser, Network([RouterSpec("core")]) as network:
        async with served(tmp_path, config_text([router_of(network["core"])])) as exporter:
            exporter.app[LIVE].pace = Pace(period_s=60.0)
            page = await browser.open(f"{exporter.url}/live?router=core&watch=interface:ether1&run=1")
            await state(page, "live")
            await page.until(
                "document.getElementById('notice').innerText.includes('No word from the exporter for')",
                timeout_s=LIVE_S,
            )
            await state(page, "failing")
            assert len([url for url in page.requests if "/live/stream" in url]) == 2
        await page.until(
            "document.getElementById('notice').innerText.includes('connection to the exporter is lost')",
            timeout_s=LIVE_S,
        )


async def test_users_are_searched_sorted_and_charted(tmp_path: Path) -> None:
    """The table narrows as one types, sorts by any column, and a user in it is charted with a click."""
    query = "?router=isp&users=1&run=1"
    async with open_page(tmp_path, RouterSpec("isp", profile="isp"), query=query) as (
        network,
        exporter,
        page,
    ):
        await page.until("document.querySelectorAll('#user-rows tr').length === 100", timeout_s=LIVE_S)
        await page.until(
            "document.querySelector('#user-rows tr td:nth-child(4)').innerText.includes('bit/s')"
        )
        assert "online" in await page.evaluate("document.getElementById('online-told').innerText")
        await click(page, "[data-sort=name]")
        names = "[...document.querySelectorAll('#user-rows .name')].map(one => one.textContent)"
        found = await page.evaluate(names)
        assert found == sorted(found)
        assert await page.evaluate("document.querySelector('[data-column=name]').ariaSort") == "ascending"
        await page.evaluate("document.getElementById('user-search').focus()")
        await page.send("Input.insertText", text="home-17 pppoe")
        await page.until("document.querySelectorAll('#user-rows tr').length < 15")
        assert all("home-17" in name for name in await page.evaluate(names))
        name = (await page.evaluate(names))[0]
        await click(page, "#user-rows button")
        key = f"ppp:<pppoe-{name}>"
        shown = await fresh_numbers(page, key, ["", ""])
        rate = network["isp"].rate_of(f"<pppoe-{name}>")
        assert shown[0] == pytest.approx(rate.tx_bytes_per_s * 8, rel=0.03)
        assert shown[1] == pytest.approx(rate.rx_bytes_per_s * 8, rel=0.03)
        assert is_clean(page, exporter), (page.complaints, page.requests)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1200])
async def test_nothing_sticks_out_of_the_live_page(tmp_path: Path, width: int, dark: bool) -> None:
    """On a phone and on a desk, light and dark, in both languages, the page is no wider than the screen."""
    query = "?router=cafe&watch=interface:ether1&watch=queue:total-office&users=1&run=1"
    async with open_page(tmp_path, RouterSpec("cafe", profile="hotspot"), query=query) as (_, exporter, page):
        await page.look_like(width=width, height=900, dark=dark)
        await page.until("document.querySelectorAll('#user-rows tr').length > 50", timeout_s=LIVE_S)
        for title in ("Live traffic", "Trafik langsung"):
            assert await page.evaluate("document.querySelector('h1').innerText") == title
            for opened in ("true", "false"):
                await page.evaluate(f"document.getElementById('chooser').open = {opened}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
            await click(page, "#language")
        ink, ground = await page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
            ".map(c => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))"
        )
        assert (ink > ground) is dark
        assert is_clean(page, exporter), (page.complaints, page.requests)


async def test_it_can_be_used_by_keyboard(tmp_path: Path) -> None:
    """Tab and space choose, Enter does not start unasked, and arrow keys read a chart point by point."""
    async with open_page(tmp_path, RouterSpec("core")) as (_, exporter, page):
        await page.until("document.querySelectorAll('.choice').length > 3")
        await page.evaluate("document.querySelector('.choice input').focus()")
        for kind in ("keyDown", "keyUp"):
            await page.send(
                "Input.dispatchKeyEvent", type=kind, key=" ", code="Space", text=" ", windowsVirtualKeyCode=32
            )
        await page.until("document.querySelectorAll('.chip').length === 1")
        await click(page, "#start")
        await page.until("document.querySelector('.card dd').dataset.bits > 0", timeout_s=LIVE_S)
        await page.evaluate("document.querySelector('.card svg').focus()")
        for kind in ("keyDown", "keyUp"):
            await page.send(
                "Input.dispatchKeyEvent", type=kind, key="End", code="End", windowsVirtualKeyCode=35
            )
        await page.until("!document.querySelector('.tip').hidden")
        assert "bit/s" in await page.evaluate("document.querySelector('.tip').innerText")
        unnamed = (
            "[...document.querySelectorAll('button, input, select')].filter(one => one.offsetParent && "
            "!(one.textContent || one.ariaLabel || one.labels?.[0]?.textContent)).length"
        )
        assert await page.evaluate(unnamed) == 0
        assert is_clean(page, exporter), (page.complaints, page.requests)
