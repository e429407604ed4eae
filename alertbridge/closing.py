"""What closes the loop: recovery, replies, reports and the dead man's switch, put together from one configuration.

As with the parts that deliver, a new configuration gets new ones; only the engine goes on, since runs are under way.
"""

import asyncio
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import aiohttp

from alertbridge.accept.intake import Intake
from alertbridge.accept.ports import Change
from alertbridge.deadman import DeadMan
from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.deliver.route.schedule import Schedule
from alertbridge.heartbeat import Heartbeat
from alertbridge.parts import Parts
from alertbridge.prometheus import Prometheus
from alertbridge.recover.actions.databases_listed import Databases
from alertbridge.recover.actions.recollections import Recollections
from alertbridge.recover.actions.registry import Actions
from alertbridge.recover.actions.resources import Resources, Routers
from alertbridge.recover.actions.services_listed import Services
from alertbridge.recover.engine import Engine, Settings
from alertbridge.recover.people import ConfiguredPeople
from alertbridge.reply.hands import Hands
from alertbridge.reply.replies import Neighbours, Replies
from alertbridge.reply.reportnow import ReportNow
from alertbridge.reply.trail import Trail
from alertbridge.report.charts import make_charts
from alertbridge.report.composing import Composer
from alertbridge.report.gathering import Gathering
from alertbridge.report.reporter import Reporter
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.store.database import Database
from runtime.clock import Clock
from runtime.logs import Redactor

DAY_S = 86_400.0


class Closing:
    """The objects that act, answer, report and watch the watchers."""

    def __init__(
        self,
        parts: Parts,
        *,
        database: Database,
        session: aiohttp.ClientSession,
        metrics: SelfMetrics,
        intake: Intake,
        clock: Clock,
        redactor: Redactor,
        before: "Closing | None" = None,
    ) -> None:
        """`before` is what ran until now: its engine goes on by the new configuration."""
        config = parts.config
        zone = ZoneInfo(config.delivery.timezone)
        self._metrics = metrics
        self.prometheus = Prometheus(config.prometheus, session) if config.prometheus is not None else None
        self._resources: Resources = Resources(
            routers=Routers(config.actions.routers),
            session=session,
            clock=clock,
            keep_dir=config.actions.keep_dir,
            providers=parts.providers,
            channels={section.name: section for section in config.channels},
            exporter=config.actions.exporter,
            services=Services(config.actions.services, clock=clock, redact=redactor.text),
            databases=Databases(config.actions.databases),
            recollections=Recollections() if before is None else before._resources.recollections,
        )
        self._settings = Settings(
            section=config.recovery,
            maker=Actions(self._resources),
            teller=parts.delivery,
            people=ConfiguredPeople(config),
            schedules={one.name: Schedule.of(one, config.delivery.timezone) for one in config.schedules},
            prometheus=self.prometheus,
        )
        self._retiring: set[asyncio.Task[None]] = set()
        if before is None:
            self.engine = Engine(database, clock, metrics, self._settings)
        else:
            self.engine = before.engine
            self.engine.replace(self._settings)
            self._retiring = {*before._retiring, asyncio.create_task(before._retired())}
        charts = make_charts()
        gathering = Gathering(
            self.prometheus, database, clock, kept_s=config.store.retention.alerts_d * DAY_S
        )
        self._composer = Composer(gathering, charts, parts.texts, zone, clock)
        self.reporter = Reporter(
            config.reports,
            database=database,
            clock=clock,
            composer=self._composer,
            sending=parts.delivery,
            book=parts.book,
            counts=metrics,
        )
        self.deadman: DeadMan | None = None
        self.heartbeat: Heartbeat | None = None
        if config.deadman is not None:
            self.deadman = DeadMan(
                config.deadman,
                database=database,
                clock=clock,
                sending=parts.delivery,
                book=parts.book,
                counts=metrics,
                zone=zone,
            )
            if config.deadman.heartbeat is not None:
                self.heartbeat = Heartbeat(
                    config.deadman.heartbeat,
                    watchdog=self.deadman,
                    database=database,
                    clock=clock,
                    session=session,
                    any_channel_ok=lambda: "ok" in _words(parts).values(),
                )
        self.replies: Replies | None = None
        if config.replies is not None:
            self.replies = Replies(
                config.replies,
                Neighbours(
                    database=database,
                    teller=parts.delivery,
                    intake=intake,
                    trail=Trail(database, clock),
                    counts=metrics,
                    zone=zone,
                    language=config.delivery.language,
                    prometheus=self.prometheus,
                    alertmanager=parts.alertmanager,
                    recovery=Hands(self.engine, lambda: self._settings),
                    reports=ReportNow(self._composer, lambda: config.reports, clock),
                    charts=charts,
                    channels=lambda: _words(parts),
                ),
                clock,
            )

    def __repr__(self) -> str:
        return f"<Closing {self.engine!r}>"

    async def start(self, *, engine: bool) -> None:
        """Begins; the engine too unless it runs already."""
        if engine:
            await self.engine.start()
        await self.reporter.start()
        if self.deadman is not None:
            await self.deadman.start()
        if self.heartbeat is not None:
            await self.heartbeat.start()
        if self.replies is not None:
            await self.replies.start()

    async def stop(self, *, engine: bool) -> None:
        """Ends; the engine goes on unless told otherwise, and with it what its runs act with."""
        if self.replies is not None:
            await self.replies.stop()
        if self.heartbeat is not None:
            await self.heartbeat.stop()
        if self.deadman is not None:
            await self.deadman.stop()
        await self.reporter.stop()
        if engine:
            await self.engine.stop()
            await self._resources.close()
            await asyncio.gather(*self._retiring)

    async def _retired(self) -> None:
        """Closes what actions acted with, once the runs that are under way now are over: a new configuration must
        not cut off a router in the middle of an action."""
        await self.engine.drained()
        await self._resources.close()

    # -- what comes in

    def episode_changed(self, change: Change) -> None:
        """An episode began, goes on or ended."""
        self.engine.episode_changed(change)

    def watchdog_arrived(self, at_s: float) -> None:
        """The dead man's switch was heard."""
        if self.deadman is not None:
            self.deadman.arrived(at_s)

    async def message(self, channel: str, event: MessageEvent) -> None:
        """Somebody wrote to us. Raises StoreError."""
        if self.replies is None:
            self._metrics.replied("", "off")
        else:
            await self.replies.message(channel, event)


def _words(parts: Parts) -> Mapping[str, str]:
    return {name: parts.channels.standing(name).state.value for name in parts.channels.names}
