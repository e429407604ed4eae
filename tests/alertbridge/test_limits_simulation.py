"""The simulation of restarts, replicas and clocks that jump; its checker does find breaches."""

import pytest

from alertbridge.deliver.limit.config import ChannelLimitsSection
from benchmarks.limits import SCENES, Checker, Promise, Scene, simulate


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_nothing_is_breached(number: int) -> None:
    """A thousand messages in each scene, with crashes and jumps among them."""
    told = simulate(SCENES[number], 1_000 if number != 2 else 450, seed=number)
    assert (told.breaches, told.first_breach) == (0, "")
    assert told.crashes
    assert told.jumps
    assert told.rollbacks


def test_the_checker_finds_one_too_many() -> None:
    """Three in a minute where two are allowed, whatever the order in which they are seen."""
    checker = Checker({"x": (Promise("x", 2, 60.0),)})
    for at_s in (0.0, 100.0, 40.0, 59.9):
        checker.saw("x", at_s)
    assert len(checker.breaches) == 1
    checker = Checker({"x": (Promise("x", 2, 60.0),)})
    for at_s in (0.0, 1.0, 60.0, 61.0):
        checker.saw("x", at_s)
    assert not checker.breaches


def test_limits_that_are_wider_than_promised_are_caught() -> None:
    """The checker goes by what was promised and not by what the limits hold to."""
    wide = Scene(channel=ChannelLimitsSection(spacing_s=2.0, per_minute=25))
    told = simulate(wide, 500, promised=Scene())
    assert told.breaches > 0
    assert told.first_breach
