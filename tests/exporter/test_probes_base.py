"""A probe is measured in its thread, within its deadline, and tells its silence when it is late."""

import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest

from exporter.probes.base import Measured, ProbeReader, blocks, gauge, state_set, states

UP = gauge("thing_up", "1 if it is up.")
STATE = state_set("thing_state", "Its state.")


class Thing:
    """A probe that waits for its gate."""

    name = "thing"
    labels: Mapping[str, str] = {"thing": 'a"b'}

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.measured = 0

    def measure(self) -> Sequence[Measured]:
        self.measured += 1
        assert self.gate.wait(timeout=60)
        return [Measured(UP, 1), *states(STATE, "odd", ("open", "close"))]

    def silent(self) -> Sequence[Measured]:
        return [Measured(UP, 0)]


@pytest.fixture
def thing() -> Iterator[Thing]:
    thing = Thing()
    yield thing
    thing.gate.set()


def text(reading_blocks: Mapping[str, bytes]) -> str:
    return b"".join(reading_blocks.values()).decode()


async def test_a_measurement_becomes_blocks_with_the_probes_labels(thing: Thing) -> None:
    """Labels of the probe come first, escaped; an unlisted state is `other`."""
    thing.gate.set()
    reader = ProbeReader(thing, deadline_s=10)
    reading = await reader.read()
    assert text(reading.parts["thing"].blocks) == (
        'thing_up{thing="a\\"b"} 1\n'
        'thing_state{thing="a\\"b",state="open"} 0\n'
        'thing_state{thing="a\\"b",state="close"} 0\n'
        'thing_state{thing="a\\"b",state="other"} 1\n'
    )
    assert reading.succeeded


async def test_a_probe_that_hangs_is_told_silent_and_not_started_twice(thing: Thing) -> None:
    """While a measurement hangs no second one is begun and nobody waits again; when it ends, the next is fresh."""
    reader = ProbeReader(thing, deadline_s=0.01)
    for _ in range(3):
        reading = await reader.read()
        assert text(reading.parts["thing"].blocks) == 'thing_up{thing="a\\"b"} 0\n'
        assert str(reading.failures["thing"]) == "no measurement within 0.01 s"
    assert thing.measured == 1
    assert repr(reader) == "<ProbeReader thing measuring>"
    thing.gate.set()
    patient = ProbeReader(thing, deadline_s=10)
    assert "} 1" in text((await patient.read()).parts["thing"].blocks)


def test_a_sample_that_comes_twice_is_told_once() -> None:
    """Prometheus refuses duplicates, so the first of them stands."""
    assert blocks({}, [Measured(UP, 1), Measured(UP, 0)]) == {"thing_up": b"thing_up 1\n"}
