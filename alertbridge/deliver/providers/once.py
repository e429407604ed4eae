"""Remembers what was tried once already, for outcomes that mean "once more, and then no longer"."""

from collections import OrderedDict

LIMIT = 1000


class Once:
    """The last keys that were asked about; a restart forgets them, which costs one more try."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()

    def first(self, key: str) -> bool:
        """Whether `key` comes for the first time."""
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > LIMIT:
            self._seen.popitem(last=False)
        return True
