"""Counts what comes between two readings of a table: sessions that were not there before."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from exporter.collectors.render import count_by, zeros
from exporter.collectors.table import Record, Row, Table

Tally = Mapping[tuple[str, ...], int]
NO_OTHERS: Mapping[str, list[Record]] = MappingProxyType({})


class Arrivals:
    """The arrivals of one collector on one router since the exporter started.

    The first reading of a table counts nothing, since nobody knows when its rows came. Rows are told apart by
    ``.id``, which RouterOS does not reuse within one boot for dynamic rows.

    Where ids only grow (`Row.in_order`: the log) the highest one so far is the mark, so that rows which come back
    into sight do not count again. If no id comes up to the mark, the router has booted and every row is new; a
    log that is longer by then than the mark is high hides the rows up to it.
    """

    def __init__(self) -> None:
        self._seen: dict[str, frozenset[str]] = {}
        self._marks: dict[str, int] = {}
        self._totals: dict[str, Counter[tuple[str, ...]]] = {}

    def __repr__(self) -> str:
        return f"<Arrivals tables={sorted(self._seen)}>"

    def update(
        self, table: Table, records: Iterable[Record], others: Mapping[str, list[Record]] = NO_OTHERS
    ) -> dict[str, Tally]:
        """Take a reading of `table` in; returns the totals so far by metric name and label values.

        `others` holds the records of the collector's tables by name, for totals that begin at 0 with their rows.
        """
        rows = [row for row in table.rows if row.arrivals]
        if not rows:
            return {}
        records = list(records)
        in_order = any(row.in_order for row in rows)
        new = self._beyond_mark(table.name, records) if in_order else self._unseen(table.name, records)
        return {row.name: self._add(row, records, new, others) for row in rows}

    def _unseen(self, table: str, records: list[Record]) -> list[Record]:
        ids = frozenset([record.get(".id", "") for record in records])
        before = self._seen.get(table)
        self._seen[table] = ids
        return [] if before is None else [r for r in records if r.get(".id", "") not in before]

    def _beyond_mark(self, table: str, records: list[Record]) -> list[Record]:
        numbered = [(number, record) for record in records if (number := _number(record)) is not None]
        before = self._marks.get(table)
        highest = max([number for number, _ in numbered], default=before)
        if highest is not None:
            self._marks[table] = highest
        if before is None or highest is None:
            return []
        mark = before if highest >= before else -1
        return [record for number, record in numbered if number > mark]

    def _add(
        self,
        row: Row,
        records: Iterable[Record],
        new: Iterable[Record],
        others: Mapping[str, list[Record]],
    ) -> Tally:
        totals = self._totals.setdefault(row.name, Counter())
        for key in (*zeros(row, others), *count_by(row.labels, records)):
            totals.setdefault(key, 0)  # a counter that appears at 0 lets rate() see its first step
        totals.update(count_by(row.labels, new))
        return totals


def _number(record: Record) -> int | None:
    """An id such as ``*1A4`` as a number."""
    try:
        return int(record.get(".id", "").removeprefix("*"), 16)
    except ValueError:
        return None
