"""/live: a page with traffic as it happens, the stream that feeds it, and what there is to watch."""

import json
import socket
from contextlib import suppress
from functools import partial

from aiohttp import hdrs, web
from markupsafe import Markup

from exporter.fleet import UnknownTarget
from exporter.live.choices import NothingRead, matching
from exporter.live.rooms import Live, TooMany
from exporter.live.subjects import Kind, parse_subjects
from exporter.live.viewer import Viewer
from exporter.serve.keys import FLEET, LIVE
from exporter.serve.livewords import WORDS, choose_language
from exporter.serve.rendering import STYLE, page, static
from exporter.watch import Watched
from runtime.serving.document import document
from runtime.serving.operation import HTML, JSON
from runtime.serving.pagepolicy import headers
from runtime.wording import did_you_mean

CHOICES_SHOWN = 60
WORDS_LIMIT_CHARS = 100
SEND_BUFFER_BYTES = 64 * 1024
"""What the kernel may keep for a viewer; with its own, larger buffers it would hide for minutes that one is slow."""
RETRY_S = 3
EVENT_STREAM = "text/event-stream"
_STYLES = (STYLE, static("live.css"))
_SCRIPT = static("live.js")
_HEADERS = headers(styles=_STYLES, scripts=[_SCRIPT])
_STREAM_HEADERS = {
    hdrs.CONTENT_TYPE: f"{EVENT_STREAM}; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx would collect events until its buffer is full
}


async def _page(request: web.Request) -> web.Response:
    fleet, live = request.app[FLEET], request.app[LIVE]
    language = choose_language(
        request.query.get("lang", ""), request.headers.getall(hdrs.ACCEPT_LANGUAGE, [])
    )
    about = {
        "words": WORDS,
        "limit": live.bounds.subjects_per_viewer,
        "history_s": live.pace.history_s,
        "period_s": live.pace.period_s,
    }
    make = partial(
        page,
        "live.html",
        lang=language,
        text=WORDS[language],
        routers=[watched.name for watched in fleet],
        kinds=[kind.value for kind in Kind],
        limit=live.bounds.subjects_per_viewer,
        about=Markup(json.dumps(about).replace("<", "\\u003c")),  # noqa: S704  our own words, in a data block
        live_style=Markup(_STYLES[1]),  # noqa: S704  our own file, as the policy's hash knows it
        live_script=Markup(_SCRIPT),  # noqa: S704  likewise
    )
    return await document(request, make, media=HTML, headers={**_HEADERS, "Content-Language": language})


def _watched(request: web.Request) -> Watched:
    """The router of the query. Raises HTTPNotFound."""
    name = request.query.get("router", "")
    try:
        return request.app[FLEET].by_name(name)
    except UnknownTarget as error:
        raise web.HTTPNotFound(
            text=f"there is no router {name!r}{did_you_mean(name, error.known)}\n"
        ) from error


def _words(request: web.Request) -> str:
    return request.query.get("q", "")[:WORDS_LIMIT_CHARS].strip()


async def _choices(request: web.Request) -> web.Response:
    watched = _watched(request)
    kind = request.query.get("kind", "")
    wanted = next((known for known in Kind if known == kind), None)
    try:
        found = await request.app[LIVE].catalogue(watched).choices()
    except NothingRead as error:
        told: dict[str, object] = {
            "class": error.trouble.failure_class,
            "message": error.trouble.message,
        }
        return web.json_response(told, status=502, headers={hdrs.CACHE_CONTROL: "no-store"})
    chosen = list(matching(found, _words(request), wanted))
    rows = [
        {"kind": c.kind.value, "key": c.key, "label": c.label, "about": c.about, "up": c.is_up}
        for c in chosen[:CHOICES_SHOWN]
    ]
    kinds = {known.value: sum(c.kind is known for c in found) for known in Kind}
    told = {"choices": rows, "matching": len(chosen), "kinds": kinds}
    return await document(
        request,
        partial(json.dumps, told, ensure_ascii=False),
        media=JSON,
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )


async def _stream(request: web.Request) -> web.StreamResponse:
    """Events until the client goes, is too slow, or the stream is to begin anew."""
    watched, live = _watched(request), request.app[LIVE]
    viewer = _viewer(request, live)
    try:
        hub = live.join(watched, viewer)
    except TooMany as error:
        raise web.HTTPServiceUnavailable(text=f"{error}\n", headers={hdrs.RETRY_AFTER: "10"}) from error
    try:
        return await _send(request, viewer)
    finally:
        hub.leave(viewer)


def _viewer(request: web.Request, live: Live) -> Viewer:
    """The viewer that the query describes. Raises HTTPBadRequest."""
    users = request.query.get("users", "") == "1"
    try:
        subjects = parse_subjects(request.query.getall("watch", []), limit=live.bounds.subjects_per_viewer)
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"{error}\n") from error
    if not subjects and not users:
        raise web.HTTPBadRequest(text="nothing to watch: name it with watch=KIND:NAME, or ask for users=1\n")

    def abort() -> None:
        if request.transport is not None:
            request.transport.abort()

    return Viewer(subjects, users=users, words=_words(request), abort=abort)


async def _send(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    response = web.StreamResponse(headers=_STREAM_HEADERS)
    _limit_send_buffer(request)
    with suppress(ConnectionError):  # the client is gone, or was too slow
        await response.prepare(request)
        await response.write(f"retry: {RETRY_S * 1000}\n\n".encode())
        while (chunk := await viewer.next()) is not None:
            await response.write(chunk)
        await response.write_eof()
    return response


def _limit_send_buffer(request: web.Request) -> None:
    found = request.transport.get_extra_info("socket") if request.transport is not None else None
    if found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def routes() -> list[web.RouteDef]:
    """The page, its stream and its choices."""
    return [
        web.get("/live", _page),
        web.get("/live/stream", _stream, allow_head=False),
        web.get("/live/choices", _choices, allow_head=False),
    ]
