"""All providers, the phone and the control in one application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from .control import Control
from .phoneapi import PhoneApi
from .providers import PROVIDERS, Provider, SettingsError
from .providers.base import BODY_LIMIT
from .world import World

PAGE = Path(__file__).parent / "page"
_FILES = {
    "/": ("index.html", "text/html"),
    "/phone.css": ("phone.css", "text/css"),
    "/phone.js": ("phone.js", "text/javascript"),
    "/marks.js": ("marks.js", "text/javascript"),
}
_POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class SimulatorApp:
    """The world and its providers. `settings` by provider; `default_via` for chats without a provider yet."""

    def __init__(
        self,
        world: World | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        *,
        default_via: str = "cloud",
    ) -> None:
        self.world = world or World()
        given = settings or {}
        if unknown := set(given) - set(PROVIDERS):
            raise SettingsError(f"there is no provider {min(unknown)!r}; known: {', '.join(PROVIDERS)}")
        self.providers: dict[str, Provider] = {
            name: kind(self.world, given.get(name)) for name, kind in PROVIDERS.items()
        }
        self.world.gateways.update(self.providers)
        self._control = Control(self.world, self.providers)
        self._phone = PhoneApi(self.world, default_via=default_via)

    def __repr__(self) -> str:
        return f"<SimulatorApp {self.world.phone!r}>"

    def app(self) -> web.Application:
        """Every provider under its prefix; serve it once, with `handler_cancellation`."""
        app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_guarded_page])
        for name, provider in self.providers.items():
            app.add_subapp(f"/{name}", provider.app())
        app.add_routes([*self._control.routes(), *self._phone.routes()])
        app.add_routes([web.get(path, self._file) for path in _FILES])
        app.cleanup_ctx.append(self._running)
        app.on_shutdown.append(self._closing)
        return app

    def alone(self, name: str) -> web.Application:
        """One provider at the root, for clients that know no prefix; serve it beside `app`."""
        return self.providers[name].app()

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.path]
        text = (PAGE / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, headers={"Cache-Control": "no-cache"})

    async def _running(self, _: web.Application) -> AsyncIterator[None]:
        await self.world.courier.open()
        yield
        await self.world.close()

    async def _closing(self, _: web.Application) -> None:
        self.world.closing.set()
        self.world.phone.tell_end()


@web.middleware
async def _guarded_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Browsers run nothing but our own files, and no page of somebody else's asks for anything here."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="this page is not of here")
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = _POLICY
    return response
