"""What a deed saw, kept until its verification asks: the object that verifies is not the one that did it.

Kept in memory only. After a crash nothing is remembered, a verification that needs it says that it does not know, and
the alert decides.
"""

from collections import OrderedDict
from collections.abc import Mapping

Memory = float | tuple[str, ...]
_LIMIT = 1000
_NOTHING: Mapping[str, Memory] = {}


class Recollections:
    """By run and target; of more than a thousand the oldest are forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Mapping[str, Memory]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Recollections {len(self._kept)}>"

    def keep(self, run_id: str, target: str, **found: Memory) -> None:
        """These instead of what this run saw there before."""
        self._kept[run_id, target] = found
        self._kept.move_to_end((run_id, target))
        while len(self._kept) > _LIMIT:
            self._kept.popitem(last=False)

    def number(self, run_id: str, target: str, name: str) -> float | None:
        """A number that was kept; None when there is none."""
        found = self._kept.get((run_id, target), _NOTHING).get(name)
        return found if isinstance(found, float | int) else None

    def words(self, run_id: str, target: str, name: str) -> frozenset[str]:
        """Words that were kept; empty when there are none."""
        found = self._kept.get((run_id, target), _NOTHING).get(name)
        return frozenset(found) if isinstance(found, tuple) else frozenset()
