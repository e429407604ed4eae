"""POST /api/v1/alerts and /webhook: Alertmanager's notifications, answered 200 only when they are committed.

Alertmanager tries again after 5xx and time-outs only, and drops what gets anything else. So everything that may
pass is 503, whatever its cause: too much at once, no room, a body that is slow, a store that cannot be written.
429 is for strangers and comes from the guards.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from alertbridge.accept.config import AcceptSection, LimitSection
from alertbridge.accept.counts import AcceptCounts
from alertbridge.accept.intake import Intake, Overloaded
from alertbridge.accept.payload import NotANotification, Received, Rejected, read_notification
from alertbridge.alerts import Alert
from alertbridge.deliver.asides import watched
from alertbridge.store.errors import StoreError
from runtime.clock import Clock
from runtime.guards import PRINCIPAL, Scheme
from runtime.serving.bodies import Body, Problem
from runtime.serving.operation import PROBLEM, TEXT, Answer, Operation, route_table

log = structlog.get_logger(__name__)

PATHS = frozenset({"/api/v1/alerts", "/webhook"})
"""For the guards too, as `patient_paths`."""
READ_IN_THREAD_BYTES = 32 << 10
"""A longer body is read in a thread: it would hold up the loop for more than a few milliseconds."""
CHUNK_BYTES = 64 << 10
TOLD = 100
"""An answer and the log name so many alerts that were not taken; the store has all of them."""
RETRY_AFTER = {hdrs.RETRY_AFTER: "1"}
TELL_WITHIN_S = 5.0
REFUSED_LATELY_S = 60.0
"""After so long a refusal says nothing of now: a balancer that sends nothing more would never hear of the cure."""

Emergency = Callable[[Sequence[Alert]], Coroutine[None, None, int]]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A notification could not be stored, at `at_s` (monotonic)."""

    at_s: float
    why: str


class RejectedAlert(Body):
    """Something of the notification that was not taken."""

    path: str
    """Where it stands in the body, such as `alerts[17].startsAt`."""
    reason: str
    """What is wrong with it."""


class TakenAlerts(Body):
    """What became of a notification."""

    accepted: int
    """Alerts that are stored now, or were before."""
    rejected: list[RejectedAlert]
    """What was not taken; at most 100 are named."""
    rejected_total: int
    """How many alerts that is."""


class AlertsDoor:
    """Lets notifications in, as many at once as there is room for."""

    def __init__(
        self,
        intake: Intake,
        section: AcceptSection,
        counts: AcceptCounts,
        clock: Clock,
        emergency: Emergency | None = None,
        faulted: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`emergency` hears of what could not be stored; Alertmanager is still told to come again. `faulted` counts
        what failed meanwhile for a fault of ours."""
        self._intake = intake
        self._emergency = emergency
        self._faulted = faulted
        self._telling: set[asyncio.Task[int]] = set()
        self._refusal: _Refusal | None = None
        self._limits = section.limits
        self._counts = counts
        self._clock = clock
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="alerts")
        self._requests = 0
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<AlertsDoor requests={self._requests} bytes={self._bytes}>"

    def replace(self, section: AcceptSection) -> None:
        """Holds requests from now on to these limits."""
        self._limits = section.limits

    def close(self) -> None:
        """Ends its thread; notifications that are being read come to nothing, and come again."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def let_in(self, request: web.Request) -> web.Response:
        """The answer to one notification. Raises HTTPException for what is refused."""
        limits = self._limits
        async with self._room(limits) as held:
            received = await self._read(await self._body(request, limits, held), limits)
            try:
                async with asyncio.timeout(limits.store_s):
                    taken = await self._intake.take(received.group, received.rejected)
            except (Overloaded, StoreError) as error:
                if isinstance(error, StoreError):
                    self._refused(str(error))
                    self._tell_directly(received.group.alerts)
                raise _later(str(error)) from error
            except TimeoutError as error:
                self._refused(f"not within {limits.store_s:g} s")
                raise _later(f"it could not be stored within {limits.store_s:g} s") from error
        if taken.received > taken.watchdogs:
            self._refusal = None
        if received.cut:
            self._counts.values_cut(received.cut)
            log.warning("alerts.cut", values=received.cut, group=received.group.key)
        _log_rejected(request, received.rejected)
        answer = TakenAlerts(
            accepted=taken.received,
            rejected=[RejectedAlert(path=r.path, reason=r.reason) for r in received.rejected[:TOLD]],
            rejected_total=taken.rejected,
        )
        return web.Response(text=answer.model_dump_json(), content_type="application/json")

    def _tell_directly(self, alerts: Sequence[Alert]) -> None:
        """What is critical does not wait for the disk; the answer does not wait for that."""
        if self._emergency is not None:
            task = watched(asyncio.create_task(self._emergency(alerts)), "emergency", self._faulted)
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def told(self) -> None:
        """Returns when what could not be stored is told, as far as that ends in a few seconds."""
        if self._telling:
            await asyncio.wait(self._telling, timeout=TELL_WITHIN_S)

    def why_not_ready(self) -> str:
        """A sentence while the last notification with anything to store was refused by the store lately: a small row
        may still find its place where a notification does not. Empty otherwise."""
        refusal = self._refusal
        if refusal is None or self._clock.monotonic() - refusal.at_s >= REFUSED_LATELY_S:
            return ""
        return f"a notification could not be stored: {refusal.why}"

    def _refused(self, why: str) -> None:
        self._refusal = _Refusal(self._clock.monotonic(), why)

    def answered(self, code: int, since_s: float) -> None:
        """A request that began at `since_s` (monotonic) is answered."""
        self._counts.webhook_answered(code, self._clock.monotonic() - since_s)

    @property
    def now_s(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()

    @asynccontextmanager
    async def _room(self, limits: LimitSection) -> AsyncIterator[bytearray]:
        """Room for one more notification; what the block puts into the array counts among the bytes held."""
        if self._requests >= limits.requests:
            raise _later(f"{self._requests} notifications are being taken already")
        held = bytearray()
        self._requests += 1
        try:
            yield held
        finally:
            self._requests -= 1
            self._bytes -= len(held)

    async def _body(self, request: web.Request, limits: LimitSection, held: bytearray) -> bytes:
        """The body, unpacked."""
        stranger = request[PRINCIPAL].scheme is Scheme.NONE
        most = limits.stranger_body_bytes if stranger else limits.body_bytes
        if (request.content_length or 0) > most:
            raise _too_long(most, stranger=stranger)
        try:
            async with asyncio.timeout(limits.body_s):
                async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                    held += chunk
                    self._bytes += len(chunk)
                    if len(held) > most:
                        raise _too_long(most, stranger=stranger)
                    if self._bytes > limits.requests_bytes:
                        raise _later("too many bytes of notifications are being taken already")
        except TimeoutError as error:
            raise _later(f"the body did not arrive within {limits.body_s:g} s") from error
        except web.RequestPayloadError as error:
            raise web.HTTPBadRequest(text="the body broke off, or cannot be unpacked\n") from error
        return bytes(held)

    async def _read(self, body: bytes, limits: LimitSection) -> Received:
        try:
            if len(body) <= READ_IN_THREAD_BYTES:
                return read_notification(body, limits.texts)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, read_notification, body, limits.texts)
        except NotANotification as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error


ALERTS_DOOR = web.AppKey("alerts_door", AlertsDoor)


def _later(why: str) -> web.HTTPException:
    refusal = web.HTTPServiceUnavailable(text=f"{why}\n", headers=RETRY_AFTER)
    refusal.force_close()  # what is left of the body is not read
    return refusal


def _too_long(most: int, *, stranger: bool) -> web.HTTPException:
    remedy = "; a peer that logs in may send more" if stranger else ""
    refusal = web.HTTPRequestEntityTooLarge(
        most, most, text=f"the body is longer than {most} bytes{remedy}\n"
    )
    refusal.force_close()
    return refusal


def _log_rejected(request: web.Request, rejected: Sequence[Rejected]) -> None:
    for found in rejected[:TOLD]:
        log.warning("alerts.rejected", path=found.path, reason=found.reason, client=request.remote)
    if len(rejected) > TOLD:
        words = Counter(found.fault.value for found in rejected[TOLD:])
        log.warning("alerts.more_rejected", count=len(rejected) - TOLD, reasons=dict(words))


async def take_alerts(request: web.Request) -> web.StreamResponse:
    """See `OPERATIONS`."""
    return await request.app[ALERTS_DOOR].let_in(request)


@web.middleware
async def count_webhooks(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts how requests to the webhook were answered, and says in the log what was refused and why. Stands
    outside the guards, whose refusals count too and which log them themselves."""
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in PATHS:
        return await handler(request)
    door = request.app[ALERTS_DOOR]
    since_s = door.now_s
    code = 500
    try:
        response = await handler(request)
        code = response.status
    except web.HTTPException as error:
        code = error.status
        log.warning("alerts.refused", code=code, reason=(error.text or "").strip(), client=request.remote)
        raise
    finally:
        door.answered(code, since_s)
    return response


_ANSWERS = (
    Answer(200, "Everything that could be read is stored.", TakenAlerts),
    Answer(400, "A body that can never be taken.", Problem, (PROBLEM, TEXT)),
    Answer(413, "A body that is longer than this peer may send.", Problem, (PROBLEM, TEXT)),
    Answer(503, "Not now: send it again.", Problem, (PROBLEM, TEXT)),
)
OPERATIONS = (
    Operation(
        method="POST",
        path="/api/v1/alerts",
        id="takeAlerts",
        tag="alerts",
        summary='Takes a notification of Alertmanager (webhook, version "4")',
        text="Answers when it is stored. An alert that cannot be read is left out and named.",
        answers=_ANSWERS,
        handler=take_alerts,
    ),
    Operation(
        method="POST",
        path="/webhook",
        id="takeAlertsToo",
        tag="alerts",
        summary="The same as /api/v1/alerts",
        answers=_ANSWERS,
        handler=take_alerts,
    ),
)


def routes() -> list[web.RouteDef]:
    """The webhook under both its paths."""
    return route_table(OPERATIONS)
