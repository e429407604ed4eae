"""What went wrong with a request, in the form its sender can read: JSON under /api/, a page in a browser, else text."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from multidict import CIMultiDict

from runtime.serving.bodies import Problem
from runtime.serving.operation import HTML, PROBLEM, TEXT

API_PREFIX = "/api/"
KNOWN_SHOWN = 100
"""A problem names at most so many values that would have been right."""
_OWN_HEADERS = frozenset({hdrs.CONTENT_TYPE, hdrs.CONTENT_LENGTH})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ErrorPage = Callable[[int, str, str], str]
"""Status, title and detail -> a page."""


def refusal(
    kind: type[web.HTTPException],
    detail: str,
    *,
    known: Collection[str] = (),
    headers: dict[str, str] | None = None,
) -> web.HTTPException:
    """An exception of that kind whose body is a problem document."""
    return kind(text=problem_text(kind.status_code, detail, known), content_type=PROBLEM, headers=headers)


def problem_text(status: int, detail: str, known: Collection[str] = ()) -> str:
    """A problem document as JSON."""
    found = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, known=list(known)[:KNOWN_SHOWN]
    )
    return found.model_dump_json()


def problems(page: ErrorPage, headers: Mapping[str, str]) -> Middleware:
    """The middleware that puts errors which are plain text into the form of their reader; tools that read text
    get it as it is. `page` makes the page for a browser, `headers` go with it.

    Stands outside the other middlewares, so that their refusals are told in the same way.
    """

    def retold(request: web.Request, response: web.StreamResponse) -> web.Response | None:
        return _retold(request, response, page, headers)

    @web.middleware
    async def tell(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            if not _is_plain_error(error) or (answer := retold(request, error)) is None:
                raise
            return answer
        return retold(request, response) or response

    return tell


def _is_plain_error(response: web.StreamResponse) -> bool:
    return response.status >= 400 and response.content_type == TEXT


def _retold(
    request: web.Request, response: web.StreamResponse, page: ErrorPage, page_headers: Mapping[str, str]
) -> web.Response | None:
    if not isinstance(response, web.Response) or not _is_plain_error(response):
        return None
    detail = _detail(request, response, (response.text or "").strip())
    headers = CIMultiDict(
        (name, value) for name, value in response.headers.items() if name not in _OWN_HEADERS
    )
    if request.path.startswith(API_PREFIX):
        body, media = problem_text(response.status, detail), PROBLEM
    elif _is_browser(request):
        title = HTTPStatus(response.status).phrase
        body, media = page(response.status, title, detail), HTML
        headers.extend(page_headers)
    else:
        return None
    answer = web.Response(status=response.status, text=body, content_type=media, headers=headers)
    if response.keep_alive is False:
        answer.force_close()
    return answer


def _detail(request: web.Request, response: web.StreamResponse, detail: str) -> str:
    """The detail, or a sentence for what aiohttp only gives a number."""
    if response.status == HTTPStatus.NOT_FOUND and detail.startswith("404"):
        return f"nothing lives at {request.path}"
    if response.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return (
            f"{request.method} is not possible here; allowed: {response.headers.get(hdrs.ALLOW, 'nothing')}"
        )
    return detail


def _is_browser(request: web.Request) -> bool:
    """Whether the client would rather see a page: browsers name text/html, tools take anything."""
    return HTML in request.headers.get(hdrs.ACCEPT, "")
