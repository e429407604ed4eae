"""Requests that wait: strict by priority class, first come first served within one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from routeros.replies import Priority
from routeros.request import Request


class RequestQueue:
    """A line per priority; anybody can leave a line at once, wherever it stands."""

    def __init__(self) -> None:
        self._lines: tuple[OrderedDict[Request, None], ...] = tuple(OrderedDict() for _ in Priority)

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    def __bool__(self) -> bool:
        return any(self._lines)

    def __iter__(self) -> Iterator[Request]:
        """Those that wait, in the order in which they go."""
        for line in self._lines:
            yield from line

    def __repr__(self) -> str:
        lines = " ".join(f"{priority.name.lower()}={len(self._lines[priority])}" for priority in Priority)
        return f"<RequestQueue {lines}>"

    def first(self) -> Request | None:
        """Whose turn it is."""
        for line in self._lines:
            if line:
                return next(iter(line))
        return None

    def put(self, request: Request, *, in_front: bool = False) -> None:
        line = self._lines[request.priority]
        line[request] = None
        if in_front:
            line.move_to_end(request, last=False)

    def discard(self, request: Request) -> bool:
        """It does not wait any more; False when it did not."""
        line = self._lines[request.priority]
        if request not in line:
            return False
        del line[request]
        return True
