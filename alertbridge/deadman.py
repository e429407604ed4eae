"""The dead man's switch: the watchdog alert must keep arriving, or somebody is told that the monitoring is down.

Arrivals are counted in one row that every replica raises. Whoever leads judges by how long that count has stood
still on its own monotonic clock, so that no wall clock can raise an alarm or hold one back. What was told stands in
the same row, changed in the transaction that makes the notices: once, whatever restarts.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import structlog
from pydantic import BeforeValidator, Field
from sqlalchemy import Row, select, update

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.bootclock import boot_name
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.ports import Recipients
from alertbridge.deliver.render import humanise
from alertbridge.deliver.route.config import Language
from alertbridge.deliver.route.times import Name, one_or_more
from alertbridge.heartbeat import HeartbeatSection
from alertbridge.report.ports import Sending, WatchdogCounts
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.leadership import Leadership
from alertbridge.store.schema_report import watchdogs
from runtime.clock import Clock
from runtime.sections import Section

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 5.0
STALLED_S = 30.0
"""Looks so far apart say that this process stood still, or the store was away: nothing can be said of then."""

_NAME: Final = "watchdog"

_LOST: Final = {
    "id": "\N{POLICE CARS REVOLVING LIGHT} *Pemantauan mati*\nAlert Watchdog terakhir tiba {when}. Prometheus atau "
    "Alertmanager tidak berjalan, atau tidak dapat mencapai bridge. Sampai pulih, gangguan TIDAK akan dikabarkan.",
    "en": "\N{POLICE CARS REVOLVING LIGHT} *The monitoring is down*\nThe Watchdog alert last arrived {when}. "
    "Prometheus or Alertmanager is not running, or cannot reach the bridge. Until it is back, faults will NOT be told.",
}
_NEVER: Final = {
    "id": "\N{POLICE CARS REVOLVING LIGHT} *Pemantauan mati*\nAlert Watchdog belum pernah tiba. Prometheus atau "
    "Alertmanager tidak berjalan, tidak dapat mencapai bridge, atau aturan Watchdog belum dipasang.",
    "en": "\N{POLICE CARS REVOLVING LIGHT} *The monitoring is down*\nThe Watchdog alert has never arrived. "
    "Prometheus or Alertmanager is not running, cannot reach the bridge, or has no Watchdog rule.",
}
_BACK: Final = {
    "id": "\N{WHITE HEAVY CHECK MARK} *Pemantauan hidup lagi*\nAlert Watchdog tiba lagi {when}{away}. Gangguan selama "
    "itu mungkin tidak dikabarkan.",
    "en": "\N{WHITE HEAVY CHECK MARK} *The monitoring is back*\nThe Watchdog alert arrived again {when}{away}. Faults "
    "in the meantime may not have been told.",
}
_AFTER: Final = {"id": " setelah {0}", "en": " after {0}"}


class DeadManSection(Section):
    """Who is told when the watchdog alert stops to arrive; `accept > watchdog` says which alert that is."""

    after_s: float = Field(
        default=300.0,
        ge=30,
        le=86_400,
        description="How long it may stay away: three to five times as long as Alertmanager takes to repeat it.",
    )
    recipients: Annotated[tuple[Name, ...], BeforeValidator(one_or_more)] = Field(
        min_length=1,
        description="Recipients who are told, by name; their fallbacks are used as for an alert.",
    )
    language: Language | None = Field(
        default=None, description="Language; that of each recipient when left out."
    )
    fallback_after_s: float = Field(
        default=45.0,
        ge=1,
        le=3_600,
        description="When nothing proves after so long that it was delivered, the recipient's fallback is used.",
    )
    heartbeat: HeartbeatSection | None = Field(
        default=None, description="A service outside that raises the alarm when the bridge itself is gone."
    )


class State(Enum):
    """What was told last."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class _Arrival:
    """When the watchdog arrived: Unix seconds, and on this process's monotonic clock."""

    at_s: float
    monotonic_s: float


class DeadMan:
    """Judges whether the monitoring lives. `zone` is that of `delivery`."""

    def __init__(
        self,
        section: DeadManSection,
        *,
        database: Database,
        clock: Clock,
        sending: Sending,
        book: Recipients,
        counts: WatchdogCounts,
        zone: ZoneInfo,
        leadership: Leadership | None = None,
        boot: str | None = None,
    ) -> None:
        self._section = section
        self._database = database
        self._clock = clock
        self._sending = sending
        self._book = book
        self._counts = counts
        self._zone = zone
        self._leadership = leadership or Leadership(database, "dead man", clock)
        self._boot = boot or boot_name()
        self._heard_s = self._looked_s = clock.monotonic()
        self._proven_s: float | None = None
        self._beats: int | None = None
        self._unwritten: _Arrival | None = None
        self._task: asyncio.Task[None] | None = None
        self.leads = False
        """Whether this replica is the one that tells."""
        self.fresh = False
        """Whether an arrival is known that is not too old; the time of grace after a start proves nothing."""

    def __repr__(self) -> str:
        return f"<DeadMan fresh={self.fresh} leads={self.leads}>"

    def arrived(self, at_s: float) -> None:
        """The watchdog came in at that Unix time. For `IntakeListener.watchdog_arrived`: quick, and raises nothing."""
        self._heard_s = self._proven_s = self._clock.monotonic()
        self._unwritten = _Arrival(at_s, self._heard_s)

    async def start(self) -> None:
        """Begins to judge; the watchdog has its whole time from now on."""
        self._heard_s = self._looked_s = self._clock.monotonic()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends at once and gives the lead away."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.leads = False
        await self._leadership.release()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except StoreError as error:
                self.leads = False
                log.warning("deadman.put_off", detail=str(error))
            except Exception:  # the edge of a task that must not end
                log.exception("deadman.look_failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Writes what arrived, judges, and tells a change. Raises StoreError; then nothing was told."""
        self.leads = await self._leadership.held()
        row = await self._written()
        now_s = self._clock.monotonic()
        if now_s - self._looked_s > STALLED_S:
            self._heard_s = now_s
        self._looked_s = now_s
        self._hear(row, now_s)
        in_time = now_s - self._heard_s < self._section.after_s
        proven = self._proven_s is not None and now_s - self._proven_s < self._section.after_s
        was_up = State(row.state) is State.UP
        self.fresh = proven and row.beats > row.lost_beats
        self._counts.watchdog(up=in_time if was_up else self.fresh)
        if not self.leads:
            return
        if was_up and not in_time:
            await self._tell_lost(row)
        elif not was_up and self.fresh:
            await self._tell_back(row)

    def _hear(self, row: Row[Any], now_s: float) -> None:
        """Takes in what other replicas heard, and at the first look what was heard before."""
        if self._beats is None:
            if row.beats and row.boot == self._boot and row.boot_s <= now_s and self._proven_s is None:
                self._proven_s = row.boot_s
        elif self._beats != row.beats:
            self._heard_s = self._proven_s = now_s
        self._beats = row.beats

    async def _written(self) -> Row[Any]:
        """The row, with what arrived here since the last time."""
        arrival, self._unwritten = self._unwritten, None
        if arrival is None and (row := await self._read()) is not None:
            return row
        values: dict[str, Any] = {"boot": self._boot, "boot_s": 0.0}
        if arrival is not None:
            values = {"boot": self._boot, "boot_s": arrival.monotonic_s, "arrived_at": arrival.at_s}
        insert = self._database.insert(watchdogs).values(
            name=_NAME, beats=int(arrival is not None), state=State.UP.value, **values
        )
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    insert.on_conflict_do_nothing()
                    if arrival is None
                    else insert.on_conflict_do_update(
                        index_elements=["name"], set_={**values, "beats": watchdogs.c.beats + 1}
                    )
                )
        except StoreError:
            if self._unwritten is None:  # else one came meanwhile
                self._unwritten = arrival
            raise
        row = await self._read()
        assert row is not None, "it was just written, and nobody deletes it"  # noqa: S101
        return row

    async def _read(self) -> Row[Any] | None:
        async with self._database.read() as connection:
            return (await connection.execute(select(watchdogs).where(watchdogs.c.name == _NAME))).first()

    async def _tell_lost(self, row: Row[Any]) -> None:
        def text(language: str) -> str:
            if row.arrived_at is None:
                return _NEVER[language]
            return _LOST[language].format(when=self._time(row.arrived_at, language))

        lost = {
            "state": State.DOWN.value,
            "lost_beats": row.beats,
            "lost_at": row.arrived_at,
            "lost_boot": row.boot,
            "lost_boot_s": row.boot_s,
        }
        if await self._told(row, lost, text):
            log.error("deadman.monitoring_down", last_arrival=row.arrived_at)

    async def _tell_back(self, row: Row[Any]) -> None:
        away_s = self._away_s(row)

        def text(language: str) -> str:
            away = "" if away_s is None else _AFTER[language].format(humanise.duration(away_s, language))
            return _BACK[language].format(when=self._time(row.arrived_at, language), away=away)

        if await self._told(row, {"state": State.UP.value}, text):
            log.info("deadman.monitoring_back", away_s=away_s)

    async def _told(self, row: Row[Any], values: dict[str, Any], text: Callable[[str], str]) -> bool:
        """Changes the row and makes the notices, unless somebody else has."""
        told = [
            (name, self._section.language or recipient.language)
            for name in self._section.recipients
            if (recipient := self._book.get(name)) is not None
        ]
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(watchdogs)
                .where(
                    watchdogs.c.name == _NAME,
                    watchdogs.c.state == row.state,
                    watchdogs.c.beats == row.beats,
                )
                .values(**values)
            )
            if not changed.rowcount:
                return False
            for name, language in told:
                await self._sending.enqueue(
                    Kind.SYSTEM,
                    name,
                    Body(text(language if language in _LOST else "id")),
                    severity=Severity.CRITICAL,
                    deadline_s=self._section.fallback_after_s,
                    language=language,
                    connection=connection,
                )
        self._sending.notices_made([name for name, _ in told])
        return True

    def _away_s(self, row: Row[Any]) -> float | None:
        """How long it stayed away; None when it had never come, or when clocks contradict each other."""
        if row.lost_at is None:
            return None
        same_clock = row.boot == row.lost_boot and row.boot_s >= row.lost_boot_s
        away_s = row.boot_s - row.lost_boot_s if same_clock else row.arrived_at - row.lost_at
        return away_s if away_s >= 1 else None

    def _time(self, at_s: float, language: str) -> str:
        return humanise.time_of(at_s, self._zone, language, now_s=self._clock.time())
