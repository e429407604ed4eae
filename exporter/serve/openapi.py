"""The OpenAPI document: generated from the models and from the table that also gives the routes."""

from aiohttp import web

from exporter.fleet import KNOWN_COLLECTORS
from exporter.serve import api
from runtime.serving.everywhere import EXPOSITION, description, life, plain
from runtime.serving.openapi import OpenApi
from runtime.serving.operation import HTML, Answer, Operation, Parameter, route_table

PATH = f"{api.PREFIX}/openapi.json"
_ABOUT = """\
State of the routers that this exporter watches. Durations are seconds, ratios 0 to 1, times RFC 3339 in UTC; what is
not known is null. Errors under /api are problem documents (RFC 9457). Who may ask is settled in the configuration's
`web` section; 401, 403, 429 and 503 can come from there on any path but health and readiness.
"""
TAGS = (
    ("routers", "What is known of the routers. Asks no router anything."),
    ("actions", "Calls that act on a router. They always need a bearer token, on the loopback address too."),
    ("metrics", "For Prometheus."),
    ("life", "For whoever runs the exporter."),
    ("pages", "For people."),
)

_DEADLINE = Parameter(
    "X-Prometheus-Scrape-Timeout-Seconds", "header", "Seconds that the client waits.", type="number"
)
_COLLECT = Parameter(
    "collect[]", "query", "Only these collectors.", many=True, limits={"enum": list(KNOWN_COLLECTORS)}
)
_BUSY = plain(503, "As many scrapes as may be are under way.")

ELSEWHERE: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/metrics",
        id="getMetrics",
        tag="metrics",
        summary="Metrics of all routers and of the exporter itself",
        parameters=(
            _COLLECT,
            Parameter(
                "tables",
                "query",
                "`none` asks no router and leaves out what routers' tables say, for who scrapes each through `/probe`.",
                limits={"enum": ["none"]},
            ),
            _DEADLINE,
        ),
        answers=(EXPOSITION, plain(400, "There is no such collector; those there are."), _BUSY),
    ),
    Operation(
        method="GET",
        path="/probe",
        id="probe",
        tag="metrics",
        summary="Metrics of one router",
        parameters=(
            Parameter(
                "target",
                "query",
                "Name or address of a router of the configuration.",
                required=True,
                limits={"minLength": 1},
            ),
            Parameter("module", "query", "Module to use in place of the router's own."),
            Parameter("debug", "query", "`true` tells as text how the probe went."),
            _COLLECT,
            _DEADLINE,
        ),
        answers=(
            EXPOSITION,
            plain(400, "There is no such target, module or collector; those there are."),
            _BUSY,
        ),
    ),
    Operation(
        method="GET",
        path="/sd",
        id="discover",
        tag="metrics",
        summary="The routers as targets, for Prometheus's HTTP service discovery",
        answers=(Answer(200, "Groups of targets with their labels."),),
    ),
    *life(ready="Whether scrapes are answered", is_ready="They are.", is_not="Not yet, or not any more."),
    Operation(
        method="GET",
        path="/",
        id="getPage",
        tag="pages",
        summary="Every router with its state, as a page",
        parameters=(
            Parameter("q", "query", "Only routers that have this text in name, address, identity or labels."),
            Parameter("health", "query", "Only routers in this health."),
        ),
        answers=(Answer(200, "A page.", media=(HTML,)),),
    ),
    Operation(
        method="GET",
        path="/api",
        id="getApiPage",
        tag="pages",
        summary="This description, as a page",
        answers=(Answer(200, "A page.", media=(HTML,)),),
    ),
    Operation(
        method="GET",
        path="/live",
        id="getLivePage",
        tag="pages",
        summary="Traffic as it happens, as a page",
        parameters=(
            Parameter("router", "query", "Router that is chosen at first."),
            Parameter("watch", "query", "What is chosen at first, as `interface:ether1`.", many=True),
            Parameter("users", "query", "`1` chooses the table of users."),
            Parameter("run", "query", "`1` starts at once."),
            Parameter("lang", "query", "`en` or `id`; by `Accept-Language` when left out."),
        ),
        answers=(Answer(200, "A page.", media=(HTML,)),),
    ),
    Operation(
        method="GET",
        path="/live/stream",
        id="streamLive",
        tag="pages",
        summary="What feeds the live page: server-sent events, each with JSON",
        text="Events: `hello`, `sample` (bits per second of each thing watched), `users`, `waiting` and `failure`. "
        "All who watch a router share one reading of it every 2 s.",
        parameters=(
            Parameter("router", "query", "Name of a router.", required=True),
            Parameter(
                "watch",
                "query",
                "Up to eight of `interface:`, `queue:`, `tree:` or `ppp:` with a name, or `hotspot:` with a MAC.",
                many=True,
            ),
            Parameter("users", "query", "`1` sends the table of users, too."),
            Parameter("q", "query", "Only users that have these words in name, address or service."),
        ),
        answers=(
            Answer(200, "Events without end.", media=("text/event-stream",)),
            plain(400, "Nothing, too much, or nothing that can be watched."),
            plain(404, "There is no such router."),
            plain(503, "There are as many viewers as may be."),
        ),
    ),
    Operation(
        method="GET",
        path="/live/choices",
        id="getLiveChoices",
        tag="pages",
        summary="What can be watched on a router",
        text="Asks the router, at most every 15 s.",
        parameters=(
            Parameter("router", "query", "Name of a router.", required=True),
            Parameter("q", "query", "Only what has these words in its name or what is told of it."),
            Parameter("kind", "query", "Only this kind: `interface`, `queue`, `tree`, `ppp` or `hotspot`."),
        ),
        answers=(
            Answer(200, "The first that match, how many do, and how many there are of each kind."),
            plain(404, "There is no such router."),
            Answer(502, "The router could not be asked; why."),
        ),
    ),
)
"""What is served beside the API, told here so that the document is whole."""

_OWN = description(PATH, lambda: DOCUMENT.text)
OPERATIONS: tuple[Operation, ...] = (*api.OPERATIONS, _OWN, *ELSEWHERE)
"""Everything that can be asked of the exporter."""


def routes() -> list[web.RouteDef]:
    """The route of the document."""
    return route_table([_OWN])


DOCUMENT: OpenApi = OpenApi(title="tikwatch exporter", about=_ABOUT, tags=TAGS, operations=OPERATIONS)
"""The description of all that."""
