"""The OpenAPI document: generated from the models and from the tables that also give the routes."""

from aiohttp import hdrs, web

from alertbridge.serve import alerts, api, inbound, metrics
from runtime.serving.document import document as described
from runtime.serving.openapi import OpenApi
from runtime.serving.operation import HTML, JSON, TEXT, Answer, Operation, Parameter, route_table

PATH = f"{api.PREFIX}/openapi.json"
_OPENMETRICS = "application/openmetrics-text"
_ABOUT = """\
What the alert bridge took in, whom it told and how far that is. Times are RFC 3339 in UTC, durations seconds; what is
not known is null. Errors under /api are problem documents (RFC 9457). Who may ask is settled in the configuration's
`web` section; 401, 403 and 429 can come from there on any path but health, readiness and the providers' webhooks. What
changes something always wants a login, is kept with the name of who did it, and is refused to pages of other sites.
"""
TAGS = (
    ("alerts", "What Alertmanager posts."),
    ("outbox", "What fires, what was told, and what could not be."),
    ("channels", "The ways out, and the rate limits."),
    ("actions", "What an operator does. Always asks for a login."),
    ("webhooks", "What providers post. They prove themselves by their own signature."),
    ("metrics", "For Prometheus."),
    ("life", "For whoever runs the bridge."),
    ("pages", "For people."),
)


def _plain(status: int, text: str) -> Answer:
    return Answer(status, text, media=(TEXT,))


_CHANNEL = Parameter("channel", "path", "Name of the channel.", required=True)
_LANG = Parameter("lang", "query", "`en` or `id`; by `Accept-Language` when left out.")
_HOOK_REFUSED = _plain(403, "The signature is not the channel's, or there is no such channel.")

ELSEWHERE: tuple[Operation, ...] = (
    Operation(
        method="POST",
        path=inbound.PATH,
        id="takeWebhook",
        tag="webhooks",
        summary="Takes what a provider tells: receipts, messages from people, its session",
        parameters=(_CHANNEL,),
        answers=(
            Answer(200, "Taken; how many events were new."),
            _plain(400, "It is not what the provider sends."),
            _HOOK_REFUSED,
            _plain(413, "The body is too long."),
            _plain(503, "Not now: send it again."),
        ),
    ),
    Operation(
        method="GET",
        path=inbound.PATH,
        id="answerHandshake",
        tag="webhooks",
        summary="Answers a provider that checks the address of the webhook",
        parameters=(_CHANNEL,),
        answers=(_plain(200, "The word that it wants to hear."), _HOOK_REFUSED),
    ),
    Operation(
        method="GET",
        path=metrics.PATH,
        id="getMetrics",
        tag="metrics",
        summary="Metrics of the bridge",
        answers=(
            Answer(200, "Metrics, in the format that the client likes best.", media=(TEXT, _OPENMETRICS)),
        ),
    ),
    Operation(
        method="GET",
        path="/-/healthy",
        id="getHealthy",
        tag="life",
        summary="Whether the process runs",
        answers=(_plain(200, "It runs."),),
    ),
    Operation(
        method="GET",
        path="/-/ready",
        id="getReady",
        tag="life",
        summary="Whether alerts can be taken in and told",
        answers=(_plain(200, "They can."), _plain(503, "Why not.")),
    ),
    Operation(
        method="POST",
        path="/-/reload",
        id="reload",
        tag="life",
        summary="Read the configuration again",
        answers=(
            _plain(200, "The new one is in force."),
            _plain(400, "The request has a body, which it may not have."),
            _plain(500, "The new one has mistakes, which are listed; the old one stays in force."),
        ),
    ),
    Operation(
        method="GET",
        path="/",
        id="getPage",
        tag="pages",
        summary="What fires, recent messages, limits, channels and dead letters, as a page",
        parameters=(
            Parameter("severity", "query", "Only alerts of this severity."),
            Parameter("q", "query", "Only alerts with these words in their name or labels."),
            Parameter("page", "query", "Which page of what fires, from 1.", type="number"),
            Parameter("recipient", "query", "Only messages to this recipient."),
            Parameter("fate", "query", "Only messages with this fate."),
            Parameter("before", "query", "Only messages older than this one."),
            _LANG,
        ),
        answers=(Answer(200, "A page.", media=(HTML,)),),
    ),
    Operation(
        method="POST",
        path="/act",
        id="actOnPage",
        tag="pages",
        summary="What the forms of the page send; programs use the API",
        parameters=(_LANG,),
        answers=(
            Answer(303, "Done; back to the page.", media=(HTML,)),
            Answer(400, "The form cannot be used; the page with what was typed.", media=(HTML,)),
            Answer(403, "Not from this page, or nobody can log in.", media=(HTML,)),
            Answer(409, "Somebody was faster.", media=(HTML,)),
            Answer(503, "The store cannot be used just now.", media=(HTML,)),
        ),
        login=True,
    ),
)
"""What is served beside the API, told here so that the document is whole."""


async def _openapi(request: web.Request) -> web.Response:
    return await described(
        request, lambda: DOCUMENT.text, media=JSON, headers={hdrs.CACHE_CONTROL: "max-age=300"}
    )


_OWN = Operation(
    method="GET",
    path=PATH,
    id="getOpenApi",
    tag="life",
    summary="This document",
    answers=(Answer(200, "An OpenAPI 3.1 document."),),
    handler=_openapi,
)
OPERATIONS: tuple[Operation, ...] = (*alerts.OPERATIONS, *api.OPERATIONS, _OWN, *ELSEWHERE)
"""Everything that can be asked of the bridge."""


def routes() -> list[web.RouteDef]:
    """The route of the document."""
    return route_table([_OWN])


DOCUMENT = OpenApi(title="tikwatch alertbridge", about=_ABOUT, tags=TAGS, operations=OPERATIONS)
"""The description of all that."""
