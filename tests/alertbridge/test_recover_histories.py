"""Random histories: no action outside its rule, over a cap, twice at once on a target, or repeated by a restart.

``RECOVERY_HISTORIES=100000 pytest -rP`` plays that many instead of a thousand, and each part tells what it counted.
"""

import os
import time

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
    store, acts, began_s = FastStore(), 0, time.monotonic()
    seeds = range(part * WANTED // PARTS, (part + 1) * WANTED // PARTS)
    for seed in seeds:
        faults, made = play(seed, store)
        assert not faults, f"history {seed}: {faults}"
        acts += made
    speed = len(seeds) / (time.monotonic() - began_s)
    print(f"{len(seeds)} histories, {acts} actions, 0 faults, {speed:.1f} histories a second")  # noqa: T201
    assert acts > WANTED // PARTS / 2, "the histories are too quiet to say anything"
