"""How many per-subscriber series a router may have: modes, limits, and the sums of what is left out."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from exporter.collectors.table import SUM, Record, Subscribers

REST = "_rest"
"""Value of the subscriber's label on the series that stands for all who have none of their own."""

_SCORE_HALF_LIFE_S = 300.0


class Mode(StrEnum):
    """What becomes of rows that are one per subscriber."""

    OFF = "off"
    AGGREGATE = "aggregate"
    TOP = "top"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Cardinality:
    """Mode and bounds of one collector on one router, in subscribers (rows)."""

    mode: Mode = Mode.FULL
    limit: int = 5000
    top: int = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows to export, the sums of the others among them, and how many rows have no series of their own."""

    records: list[Record]
    left_out: int


Counters = tuple[int, ...]
Key = tuple[str, ...]


class Ledger:
    """Remembers each session's counters between refreshes, so that what is left out still adds up.

    Summing the sessions at hand would fall back whenever one ends. The rest is therefore a counter of its own: it
    grows by what each session without a series moved since the refresh before, and starts at 0 with the exporter.
    """

    def __init__(self, spec: Subscribers) -> None:
        self._spec = spec
        self._width = len(spec.traffic) * _parts(spec)
        self._seen: dict[Key, Counters] = {}
        self._scores: dict[Key, float] = {}
        self._rest: dict[Key, list[int]] = {}
        self._at_s: float | None = None

    def __repr__(self) -> str:
        return f"<Ledger sessions={len(self._seen)} groups={len(self._rest)}>"

    def select(self, records: list[Record], cardinality: Cardinality, now_s: float) -> Selection:
        """The rows of `records` that get series under `cardinality`; `now_s` is monotonic."""
        match cardinality.mode:
            case Mode.OFF:
                return Selection([], len(records))
            case Mode.FULL:
                return Selection(records[: cardinality.limit], max(0, len(records) - cardinality.limit))
            case Mode.TOP:
                return self._with_rest(records, min(cardinality.top, cardinality.limit), now_s)
            case Mode.AGGREGATE:
                return self._with_rest(records, 0, now_s)

    def _with_rest(self, records: list[Record], keep: int, now_s: float) -> Selection:
        first = self._at_s is None
        decay = 0.0 if self._at_s is None else 0.5 ** ((now_s - self._at_s) / _SCORE_HALF_LIFE_S)
        self._at_s = now_s
        seen: dict[Key, Counters] = {}
        scores: dict[Key, float] = {}
        deltas: list[Counters] = []
        for record in records:
            key = _values(record, self._spec.key)
            before = self._seen.get(key)
            counters = _counters(record, self._spec)
            if counters is None:  # not known this time: nothing is added, and nothing forgotten
                counters = before or (0,) * self._width
            delta = _increase(before, counters)
            deltas.append(delta)
            seen[key] = counters
            scores[key] = self._scores.get(key, 0.0) * decay + sum(delta)
        self._seen, self._scores = seen, scores
        ranked = heapq.nlargest(
            keep, range(len(records)), key=lambda i: scores[_values(records[i], self._spec.key)]
        )
        chosen = set(ranked)
        for index, (record, delta) in enumerate(zip(records, deltas, strict=True)):
            group = _values(record, self._spec.group)
            total = self._rest.setdefault(group, [0] * len(delta))
            if index not in chosen and not first:
                self._rest[group] = [a + b for a, b in zip(total, delta, strict=True)]
        kept = [record for index, record in enumerate(records) if index in chosen]
        rest = self._rest_records() if self._spec.traffic else ()
        return Selection([*kept, *rest], len(records) - len(kept))

    def _rest_records(self) -> Iterator[Record]:
        """One row per group that carries the sums, in the form the router's own rows have."""
        parts = _parts(self._spec)
        for group, totals in self._rest.items():
            record = dict(zip(self._spec.group, group, strict=True))
            record[self._spec.who] = REST
            record[SUM] = "true"
            for index, name in enumerate(self._spec.traffic):
                record[name] = "/".join([str(total) for total in totals[index * parts : (index + 1) * parts]])
            yield record


def _values(record: Record, fields: Sequence[str]) -> Key:
    return tuple([record.get(name, "") for name in fields])


def _counters(record: Record, spec: Subscribers) -> Counters | None:
    """The traffic fields as numbers, pairs one after the other; None unless every one is there and a number."""
    values: list[int] = []
    for name in spec.traffic:
        text = record.get(name, "")
        parts = text.split("/") if spec.paired else [text]
        if len(parts) != _parts(spec) or not all(part.isdecimal() for part in parts):
            return None
        values.extend(map(int, parts))
    return tuple(values)


def _parts(spec: Subscribers) -> int:
    return 2 if spec.paired else 1


def _increase(before: Counters | None, now: Counters) -> Counters:
    """What was added since `before`; counters that fell, or were not there, started from 0."""
    if before is None:
        return now
    return tuple([b - a if b >= a else b for a, b in zip(before, now, strict=True)])
