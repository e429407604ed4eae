"""The bridge's page: what is on it, in two languages; hostile texts; its forms, and who may send them."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import pytest
from markupsafe import escape

from alertbridge.deliver.channel.standing import ChannelState
from alertbridge.deliver.model import MessageState
from alertbridge.deliver.providers.base import Outcome, OutcomeClass
from alertbridge.serve.fate import Fate
from alertbridge.serve.pages import COOKIE
from alertbridge.serve.pagewords import TICKS, WORDS
from alertbridge.store.schema import episodes
from tests.fakes.bridge_app import LOGIN, Bench, bench
from tests.fakes.bridge_scene import add_episode, add_message, bad_day, tell

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202eevil\u0007"


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bridge after a bad day."""
    async with bench(tmp_path) as found:
        async with found.database.write() as connection:
            await bad_day(connection, found.clock.time())
        yield found


class Tags(HTMLParser):
    """Counts elements, and collects what may act: handlers, scripts, links out."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.handlers: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            if name.startswith("on"):
                self.handlers.append(name)
            if name in ("src", "href", "action"):
                self.links.append(value or "")


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def part(page: str, name: str) -> str:
    """A section of the page as text without tags."""
    found = re.search(rf'<(section|div) id="{name}".*?</\1>', page, re.DOTALL)
    assert found, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group()))


def test_every_word_is_there_in_both_languages() -> None:
    """The tables have the same entries and the same blanks; every fate has a word and a mark."""
    assert WORDS["en"].keys() == WORDS["id"].keys()
    for key, text in WORDS["en"].items():
        assert set(re.findall(r"{\d}", text)) == set(re.findall(r"{\d}", WORDS["id"][key])), key
    assert TICKS.keys() == set(Fate)
    assert {f"fate_{fate.value}" for fate in Fate} <= WORDS["en"].keys()


async def test_it_shows_what_fires_with_who_was_told(bridge: Bench) -> None:
    """The worst stands first; who has read it, who took it, who is spared until the morning."""
    page = await bridge.text("/?lang=en")
    firing = part(page, "firing")
    assert firing.index("RouterDown") < firing.index("BotSessionDead") < firing.index("CertificateExpires")
    assert "Router core-1 has not answered for 3 minutes." in firing
    assert "taken by Budi" in firing
    assert re.search(r"noc ✓✓ read \d\d:\d\d", firing)
    assert "boss → sent, never proven here other way" in firing
    assert re.search(r"held until ", firing)
    assert "nobody is told: no route wants it" in firing
    assert "flapping" in firing


async def test_it_shows_messages_limits_channels_letters_and_the_account(bridge: Bench) -> None:
    """Each with its fate in words, and what is left of the limits as a bar."""
    bridge.parts.channels.record("cloud", Outcome(OutcomeClass.CONFIG, reason="logged_out"))
    page = await bridge.text("/?lang=en")
    messages = part(page, "messages")
    for word in ("waiting", "sent", "✓✓ read", "✓✓ delivered", "not proven", "✗ dead (no answer in time)"):
        assert word in messages
    assert "cloud console stopped logged out" in part(page, "channels")
    assert "12 of 12 left in 1 minute" in part(page, "channels")
    assert page.count("<progress") == 6
    assert "field-team" in part(page, "dead")
    assert "received 12 delivered 3" in part(page, "account")


async def test_it_speaks_the_language_that_is_wanted(bridge: Bench) -> None:
    """By name, else as the browser likes best, else as the configuration says."""
    for path, accept, language in (
        ("/?lang=en", "id", "en"),
        ("/", "en-GB,en;q=0.9", "en"),
        ("/", "id-ID,id;q=0.9,en;q=0.4", "id"),
        ("/", "fr", "id"),
        ("/?lang=xx", "", "id"),
    ):
        page = await bridge.text(path, Accept_Language=accept)
        assert f'<html lang="{language}">' in page
        assert WORDS[language]["firing"] in page
    assert "Router core-1 tidak menjawab sejak 3 menit." in await bridge.text("/?lang=id")


async def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    """Labels, annotations, names and messages with markup and control characters make no element and turn nothing."""
    async with bench(tmp_path) as bridge:
        plain = read(await bridge.text("/"))
        now_s = bridge.clock.time()
        async with bridge.database.write() as connection:
            episode = await add_episode(
                connection,
                HOSTILE,
                now_s=now_s,
                labels={HOSTILE: HOSTILE, "router": "x" * 5000},
                annotations={"summary": HOSTILE},
                acknowledged_by=HOSTILE,
                acknowledged_at=now_s,
            )
            await tell(
                connection,
                episode,
                HOSTILE,
                "wa",
                f"*{HOSTILE}*",
                MessageState.DEAD,
                at_s=now_s,
                reason=HOSTILE[:60],
            )
            await add_message(connection, HOSTILE, "wa", HOSTILE, MessageState.ACKED, at_s=now_s)
        page = await bridge.text("/?q=%3Cscript%3E&recipient=%22%3E%3Cscript%3E")
        assert "<script>alert" not in page
        page = await bridge.text("/")
        found = read(page)
        assert found.tags["script"] == plain.tags["script"] == 1
        assert found.tags.get("img", 0) == 0
        assert found.handlers == []
        assert "\u202e" not in page
        assert "\u0007" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert len(page) < 60_000


async def test_nothing_comes_from_elsewhere(bridge: Bench) -> None:
    """The policy allows the page's own style and script by hash only, and no link leads out."""
    async with bridge.client.get("/", headers=LOGIN) as response:
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert all(link.startswith(("/", "#", "data:")) for link in read(page).links)


async def test_five_thousand_are_paged_and_quick(tmp_path: Path) -> None:
    """Twenty are shown, the rest is a page away; each page comes within a second."""
    async with bench(tmp_path) as bridge:
        now_s = bridge.clock.time()
        async with bridge.database.write() as connection:
            for start in range(0, 5000, 500):
                await connection.execute(
                    episodes.insert(),
                    [
                        {
                            "fingerprint": f"{number:016x}",
                            "status": "open",
                            "name": f"Alert{number}",
                            "severity": "critical" if number == 4999 else "warning",
                            "labels": {"alertname": f"Alert{number}", "router": f"r{number % 70}"},
                            "annotations": {},
                            "starts_at": now_s - number,
                            "opened_at": now_s - number,
                            "last_seen_at": now_s,
                        }
                        for number in range(start, start + 500)
                    ],
                )
        await bridge.text("/")
        for path in ("/?lang=en", "/?lang=en&page=250", "/?lang=en&q=r17+alert"):
            took_s: list[float] = []
            for _ in range(3):
                began_s = time.process_time()
                page = await bridge.text(path)
                took_s.append(time.process_time() - began_s)
                assert part(page, "firing").count(" for ") <= 20
            assert min(took_s) < 1.0
        page = await bridge.text("/?lang=en&page=250")
        assert "4981 to 5000 of 5000" in page
        assert "Alert4999" in part(await bridge.text("/"), "firing")
        assert "5000" in part(await bridge.text("/"), "totals")


async def test_links_keep_what_was_chosen(bridge: Bench) -> None:
    """Another severity keeps the language and the recipient; filters are remembered by the forms."""
    page = await bridge.text("/?lang=en&recipient=noc&severity=warning&q=tower")
    assert (
        "lang=en&amp;recipient=noc" in page or "recipient=noc&amp;lang=en" in page or "recipient=noc" in page
    )
    links = [link for link in read(page).links if link.startswith("/?") and "severity=critical" in link]
    assert links
    assert all("recipient=noc" in link and "lang=en" in link and "q=tower" in link for link in links)
    assert "<option selected>noc</option>" in page


class Visitor:
    """A person with a browser who is logged in: keeps the cookie, sends forms as a browser does."""

    def __init__(self, bridge: Bench) -> None:
        self.bridge = bridge
        self.cookie = ""
        self.page = ""

    async def open(self, path: str = "/?lang=en") -> str:
        async with self.bridge.client.get(path, headers={**LOGIN, "Cookie": self.cookie}) as response:
            if found := response.cookies.get(COOKIE):
                assert found["httponly"]
                assert found["samesite"] == "Strict"
                self.cookie = f"{COOKIE}={found.value}"
            self.page = await response.text()
            return self.page

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.page)
        return found.group(1) if found else ""

    async def send(
        self, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None, login: bool = True
    ) -> tuple[int, str, str]:
        """Status, where it leads, and the page of an answer."""
        sent = {**(LOGIN if login else {}), "Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        sent |= {"Accept": "text/html", **(headers or {})}
        data = aiohttp.FormData({"token": self.token, **form})
        async with self.bridge.client.post(
            "/act?lang=en&severity=warning", data=data, headers=sent, allow_redirects=False
        ) as response:
            return response.status, response.headers.get("Location", ""), await response.text()


async def letter(bridge: Bench) -> str:
    return str((await bridge.json("/api/v1/dead-letters"))["dead_letters"][0]["id"])


async def test_a_form_tries_again_drops_and_resumes(bridge: Bench) -> None:
    """Then the browser is sent back to the page as it was, which says what was done."""
    bridge.parts.channels.record("cloud", Outcome(OutcomeClass.CONFIG, reason="logged_out"))
    visitor = Visitor(bridge)
    await visitor.open()
    for what, about, done in (
        ("retry", await letter(bridge), "retried"),
        ("drop", "", "dropped"),
        ("resume", "cloud", "resumed"),
    ):
        form = {"what": what, "id": about or await letter(bridge), "reason": "seen"}
        status, leads_to, _ = await visitor.send(form)
        assert (status, leads_to) == (303, f"/?severity=warning&lang=en&done={done}")
        assert WORDS["en"][f"done_{done}"] in await visitor.open(leads_to)
    assert (await bridge.json("/api/v1/dead-letters"))["dead_letters"] == []
    assert bridge.parts.channels.standing("cloud").state is ChannelState.OK


async def test_a_mistake_keeps_what_was_typed(bridge: Bench) -> None:
    """Without a reason, with an old token, of a letter that is gone: the page says it, and the reason stands there."""
    visitor = Visitor(bridge)
    await visitor.open()
    name = await letter(bridge)
    status, _, page = await visitor.send({"what": "retry", "id": name, "reason": " "})
    assert (status, WORDS["en"]["mistake_reason"] in page) == (400, True)
    status, _, page = await visitor.send(
        {"what": "retry", "id": name, "reason": "my <words>", "token": "old"}
    )
    assert (status, WORDS["en"]["mistake_token"] in page) == (403, True)
    assert 'value="my &lt;words&gt;"' in page
    status, _, page = await visitor.send({"what": "drop", "id": "GONE", "reason": "x"})
    assert (status, WORDS["en"]["mistake_gone"] in page) == (409, True)
    status, _, page = await visitor.send({"what": "resume", "id": "GONE", "reason": "x"})
    assert (status, WORDS["en"]["mistake_channel"] in page) == (400, True)
    status, _, page = await visitor.send({"what": "destroy", "id": name, "reason": "x"})
    assert (status, WORDS["en"]["mistake_what"] in page) == (400, True)
    assert await letter(bridge) == name


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_does_nothing(bridge: Bench, headers: dict[str, str]) -> None:
    """Even with the right cookie and token, which another site cannot have."""
    visitor = Visitor(bridge)
    await visitor.open()
    name = await letter(bridge)
    status, _, _ = await visitor.send({"what": "drop", "id": name, "reason": "x"}, headers=headers)
    assert status == 403
    assert await letter(bridge) == name


async def test_a_form_without_the_cookie_or_a_login_does_nothing(bridge: Bench) -> None:
    """The token alone is not enough, nor the cookie; nor both of a stranger."""
    visitor = Visitor(bridge)
    await visitor.open()
    name = await letter(bridge)
    form = {"what": "drop", "id": name, "reason": "x"}
    assert (await visitor.send(form, login=False))[0] == 401
    assert (await visitor.send(form, headers={"Cookie": ""}))[0] == 403
    assert (await visitor.send({**form, "token": ""}))[0] == 403
    assert await letter(bridge) == name


async def test_who_cannot_log_in_sees_no_forms(tmp_path: Path) -> None:
    """But what to add to the configuration; and a form that is sent all the same is refused with the same words."""
    async with bench(tmp_path, logins=False) as bridge:
        async with bridge.database.write() as connection:
            await bad_day(connection, bridge.clock.time())
        page = await bridge.text("/?lang=en")
        assert 'action="/act' not in page
        assert str(escape(WORDS["en"]["no_login"])) in page
        visitor = Visitor(bridge)
        await visitor.open()
        status, _, answer = await visitor.send({"what": "drop", "id": "x", "reason": "x"}, login=False)
        assert status == 403
        assert "<!doctype html>" in answer
        assert "basic_auth" in answer


async def test_a_query_that_makes_no_sense_is_told_in_a_page(bridge: Bench) -> None:
    """400, and no trace of an internal fault."""
    for path in ("/?severity=bad", "/?page=0", "/?page=x", "/?fate=bad"):
        async with bridge.client.get(path, headers={**LOGIN, "Accept": "text/html"}) as response:
            assert response.status == 400


async def test_pages_beyond_the_end_are_empty(bridge: Bench) -> None:
    """No fault, only nothing."""
    page = await bridge.text("/?lang=en&page=99")
    assert WORDS["en"]["nothing_matches"] in part(page, "firing")
    page = await bridge.text("/?lang=en&recipient=nobody")
    assert WORDS["en"]["no_messages_here"] in part(page, "messages")
