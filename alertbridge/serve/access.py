"""Who may act on the bridge: a person or program that logged in, from this site and no other."""

from urllib.parse import urlsplit

from aiohttp import hdrs, web

from alertbridge.serve.keys import GUARDS
from runtime.guards import PRINCIPAL, Scheme
from runtime.serving.problems import refusal

_LOGINS = frozenset({Scheme.BASIC, Scheme.BEARER})
CHALLENGE = 'Basic realm="tikwatch", charset="UTF-8"'
HINT = (
    "add a login, such as `web: {basic_auth: [{username: noc, password_file: noc.password}]}` or "
    "`web: {bearer: [{name: noc, token_file: noc.token}]}`"
)


def operator(request: web.Request) -> str:
    """The name of who acts, for the audit; empty when nobody logged in."""
    principal = request.get(PRINCIPAL)
    return principal.name if principal is not None and principal.scheme in _LOGINS else ""


def has_logins(request: web.Request) -> bool:
    """Whether anybody could log in at all."""
    return request.app[GUARDS].settings.asks_who


def hindrance(request: web.Request) -> tuple[type[web.HTTPException], str] | None:
    """What hinders whoever asks from acting, and the sentence that says it; None for an operator."""
    if foreign := why_foreign(request):
        return web.HTTPForbidden, foreign
    if operator(request):
        return None
    if has_logins(request):
        return (
            web.HTTPUnauthorized,
            "this call changes something and needs a user or a token of the configuration",
        )
    return web.HTTPForbidden, f"this call changes something and nobody can log in here; {HINT}"


def require_operator(request: web.Request) -> str:
    """The name of who acts. Raises HTTPForbidden, HTTPUnauthorized, with a problem as their body."""
    if (found := hindrance(request)) is not None:
        kind, detail = found
        headers: dict[str, str] = {hdrs.WWW_AUTHENTICATE: CHALLENGE} if kind is web.HTTPUnauthorized else {}
        raise refusal(kind, detail, headers=headers)
    return operator(request)


def why_foreign(request: web.Request) -> str:
    """Why a request was made by another site's page, whose visitor it would act for; empty when it was not.

    Browsers say where a request comes from (Sec-Fetch-Site, Origin); what is no browser says neither.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return "a page of another site may not act here"
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        return f"a page of another site may not act here (it calls this one {request.host})"
    return ""
