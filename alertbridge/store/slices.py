"""Long lists in slices: between two of them the event loop does what else is due."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import TypeVar

SLICE = 250
"""So many rows fit into one statement, and take no more than a few milliseconds."""

T = TypeVar("T")


async def slices(values: Iterable[T], size: int = SLICE) -> AsyncIterator[list[T]]:
    """`values` in their order, at most `size` at a time; nothing at all when there are none."""
    rest = iter(values)
    some = list(islice(rest, size))
    while some:
        yield some
        some = list(islice(rest, size))
        if some:
            await asyncio.sleep(0)
