"""The OpenAPI document: generated from the models and from the tables that also give the routes."""

from aiohttp import web

from alertbridge.serve import alerts, api, inbound, metrics
from runtime.serving.everywhere import EXPOSITION, description, life, plain
from runtime.serving.openapi import OpenApi
from runtime.serving.operation import HTML, Answer, Operation, Parameter, route_table

PATH = f"{api.PREFIX}/openapi.json"
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

_CHANNEL = Parameter("channel", "path", "Name of the channel.", required=True)
_LANG = Parameter("lang", "query", "`en` or `id`; by `Accept-Language` when left out.")
_HOOK_REFUSED = plain(403, "The signature is not the channel's, or there is no such channel.")

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
            plain(400, "It is not what the provider sends."),
            _HOOK_REFUSED,
            plain(413, "The body is too long."),
            plain(503, "Not now: send it again."),
        ),
    ),
    Operation(
        method="GET",
        path=inbound.PATH,
        id="answerHandshake",
        tag="webhooks",
        summary="Answers a provider that checks the address of the webhook",
        parameters=(_CHANNEL,),
        answers=(plain(200, "The word that it wants to hear."), _HOOK_REFUSED),
    ),
    Operation(
        method="GET",
        path=metrics.PATH,
        id="getMetrics",
        tag="metrics",
        summary="Metrics of the bridge",
        answers=(EXPOSITION,),
    ),
    *life(ready="Whether alerts can be taken in and told", is_ready="They can.", is_not="Why not."),
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

_OWN = description(PATH, lambda: DOCUMENT.text)
OPERATIONS: tuple[Operation, ...] = (*alerts.OPERATIONS, *api.OPERATIONS, _OWN, *ELSEWHERE)
"""Everything that can be asked of the bridge."""


def routes() -> list[web.RouteDef]:
    """The route of the document."""
    return route_table([_OWN])


DOCUMENT: OpenApi = OpenApi(title="tikwatch alertbridge", about=_ABOUT, tags=TAGS, operations=OPERATIONS)
"""The description of all that."""
