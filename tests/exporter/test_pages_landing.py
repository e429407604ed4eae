"""The pages for people, on routers that do as the test says."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from exporter.judgement import Health
from exporter.serve.openapi import OPERATIONS
from exporter.serve.rendering import STYLE
from exporter.serve.wording import ago, duration, span
from routeros import LoginRefused, RouterUnreachable, UnreachableReason
from tests.fakes.fleet import Client, FakeFleet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVIL = '<script>alert("x")</script>&"\'>'


class Parsed(HTMLParser):
    """The texts, links and elements of a page; fails on tags that do not close."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def routers(self) -> list[str | None]:
        """Names of the rows, in order."""
        return [about["data-router"] for _, about in self.tags if "data-router" in about]

    @property
    def links(self) -> list[str | None]:
        """Where the page's links lead."""
        return [about.get("href") for tag, about in self.tags if tag == "a"]

    @property
    def text(self) -> str:
        """All texts with single spaces."""
        return " ".join(" ".join(self.texts).split())


async def page(client: Client, path: str = "/") -> Parsed:
    """The page at a path."""
    async with client.get(path) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        return Parsed(await response.text())


async def mixed() -> FakeFleet:
    """One router healthy, one offline, one critical."""
    fake = FakeFleet("core", "edge", "hut")
    fake["edge"].error = RouterUnreachable(
        "connection refused", reason=UnreachableReason.REFUSED, router="edge"
    )
    refused = LoginRefused("invalid user name or password", router="hut")
    fake["hut"].breaker.refused(fake["hut"].breaker.admit(), refused)
    fake["hut"].error = refused
    await fake.scrape()
    return fake


async def test_every_router_is_there_the_worst_first() -> None:
    """State with its reason, breaker, error, version and links of each."""
    async with (await mixed()).serve() as client:
        found = await page(client)
    assert found.routers == ["edge", "hut", "core"]
    for text in (
        "connection refused",
        "invalid user name or password; next try in 60 s",
        "retry in 60 s",
        "7.16.2 (stable)",
        "192.0.2.1:8728",
        "core-identity",
        "hAP ax3",
    ):
        assert text in found.text
    assert "/probe?target=core&module=default" in found.links
    assert "/api/v1/routers/core" in found.links
    for link in ("/metrics", "/sd", "/api", "/api/v1/openapi.json"):
        assert link in found.links


async def test_totals_are_counted_and_lead_to_their_routers() -> None:
    """The header counts each health, and each count is a link that narrows the page."""
    async with (await mixed()).serve() as client:
        found = await page(client)
        assert "3 routers 1 offline 1 critical 0 warning 1 healthy" in found.text
        assert "/?health=offline" in found.links
        assert (await page(client, "/?health=offline")).routers == ["edge"]
        assert (await page(client, "/?health=warning")).routers == []
        assert (await page(client, "/?health=nonsense")).routers == ["edge", "hut", "core"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("core", ["core"]),
        ("CORE", ["core"]),
        ("192.0.2.", ["edge", "hut", "core"]),
        ("192.0.2.2", ["edge"]),
        ("hap identity", ["core"]),
        ("offline", ["edge"]),
        ("site=", []),
        ("%20", ["edge", "hut", "core"]),
        ("nothing such", []),
    ],
)
async def test_search_narrows_the_page_without_a_script(words: str, expected: list[str]) -> None:
    """Every word must be somewhere in name, address, identity, board, version, health or labels."""
    async with (await mixed()).serve() as client:
        found = await page(client, f"/?q={words.replace(' ', '+')}")
    assert found.routers == expected


async def test_search_and_health_narrow_together_and_stay_in_the_links() -> None:
    """A link to another health keeps the words, and the form keeps the health."""
    async with (await mixed()).serve() as client:
        found = await page(client, "/?q=edge&health=critical")
    assert found.routers == []
    assert "No router is critical and has “edge” in its name" in found.text
    assert "/?q=edge&health=offline" in found.links
    assert ("input", {"type": "hidden", "name": "health", "value": "critical"}) in found.tags


async def test_what_routers_and_clients_say_stays_text() -> None:
    """Markup in an identity, a version, an error or a query is shown, not obeyed."""
    fake = FakeFleet("core", "edge")
    fake["core"].replies["/system/identity/print"] = [{"name": EVIL}]
    fake["core"].replies["/system/resource/print"] = [{"version": EVIL, "uptime": "1d", "board-name": EVIL}]
    fake["edge"].error = RouterUnreachable(EVIL, reason=UnreachableReason.CLOSED, router="edge")
    await fake.scrape()
    async with fake.serve() as client:
        plain = await page(client)
        queried = await page(client, f"/?q={EVIL.replace('&', '%26')}")
    assert [tag for tag, _ in plain.tags].count("script") == 1
    assert [tag for tag, _ in queried.tags].count("script") == 1
    assert plain.text.count(EVIL) >= 3
    assert any(about.get("value") == EVIL for _, about in queried.tags)
    assert all(not name.startswith("on") for _, about in plain.tags for name in about)


async def test_nothing_comes_from_elsewhere() -> None:
    """Every link is to this exporter, the icon is inline, and no element loads anything."""
    async with (await mixed()).serve() as client:
        for path in ("/", "/api"):
            found = await page(client, path)
            assert all(link is not None and re.match(r"/(?!/)", link) for link in found.links)
            assert {tag for tag, _ in found.tags} & {"img", "iframe", "object", "embed", "video"} == set()
            assert all("src" not in about for _, about in found.tags)
            icons = [about["href"] for tag, about in found.tags if tag == "link"]
            assert all(icon is not None and icon.startswith("data:") for icon in icons)


async def test_the_policy_lets_our_style_and_script_in_by_hash_and_nothing_else() -> None:
    """The Content-Security-Policy starts from nothing; the hashes are those of what stands in the page."""
    async with (await mixed()).serve() as client, client.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
        text = await response.text()
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert re.search(r'<[^>]*\sstyle="', text) is None


async def test_without_a_script_the_page_loads_itself_again() -> None:
    """A browser without scripts is told to refresh."""
    async with FakeFleet("a").serve() as client, client.get("/") as response:
        assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in await response.text()


async def test_a_fleet_not_yet_scraped_is_shown_as_unknown() -> None:
    """Before the first scrape there is nothing to tell but that."""
    async with FakeFleet("a").serve() as client:
        found = await page(client)
    assert "it was not asked yet" in found.text
    assert "1 router 0 offline 0 critical 0 warning 1 unknown 0 healthy" in found.text


async def test_a_thousand_routers_are_all_on_the_page() -> None:
    """A fleet of 1,000 that was scraped is shown whole, each router once."""
    fake = FakeFleet(*[f"router-{n}" for n in range(1000)])
    await fake.scrape()
    async with fake.serve() as client, client.get("/") as response:
        body = await response.read()
    assert body.count(b"data-router=") == 1000


async def test_the_api_page_names_every_call() -> None:
    """What can be asked, from the same table as the OpenAPI document."""
    async with FakeFleet("a").serve() as client:
        found = await page(client, "/api")
    for operation in OPERATIONS:
        assert operation.path in found.text
        assert ("dt", {"id": operation.id}) in found.tags
    assert "login_refused" in found.text


async def test_errors_are_a_page_in_a_browser_and_text_for_tools() -> None:
    """A browser asks for HTML and gets a page; curl gets the plain line it can print."""
    async with FakeFleet("a").serve() as client:
        async with client.get(f"/{EVIL}", headers={"Accept": "text/html,*/*;q=0.8"}) as response:
            assert response.status == 404
            assert response.content_type == "text/html"
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            found = Parsed(await response.text())
        assert "nothing lives at /<script>" in found.text
        async with client.get("/nowhere", headers={"Accept": "*/*"}) as response:
            assert (response.status, response.content_type) == (404, "text/plain")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.4 ms"),
        (0.0523, "52 ms"),
        (0.99951, "1.00 s"),
        (1.254, "1.25 s"),
        (9.996, "10 s"),
        (12.3, "12 s"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    """Two or three digits, in the unit that fits."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (93_700, "1 d 2 h"),
        (86_460, "1 d"),
    ],
)
def test_long_times_are_told_in_two_units(seconds: float, text: str) -> None:
    """An uptime is days and hours, or hours and minutes, not all at once."""
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "now"), (0.4, "now"), (14, "14 s ago"), (150, "2 min ago"), (90_000, "1 d ago")],
)
def test_moments_are_told_from_now(seconds: float, text: str) -> None:
    """How long ago, in one unit; a clock that was set back is no reason for nonsense."""
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_every_health_has_a_colour() -> None:
    """The style knows each state by its word."""
    assert all(f".{health.value} {{ --tone" in STYLE for health in Health)
