"""Pages for people: the routers at a glance, and what can be asked of the exporter."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from urllib.parse import quote, urlencode

from aiohttp import web

from exporter.judgement import RULES, SEVERITY, Health
from exporter.serve import openapi
from exporter.serve.models import Router
from exporter.serve.rendering import HEADERS, page
from exporter.serve.survey import SURVEY, totals
from runtime.serving.document import document
from runtime.serving.operation import HTML

SHOWN_ORDER = tuple(sorted(Health, key=SEVERITY.__getitem__, reverse=True))
"""What needs somebody comes first."""
QUERY_LIMIT_CHARS = 200


async def _landing(request: web.Request) -> web.Response:
    survey = request.app[SURVEY]
    found = survey.routers()
    words = request.query.get("q", "")[:QUERY_LIMIT_CHARS].strip()
    health = _health(request.query)
    make = partial(
        page,
        "landing.html",
        now=datetime.now(UTC),
        totals=totals(router.health for router in found),
        routers=in_order(found, words, health),
        order=SHOWN_ORDER,
        words=words,
        health=health,
        link=_link,
        live_link=_live_link,
        probe_link=_probe_link,
        api_link=_api_link,
    )
    return await document(request, make, media=HTML, headers=HEADERS, long=True)


def _health(query: Mapping[str, str]) -> Health | None:
    """The health that the query narrows the page to; None also for a word that is none."""
    try:
        return Health(query.get("health", ""))
    except ValueError:
        return None


def in_order(routers: list[Router], words: str, health: Health | None) -> list[Router]:
    """The routers in that health that have every one of the words, worst first, else in the given order."""
    wanted = words.casefold().split()
    found = [
        router
        for router in routers
        if (health is None or router.health is health) and (not wanted or _has(router, wanted))
    ]
    found.sort(key=lambda router: -SEVERITY[router.health])
    return found


def _has(router: Router, wanted: list[str]) -> bool:
    texts = (
        router.name,
        router.address,
        router.module,
        router.identity or "",
        router.board or "",
        router.version or "",
        router.health.value,
        *[f"{name}={value}" for name, value in router.labels.items()],
    )
    text = "\n".join(texts).casefold()
    return all(word in text for word in wanted)


def _link(words: str, health: Health | None) -> str:
    """The page, narrowed."""
    query = urlencode(({"q": words} if words else {}) | ({"health": health.value} if health else {}))
    return f"/?{query}" if query else "/"


def _live_link(router: Router) -> str:
    return f"/live?router={_quoted(router.name)}"


def _probe_link(router: Router) -> str:
    return f"/probe?target={_quoted(router.name)}&module={_quoted(router.module)}"


def _api_link(router: Router) -> str:
    return f"/api/v1/routers/{_quoted(router.name)}"


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return quote(text, safe="")


async def _api(request: web.Request) -> web.Response:
    make = partial(page, "api.html", operations=openapi.OPERATIONS, tags=openapi.TAGS, rules=RULES)
    return await document(request, make, media=HTML, headers=HEADERS)


def routes() -> list[web.RouteDef]:
    """The routes of the pages."""
    return [web.get("/", _landing), web.get("/api", _api)]
