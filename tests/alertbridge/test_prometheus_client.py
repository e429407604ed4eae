"""The client of Prometheus's HTTP API: what it does not know is absent, and whoever does not answer is named."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from alertbridge.prometheus import BadQuery, Prometheus, PrometheusSection, PrometheusUnavailable
from alertbridge.reply.sources import quoted, quoted_pattern
from tests.fakes.prometheus_process import Samples, fill, prometheus
from tests.fakes.scripted_http import Reply, ScriptedHttp, Trick

SYSTEM = pytest.mark.system("prometheus", "promtool")
AT_S = 1_760_000_000.0
TOKEN = "planted-token-82d"
ODD = 'joni"} or up{x=~".*'


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of two series with a gap, and one of NaN."""
    folder = tmp_path_factory.mktemp("prometheus")
    minutes = [AT_S - 60 * minute for minute in range(10, -1, -1)]
    fill(
        folder,
        [
            Samples("traffic", {"router": "core-1"}, [(at, index) for index, at in enumerate(minutes)]),
            Samples("traffic", {"router": "core-2"}, [(at, 7.0) for at in (minutes[0], minutes[-1])]),
            Samples("broken", {"router": "core-1"}, [(AT_S, math.nan)]),
            Samples("session", {"user": "Joni.a+b"}, [(AT_S, 1.0)]),
        ],
    )
    return folder


@pytest.fixture
async def url(filled: Path) -> AsyncIterator[str]:
    async with prometheus(filled) as address:
        yield address


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedHttp]:
    async with ScriptedHttp().serving() as serving:
        yield serving


def client(session: aiohttp.ClientSession, url: str, timeout_s: float = 5.0) -> Prometheus:
    return Prometheus(
        PrometheusSection.model_validate({"url": url, "timeout_s": timeout_s, "token": TOKEN}), session
    )


@SYSTEM
async def test_a_real_server(url: str, session: aiohttp.ClientSession) -> None:
    """Vectors, scalars, ranges with their gaps; NaN and what is not there are absent, never zero."""
    found = client(session, url)
    values = await found.query("traffic", at_s=AT_S)
    assert {value.labels["router"]: value.value for value in values} == {"core-1": 10.0, "core-2": 7.0}
    assert [value.value for value in await found.query("scalar(vector(2)) * 21", at_s=AT_S)] == [42.0]
    assert await found.query("nothing_like_it", at_s=AT_S) == []
    assert await found.query("broken", at_s=AT_S) == []
    assert await found.query("traffic", at_s=AT_S - 86_400) == []
    (series,) = await found.query_range(
        'last_over_time(traffic{router="core-2"}[30s])', start_s=AT_S - 600, end_s=AT_S, step_s=60
    )
    assert series.points == ((AT_S - 600, 7.0), (AT_S, 7.0))
    (infinite,) = await found.query("vector(1) / 0", at_s=AT_S)
    assert infinite.value == math.inf


@SYSTEM
async def test_what_a_real_server_refuses(url: str, session: aiohttp.ClientSession) -> None:
    """A mistake in the expression, and one that is none of the kind that was asked for."""
    found = client(session, url)
    for expression in ("sum(", "traffic{", "nosuchfunction(traffic)", "traffic[5m]", '"text"'):
        with pytest.raises(BadQuery):
            await found.query(expression, at_s=AT_S)
    with pytest.raises(BadQuery):
        await found.query_range("traffic", start_s=AT_S, end_s=AT_S - 60, step_s=60)


@SYSTEM
async def test_names_are_data(url: str, session: aiohttp.ClientSession) -> None:
    """Whatever a person wrote stays one string of the expression, also as a pattern."""
    found = client(session, url)
    for odd in (ODD, "a\\", 'a"', "a\nb", "x{}[]()", "\u05d0", "a'b", "\r"):
        assert await found.query(f"session{{user={quoted(odd)}}}", at_s=AT_S) == []
        assert await found.query(f"session{{user=~{quoted_pattern(odd)}}}", at_s=AT_S) == []
    (value,) = await found.query(f"session{{user=~{quoted_pattern('joni.A+')}}}", at_s=AT_S)
    assert value.labels["user"] == "Joni.a+b"
    assert await found.query(f"session{{user=~{quoted_pattern('joni_a')}}}", at_s=AT_S) == []


BROKEN = [
    pytest.param(Reply(trick=Trick.STALL), id="stalls"),
    pytest.param(Reply(trick=Trick.HANG_UP), id="hangs up"),
    pytest.param(Reply(trick=Trick.NONSENSE), id="no HTTP"),
    pytest.param(Reply(trick=Trick.HALF), id="half an answer"),
    pytest.param(Reply(trick=Trick.DRIP), id="an answer without end"),
    pytest.param(Reply(200, b"<html>login</html>"), id="a page"),
    pytest.param(Reply(503, b"starting"), id="503"),
    pytest.param(Reply.json(401, {"error": "who?"}), id="401"),
    pytest.param(Reply(302, b"", {"Location": "/elsewhere"}), id="a redirect"),
    pytest.param(
        Reply.json(503, {"status": "error", "errorType": "timeout", "error": "too slow"}),
        id="its own time-out",
    ),
]


@pytest.mark.parametrize("reply", BROKEN)
async def test_whoever_does_not_answer_is_away(
    scripted: ScriptedHttp, session: aiohttp.ClientSession, reply: Reply
) -> None:
    """In bounded time, and the sentence holds no token."""
    scripted.usual = reply
    with pytest.raises(PrometheusUnavailable) as caught:
        await client(session, scripted.url, timeout_s=1.5).query("up")
    assert TOKEN not in str(caught.value)
    assert len(scripted.asked) == 1


async def test_what_is_asked(scripted: ScriptedHttp, session: aiohttp.ClientSession) -> None:
    """By POST, so that long expressions go through, with the token, which no text of the client shows."""
    scripted.usual = Reply.json(
        200, {"status": "success", "data": {"resultType": "vector", "result": []}, "warnings": ["x"]}
    )
    found = client(session, f"{scripted.url}/")
    assert await found.query("up" * 10_000, at_s=1.5) == []
    (asked,) = scripted.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/query")
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert b"time=1.500" in asked.body
    assert TOKEN not in repr(found)


async def test_an_answer_of_another_kind_is_refused(
    scripted: ScriptedHttp, session: aiohttp.ClientSession
) -> None:
    """A matrix for an instant, and a vector for a range."""
    scripted.usual = Reply.json(200, {"status": "success", "data": {"resultType": "matrix", "result": []}})
    with pytest.raises(BadQuery):
        await client(session, scripted.url).query("up[5m]")
    scripted.usual = Reply.json(200, {"status": "success", "data": {"resultType": "vector", "result": []}})
    with pytest.raises(BadQuery):
        await client(session, scripted.url).query_range("up", start_s=1, end_s=2, step_s=1)
