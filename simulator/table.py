"""Rows that a router stores, and the tables that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from .traffic import Flow

if TYPE_CHECKING:
    from .world import World


class Row:
    """One stored item. What moves by itself is not here: a menu computes it from `flow` and `since_s`."""

    __slots__ = ("flow", "id", "owner", "since_s", "values")

    def __init__(
        self,
        row_id: str,
        values: dict[str, str],
        flow: Flow | None = None,
        since_s: float = 0.0,
        owner: object = None,
    ) -> None:
        self.id = row_id
        self.values = values
        self.flow = flow
        self.since_s = since_s
        self.owner = owner

    def __repr__(self) -> str:
        return f"<Row {self.id} {self.values.get('name', '')!r}>"


@runtime_checkable
class Occupant(Protocol):
    """Whoever is behind a session row, and can be thrown out by removing it."""

    def thrown_out(self, world: World) -> None:
        """An operator removed the session."""


class Forgetful(Protocol):
    """Something that remembers what it made of a row, and must forget it when the row changes."""

    def forget(self, row: Row) -> None:
        """Drop what is known of `row`."""


Watcher = Callable[[Row, bool], None]
"""Called with a changed row; True says that the row is gone."""


class Table:
    """Rows in their order. Every change goes through here, so that caches and listeners learn of it."""

    def __init__(self, path: str, first_id: int = 1) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        self.readers: dict[object, Forgetful] = {}
        self.watchers: list[Watcher] = []
        self._next_id = first_id
        self._by_name: dict[str, Row] | None = None

    def __repr__(self) -> str:
        return f"<Table {self.path} {len(self.rows)} rows>"

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def add(
        self,
        values: dict[str, str],
        *,
        flow: Flow | None = None,
        since_s: float = 0.0,
        owner: object = None,
        row_id: str = "",
    ) -> Row:
        """A new row at the end."""
        if not row_id:
            row_id = f"*{self._next_id:X}"
            self._next_id += 1
        row = Row(row_id, values, flow, since_s, owner)
        self.rows[row_id] = row
        if self._by_name is not None and "name" in values:
            self._by_name.setdefault(values["name"], row)
        if self.watchers:
            self._tell(row, False)
        return row

    def change(self, row: Row, **values: str | None) -> None:
        """Store fields (underscores stand for hyphens); None takes a field away."""
        self.update(row, {key.replace("_", "-"): value for key, value in values.items()})

    def update(self, row: Row, values: dict[str, str | None]) -> None:
        """Store fields; None takes a field away."""
        if "name" in values:
            self._by_name = None
        for key, value in values.items():
            if value is None:
                row.values.pop(key, None)
            else:
                row.values[key] = value
        for reader in self.readers.values():
            reader.forget(row)
        if self.watchers:
            self._tell(row, False)

    def remove(self, row: Row) -> None:
        """The row is gone; removing it twice changes nothing."""
        if self.rows.pop(row.id, None) is None:
            return
        self._by_name = None
        for reader in self.readers.values():
            reader.forget(row)
        if self.watchers:
            self._tell(row, True)

    def named(self, name: str) -> Row | None:
        """The first row of that name."""
        if self._by_name is None:
            self._by_name = {
                row.values["name"]: row for row in reversed(self.rows.values()) if "name" in row.values
            }
        return self._by_name.get(name)

    def find(self, reference: str) -> Row | None:
        """The row with this `.id` or, failing that, this name."""
        return self.rows.get(reference) or self.named(reference)

    def _tell(self, row: Row, dead: bool) -> None:
        for watcher in tuple(self.watchers):
            watcher(row, dead)
