"""The page: what fires, what was told and how far, the limits, the channels, and what nobody could be told.

Forms post to /act. A form proves that it is from our own page by what the browser says of its origin, and by a
token that stands in it and in a cookie which other sites cannot read.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from aiohttp import hdrs, web

from alertbridge.deliver.deadletters import NoDeadLetter
from alertbridge.serve import acts, requests
from alertbridge.serve.access import hindrance, operator
from alertbridge.serve.keys import PARTS
from alertbridge.serve.models import REASON_CHARS
from alertbridge.serve.pageview import KEPT, Wanted, view
from alertbridge.serve.rendering import HEADERS, page
from alertbridge.store.errors import StoreError
from runtime.serving.document import document
from runtime.serving.operation import HTML

COOKIE = "tikwatch_form"
DONE = {"retry": "retried", "drop": "dropped", "resume": "resumed"}
FORM = "application/x-www-form-urlencoded"


class Mistake(Exception):
    """A form that cannot be used: `word` names the sentence. What was `typed` stays, by id."""

    def __init__(self, status: int, word: str, typed: Mapping[str, str] | None = None) -> None:
        super().__init__(word)
        self.status = status
        self.word = word
        self.typed = typed or {}


async def _page(request: web.Request) -> web.StreamResponse:
    return await _shown(request, done=request.query.get("done", ""))


async def _shown(request: web.Request, *, done: str = "", mistake: Mistake | None = None) -> web.Response:
    """The page as the query wants it. Raises HTTPBadRequest, HTTPServiceUnavailable."""
    token = _token(request) or secrets.token_urlsafe(24)
    wanted = Wanted(
        severity=requests.severity(request),
        words=requests.words(request),
        page=requests.number(request, "page", default=1, least=1, most=1_000_000),
        recipient=request.query.get("recipient", ""),
        fate=requests.fate(request),
        before=request.query.get("before", ""),
        language=request.query.get("lang", ""),
        accept_language=tuple(request.headers.getall(hdrs.ACCEPT_LANGUAGE, [])),
    )
    try:
        values = await view(request.app, wanted)
    except StoreError as error:
        raise web.HTTPServiceUnavailable(text=f"{error}\n", headers={hdrs.RETRY_AFTER: "5"}) from error
    given = {name: request.query[name] for name in KEPT if request.query.get(name)}
    make = _maker(
        {
            **values,
            "done": done if done in DONE.values() else "",
            "mistake": mistake.word if mistake is not None else "",
            "typed": mistake.typed if mistake is not None else {},
            "may_act": bool(operator(request)),
            "token": token,
            "link": _linker(given),
            "query": _query(given),
            "kept": lambda but: [(name, value) for name, value in given.items() if name not in but],
        }
    )
    headers = {**HEADERS, "Content-Language": str(values["lang"])}
    response = await document(request, make, media=HTML, headers=headers, long=True)
    if mistake is not None:
        response.set_status(mistake.status)
    if token != _token(request):
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=request.secure)
    return response


def _maker(values: Mapping[str, object]) -> Callable[[], str]:
    return lambda: page("bridge.html", **values)


def _token(request: web.Request) -> str:
    found = request.cookies.get(COOKIE, "")
    return found if 16 <= len(found) <= 64 else ""


def _linker(given: Mapping[str, str]) -> Callable[..., str]:
    """Makes links to the page as it is, with what is named changed; an empty word takes it out."""

    def link(**changes: object) -> str:
        return f"/{_query({**given, **{name: str(value) for name, value in changes.items()}})}"

    return link


def _query(given: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in given.items() if value})
    return f"?{query}" if query else ""


async def _act(request: web.Request) -> web.StreamResponse:
    """What a form asks for; then back to the page."""
    if (found := hindrance(request)) is not None:
        kind, detail = found
        raise kind(text=f"{detail}\n")
    try:
        what = await _done(request)
    except Mistake as mistake:
        return await _shown(request, mistake=mistake)
    except StoreError as error:
        raise web.HTTPServiceUnavailable(text=f"{error}\n", headers={hdrs.RETRY_AFTER: "5"}) from error
    given = {name: request.query[name] for name in KEPT if request.query.get(name)}
    raise web.HTTPSeeOther(f"/{_query({**given, 'done': what})}")


async def _done(request: web.Request) -> str:
    """Does it; the word for what was done. Raises Mistake, StoreError."""
    if request.content_type != FORM:
        raise Mistake(400, "what")
    form = {name: str(value) for name, value in (await request.post()).items()}
    what, about, reason = form.get("what", ""), form.get("id", ""), form.get("reason", "").strip()
    typed = {about: form.get("reason", "")[:REASON_CHARS]}
    token = _token(request)
    if not token or not hmac.compare_digest(token.encode(), form.get("token", "").encode()):
        raise Mistake(403, "token", typed)
    if what not in DONE:
        raise Mistake(400, "what", typed)
    if not reason or len(reason) > REASON_CHARS:
        raise Mistake(400, "reason", typed)
    parts, by = request.app[PARTS](), operator(request)
    try:
        match what:
            case "retry":
                await parts.delivery.retry_dead(about, by=by, reason=reason)
            case "drop":
                await parts.delivery.drop_dead(about, by=by, reason=reason)
            case _:
                acts.resume(parts, about, by=by, reason=reason)
    except NoDeadLetter:
        raise Mistake(409, "gone") from None
    except acts.UnknownName:
        raise Mistake(400, "channel") from None
    return DONE[what]


def routes() -> list[web.RouteDef]:
    """The page and its forms."""
    return [web.get("/", _page), web.post("/act", _act)]
