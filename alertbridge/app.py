"""The HTTP side of the bridge: which paths there are, who may use them, and the life of what is behind them."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from alertbridge.bridge import Bridge, restart_needs
from alertbridge.config import Config
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.serve import alerts, api, inbound, openapi, pages
from alertbridge.serve import metrics as metrics_page
from alertbridge.serve.alerts import ALERTS_DOOR, AlertsDoor, count_webhooks
from alertbridge.serve.inbound import INBOUND, InboundDoor
from alertbridge.serve.keys import CLOCK, DATABASE, GUARDS, METRICS, PARTS
from alertbridge.serve.rendering import HEADERS, error_page
from runtime.clock import SystemClock
from runtime.guards import Guards, GuardSettings, warn_if_exposed
from runtime.logs import Redactor, configure
from runtime.sections import secret_values
from runtime.serving import health, reload
from runtime.serving.document import GZIP, THREADS
from runtime.serving.faults import contain_faults
from runtime.serving.life import LIFE, Life, Phase
from runtime.serving.problems import problems
from runtime.serving.reloads import RELOADS, Reloads

THREAD_LIMIT = 2
ROUTES = (alerts, inbound, api, metrics_page, openapi, pages, reload)
BRIDGE = web.AppKey("bridge", Bridge)


class _Refused(Collector):
    """What the guards refused, by reason."""

    def __init__(self, guards: Guards) -> None:
        self._guards = guards

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        family = CounterMetricFamily(
            "alertbridge_requests_refused", "Requests that the guards refused.", labels=["reason"]
        )
        for reason, count in self._guards.refused.items():
            family.add_metric([reason.value], count)
        yield family


def make_app(
    config: Config,
    *,
    load: Callable[[], Config],
    redactor: Redactor,
    context: ssl.SSLContext | None = None,
) -> web.Application:
    """The application for `config`; `load` reads it again for a reload. Its start raises StoreError."""
    clock, metrics = SystemClock(), SelfMetrics()
    guards = Guards(
        GuardSettings.of(config.web), patient_paths=alerts.PATHS, open_paths=frozenset({inbound.PATH})
    )
    metrics.registry.register(_Refused(guards))
    app = web.Application(
        middlewares=[
            problems(error_page, HEADERS),
            count_webhooks,
            contain_faults("bridge", metrics.request_fault),
            guards.middleware,
        ],
        client_max_size=config.web.max_body_bytes,
    )
    app[METRICS], app[CLOCK], app[GUARDS] = metrics, clock, guards
    app[LIFE] = Life()
    app[GZIP] = lambda: True
    app[THREADS] = threads = ThreadPoolExecutor(THREAD_LIMIT, thread_name_prefix="page")

    async def take(new: Config) -> Sequence[str]:
        bridge = app[BRIDGE]
        notes = restart_needs(bridge.config, new)
        if context is not None and new.web.tls is not None:
            context.load_cert_chain(new.web.tls.cert_file, new.web.tls.key_file)
        redactor.register(secret_values(new))
        configure(new.log, redactor)
        guards.replace(GuardSettings.of(new.web))
        warn_if_exposed(new.web)
        app[ALERTS_DOOR].replace(new.accept)
        await bridge.take(new)
        return notes

    app[RELOADS] = Reloads(load, take, metrics, threads)

    async def living(app: web.Application) -> AsyncIterator[None]:
        bridge = await Bridge.opened(config, metrics=metrics, clock=clock, redactor=redactor)
        app[BRIDGE], app[DATABASE], app[PARTS] = bridge, bridge.database, lambda: bridge.parts
        door = AlertsDoor(
            bridge.intake,
            config.accept,
            metrics,
            clock,
            emergency=lambda alerts: bridge.parts.delivery.emergency(alerts),
            faulted=metrics.task_fault,
        )
        app[ALERTS_DOOR] = door
        app[INBOUND] = InboundDoor(bridge.database, clock, lambda: bridge.parts, bridge.message)
        yield
        app[LIFE].move_to(Phase.STOPPING)
        await door.told()
        await bridge.close()
        door.close()
        threads.shutdown(wait=False, cancel_futures=True)

    async def why_not(request: web.Request) -> str:
        return await request.app[BRIDGE].why_not_ready() or request.app[ALERTS_DOOR].why_not_ready()

    for module in ROUTES:
        app.add_routes(module.routes())
    app.add_routes(health.routes(why_not))
    app.cleanup_ctx.append(living)
    return app
