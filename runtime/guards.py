"""Who may ask what, how often, and how much at once: one aiohttp middleware for the `web:` section.

    guards = Guards(GuardSettings.of(config.web, max_concurrent=8), scrape_paths=frozenset({"/metrics", "/probe"}))
    app = web.Application(middlewares=[guards.middleware])
    ...
    guards.replace(GuardSettings.of(new.web, max_concurrent=8))  # requests from now on; those under way go on

The order is: address (403), rate (429), who (401), room for one more scrape (503). On `patient_paths` who asks
is looked at first, and only strangers have a rate: their senders take 429 for a last word and lose what they sent.
A verified client certificate proves there as much as a login. Health and readiness are open to every allowed
address, and so are `open_paths`, whose callers prove themselves in another way. The address is that of the
connection: forwarding headers, which anybody can write, are not believed.
"""

import hashlib
import hmac
import ipaddress
import math
import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

import structlog
from aiohttp import BasicAuth, hdrs, web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from runtime.clock import Clock, SystemClock
from runtime.rates import RateTable, client_of
from runtime.web import IpNetwork, WebSection

log = structlog.get_logger(__name__)

OPEN_PATHS = frozenset({"/-/healthy", "/-/ready"})
_KEY = secrets.token_bytes(32)
"""Digests of secrets under a key of this process are all of one length, and of no use elsewhere."""


class Scheme(Enum):
    """How a client proved who it is."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    CERTIFICATE = "certificate"  # of the connection; looked at on patient paths only


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: `name` of the user or token, as the configuration calls it; empty when nobody has to say, and
    for a certificate, which is the connection's."""

    scheme: Scheme
    name: str = ""


ANYBODY = Principal(Scheme.NONE)
PRINCIPAL = web.RequestKey("principal", Principal)
"""Where a request carries who sent it."""


class Refusal(Enum):
    """Why a request was not let through; the value is the word for logs and labels."""

    ADDRESS = "address"
    RATE = "rate"
    LOGIN = "login"
    BUSY = "busy"


_STATUS = {Refusal.ADDRESS: 403, Refusal.RATE: 429, Refusal.LOGIN: 401, Refusal.BUSY: 503}


def _digest(text: str) -> bytes:
    return hmac.digest(_KEY, text.encode("utf-8", "surrogateescape"), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """What the guards hold requests against. Secrets are kept as digests only."""

    users: tuple[tuple[str, bytes, bytes], ...] = field(default=(), repr=False)
    """Name, digest of the name, digest of the password."""
    tokens: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    """Name, digest of the token."""
    allow: tuple[IpNetwork, ...] = ()
    requests_per_s: float | None = None
    burst: int = 1
    max_concurrent: int | None = None

    @classmethod
    def of(cls, section: WebSection, *, max_concurrent: int | None = None) -> Self:
        """The settings that a `web:` section asks for."""
        rate = section.rate_limit
        return cls(
            users=tuple(
                (user.username, _digest(user.username), _digest(user.password.get_secret_value()))
                for user in section.basic_auth
                if user.password is not None
            ),
            tokens=tuple(
                (bearer.name, _digest(bearer.token.get_secret_value()))
                for bearer in section.bearer
                if bearer.token is not None
            ),
            allow=section.networks,
            requests_per_s=rate.requests_per_s if rate is not None else None,
            burst=rate.burst if rate is not None else 1,
            max_concurrent=max_concurrent,
        )

    @property
    def asks_who(self) -> bool:
        """Whether a client must prove who it is."""
        return bool(self.users or self.tokens)

    def allows(self, address: str | None) -> bool:
        """Whether the address is in one of the allowed networks; every address when none is named."""
        if not self.allow:
            return True
        try:
            ip = ipaddress.ip_address(address or "")
        except ValueError:
            return False  # a unix socket, or nothing we understand
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self.allow)

    def principal(self, authorization: str | None) -> Principal | None:
        """Who sends this Authorization header; None when it proves nothing.

        Compares with every user or token, and takes the same time whether a name exists or not.
        """
        if not self.asks_who:
            return ANYBODY
        scheme, _, value = (authorization or "").partition(" ")
        match scheme.lower():
            case "basic":
                return self._user(authorization or "")
            case "bearer":
                return self._bearer(value.strip())
        return None

    def _user(self, authorization: str) -> Principal | None:
        try:
            given = BasicAuth.decode(authorization, encoding="utf-8")
        except ValueError:
            return None
        name, password = _digest(given.login), _digest(given.password)
        found: Principal | None = None
        for username, name_digest, password_digest in self.users:
            same_name = hmac.compare_digest(name, name_digest)
            same_password = hmac.compare_digest(password, password_digest)
            if same_name & same_password:
                found = Principal(Scheme.BASIC, username)
        return found

    def _bearer(self, token: str) -> Principal | None:
        given = _digest(token)
        found: Principal | None = None
        for name, digest in self.tokens:
            if hmac.compare_digest(given, digest):
                found = Principal(Scheme.BEARER, name)
        return found


class Guards:
    """The guards of one service. `refused` counts by reason, from 0."""

    def __init__(
        self,
        settings: GuardSettings,
        *,
        scrape_paths: frozenset[str] = frozenset(),
        patient_paths: frozenset[str] = frozenset(),
        open_paths: frozenset[str] = frozenset(),
        realm: str = "tikwatch",
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._scrape_paths = scrape_paths
        self._patient_paths = patient_paths
        self._open_paths = OPEN_PATHS | open_paths
        self._realm = realm
        self._clock = clock or SystemClock()
        self._rates = RateTable()
        self._scrapes = 0
        self.refused: dict[Refusal, int] = dict.fromkeys(Refusal, 0)

    def __repr__(self) -> str:
        return f"<Guards asks_who={self._settings.asks_who} scrapes={self._scrapes} {self._rates!r}>"

    @property
    def settings(self) -> GuardSettings:
        return self._settings

    @property
    def scrapes(self) -> int:
        """Scrapes under way."""
        return self._scrapes

    def replace(self, settings: GuardSettings) -> None:
        """Holds every request from now on against `settings`; a request under way is not asked again."""
        self._settings = settings

    @property
    def middleware(self) -> Middleware:
        """What an aiohttp application takes among its middlewares, first of all."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        return guard

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        settings = self._settings  # one and the same for the whole request
        if not settings.allows(request.remote):
            return self._refuse(request, Refusal.ADDRESS, "this address is not allowed")
        path = _route_of(request)
        if path in self._open_paths:
            request[PRINCIPAL] = ANYBODY
            return await handler(request)
        proven = _proven(settings, request) if path in self._patient_paths else None
        if proven is None and settings.requests_per_s is not None:
            now_s = self._clock.monotonic()
            client = client_of(request.remote)
            wait_s = self._rates.wait_s(client, settings.requests_per_s, settings.burst, now_s)
            if wait_s > 0:
                return self._refuse(request, Refusal.RATE, "too many requests from this address", wait_s)
        principal = proven or settings.principal(request.headers.get(hdrs.AUTHORIZATION))
        if principal is None:
            return self._refuse(request, Refusal.LOGIN, "this needs a login")
        request[PRINCIPAL] = principal
        if path not in self._scrape_paths:
            return await handler(request)
        if settings.max_concurrent is not None and self._scrapes >= settings.max_concurrent:
            return self._refuse(request, Refusal.BUSY, f"{self._scrapes} scrapes are under way already", 1.0)
        self._scrapes += 1
        try:
            return await handler(request)
        finally:
            self._scrapes -= 1

    def _refuse(
        self, request: web.Request, refusal: Refusal, message: str, wait_s: float | None = None
    ) -> web.Response:
        self.refused[refusal] += 1
        headers: CIMultiDict[str] = CIMultiDict()
        if refusal is Refusal.LOGIN:
            for challenge in self._challenges():
                headers.add(hdrs.WWW_AUTHENTICATE, challenge)
        if wait_s is not None:
            headers[hdrs.RETRY_AFTER] = str(max(1, math.ceil(wait_s)))
        log.warning(
            "web.refused",
            reason=refusal.value,
            client=request.remote,
            method=request.method,
            path=request.path,
        )
        return web.Response(status=_STATUS[refusal], text=f"{message}\n", headers=headers)

    def _challenges(self) -> list[str]:
        basic = [f'Basic realm="{self._realm}", charset="UTF-8"'] if self._settings.users else []
        bearer = [f'Bearer realm="{self._realm}"'] if self._settings.tokens else []
        return [*basic, *bearer]

    def require_bearer(self, request: web.Request) -> Principal:
        """The token's owner, for calls that a user with a password may not make.

        Raises HTTPForbidden when there is no token in the configuration, or when the client came without one.
        """
        principal = request[PRINCIPAL]
        if principal.scheme is Scheme.BEARER:
            return principal
        why = "send one" if self._settings.tokens else "none is configured (web > bearer)"
        raise web.HTTPForbidden(text=f"this call needs a bearer token; {why}\n")


def _proven(settings: GuardSettings, request: web.Request) -> Principal | None:
    """Who sends the request by a proof of their own, be it a login or a certificate; None for a stranger."""
    principal = settings.principal(request.headers.get(hdrs.AUTHORIZATION))
    if principal is not None and principal.scheme is not Scheme.NONE:
        return principal
    if request.get_extra_info("peercert"):  # told by ssl only when it was verified
        return Principal(Scheme.CERTIFICATE)
    return None


def _route_of(request: web.Request) -> str | None:
    """Path of the route that will answer: what the client wrote can be spelled in many ways that lead to one."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else None


def warn_if_exposed(section: WebSection) -> None:
    """Says so in the log when others than this machine can connect and nobody asks who they are."""
    if section.address.is_loopback:
        return
    listen = section.listen
    if section.basic_auth or section.bearer:
        if section.tls is None:
            log.warning(
                "web.passwords_unencrypted", listen=listen, remedy="set web > tls, or listen on 127.0.0.1"
            )
    elif section.tls is None or section.tls.client_ca_file is None:
        log.warning(
            "web.open_to_everyone",
            listen=listen,
            allow=list(section.allow) or "every address",
            remedy="set web > basic_auth or web > bearer, or listen on 127.0.0.1",
        )
