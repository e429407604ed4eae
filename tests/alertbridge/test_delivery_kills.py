"""The bridge itself, killed with SIGKILL under load; `python -m benchmarks.kills` does it hundreds of times."""

from pathlib import Path

import pytest

from alertbridge.store.config import StoreSection
from benchmarks.kills import survive

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
