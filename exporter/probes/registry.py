"""The probes of the configuration in force: when each is measured, what of it is served, how that goes.

A probe never holds up a page. Those that were prompt the last time are waited for, `PATIENCE_S` at most or as long
as the routers take; one that was slower, or is not heard from, is measured all the same, beside the scrape, and the
page has what its latest measurement told, with its age. So a bot that hangs costs one scrape `PATIENCE_S`, and the
next ones nothing; a query that takes ten seconds costs none.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from exporter.cache import Slot
from exporter.collectors.reader import Reading
from exporter.config import Config
from exporter.exposition import label_text, number_text
from exporter.probes.base import Probe, ProbeReader, gauge
from exporter.samples import Family

PATIENCE_S = 1.0
"""How long a page waits for probes that it has nothing of yet, or that were prompt the last time."""
PROMPT_SHARE = 0.1
"""Share of the patience within which a probe is prompt: a page notices no longer wait, beside routers that take it."""
SERVED_S = 300.0
"""How long the latest measurement is served while no newer one is made."""

_OWN = ("kind", "probe")

SUCCESS = gauge(
    "tikwatch_probe_success",
    "1 if the latest measurement came to an end, whatever it found; 0 if it is late, met a fault of the exporter, "
    "or none is done yet.",
    *_OWN,
)
DURATION = gauge("tikwatch_probe_duration_seconds", "How long the latest measurement took.", *_OWN)
AGE = gauge(
    "tikwatch_probe_age_seconds", "Age of what is served of the probe; absent while nothing is.", *_OWN
)

STATUS_FAMILIES: tuple[Family, ...] = (SUCCESS, DURATION, AGE)

_log = structlog.stdlib.get_logger("exporter.probes")


@dataclass(frozen=True, slots=True)
class Planned:
    """A probe as the configuration wants it. `settings` is all that it is made of: while they stay the same, a
    reload leaves the probe as it is. `deadline_s` is when it counts as silent."""

    name: str
    settings: object = field(repr=False)
    ttl_s: float
    deadline_s: float
    make: Callable[[], Probe] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ProbeKind:
    """A kind of thing that is watched: its metrics, and those of it that a configuration names.

    `made` are families that the configuration itself makes, such as those of the user's own queries.
    """

    name: str
    help: str
    families: tuple[Family, ...]
    planned: Callable[[Config], Iterable[Planned]]
    made: Callable[[Config], tuple[Family, ...]] = lambda _: ()


@dataclass(slots=True)
class _Watching:
    """One probe that is in force."""

    kind: str
    planned: Planned
    slot: Slot

    def is_prompt(self, patience_s: float) -> bool:
        """Whether it is worth waiting for: it was prompt the last time, or was never asked, and is not late now."""
        since_s = self.slot.refreshing_since_s
        so_far_s = 0.0 if since_s is None else self.slot.clock() - since_s
        if self.slot.duration_s is None:
            return so_far_s < patience_s
        return max(so_far_s, self.slot.duration_s) < patience_s * PROMPT_SHARE


class Probes:
    """Every probe of the configuration in force. A reload keeps those whose settings did not change.

    `families` are those that the configuration makes; the others stand in `ProbeKind.families`.
    """

    def __init__(
        self,
        kinds: Sequence[ProbeKind],
        config: Config,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinds = tuple(kinds)
        self._patience_s = patience_s
        self._clock = clock
        self._watching: dict[Hashable, _Watching] = {}
        self._watching, self.families = self._made(config), self._families_of(config)

    def __repr__(self) -> str:
        return f"<Probes {sorted(f'{w.kind}/{w.planned.name}' for w in self._watching.values())}>"

    def __len__(self) -> int:
        return len(self._watching)

    def _made(self, config: Config) -> dict[Hashable, _Watching]:
        """What `config` asks for, made of what there is where that is the same."""
        made: dict[Hashable, _Watching] = {}
        for kind in self._kinds:
            for planned in kind.planned(config):
                key = (kind.name, planned.name)
                there = self._watching.get(key)
                same = there is not None and there.planned == planned
                made[key] = there if there is not None and same else self._begin(kind, planned)
        return made

    def _families_of(self, config: Config) -> tuple[Family, ...]:
        """The families that `config` makes, beside those that every exporter has."""
        return tuple(family for kind in self._kinds for family in kind.made(config))

    def _begin(self, kind: ProbeKind, planned: Planned) -> _Watching:
        reader = ProbeReader(planned.make(), deadline_s=planned.deadline_s, clock=self._clock)
        told = _Told(kind.name, planned.name)
        return _Watching(
            kind.name, planned, Slot(reader, planned.ttl_s, SERVED_S, told.finished, self._clock)
        )

    async def replace(self, config: Config) -> None:
        """Put `config` in force, all of it or, when a probe cannot be made, nothing."""
        made, families = self._made(config), self._families_of(config)
        before, self._watching, self.families = self._watching, made, families
        kept = {id(watching) for watching in self._watching.values()}
        await _close(watching for watching in before.values() if id(watching) not in kept)

    async def refresh(self, *, deadline_s: float) -> bool:
        """Measure what is due; wait for those that are prompt, no longer than the patience and `deadline_s`.

        True unless one that was waited for is late.
        """
        awaited: set[asyncio.Task[Reading]] = set()
        for watching in self._watching.values():
            is_prompt = watching.is_prompt(self._patience_s)
            task = watching.slot.begin()
            if task is not None and is_prompt:
                awaited.add(task)
        if not awaited:
            return True
        _, late = await asyncio.wait(awaited, timeout=max(0.0, min(deadline_s, self._patience_s)))
        return not late

    def late(self) -> list[str]:
        """The measurements under way, as kind/probe."""
        return [f"{w.kind}/{w.planned.name}" for w in self._watching.values() if w.slot.is_refreshing]

    def blocks(self) -> dict[str, list[bytes]]:
        """Blocks of what is known of every probe, by family."""
        found: dict[str, list[bytes]] = {}
        for watching in self._watching.values():
            for part in watching.slot.parts():
                for name, block in part.blocks.items():
                    found.setdefault(name, []).append(block)
            for name, line in _status(watching):
                found.setdefault(name, []).append(line)
        return found

    async def close(self) -> None:
        """End every measurement's reading; none can be begun any more."""
        watching, self._watching = self._watching, {}
        await _close(watching.values())


def _status(watching: _Watching) -> Iterator[tuple[str, bytes]]:
    label = label_text({"kind": watching.kind, "probe": watching.planned.name})
    slot = watching.slot
    values: Mapping[Family, float | None] = {
        SUCCESS: int(slot.last is not None and slot.last.succeeded),
        DURATION: slot.duration_s,
        AGE: slot.age_s,
    }
    for family, value in values.items():
        if value is not None:
            yield family.name, f"{family.name}{{{label}}} {number_text(value)}\n".encode()


async def _close(gone: Iterable[_Watching]) -> None:
    await asyncio.gather(*[watching.slot.close() for watching in gone])


class _Told:
    """Tells the log when a probe stops giving measurements, and when it gives them again."""

    def __init__(self, kind: str, probe: str) -> None:
        self._about = {"kind": kind, "probe": probe}
        self._succeeds = True

    def finished(self, slot: Slot, reading: Reading) -> None:
        """See `exporter.cache.Slot`."""
        if reading.succeeded is self._succeeds:
            return
        self._succeeds = reading.succeeded
        if reading.succeeded:
            _log.info("probe.recovered", **self._about)
        else:
            _log.warning("probe.failed", **self._about, error=str(slot.last_error))
