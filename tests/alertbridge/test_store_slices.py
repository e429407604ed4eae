"""Long lists go in slices, and others have their turn between two of them."""

import asyncio

from alertbridge.store.slices import slices


async def test_all_of_it_in_its_order() -> None:
    """Each slice has at most its size, the last one what is left, and an empty list has none."""
    assert [some async for some in slices(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [some async for some in slices(range(0), 3)] == []


async def test_others_have_their_turn() -> None:
    """What is due runs between two slices, and not only when the list is at its end."""
    seen: list[int] = []

    async def other() -> None:
        seen.append(-1)

    task = asyncio.create_task(other())
    async for some in slices(range(4), 2):
        seen += some
    await task
    assert seen == [0, 1, -1, 2, 3]
