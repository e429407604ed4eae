"""Changes of a menu -> counts. Pure: rows in, numbers out; what is known survives the end of a stream."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from exporter.collectors.interface import SESSION_TYPES
from exporter.events.families import LINK_DOWNS, LINK_UPS, SESSIONS_ENDED, SESSIONS_STARTED
from exporter.samples import Family
from routeros import Record

Counts = Counter[tuple[str, ...]]
"""By the values of the family's labels."""
DEAD = ".dead"
_TRUE = ("true", "yes")


class Tally(Protocol):
    """Counts what one menu's stream brings."""

    @property
    def fields(self) -> Sequence[str]:
        """The fields to ask for."""

    @property
    def wants_snapshot(self) -> bool:
        """Whether the whole menu is to be read when a stream has begun."""

    def snapshot(self, rows: Sequence[Record]) -> None:
        """The whole menu: what differs from what was known happened while no stream was there."""

    def row(self, row: Record) -> None:
        """One change."""

    def counts(self) -> Mapping[Family, Counts]:
        """Everything counted so far, from 0 on."""


class LinkTally:
    """Links of interfaces. Sessions of PPP servers are interfaces too, and left to the sessions' own menu."""

    fields = (".id", "name", "type", "running", "disabled", "link-downs")
    wants_snapshot = True

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, bool, int | None]] = {}
        self._downs: Counts = Counter()
        self._ups: Counts = Counter()

    def __repr__(self) -> str:
        return f"<LinkTally {len(self._known)} interfaces {self._downs.total()} downs>"

    def snapshot(self, rows: Sequence[Record]) -> None:
        """See `Tally`."""
        gone = self._known.keys() - {row.get(".id", "") for row in rows}
        for row_id in gone:
            del self._known[row_id]
        for row in rows:
            self.row(row)

    def row(self, row: Record) -> None:
        """See `Tally`."""
        row_id = row.get(".id", "")
        if row.get(DEAD) in _TRUE:
            self._known.pop(row_id, None)
            return
        name = row.get("name", "")
        if not name or row.get("type") in SESSION_TYPES:
            return
        before = self._known.get(row_id)
        now = self._known[row_id] = (name, row.get("running") in _TRUE, _number(row.get("link-downs")))
        self._downs[name,] += 0  # from the first sight on, there is a series that can rise
        self._ups[name,] += 0
        if before is not None:
            self._downs[name,] += _downs(before, now, disabled=row.get("disabled") in _TRUE)
            self._ups[name,] += now[1] and not before[1]

    def counts(self) -> Mapping[Family, Counts]:
        """See `Tally`."""
        return {LINK_DOWNS: self._downs, LINK_UPS: self._ups}


def _downs(before: tuple[str, bool, int | None], now: tuple[str, bool, int | None], *, disabled: bool) -> int:
    """How often the link was lost between two looks: as often as the router counts, else as was seen.

    An interface that somebody disabled has lost no link.
    """
    if before[2] is not None and now[2] is not None:
        return max(0, now[2] - before[2])
    return int(before[1] and not now[1] and not disabled)


class SessionTally:
    """Sessions of one menu, by service. The first look at them is where counting begins."""

    wants_snapshot = True

    def __init__(self, fields: Sequence[str], *, service: str | None, always: Iterable[str]) -> None:
        """`service` is that of every row, or None where each row tells its own; `always` are told from 0 on."""
        self.fields = fields
        self._service = service
        self._known: dict[str, tuple[str, str]] | None = None
        self._started: Counts = Counter({(one,): 0 for one in always})
        self._ended: Counts = Counter({(one,): 0 for one in always})

    def __repr__(self) -> str:
        return f"<SessionTally {len(self._known or ())} sessions {self._started.total()} started>"

    def snapshot(self, rows: Sequence[Record]) -> None:
        """See `Tally`."""
        sessions = {row.get(".id", ""): self._session(row) for row in rows}
        before, self._known = self._known, sessions
        if before is None:
            return
        for row_id, session in sessions.items():
            if before.get(row_id) != session:
                self._started[session[0],] += 1
        for row_id, session in before.items():
            if sessions.get(row_id) != session:
                self._ended[session[0],] += 1

    def row(self, row: Record) -> None:
        """See `Tally`."""
        known = self._known
        if known is None:
            return
        row_id = row.get(".id", "")
        before = known.get(row_id)
        if row.get(DEAD) in _TRUE:
            if before is not None:
                del known[row_id]
                self._ended[before[0],] += 1
            return
        session = self._session(row)
        if before == session:
            return  # something else about it changed
        if before is not None:
            self._ended[before[0],] += 1
        known[row_id] = session
        self._started[session[0],] += 1

    def _session(self, row: Record) -> tuple[str, str]:
        name = row.get("name") or row.get("user") or ""
        return self._service or row.get("service") or "other", name

    def counts(self) -> Mapping[Family, Counts]:
        """See `Tally`."""
        return {SESSIONS_STARTED: self._started, SESSIONS_ENDED: self._ended}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None
