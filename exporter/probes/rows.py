"""Rows of one statement, whichever database gave them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

Cell = object
"""What a driver makes of a value: a number, text, bytes, a date, None ..."""


COUNTED_LIMIT = 10_000
"""Rows beyond the limit that are counted; further ones are not even asked for."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The first rows up to a limit, and how many more there were, `COUNTED_LIMIT` at most."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    left_out: int

    @classmethod
    def taken(cls, columns: Iterable[str], rows: Iterable[Sequence[Cell]], limit: int) -> "Rows":
        """Keeps `limit` of `rows` and counts the others, as far as they are counted."""
        kept: list[Sequence[Cell]] = []
        left_out = 0
        for row in rows:
            if len(kept) < limit:
                kept.append(row)
            else:
                left_out += 1
                if left_out == COUNTED_LIMIT:
                    break
        return cls(tuple(columns), kept, left_out)


class Database(Protocol):
    """Where statements that only read are run."""

    def rows(self, sql: str, *, timeout_s: float, limit: int) -> Rows:
        """What `sql` gives. Blocks, no longer than about `timeout_s`. Raises DatabaseFault."""
