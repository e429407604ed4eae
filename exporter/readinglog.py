"""Logs what changes from reading to reading: failures that begin and end, menus not there, values not understood."""

import structlog

from exporter.cache import Slot
from exporter.collectors.reader import Reading
from routeros import failure_class

_log = structlog.stdlib.get_logger("exporter")


class ReadingLog:
    """Says each thing once: when it begins, and when it is over."""

    def __init__(self) -> None:
        self._failing: dict[tuple[str, str], frozenset[str]] = {}
        self._named: set[tuple[str, str, str]] = set()

    def reading_finished(self, router: str, collector: str, slot: Slot, reading: Reading) -> None:
        """See `exporter.watch.Listener`."""
        self._note_failures(router, collector, reading)
        for table in reading.unsupported:
            if self._is_new(router, collector, f"unsupported {table}"):
                _log.info("table.unsupported", router=router, collector=collector, table=table)
        for table, part in reading.parts.items():
            for name, (count, first) in part.unparsable.items():
                if self._is_new(router, collector, f"unparsable {table} {name}"):
                    _log.warning(
                        "value.unparsable",
                        router=router,
                        collector=collector,
                        table=table,
                        field=name,
                        value=first[:80],
                        count=count,
                    )
            if part.duplicates and self._is_new(router, collector, f"duplicates {table}"):
                _log.warning(
                    "rows.duplicate", router=router, collector=collector, table=table, rows=part.duplicates
                )

    def _note_failures(self, router: str, collector: str, reading: Reading) -> None:
        key = (router, collector)
        classes = frozenset(failure_class(error) for error in reading.failures.values())
        before = self._failing.get(key, frozenset())
        if classes and classes != before:
            table, error = next(iter(reading.failures.items()))
            _log.warning(
                "collector.failed",
                router=router,
                collector=collector,
                table=table,
                classes=sorted(classes),
                error=str(error),
            )
        elif before and not classes:
            _log.info("collector.recovered", router=router, collector=collector)
        if classes:
            self._failing[key] = classes
        else:
            self._failing.pop(key, None)

    def _is_new(self, router: str, collector: str, what: str) -> bool:
        key = (router, collector, what)
        if key in self._named:
            return False
        self._named.add(key)
        return True
