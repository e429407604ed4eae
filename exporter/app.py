"""Makes every object of a running exporter and joins them; the only file that knows them all."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import prometheus_client
from aiohttp import web

from exporter.cache import Served, Slot
from exporter.collectors.reader import Reading
from exporter.config import Config, ExporterWebSection, RouterSection
from exporter.events.following import Events
from exporter.fleet import Fleet
from exporter.live.rooms import Live
from exporter.observers import Observers
from exporter.performance import Performance
from exporter.probes.kinds import kinds
from exporter.probes.registry import Probes
from exporter.probes.secrets import RouterSecrets
from exporter.readinglog import ReadingLog
from exporter.selfmetrics import CacheCounts, RefusedCounts, SelfMetrics
from exporter.serve import api, discovery, live, metrics, openapi, pages, probe
from exporter.serve.keys import (
    EVENTS,
    FLEET,
    GUARDS,
    LIVE,
    PERFORMANCE,
    PROBES,
    SELF_METRICS,
)
from exporter.serve.probe import ROOMS, Rooms
from exporter.serve.rendering import HEADERS, error_page
from exporter.serve.survey import SURVEY, Survey
from exporter.watch import Watched
from routeros import Router
from runtime.guards import Guards, GuardSettings, warn_if_exposed
from runtime.loading import ConfigError, Problem
from runtime.logs import Redactor, configure
from runtime.sections import secret_values
from runtime.serving import health, reload
from runtime.serving.document import GZIP, THREADS
from runtime.serving.faults import contain_faults
from runtime.serving.life import LIFE, Life, Phase
from runtime.serving.problems import problems
from runtime.serving.reloads import RELOADS, Reloads
from runtime.tls import CertificateUnusable

THREAD_LIMIT = 4
ROUTES = (metrics, probe, discovery, health, reload, api, openapi, pages, live)
LIMITED_PATHS = frozenset({"/metrics"})
"""Under `max_concurrent_scrapes` altogether; `/probe` is under it for each router by itself."""


class Listening:
    """What watched routers tell, for those who want to hear it."""

    def __init__(self, log: ReadingLog, counts: CacheCounts) -> None:
        self._log = log
        self._counts = counts

    def reading_finished(self, router: str, collector: str, slot: Slot, reading: Reading) -> None:
        """See `exporter.watch.Listener`."""
        self._log.reading_finished(router, collector, slot, reading)

    def served(self, collector: str) -> Served:
        """See `exporter.watch.Listener`."""
        return self._counts.of(collector)


class Exporter:
    """The parts that live as long as the process, and how a new configuration reaches each of them."""

    def __init__(self, config: Config, redactor: Redactor, context: ssl.SSLContext | None) -> None:
        self._redactor = redactor
        self._context = context
        self._started_with = config.web
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # half of the page for nothing
        self.metrics = SelfMetrics()
        self.performance = Performance()
        self.guards = Guards(_guard_settings(config.web), scrape_paths=LIMITED_PATHS)
        self.metrics.registry.register(RefusedCounts(self.guards.refused))
        self.fleet = Fleet(config, self._maker())
        secrets = RouterSecrets(lambda router: self.fleet.by_name(router).client, asyncio.get_running_loop())
        self.probes = Probes(kinds(secrets), config)
        self.live = Live(self.metrics.live)
        self.events = Events()
        self.metrics.loaded_at.set_to_current_time()

    def __repr__(self) -> str:
        return f"<Exporter {self.fleet!r} {self.guards!r}>"

    def _maker(self) -> Callable[[RouterSection, Config], Watched]:
        listening = Listening(ReadingLog(), self.metrics.cache)
        observer = Observers(self.metrics, performance=self.performance)

        def make(section: RouterSection, config: Config) -> Watched:
            client = Router(
                config.target(section),
                pool=config.pool_settings(section),
                breaker=config.breaker_settings(),
                retry=config.retry_settings(),
                observer=observer,
            )
            return Watched(section, client, listening, max_stale_s=config.cache.max_stale_s)

        return make

    async def take(self, config: Config) -> Sequence[str]:
        """Put `config` in force; returns what will only change with a restart.

        Raises ConfigError, with nothing changed, when the certificate went bad since it was checked.
        """
        self._renew_certificate(config.web)
        self._redactor.register(secret_values(config))
        configure(config.log, self._redactor)
        self.guards.replace(_guard_settings(config.web))
        warn_if_exposed(config.web.model_copy(update={"listen": self._started_with.listen}))
        await self.fleet.replace(config)
        await self.probes.replace(config)
        await self.live.renew()
        await self.events.follow(self.fleet)
        self.performance.keep([watched.name for watched in self.fleet])
        return restart_needs(self._started_with, config.web)

    def _renew_certificate(self, section: ExporterWebSection) -> None:
        if self._context is None or section.tls is None:
            return
        try:
            section.tls.context()  # a try on a context that serves nobody
            self._context.load_cert_chain(section.tls.cert_file, section.tls.key_file)
        except (CertificateUnusable, OSError) as error:
            raise ConfigError(str(section.tls.cert_file), [Problem("web > tls", None, str(error))]) from error


def make_app(
    config: Config, *, load: Callable[[], Config], redactor: Redactor, context: ssl.SSLContext | None = None
) -> web.Application:
    """The application for `config`, in a running loop; `load` reads it again for a reload.

    `context` is what HTTPS is served with, so that a reload can renew its certificate.
    """
    exporter = Exporter(config, redactor, context)
    threads = ThreadPoolExecutor(THREAD_LIMIT, thread_name_prefix="page")
    app = web.Application(
        middlewares=[
            problems(error_page, HEADERS),
            contain_faults("exporter", exporter.metrics.request_faults.inc),
            exporter.guards.middleware,
        ],
        client_max_size=config.web.max_body_bytes,
    )
    app[FLEET] = exporter.fleet
    app[PROBES] = exporter.probes
    app[SELF_METRICS] = exporter.metrics
    app[PERFORMANCE] = exporter.performance
    app[SURVEY] = Survey(exporter.fleet, exporter.performance)
    app[GUARDS] = exporter.guards
    app[LIVE] = exporter.live
    app[EVENTS] = exporter.events
    app[LIFE] = Life()
    app[ROOMS] = Rooms()
    app[THREADS] = threads
    app[RELOADS] = Reloads(load, exporter.take, exporter.metrics, threads)
    app[GZIP] = lambda: exporter.fleet.config.web.gzip
    for module in ROUTES:
        app.add_routes(module.routes())
    app.cleanup_ctx.append(_threads)
    app.on_startup.append(_follow)
    app.on_shutdown.append(_stop)
    return app


async def _threads(app: web.Application) -> AsyncIterator[None]:
    yield
    app[THREADS].shutdown(wait=False, cancel_futures=True)


async def _follow(app: web.Application) -> None:
    fleet = app[FLEET]
    await app[EVENTS].follow(fleet)


async def _stop(app: web.Application) -> None:
    """End the refreshes first: the scrapes that wait for them then answer with what there is."""
    app[LIFE].move_to(Phase.STOPPING)
    await app[EVENTS].close()
    await asyncio.gather(app[LIVE].close(), app[FLEET].close(), app[PROBES].close())


def _guard_settings(section: ExporterWebSection) -> GuardSettings:
    return GuardSettings.of(section, max_concurrent=section.max_concurrent_scrapes)


def restart_needs(old: ExporterWebSection, new: ExporterWebSection) -> list[str]:
    """What of a new `web:` section stays as it was at the start."""
    needs = [
        f"web > {key} changes with a restart only; it stays {getattr(old, key)}"
        for key in ("listen", "max_body_bytes")
        if getattr(old, key) != getattr(new, key)
    ]
    authorities = [section.tls.client_ca_file if section.tls else None for section in (old, new)]
    if (old.tls is None) is not (new.tls is None):
        needs.append("web > tls is switched on or off with a restart only")
    elif authorities[0] != authorities[1]:
        needs.append("web > tls > client_ca_file changes with a restart only")
    return needs
