"""The pages in a real browser: a real exporter, simulated routers, Chromium."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from simulator import Network, RouterSpec
from tests.fakes.browser import Browser, Page
from tests.fakes.served import Served, config_text, router_of, served

pytestmark = [pytest.mark.system("chromium"), pytest.mark.timeout(300)]

NAMES = ("core", "edge north", "hut")
EVIL = "<img src=x onerror=alert(1)>&\"'"
QUICK = {
    "modules": {
        "default": {"collectors": {"system": {"ttl_s": 0}, "interface": {"ttl_s": 0}, "health": {"ttl_s": 0}}}
    },
    "breaker": {"failure_limit": 2, "cooldown_s": 0.5, "max_cooldown_s": 0.5, "jitter_ratio": 0},
    "retry": {"attempts": 1},
    "pool": {"connect_timeout_s": 1.0, "command_timeout_s": 2.0},
}
"""Settings with which a router is seen to fall and to rise within seconds."""
SCRAPE_PERIOD_S = 0.3
REFRESHED_S = 60.0
"""Longest wait for the page's own refresh, which comes every 5 s, on a busy machine."""


@asynccontextmanager
async def watched(
    folder: Path, *names: str, faults: Mapping[str, str] = {}
) -> AsyncIterator[tuple[Network, Served]]:
    """Simulated routers and an exporter that is scraped all the time, as Prometheus does."""
    async with Network([RouterSpec(name) for name in names]) as network:
        for name, fault in faults.items():
            network[name].faults.set(fault)
        routers = [router_of(device, labels={"site": f"site-{device.name[0]}"}) for device in network]
        async with served(folder, config_text(routers, **QUICK)) as exporter:
            scraping = asyncio.create_task(scrape(exporter))
            try:
                yield network, exporter
            finally:
                scraping.cancel()
                with suppress(asyncio.CancelledError):
                    await scraping


async def scrape(exporter: Served) -> None:
    """Scrape without end."""
    while True:
        await exporter.get("/metrics")
        await asyncio.sleep(SCRAPE_PERIOD_S)


def row(name: str) -> str:
    """JavaScript for a router's row."""
    return f"document.querySelector('[data-router=\"{name}\"]')"


async def shows(page: Page, name: str, health: str) -> None:
    """Waits until the page's row of the router has that health."""
    await page.until(f"{row(name)}?.classList.contains('{health}')", timeout_s=REFRESHED_S)


def is_clean(page: Page, exporter: Served) -> bool:
    """Whether the console is empty and the page asked nobody but this exporter."""
    elsewhere = [url for url in page.requests if not url.startswith((exporter.url, "data:"))]
    return page.complaints == [] and elsewhere == []


async def test_a_router_falls_and_rises_before_the_eyes_of_an_operator(tmp_path: Path) -> None:
    """The page shows every router up; one that breaks turns offline by itself and comes back when mended."""
    async with watched(tmp_path, *NAMES) as (network, exporter), Browser.start() as browser:
        page = await browser.open(f"{exporter.url}/")
        for name in NAMES:
            await shows(page, name, "healthy")
        assert await page.evaluate("document.querySelector('#totals .total.healthy b').innerText") == "3"

        network["edge north"].faults.set("refuse")
        await shows(page, "edge north", "offline")
        assert "refused the connection" in await page.evaluate(f"{row('edge north')}.innerText")
        assert await page.evaluate("document.title") == "(1) tikwatch"
        assert await page.evaluate("document.querySelector('[data-router]').dataset.router") == "edge north"
        assert await page.evaluate(f"{row('core')}.classList.contains('healthy')")

        network["edge north"].faults.clear()
        await shows(page, "edge north", "healthy")
        assert await page.evaluate("document.title") == "tikwatch"
        assert is_clean(page, exporter), (page.complaints, page.requests)


async def test_search_narrows_as_one_types(tmp_path: Path) -> None:
    """Words in the search box narrow the table and stand in the address, so that a reload keeps them."""
    async with watched(tmp_path, *NAMES) as (_, exporter), Browser.start() as browser:
        page = await browser.open(f"{exporter.url}/")
        await shows(page, "hut", "healthy")
        await page.evaluate("document.getElementById('q').focus()")
        await page.send("Input.insertText", text="site-h")
        await page.until("document.querySelectorAll('[data-router]').length === 1")
        assert await page.evaluate("document.querySelector('[data-router]').dataset.router") == "hut"
        assert await page.evaluate("location.search") == "?q=site-h"
        assert await page.evaluate("document.activeElement.id") == "q"
        await page.send("Input.insertText", text=EVIL)
        await page.until("document.querySelector('.empty')?.innerText.includes('onerror')")
        assert is_clean(page, exporter), (page.complaints, page.requests)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1200])
async def test_nothing_sticks_out(tmp_path: Path, width: int, dark: bool) -> None:
    """On a phone and on a desk, light and dark, no page is wider than the screen; ink stands out from the ground."""
    faults = {"hut": "wrong_password"}
    async with watched(tmp_path, *NAMES, faults=faults) as (_, exporter), Browser.start() as browser:
        page = await browser.open(f"{exporter.url}/")
        await page.look_like(width=width, height=900, dark=dark)
        await shows(page, "hut", "critical")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        colours = "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        ink, ground = await page.evaluate(
            f"{colours}.map(c => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))"
        )
        assert abs(ink - ground) > 400
        assert (ink > ground) is dark
        assert is_clean(page, exporter), (page.complaints, page.requests)
        for path in ("/api", "/nowhere"):
            other = await browser.open(f"{exporter.url}{path}")
            await other.look_like(width=width, height=900, dark=dark)
            assert await other.evaluate("document.documentElement.scrollWidth") <= width
            assert [c for c in other.complaints if "404" not in c] == []


async def test_it_works_without_scripts(tmp_path: Path) -> None:
    """A browser that runs no script shows every router and can search."""
    async with watched(tmp_path, *NAMES) as (_, exporter), Browser.start() as browser:
        page = await browser.open(f"{exporter.url}/", scripts=False)
        assert await page.evaluate("document.querySelectorAll('[data-router]').length") == 3
        found = await browser.open(f"{exporter.url}/?q=edge", scripts=False)
        assert await found.evaluate("document.querySelectorAll('[data-router]').length") == 1
        assert is_clean(found, exporter), (found.complaints, found.requests)


async def test_it_says_when_the_exporter_is_gone(tmp_path: Path) -> None:
    """Old numbers are not passed off as new ones: the page says since when nobody answers."""
    async with Browser.start() as browser:
        async with watched(tmp_path, "core") as (_, exporter):
            page = await browser.open(f"{exporter.url}/")
            assert await page.evaluate("document.getElementById('lost').hidden")
        await page.until("!document.getElementById('lost').hidden", timeout_s=REFRESHED_S)
        assert "No answer from the exporter since" in await page.evaluate(
            "document.getElementById('lost').innerText"
        )
