"""Rows of one statement, whichever database gave them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

Cell = object
"""What a driver makes of a value: a number, text, bytes, a date, None ..."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The first rows up to a limit, and how many more there were."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    left_out: int

    @classmethod
    def taken(cls, columns: Iterable[str], rows: Iterable[Sequence[Cell]], limit: int) -> "Rows":
        """Reads all of `rows`, keeps `limit`, counts the others."""
        kept: list[Sequence[Cell]] = []
        left_out = 0
        for row in rows:
            if len(kept) < limit:
                kept.append(row)
            else:
                left_out += 1
        return cls(tuple(columns), kept, left_out)


class Database(Protocol):
    """Where statements that only read are run."""

    def rows(self, sql: str, *, timeout_s: float, limit: int) -> Rows:
        """What `sql` gives. Blocks, no longer than about `timeout_s`. Raises DatabaseFault."""
