"""Counters -> bits per second, over the time between the readings themselves. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass

from exporter.live.subjects import Counted

BITS = 8
Rate = tuple[float | None, float | None]
NO_RATE: Rate = (None, None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The counters of one row at one reading."""

    at_s: float
    row_id: str
    counted: Counted
    round_number: int


class Meters:
    """The latest counters of every row that was read, each under a key of its menu."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, _Seen] = {}
        self._rates: dict[tuple[Hashable, str], Rate] = {}
        self._round = 0

    def __repr__(self) -> str:
        return f"<Meters {len(self._seen)} rows>"

    def begin_round(self) -> None:
        """A reading begins."""
        self._round += 1
        self._rates.clear()

    def rate(self, key: Hashable, at_s: float, row_id: str, counted: Counted) -> Rate:
        """Rates since the reading before; none for a row that is new, was made anew, or counts from zero again.

        A row that is asked for twice in a round gets the same answer.
        """
        known = self._rates.get((key, row_id))
        if known is None:
            known = self._rates[key, row_id] = _between(self._seen.get(key), at_s, row_id, counted)
            self._seen[key] = _Seen(at_s, row_id, counted, self._round)
        return known

    def end_round(self, *, complete: bool) -> None:
        """Forget rows that were not there any more, if every menu could be read."""
        if complete:
            self._seen = {key: seen for key, seen in self._seen.items() if seen.round_number == self._round}

    def forget(self) -> None:
        """Begin anew."""
        self._seen.clear()


def _between(before: _Seen | None, at_s: float, row_id: str, counted: Counted) -> Rate:
    if before is None or before.row_id != row_id or at_s <= before.at_s:
        return NO_RATE
    apart_s = at_s - before.at_s
    return _rate(before.counted[0], counted[0], apart_s), _rate(before.counted[1], counted[1], apart_s)


def _rate(then: int | None, now: int | None, apart_s: float) -> float | None:
    if then is None or now is None or now < then:
        return None
    return (now - then) * BITS / apart_s
