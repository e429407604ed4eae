"""The bridge as a whole: what lives as long as the process, and how a new configuration reaches each part."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field

import aiohttp
import structlog

from alertbridge.accept.intake import Intake
from alertbridge.accept.ports import Change
from alertbridge.alerts import Alert, Severity
from alertbridge.closing import Closing
from alertbridge.config import Config
from alertbridge.deliver.asides import watched
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.parts import Parts
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.leadership import Leadership
from alertbridge.store.retention import Retention
from runtime.clock import Clock
from runtime.logs import Redactor

CALM_EVERY_S = 30.0
PROVE_EVERY_S = 15.0

REPLACED = {
    "id": "Basis data alertbridge rusak dan diganti yang baru. Berkas lama disimpan: {file}. "
    "Alert yang belum terkirim di dalamnya mungkin hilang; periksa Alertmanager.",
    "en": "The bridge's store was corrupt and a new one was begun. The old file is kept: {file}. "
    "Alerts in it that were not told yet may be lost; look at Alertmanager.",
}

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Bridge:
    """A running bridge. Made by `opened`, ended by `close`."""

    config: Config
    clock: Clock
    metrics: SelfMetrics
    database: Database
    session: aiohttp.ClientSession
    limits: LimitStore
    owner: str
    parts: Parts
    intake: Intake
    redactor: Redactor
    closing: Closing
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def opened(
        cls, config: Config, *, metrics: SelfMetrics, clock: Clock, redactor: Redactor
    ) -> "Bridge":
        """Opens the store and begins to deliver what waits in it. Raises StoreError."""
        database = await Database.open(config.store, clock)
        session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        owner = secrets.token_hex(8)
        limits = LimitStore(database, clock)
        parts = Parts(
            config,
            database=database,
            session=session,
            metrics=metrics,
            limits=limits,
            clock=clock,
            owner=owner,
        )
        metrics.know(channels=parts.providers, rules=config.recovery.actions_by_rule)
        intake = Intake(database, parts.routes, config.accept, metrics, clock)
        closing = Closing(
            parts,
            database=database,
            session=session,
            metrics=metrics,
            intake=intake,
            clock=clock,
            redactor=redactor,
        )
        bridge = cls(
            config, clock, metrics, database, session, limits, owner, parts, intake, redactor, closing
        )
        intake.listen(bridge)
        try:
            await bridge._begin()
        except BaseException:
            await bridge.close()
            raise
        return bridge

    async def _begin(self) -> None:
        if self.database.replaced_file is not None:
            await self._tell_of_replaced(str(self.database.replaced_file))
        await self.parts.start()
        await self.closing.start(engine=True)
        leadership = Leadership(self.database, "retention", self.clock)
        retention = Retention(self.database, self.config.store.retention, self.clock)
        self._tasks = [
            asyncio.create_task(self._again("calm", CALM_EVERY_S, self._calm)),
            asyncio.create_task(self._again("store", PROVE_EVERY_S, self._prove)),
            watched(asyncio.create_task(retention.run(leadership)), "retention", self.metrics.task_fault),
        ]

    async def close(self) -> None:
        """Stores what was taken, lets sending come to an end, and closes."""
        await self.intake.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.closing.stop(engine=True)
        await self.parts.stop()
        await self.session.close()
        await self.database.close()

    async def take(self, config: Config) -> None:
        """Delivers by `config` from now on; what is under way goes on from the store."""
        new = Parts(
            config,
            database=self.database,
            session=self.session,
            metrics=self.metrics,
            limits=self.limits,
            clock=self.clock,
            owner=self.owner,
        )
        closing = Closing(
            new,
            database=self.database,
            session=self.session,
            metrics=self.metrics,
            intake=self.intake,
            clock=self.clock,
            redactor=self.redactor,
            before=self.closing,
        )
        old, self.parts, self.config = self.parts, new, config
        closed, self.closing = self.closing, closing
        self.metrics.know(channels=new.providers, rules=config.recovery.actions_by_rule)
        self.intake.replace(config.accept, new.routes)
        try:
            await closed.stop(engine=False)
        finally:  # whatever the old parts meet at their end, the new ones deliver
            try:
                await old.stop()
            finally:
                await new.start()
                await closing.start(engine=False)

    async def why_not_ready(self) -> str:
        """A sentence when alerts could not be taken in or told to anybody; empty when all is well."""
        try:
            await self.database.prove_writable()
        except StoreError as error:
            return f"the store cannot be written: {error}"
        return "" if self.parts.providers else "no channel is configured"

    # -- accept.ports.IntakeListener

    def notices_made(self, recipients: Set[str]) -> None:
        """Somebody must be told something."""
        self.parts.delivery.notices_made(recipients)

    def episode_changed(self, change: Change) -> None:
        """Recovery may act on it."""
        self.closing.episode_changed(change)

    def watchdog_arrived(self, alert: Alert, at_s: float) -> None:
        """The monitoring lives."""
        self.closing.watchdog_arrived(at_s)

    # -- serve.inbound.Messages

    async def message(self, channel: str, event: MessageEvent) -> None:
        """Somebody wrote to us. Raises StoreError."""
        await self.closing.message(channel, event)

    # -- from time to time

    async def _again(self, name: str, every_s: float, do: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await do()
            except StoreError as error:
                log.warning("bridge.put_off", job=name, detail=str(error))
            except Exception:  # the edge of a task that must not end
                log.exception("bridge.job_failed", job=name)
                self.metrics.task_fault(name)
            await asyncio.sleep(every_s)

    async def _calm(self) -> None:
        await self.intake.calm()

    async def _prove(self) -> None:
        self.metrics.store(up=False)
        await self.database.prove_writable()
        self.metrics.store(up=True)

    async def _tell_of_replaced(self, file: str) -> None:
        for recipient in self.parts.book:
            text = REPLACED.get(recipient.language, REPLACED["en"]).format(file=file)
            await self.parts.delivery.enqueue(
                Kind.SYSTEM, recipient.name, Body(text), severity=Severity.CRITICAL
            )


def restart_needs(old: Config, new: Config) -> Sequence[str]:
    """What of a new configuration stays as it was at the start."""
    needs = [
        f"web > {key} changes with a restart only"
        for key in ("listen", "max_body_bytes")
        if getattr(old.web, key) != getattr(new.web, key)
    ]
    if (old.web.tls is None) is not (new.web.tls is None):
        needs.append("web > tls is switched on or off with a restart only")
    if old.store != new.store:
        needs.append("store changes with a restart only")
    return needs
