"""The JSON API: what is known of the routers, and two calls that act on one of them."""

import time
from weakref import WeakSet

from aiohttp import hdrs, web
from pydantic import BaseModel

from exporter.fleet import UnknownTarget
from exporter.judgement import SEVERITY, Health
from exporter.serve import models
from exporter.serve.keys import GUARDS
from exporter.serve.survey import SURVEY, Survey, breaker, error_told, reasons, totals
from exporter.watch import Watched
from routeros import RouterError
from runtime.guards import PRINCIPAL, Scheme
from runtime.serving.bodies import Problem
from runtime.serving.document import document
from runtime.serving.operation import JSON, PROBLEM, Answer, Handler, Operation, Parameter, route_table
from runtime.serving.problems import refusal
from runtime.wording import did_you_mean

PREFIX = "/api/v1"
TEST_TIMEOUT_S = 15.0
MAX_TEST_TIMEOUT_S = 60.0
_TESTED_NOW: WeakSet[Watched] = WeakSet()
"""Routers with a test under way: it goes beside the pool, so that one more connection is the most they see."""


async def told(request: web.Request, model: BaseModel, *, long: bool = False) -> web.Response:
    """The model as a response that is true only now."""
    return await document(
        request, model.model_dump_json, media=JSON, headers={hdrs.CACHE_CONTROL: "no-store"}, long=long
    )


def _survey(request: web.Request) -> Survey:
    return request.app[SURVEY]


def _watched(request: web.Request) -> Watched:
    """The router of the path. Raises HTTPNotFound with the known names."""
    try:
        return _survey(request).fleet.by_name(request.match_info["name"])
    except UnknownTarget as error:
        detail = f"there is no router {error.target!r}{did_you_mean(error.target, error.known)}"
        raise refusal(web.HTTPNotFound, detail, known=error.known) from error


def _require_bearer(request: web.Request) -> None:
    """Lets only the owner of a token pass. Raises HTTPForbidden if none is configured, else HTTPUnauthorized."""
    if not request.app[GUARDS].settings.tokens:
        raise refusal(
            web.HTTPForbidden,
            "this call acts on a router and needs a bearer token, and the configuration has none; add one, "
            "such as `web: {bearer: [{name: ops, token_file: ops.token}]}`, and send it as "
            "`Authorization: Bearer ...`",
        )
    principal = request.get(PRINCIPAL)
    if principal is None or principal.scheme is not Scheme.BEARER:
        raise refusal(
            web.HTTPUnauthorized,
            "this call acts on a router and needs one of the configured bearer tokens: "
            "`Authorization: Bearer ...`",
            headers={hdrs.WWW_AUTHENTICATE: 'Bearer realm="tikwatch"'},
        )


async def _routers(request: web.Request) -> web.Response:
    found = _survey(request).routers()
    return await told(
        request, models.Routers(totals=totals(router.health for router in found), routers=found), long=True
    )


async def _router(request: web.Request) -> web.Response:
    return await told(request, _survey(request).detail(_watched(request)))


def _pool_told(survey: Survey, watched: Watched) -> models.Pool:
    stats, pool = watched.client.stats(), survey.fleet.config.pool_settings(watched.section)
    return models.Pool(
        router=watched.name,
        connections_open=stats.connections_open,
        connections_busy=stats.connections_busy,
        connections_opening=stats.connections_opening,
        min_size=pool.min_size,
        max_size=pool.max_size,
        in_flight=stats.in_flight,
        in_flight_limit=stats.limit,
        waiting=stats.waiting,
        connects_total=stats.connects_total,
        connect_failures_total=stats.connect_failures_total,
        login_failures_total=stats.login_failures_total,
        commands_total=stats.commands_total,
        rows_received_total=stats.rows_received_total,
        bytes_received_total=stats.bytes_received_total,
        bytes_sent_total=stats.bytes_sent_total,
    )


async def _pool(request: web.Request) -> web.Response:
    return await told(request, _pool_told(_survey(request), _watched(request)))


async def _connections(request: web.Request) -> web.Response:
    watched = _watched(request)
    connections = [
        models.Connection(
            state=connection.state,
            in_flight=connection.in_flight,
            age_s=connection.age_s,
            idle_s=connection.idle_s,
            commands_total=connection.commands_total,
            bytes_received_total=connection.bytes_received_total,
            bytes_sent_total=connection.bytes_sent_total,
        )
        for connection in watched.client.stats().connections
    ]
    return await told(
        request, models.Connections(pool=_pool_told(_survey(request), watched), connections=connections)
    )


async def _breaker(request: web.Request) -> web.Response:
    return await told(request, breaker(_watched(request)))


async def _performance(request: web.Request) -> web.Response:
    watched, survey = _watched(request), _survey(request)
    recent, stats = survey.recent(watched), watched.client.stats()
    return await told(
        request,
        models.Performance(
            router=watched.name,
            window_s=survey.window_s,
            commands=recent.commands,
            success_ratio=recent.success_ratio,
            latency=models.Latency(p50_s=recent.p50_s, p95_s=recent.p95_s, p99_s=recent.p99_s),
            mean_in_flight=recent.mean_in_flight,
            queue_length=stats.waiting,
            pool_utilisation_ratio=stats.connections_busy
            / survey.fleet.config.pool_settings(watched.section).max_size,
            in_flight_utilisation_ratio=stats.in_flight / stats.limit,
        ),
    )


def _health_told(survey: Survey, watched: Watched) -> models.RouterHealth:
    judgement = survey.judgement(watched)
    return models.RouterHealth(router=watched.name, health=judgement.health, reasons=reasons(judgement))


async def _router_health(request: web.Request) -> web.Response:
    return await told(request, _health_told(_survey(request), _watched(request)))


async def _health(request: web.Request) -> web.Response:
    survey = _survey(request)
    found = [_health_told(survey, watched) for watched in survey.fleet]
    worst = max((one.health for one in found), key=SEVERITY.__getitem__, default=Health.UNKNOWN)
    return await told(
        request,
        models.FleetHealth(health=worst, totals=totals(one.health for one in found), routers=found),
        long=True,
    )


def _timeout_s(request: web.Request) -> float:
    """Seconds that a test may take. Raises HTTPBadRequest for what is no such number."""
    text = request.query.get("timeout_s", str(TEST_TIMEOUT_S))
    try:
        timeout_s = float(text)
    except ValueError:
        timeout_s = 0.0
    if not 0 < timeout_s <= MAX_TEST_TIMEOUT_S:
        raise refusal(
            web.HTTPBadRequest,
            f"timeout_s must be a number of seconds above 0 and up to {MAX_TEST_TIMEOUT_S:g}, got {text!r}",
        )
    return timeout_s


async def _test(request: web.Request) -> web.Response:
    _require_bearer(request)
    watched, timeout_s = _watched(request), _timeout_s(request)
    if watched in _TESTED_NOW:
        raise refusal(web.HTTPConflict, f"a test of {watched.name!r} is under way; one at a time")
    _TESTED_NOW.add(watched)
    try:
        return await told(request, await _tested(watched, timeout_s))
    finally:
        _TESTED_NOW.discard(watched)


async def _tested(watched: Watched, timeout_s: float) -> models.ConnectionTest:
    began_s = time.monotonic()
    try:
        test = await watched.client.test(deadline_s=timeout_s)
    except RouterError as error:
        return models.ConnectionTest(
            router=watched.name,
            ok=False,
            identity=None,
            stages=None,
            total_s=time.monotonic() - began_s,
            error=error_told(error),
        )
    return models.ConnectionTest(
        router=watched.name,
        ok=True,
        identity=test.identity,
        stages=models.Stages(
            connect_s=test.connect_s, tls_s=test.tls_s, login_s=test.login_s, command_s=test.command_s
        ),
        total_s=test.total_s,
        error=None,
    )


async def _reset(request: web.Request) -> web.Response:
    _require_bearer(request)
    watched = _watched(request)
    client = watched.client
    before, open_before = client.breaker.state, client.stats().connections_open
    await client.reset()
    return await told(
        request,
        models.Reset(
            router=watched.name,
            connections_closed=open_before,
            breaker_before=models.BreakerState(before.value),
            breaker=breaker(watched),
        ),
    )


_NAME = Parameter("name", "path", "Name of a router, as in the configuration.", required=True)
_NO_ROUTER = Answer(404, "There is no such router; `known` names those there are.", Problem, (PROBLEM,))
_NO_LOGIN = Answer(
    401, "A bearer token is configured, and none or a wrong one was sent.", Problem, (PROBLEM,)
)
_NO_TOKEN = Answer(403, "No bearer token is configured (`web.bearer`).", Problem, (PROBLEM,))


def _about(
    tail: str, id_: str, summary: str, model: type[BaseModel], handler: Handler, text: str = ""
) -> Operation:
    """A question about one router."""
    return Operation(
        method="GET",
        path=f"{PREFIX}/routers/{{name}}{tail}",
        id=id_,
        tag="routers",
        summary=summary,
        text=text,
        parameters=(_NAME,),
        answers=(Answer(200, model.__doc__ or "", model), _NO_ROUTER),
        handler=handler,
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path=f"{PREFIX}/routers",
        id="listRouters",
        tag="routers",
        summary="Every router at a glance",
        answers=(Answer(200, "Every router that is watched.", models.Routers),),
        handler=_routers,
    ),
    _about("", "getRouter", "One router with its collectors", models.RouterDetail, _router),
    _about("/connections", "getConnections", "Each connection to a router", models.Connections, _connections),
    _about("/pool", "getPool", "The connection pool of a router", models.Pool, _pool),
    _about("/breaker", "getBreaker", "The circuit breaker of a router", models.Breaker, _breaker),
    _about(
        "/performance",
        "getPerformance",
        "Success rate, latency, queue and utilisation of a router",
        models.Performance,
        _performance,
    ),
    _about(
        "/health", "getRouterHealth", "How a router is doing, and why", models.RouterHealth, _router_health
    ),
    Operation(
        method="GET",
        path=f"{PREFIX}/health",
        id="getHealth",
        tag="routers",
        summary="How all routers are doing, and why",
        answers=(Answer(200, "How all routers are doing.", models.FleetHealth),),
        handler=_health,
    ),
    Operation(
        method="POST",
        path=f"{PREFIX}/routers/{{name}}/test",
        id="testRouter",
        tag="actions",
        summary="Try a fresh connection to a router",
        text="Connects, logs in and asks for the identity, beside the pool. The answer is 200 also when the router "
        "fails the test: `ok` tells.",
        parameters=(
            _NAME,
            Parameter(
                "timeout_s",
                "query",
                f"Seconds that the test may take, up to {MAX_TEST_TIMEOUT_S:g}; {TEST_TIMEOUT_S:g} when left out.",
                type="number",
                limits={"exclusiveMinimum": 0, "maximum": MAX_TEST_TIMEOUT_S},
            ),
        ),
        answers=(
            Answer(200, "How the connection went.", models.ConnectionTest),
            Answer(400, "`timeout_s` is out of range.", Problem, (PROBLEM,)),
            _NO_LOGIN,
            _NO_TOKEN,
            _NO_ROUTER,
            Answer(409, "A test of this router is under way.", Problem, (PROBLEM,)),
        ),
        handler=_test,
        bearer=True,
    ),
    Operation(
        method="POST",
        path=f"{PREFIX}/routers/{{name}}/reset",
        id="resetRouter",
        tag="actions",
        summary="Close a router's connections and its breaker",
        text="Commands under way fail. The next scrape connects anew, also where the breaker would have waited.",
        parameters=(_NAME,),
        answers=(Answer(200, "What was closed.", models.Reset), _NO_LOGIN, _NO_TOKEN, _NO_ROUTER),
        handler=_reset,
        bearer=True,
    ),
)
"""Every call of the API."""


def routes() -> list[web.RouteDef]:
    """The routes of the API."""
    return route_table(OPERATIONS)
