"""The bridge itself, killed with SIGKILL under load; `python -m benchmarks.kills` does it hundreds of times."""

from pathlib import Path

import pytest

from alertbridge.store.config import StoreSection
from benchmarks.kills import survive
from benchmarks.outlets import TAKES_OUR_ID, Arrived

KILLS = 4


@pytest.mark.timeout(600)
def test_killed_under_load_nothing_is_lost(store_section: StoreSection, tmp_path: Path) -> None:
    """Every alert that got its 200 was told; what was told twice is marked, and no more than one a kill."""
    store: dict[str, object] = (
        {"path": str(store_section.path)}
        if store_section.url is None
        else {"url": store_section.url.get_secret_value()}
    )
    found = survive(tmp_path, store, KILLS)
    assert found.accepted > 0
    assert (found.lost, found.open_in_the_end, found.unmarked) == (0, 0, 0)
    assert found.duplicates <= KILLS


@pytest.mark.timeout(240)
def test_a_gateway_that_takes_our_id_shows_nothing_twice(tmp_path: Path) -> None:
    """However the bridge is killed, what it sends again has the id of before, and the phone shows it once."""
    store: dict[str, object] = {"path": str(tmp_path / "bridge.db")}
    found = survive(tmp_path, store, 3, channel=TAKES_OUR_ID)
    assert found.accepted > 0
    assert (found.lost, found.open_in_the_end, found.duplicates) == (0, 0, 0)
    assert found.requests >= found.messages


def test_what_came_out_twice_is_counted_by_its_mark() -> None:
    """Late is no repeat; a repeat without its mark is counted; where there are ids, they tell what is the same."""
    texts = ("(sent 3 minutes late) one", "(repeat, sent 4 minutes late) one", "two", "two")
    found = Arrived(texts, ("one", "one", "two", "two"), 4)
    assert (found.messages, found.duplicates, found.unmarked) == (2, 2, 1)
    assert found.has("x", "(1/2) one")
    assert Arrived(("(repeat) a",), ("id-1",), 1).has("id-1", "a")
