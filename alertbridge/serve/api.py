"""The JSON API: where everything is, and the few things that an operator does from outside."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from functools import wraps
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web
from pydantic import BaseModel

from alertbridge.alerts import Severity
from alertbridge.deliver import account, deadletters
from alertbridge.deliver.deadletters import NoDeadLetter
from alertbridge.deliver.trial import TrialRefused
from alertbridge.serve import acts, models, requests, telling
from alertbridge.serve.access import require_operator
from alertbridge.serve.fate import FILTERS
from alertbridge.serve.firing import firing
from alertbridge.serve.keys import CLOCK, DATABASE, PARTS
from alertbridge.serve.recent import recent
from alertbridge.store.errors import StoreError
from runtime.serving.bodies import Problem
from runtime.serving.document import document
from runtime.serving.operation import JSON, PROBLEM, Answer, Operation, Parameter, route_table
from runtime.serving.problems import refusal

PREFIX = "/api/v1"
MOST_OFFSET = 1_000_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def told(request: web.Request, model: BaseModel) -> web.Response:
    """The model as a response that is true only now."""
    return await document(
        request, model.model_dump_json, media=JSON, headers={hdrs.CACHE_CONTROL: "no-store"}, long=True
    )


def stored(handler: Handler) -> Handler:
    """`handler`, answering 503 while the store cannot be used."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except StoreError as error:
            raise refusal(web.HTTPServiceUnavailable, str(error), headers={hdrs.RETRY_AFTER: "5"}) from error

    return handle


def _paging(request: web.Request) -> tuple[int, int]:
    return (
        requests.number(request, "limit", default=requests.LIMIT_DEFAULT, least=1, most=requests.LIMIT_MOST),
        requests.number(request, "offset", default=0, most=MOST_OFFSET),
    )


async def _firing(request: web.Request) -> web.StreamResponse:
    limit, offset = _paging(request)
    severity, words = requests.severity(request), requests.words(request)
    async with request.app[DATABASE].read() as connection:
        page = await firing(connection, severity=severity, words=words, limit=limit, offset=offset)
    return await told(request, telling.firing(page))


async def _where(request: web.Request) -> web.StreamResponse:
    async with request.app[DATABASE].read() as connection:
        found = await account.where(connection, request.match_info["key"])
    return await told(request, models.Found(episodes=[telling.whereabouts(one) for one in found]))


async def _messages(request: web.Request) -> web.StreamResponse:
    limit, fate = _paging(request)[0], requests.fate(request)
    async with request.app[DATABASE].read() as connection:
        page = await recent(
            connection,
            recipient=request.query.get("recipient", ""),
            fate=fate,
            limit=limit,
            before=request.query.get("before", ""),
        )
    return await told(request, telling.sent(page))


async def _channels(request: web.Request) -> web.StreamResponse:
    async with request.app[DATABASE].read() as connection:
        return await told(request, await telling.channels(connection, request.app[PARTS]()))


def _day(request: web.Request, zone: ZoneInfo) -> date:
    text = request.match_info["day"]
    if text == "today":
        return datetime.fromtimestamp(request.app[CLOCK].time(), zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refusal(web.HTTPBadRequest, "name a day as 2026-01-31, or today") from None


async def _account(request: web.Request) -> web.StreamResponse:
    zone = ZoneInfo(request.app[PARTS]().config.delivery.timezone)
    day = _day(request, zone)
    async with request.app[DATABASE].read() as connection:
        return await told(request, telling.day(await account.of_day(connection, day, zone)))


async def _dead_letters(request: web.Request) -> web.StreamResponse:
    limit, _ = _paging(request)
    async with request.app[DATABASE].read() as connection:
        found = await deadletters.listed(connection, limit + 1)
    letters = [telling.dead(letter) for letter in found[:limit]]
    return await told(request, models.DeadLetters(dead_letters=letters, more=len(found) > limit))


async def _end_letter(request: web.Request, done: str) -> web.StreamResponse:
    by = require_operator(request)
    why = await requests.body(request, models.Why)
    delivery = request.app[PARTS]().delivery
    end = delivery.retry_dead if done == "retried" else delivery.drop_dead
    letter_id = request.match_info["id"]
    try:
        await end(letter_id, by=by, reason=why.reason)
    except NoDeadLetter as error:
        raise refusal(
            web.HTTPNotFound, "there is no such dead letter; perhaps somebody was faster"
        ) from error
    return await told(request, models.Done(done=done, by=by))


async def _retry(request: web.Request) -> web.StreamResponse:
    return await _end_letter(request, "retried")


async def _drop(request: web.Request) -> web.StreamResponse:
    return await _end_letter(request, "dropped")


async def _resume(request: web.Request) -> web.StreamResponse:
    by = require_operator(request)
    why = await requests.body(request, models.Why)
    try:
        acts.resume(request.app[PARTS](), request.match_info["name"], by=by, reason=why.reason)
    except acts.UnknownName as error:
        raise refusal(web.HTTPNotFound, str(error), known=error.known) from error
    return await told(request, models.Done(done="resumed", by=by))


async def _test(request: web.Request) -> web.StreamResponse:
    by = require_operator(request)
    wanted = await requests.body(request, models.TestWanted)
    try:
        found = await acts.test_message(
            request.app[PARTS](),
            request.app[DATABASE],
            request.app[CLOCK],
            wanted.recipient,
            wanted.channel,
            by=by,
            await_s=wanted.await_s,
        )
    except acts.UnknownName as error:
        raise refusal(web.HTTPNotFound, str(error), known=error.known) from error
    except TrialRefused as error:
        raise refusal(web.HTTPConflict, str(error)) from error
    return await told(request, telling.trial(found))


def _problem(status: int, text: str) -> Answer:
    return Answer(status, text, Problem, (PROBLEM,))


_BAD = _problem(400, "A parameter cannot be what it is.")
_AWAY = _problem(503, "The store cannot be used just now.")
_ACTING = (
    _problem(400, "The body is not what is wanted."),
    _problem(401, "A login is wanted."),
    _problem(403, "Nobody can log in here, or a page of another site asks."),
    _problem(415, "The body is not JSON."),
    _AWAY,
)
_LIMIT = Parameter(
    "limit",
    "query",
    f"At most so many; {requests.LIMIT_DEFAULT} when left out.",
    type="number",
    limits={"minimum": 1, "maximum": requests.LIMIT_MOST},
)
_LETTER = Parameter("id", "path", "Id of the dead letter.", required=True)


def _asking(
    tail: str,
    id_: str,
    tag: str,
    summary: str,
    model: type[BaseModel],
    handler: Handler,
    *parameters: Parameter,
    text: str = "",
) -> Operation:
    """A question; changes nothing."""
    return Operation(
        method="GET",
        path=f"{PREFIX}{tail}",
        id=id_,
        tag=tag,
        summary=summary,
        text=text,
        parameters=parameters,
        answers=(Answer(200, model.__doc__ or "", model), *((_BAD,) if parameters else ()), _AWAY),
        handler=stored(handler),
    )


def _acting(
    tail: str,
    id_: str,
    summary: str,
    body: type[BaseModel],
    model: type[BaseModel],
    handler: Handler,
    *parameters: Parameter,
    others: tuple[Answer, ...] = (),
    text: str = "",
) -> Operation:
    """Something that an operator does."""
    return Operation(
        method="POST",
        path=f"{PREFIX}{tail}",
        id=id_,
        tag="actions",
        summary=summary,
        text=text,
        parameters=parameters,
        body=body,
        answers=(Answer(200, model.__doc__ or "", model), *others, *_ACTING),
        handler=stored(handler),
        login=True,
    )


OPERATIONS: tuple[Operation, ...] = (
    _asking(
        "/firing",
        "listFiring",
        "outbox",
        "What fires now, and who was told",
        models.FiringEpisodes,
        _firing,
        Parameter(
            "severity",
            "query",
            "Only alerts of this severity.",
            limits={"enum": [one.value for one in Severity]},
        ),
        Parameter("q", "query", "Only alerts with these words in their name or labels."),
        _LIMIT,
        Parameter("offset", "query", "Leaves out so many.", type="number", limits={"minimum": 0}),
    ),
    _asking(
        "/where/{key}",
        "getWhere",
        "outbox",
        "Where an alert is: its notices, messages and every attempt",
        models.Found,
        _where,
        Parameter(
            "key",
            "path",
            "A fingerprint, the number of an episode, or the id of a message.",
            required=True,
        ),
        text="What nothing is known of gives an empty list.",
    ),
    _asking(
        "/messages",
        "listMessages",
        "outbox",
        "The newest messages with their fate",
        models.SentMessages,
        _messages,
        Parameter("recipient", "query", "Only those to this recipient."),
        Parameter(
            "fate", "query", "Only those with this fate.", limits={"enum": [one.value for one in FILTERS]}
        ),
        _LIMIT,
        Parameter("before", "query", "Only those older than this message: `older` of the page before."),
    ),
    _asking(
        "/account/{day}",
        "getAccount",
        "outbox",
        "What became of everything that was received on a day",
        models.DayAccount,
        _account,
        Parameter(
            "day",
            "path",
            "A day such as `2026-01-31` in the configuration's time zone, or `today`.",
            required=True,
        ),
    ),
    _asking(
        "/dead-letters",
        "listDeadLetters",
        "outbox",
        "What nobody could be told",
        models.DeadLetters,
        _dead_letters,
        _LIMIT,
    ),
    _asking(
        "/channels",
        "listChannels",
        "channels",
        "Every channel: its state, session and limit",
        models.Channels,
        _channels,
    ),
    _acting(
        "/dead-letters/{id}/retry",
        "retryDeadLetter",
        "Try a dead letter again",
        models.Why,
        models.Done,
        _retry,
        _LETTER,
        others=(_problem(404, "There is no such dead letter."),),
        text="What it was to tell waits again, on the recipient's first way.",
    ),
    _acting(
        "/dead-letters/{id}/drop",
        "dropDeadLetter",
        "Give a dead letter up",
        models.Why,
        models.Done,
        _drop,
        _LETTER,
        others=(_problem(404, "There is no such dead letter."),),
        text="Nobody will be told; the account of the day says who decided so.",
    ),
    _acting(
        "/channels/{name}/resume",
        "resumeChannel",
        "Say that a channel is well again",
        models.Why,
        models.Done,
        _resume,
        Parameter("name", "path", "Name of the channel.", required=True),
        others=(_problem(404, "There is no such channel."),),
        text="For a channel that is paused or stopped and was mended. If it is not, it stops again.",
    ),
    _acting(
        "/test",
        "sendTest",
        "Send a test message",
        models.TestWanted,
        models.TestSent,
        _test,
        others=(
            _problem(404, "There is no such recipient."),
            _problem(409, "The limits, or the state of the channel, do not allow it now."),
        ),
        text="Goes out at once, within the limits and beside the outbox.",
    ),
)
"""Every call of the API but the webhook's own."""


def routes() -> list[web.RouteDef]:
    """The routes of the API."""
    return route_table(OPERATIONS)
