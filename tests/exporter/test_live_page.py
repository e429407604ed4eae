"""/live itself: its languages, and that nothing on it comes from elsewhere or can be smuggled in."""

import re
from pathlib import Path

import pytest

from exporter.live.subjects import Kind
from exporter.serve.livewords import LANGUAGES, WORDS, choose_language
from exporter.serve.rendering import static
from simulator import Network, RouterSpec
from tests.fakes.served import config_text, router_of, served

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def test_each_language_says_everything() -> None:
    """Every word is there in every language, and leaves the same gaps to be filled."""
    english = WORDS["en"]
    for language in LANGUAGES:
        words = WORDS[language]
        assert words.keys() == english.keys()
        for key, text in words.items():
            assert text.strip() == text != ""
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(english[key])), key


def test_every_word_is_used_and_every_word_used_is_there() -> None:
    """Script and template name no word that there is not, and none is left over."""
    sources = static("live.js") + (Path("exporter/serve/templates/live.html").read_text(encoding="utf-8"))
    told = set(re.findall(r"[\"'](\w+)[\"']", sources)) | set(re.findall(r"text\.(\w+)", sources))
    kinds = {kind.value for kind in Kind} | {f"{kind.value}s" for kind in Kind}
    failures = {
        "unreachable",
        "deadline",
        "login_refused",
        "permission",
        "breaker_open",
        "protocol",
        "failed",
    }
    failures |= {"pool_exhausted", "pool_closed"}
    assert set(WORDS["en"]) - told - kinds - failures == set()
    assert set(re.findall(r"\bt\(\"(\w+)\"", sources)) <= set(WORDS["en"])
    assert set(re.findall(r"data-t=\"(\w+)\"", sources)) <= set(WORDS["en"])


@pytest.mark.parametrize(
    ("asked", "accept", "language"),
    [
        ("", [], "en"),
        ("", ["id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7"], "id"),
        ("", ["en-GB,en;q=0.9,id;q=0.8"], "en"),
        ("", ["fr, id;q=0.2"], "id"),
        ("", ["de"], "en"),
        ("", ["*"], "en"),
        ("en", ["id"], "en"),
        ("id", ["en"], "id"),
        ("xx", ["id"], "id"),
    ],
)
def test_the_language_is_the_reader_s(asked: str, accept: list[str], language: str) -> None:
    """What is asked for by name goes before what the browser likes; English is for everybody else."""
    assert choose_language(asked, accept) == language


async def test_the_page_has_all_it_needs_in_it(tmp_path: Path) -> None:
    """Style and script stand in it, allowed by their hashes alone; the query of its address is not in it."""
    async with Network([RouterSpec("core"), RouterSpec("hut")]) as network:
        text = config_text([router_of(device) for device in network])
        async with served(tmp_path, text) as exporter:
            page = await exporter.get("/live?router=<script>alert(1)</script>", Accept_Language="id")
            assert page.status == 200
            assert page.headers["Content-Language"] == "id"
            assert '<html lang="id">' in page.text
            assert "alert(1)" not in page.text
            assert re.findall(r"<option>(\w+)</option>", page.text) == ["core", "hut"]
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)
            assert len(network["core"].log) == 0, "opening the page asks no router"
            landing = await exporter.get("/", Accept="text/html")
            assert 'href="/live"' in landing.text
