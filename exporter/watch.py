"""One router that is watched: its client, its collectors' slots, and whether it answers."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from exporter.cache import Served, Slot
from exporter.cardinality import Cardinality, Mode
from exporter.collectors import BY_NAME
from exporter.collectors.clients import CLIENT_NAMES, ClientNames
from exporter.collectors.reader import Reader, Reading, Source
from exporter.collectors.table import Collector, Facts
from exporter.config import CollectorSettings, RouterSection
from exporter.exposition import label_text
from routeros import (
    Breaker,
    BreakerOpen,
    CommandDeadline,
    CommandFailed,
    ConnectionTest,
    NotAttempted,
    Priority,
    Record,
    RouterError,
    RouterStats,
)

LIFE_CHECK_S = 2.0
"""How long a router that seems dead may take to tell its name."""
SILENT_AFTER_S = 5.0
"""How long a router may leave everything unanswered before it counts as down: half of the usual scrape timeout."""


class Client(Source, Protocol):
    """What is needed of `routeros.Router`."""

    breaker: Breaker

    def stats(self) -> RouterStats:
        """Numbers of the pool."""

    def listen(
        self,
        path: str,
        *,
        proplist: Sequence[str] = ...,
        queries: Sequence[str] = ...,
        priority: Priority = ...,
    ) -> AsyncGenerator[Record, None]:
        """Changes of a menu as they happen."""

    async def test(self, *, deadline_s: float | None = ...) -> ConnectionTest:
        """A fresh connection, timed."""

    async def reset(self) -> None:
        """Close every connection and the breaker."""

    async def close(self) -> None:
        """End for good."""


class Listener(Protocol):
    """Who is told of readings: logs and the exporter's own metrics."""

    def reading_finished(self, router: str, collector: str, slot: Slot, reading: Reading) -> None:
        """One refresh of a collector came to its end."""

    def served(self, collector: str) -> Served:
        """The counts that all slots of `collector` share."""


@dataclass(slots=True)
class Contact:
    """Whether the router answers, as of the latest command that says anything about it."""

    answers: bool | None = None
    answered_at_s: float | None = None
    error: RouterError | None = None
    cause: RouterError | None = None
    """Why it does not answer: the latest error of something that was sent; None while it answers."""

    def note(self, reading: Reading, *, began_s: float, now_s: float) -> None:
        """Learn from a reading that `began_s`."""
        errors = list(reading.failures.values())
        if reading.parts or any(isinstance(error, CommandFailed) for error in errors):
            self.answers, self.answered_at_s, self.error, self.cause = True, now_s, None, None
            return
        for error in errors:
            if isinstance(error, NotAttempted) and not isinstance(error, BreakerOpen):
                continue  # our own queue was full: the router was not asked
            if isinstance(error, CommandDeadline) and (self.answered_at_s or began_s) > began_s:
                continue  # one slow menu; others were answered meanwhile
            self.answers, self.error = False, error
            if not isinstance(error, NotAttempted):
                self.cause = error


@dataclass(slots=True)
class LastScrape:
    """The latest scrape that asked this router: when it came (Unix seconds), and how long until the refreshes
    that were due had ended, as far as they have."""

    came_at_s: float | None = None
    lasted_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Mishap:
    """The latest failure of a router, kept also when all is well again; `at_s` is Unix time."""

    collector: str
    error: RouterError
    at_s: float


class Watched:
    """A router under watch. Slots are made when first asked for, one per collector and settings."""

    def __init__(
        self,
        section: RouterSection,
        client: Client,
        listener: Listener,
        *,
        max_stale_s: float,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.section = section
        self.client = client
        self.facts = Facts()
        self.contact = Contact()
        self.last_scrape = LastScrape()
        self.mishap: Mishap | None = None
        self.beside: Callable[[], Mapping[str, bytes]] | None = None
        """Blocks by family that are told of the router beside those of its collectors."""
        self.label = label_text({"router": section.name, **section.labels})
        self._listener = listener
        self._max_stale_s = max_stale_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._slots: dict[tuple[str, CollectorSettings], Slot] = {}
        self.names_slot: Slot | None = None
        """Reads the leases for names alone, where no collector does; made when first needed."""
        self._clients = ClientNames(self._lease_slot)
        self._turn = 0
        self._turn_began_s = 0.0
        self._received_rows = 0
        self._received_at_s = clock()
        self._life: asyncio.Task[None] | None = None
        self._life_began_s = 0.0
        self._life_failed = False

    def __repr__(self) -> str:
        return f"<Watched {self.name} answers={self.contact.answers} slots={len(self._slots)} {self.client.breaker!r}>"

    @property
    def name(self) -> str:
        """Value of the `router` label."""
        return self.section.name

    @property
    def answers(self) -> bool | None:
        """Whether the router answers; None while that is not known.

        A router that has work, says nothing at all for `SILENT_AFTER_S` and does not tell its name either when
        asked does not, long before the deadlines of its commands pass. What took long before is given half as
        long again.
        """
        silence = self._silence(self._clock())
        if silence is None:
            return self.contact.answers
        return True if not silence else False if self._has_not_told_its_name() else self.contact.answers

    def _silence(self, now_s: float) -> bool | None:
        """Whether nothing came for too long from a router that has work; None while it is too early to say."""
        pending = [slot for slot in self._slots.values() if slot.refreshing_since_s is not None]
        if not pending:
            return None
        asked_last_s = max(slot.refreshing_since_s or 0.0 for slot in pending)
        patience_s = max(SILENT_AFTER_S, *(1.5 * (slot.duration_s or 0.0) for slot in pending))
        if now_s - asked_last_s < patience_s:
            return None
        if self.client.stats().rows_received_total != self._received_rows:
            return False
        return now_s - max(self._received_at_s, asked_last_s) >= patience_s

    def _has_not_told_its_name(self) -> bool:
        """Whether the question for its name was not answered in time; its row would have ended the silence."""
        if self._life is None:
            return False
        return self._life_failed or self._life.done() or self._clock() - self._life_began_s >= LIFE_CHECK_S

    def look(self) -> None:
        """Ask a router that is silent for its name: one menu that hangs is no router that is down.

        For whoever waits for this router, in its event loop; `answers` itself asks nothing.
        """
        now_s = self._clock()
        silence = self._silence(now_s)
        self._listen(now_s)
        if not silence:
            self._life_failed = False
            if self._life is not None and self._life.done():
                self._life = None
        elif self._life is None or (self._life.done() and now_s - self._life_began_s >= SILENT_AFTER_S):
            self._life_failed = self._life is not None
            self._life = asyncio.create_task(self._ask_its_name())
            self._life_began_s = now_s

    async def _ask_its_name(self) -> None:
        with contextlib.suppress(RouterError, TimeoutError):  # the collectors will tell what is wrong
            async with asyncio.timeout(LIFE_CHECK_S):
                await self.client.call("/system/identity/print", proplist=("name",), priority=Priority.HIGH)

    def _listen(self, now_s: float) -> None:
        """Note when it was last found that rows had come. Rows, because bytes may be garbage."""
        received = self.client.stats().rows_received_total
        if received != self._received_rows:
            self._received_rows, self._received_at_s = received, now_s

    def slots(self, settings: Mapping[str, CollectorSettings], only: Collection[str] = ()) -> dict[str, Slot]:
        """The slots of a module's collectors by name, narrowed to `only` unless that is empty."""
        return {name: self._slot(name, own) for name, own in settings.items() if not only or name in only}

    def made(self) -> Iterator[tuple[str, Slot]]:
        """Every slot there is, with its collector's name; a name comes twice when two modules settle it apart."""
        return ((name, slot) for (name, _), slot in self._slots.items())

    def _slot(self, name: str, settings: CollectorSettings) -> Slot:
        slot = self._slots.get((name, settings))
        if slot is None:
            slot = self._slots[name, settings] = self._made(
                BY_NAME[name], settings, self._listener.served(name)
            )
        return slot

    def _made(self, collector: Collector, settings: CollectorSettings, served: Served) -> Slot:
        reader = Reader(
            collector,
            self.client,
            self.facts,
            router_label=self.label,
            cardinality=Cardinality(Mode(settings.mode), settings.limit, settings.top),
            clients=self._clients if settings.client_names else None,
            clock=self._clock,
            wall_clock=self._wall_clock,
        )
        return Slot(
            reader,
            settings.ttl_s,
            self._max_stale_s,
            self._finished(collector.name),
            self._clock,
            served,
        )

    def _lease_slot(self) -> Slot:
        """Where names of clients come from: a collector that reads the leases anyway, else a slot for them alone."""
        for (name, settings), slot in self._slots.items():
            if settings.client_names and any(table.tells_clients for table in BY_NAME[name].tables):
                return slot
        if self.names_slot is None:
            own = CollectorSettings(CLIENT_NAMES.ttl_s, "full", limit=0, top=0, client_names=True)
            self.names_slot = self._made(CLIENT_NAMES, own, Served())
        return self.names_slot

    def _finished(self, collector: str) -> Callable[[Slot, Reading], None]:
        def finished(slot: Slot, reading: Reading) -> None:
            now_s = self._clock()
            self.last_scrape.lasted_s = now_s - self._turn_began_s
            self.contact.note(reading, began_s=now_s - (slot.duration_s or 0.0), now_s=now_s)
            self._note_mishap(collector, reading)
            self._listener.reading_finished(self.name, collector, slot, reading)

        return finished

    def _note_mishap(self, collector: str, reading: Reading) -> None:
        """Keep what went wrong: an error of the router before one of ours, and in place of an open breaker the
        error that opened it, once."""
        errors = sorted(reading.failures.values(), key=lambda error: isinstance(error, NotAttempted))
        if not errors:
            return
        error, cause = errors[0], self.client.breaker.cause
        if isinstance(error, BreakerOpen) and isinstance(cause, RouterError):
            error = cause
        if self.mishap is None or self.mishap.error is not error:
            self.mishap = Mishap(collector, error, self._wall_clock())

    def next_turn(self) -> int:
        """Counts scrapes. The order of collectors turns with it, so that each menu is now and then asked first,
        alone in flight, which is where the in-flight limit takes its clean measure from."""
        self._turn += 1
        self._turn_began_s = self._clock()
        self._listen(self._turn_began_s)
        self.last_scrape.came_at_s, self.last_scrape.lasted_s = self._wall_clock(), 0.0
        return self._turn

    @property
    def asked_s_ago(self) -> float | None:
        """Seconds since the latest scrape asked this router; None before the first."""
        return self._clock() - self._turn_began_s if self._turn else None

    async def keep(self, wanted: Collection[tuple[str, CollectorSettings]]) -> None:
        """Let go of the slots that no module asks for any more."""
        for key in [key for key in self._slots if key not in wanted]:
            await self._slots.pop(key).close()
        if self.names_slot is not None and not any(settings.client_names for _, settings in wanted):
            await self.names_slot.close()
            self.names_slot = None

    async def close(self) -> None:
        """End the refreshes and the connections."""
        for slot in self._slots.values():
            await slot.close()
        if self.names_slot is not None:
            await self.names_slot.close()
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait([self._life])
        await self.client.close()
