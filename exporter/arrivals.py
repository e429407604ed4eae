"""Counts what comes between two readings of a table: sessions that were not there before."""

from collections import Counter
from collections.abc import Iterable, Mapping

from exporter.collectors.render import count_by
from exporter.collectors.table import Record, Row, Table

Tally = Mapping[tuple[str, ...], int]


class Arrivals:
    """The arrivals of one collector on one router since the exporter started.

    The first reading of a table counts nothing, since nobody knows when its rows came. Rows are told apart by
    ``.id``, which RouterOS does not reuse within one boot for dynamic rows.
    """

    def __init__(self) -> None:
        self._seen: dict[str, frozenset[str]] = {}
        self._totals: dict[str, Counter[tuple[str, ...]]] = {}

    def __repr__(self) -> str:
        return f"<Arrivals tables={sorted(self._seen)}>"

    def update(self, table: Table, records: Iterable[Record]) -> dict[str, Tally]:
        """Take a reading of `table` in; returns the totals so far by metric name and label values."""
        rows = [row for row in table.rows if row.arrivals]
        if not rows:
            return {}
        records = list(records)
        ids = frozenset([record.get(".id", "") for record in records])
        before = self._seen.get(table.name)
        self._seen[table.name] = ids
        new = [] if before is None else [r for r in records if r.get(".id", "") not in before]
        return {row.name: self._add(row, records, new) for row in rows}

    def _add(self, row: Row, records: Iterable[Record], new: Iterable[Record]) -> Tally:
        totals = self._totals.setdefault(row.name, Counter())
        for key in (*((value,) for value in row.always), *count_by(row.labels, records)):
            totals.setdefault(key, 0)  # a counter that appears at 0 lets rate() see its first step
        totals.update(count_by(row.labels, new))
        return totals
