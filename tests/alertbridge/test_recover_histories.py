"""Random histories: no action outside its rule, over a cap, twice at once on a target, or repeated by a restart.

``RECOVERY_HISTORIES=100000`` plays that many instead of a thousand.
"""

import os

import pytest

from tests.fakes.fast_store import FastStore
from tests.fakes.recovery_schedules import play

WANTED = int(os.environ.get("RECOVERY_HISTORIES", "1000"))
PARTS = 20
PART_TIMEOUT_S = max(600, WANTED // PARTS)


@pytest.mark.timeout(PART_TIMEOUT_S)
@pytest.mark.parametrize("part", range(PARTS))
def test_rules_hold_in_every_history(part: int) -> None:
    """Alerts, lies, hangs, kills at any statement, replicas, pauses and clock jumps break no rule."""
    store, acts = FastStore(), 0
    for seed in range(part * WANTED // PARTS, (part + 1) * WANTED // PARTS):
        faults, made = play(seed, store)
        assert not faults, f"history {seed}: {faults}"
        acts += made
    assert acts > WANTED // PARTS / 2, "the histories are too quiet to say anything"
