"""Probes are measured with a scrape and never hold it up; a reload keeps those that stay the same."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest

from exporter.config import Config
from exporter.probes.base import Measured, gauge
from exporter.probes.registry import Planned, ProbeKind, Probes
from tests.fakes.clock import FakeClock
from tests.fakes.served import logged, until

UP = gauge("thing_up", "1 if it is up.")
PATIENCE_S = 3.0
DEADLINE_S = 1.0


class Thing:
    """A probe that waits for its gate, which stands open at first; `broken` makes it raise."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.labels: Mapping[str, str] = {"thing": name}
        self.gate = threading.Event()
        self.gate.set()
        self.measured = 0
        self.broken = False

    def measure(self) -> Sequence[Measured]:
        self.measured += 1
        assert self.gate.wait(timeout=60)
        if self.broken:
            raise RuntimeError("a fault of ours")
        return [Measured(UP, 1)]

    def silent(self) -> Sequence[Measured]:
        return [Measured(UP, 0)]


class Things:
    """A kind of probe whose plan a test sets: name to settings."""

    def __init__(self) -> None:
        self.plan: dict[str, object] = {"a": 1, "b": 1}
        self.made: list[Thing] = []
        self.deadline_s = 60.0

    def planned(self, _: Config) -> Iterator[Planned]:
        for name, settings in self.plan.items():
            yield Planned(name, settings, 10.0, self.deadline_s, lambda name=name: self._make(name))  # type: ignore[misc]  # a default binds it

    def _make(self, name: str) -> Thing:
        self.made.append(Thing(name))
        return self.made[-1]

    @property
    def kind(self) -> ProbeKind:
        return ProbeKind("thing", "Things.", (UP,), self.planned)


CONFIG = Config.model_validate(
    {"routers": [{"address": "192.0.2.1", "username": "monitor", "password": "secret"}]}
)


@pytest.fixture
def things() -> Iterator[Things]:
    things = Things()
    yield things
    for thing in things.made:
        thing.gate.set()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def probes(things: Things, clock: FakeClock) -> AsyncIterator[Probes]:
    probes = Probes([things.kind], CONFIG, patience_s=PATIENCE_S, clock=clock)
    yield probes
    await probes.close()


def text(probes: Probes) -> str:
    return b"".join(block for found in probes.blocks().values() for block in found).decode()


async def test_a_scrape_measures_every_probe(probes: Probes, things: Things, clock: FakeClock) -> None:
    """What was measured is served with how the measuring went, and again until it is older than its TTL."""
    assert await probes.refresh(deadline_s=5)
    clock.advance(3)
    assert text(probes) == (
        'thing_up{thing="a"} 1\n'
        'thing_up{thing="b"} 1\n'
        'tikwatch_probe_success{kind="thing",probe="a"} 1\n'
        'tikwatch_probe_success{kind="thing",probe="b"} 1\n'
        'tikwatch_probe_duration_seconds{kind="thing",probe="a"} 0\n'
        'tikwatch_probe_duration_seconds{kind="thing",probe="b"} 0\n'
        'tikwatch_probe_age_seconds{kind="thing",probe="a"} 3\n'
        'tikwatch_probe_age_seconds{kind="thing",probe="b"} 3\n'
    )
    assert await probes.refresh(deadline_s=5)
    clock.advance(8)
    assert await probes.refresh(deadline_s=5)
    assert [thing.measured for thing in things.made] == [2, 2]


async def test_before_the_first_measurement_success_is_0(probes: Probes) -> None:
    """Nothing is told of a thing that was not measured yet, and its probe has no success."""
    assert text(probes) == (
        'tikwatch_probe_success{kind="thing",probe="a"} 0\ntikwatch_probe_success{kind="thing",probe="b"} 0\n'
    )


async def test_a_probe_that_hangs_costs_one_scrape_the_patience_and_the_next_ones_nothing(
    probes: Probes, things: Things, clock: FakeClock
) -> None:
    """The others are told at once; the hanging one is named as late and, in the end, told silent."""
    loop = asyncio.get_running_loop()
    things.made[0].gate.clear()
    assert not await probes.refresh(deadline_s=5)
    assert probes.late() == ["thing/a"]
    assert 'thing_up{thing="b"} 1' in text(probes)
    for _ in range(3):
        clock.advance(15)
        began_s = loop.time()
        assert await probes.refresh(deadline_s=5)
        assert loop.time() - began_s < PATIENCE_S
    assert [thing.measured for thing in things.made] == [1, 4]
    things.made[0].gate.set()
    await until(lambda: probes.late() == [])
    assert 'thing_up{thing="a"} 1' in text(probes)


async def test_a_probe_that_is_slow_each_time_is_measured_beside_the_scrapes(
    probes: Probes, things: Things, clock: FakeClock
) -> None:
    """What takes longer than the patience is not waited for: the page has its latest measurement, with its age."""
    things.made[0].gate.clear()
    await probes.refresh(deadline_s=0)
    await until(lambda: probes.late() == ["thing/a"])
    clock.advance(PATIENCE_S)
    things.made[0].gate.set()
    await until(lambda: probes.late() == [])
    clock.advance(15)
    things.made[0].gate.clear()
    assert await probes.refresh(deadline_s=5)
    assert probes.late() == ["thing/a"]
    assert 'thing_up{thing="a"} 1' in text(probes)
    assert 'tikwatch_probe_age_seconds{kind="thing",probe="a"} 15\n' in text(probes)


async def test_silence_and_faults_are_failures_of_the_probe(things: Things, clock: FakeClock) -> None:
    """Success is 0 for a probe that is late or raises, each change is logged once, and silence tells `up` 0."""
    things.deadline_s = DEADLINE_S
    probes = Probes([things.kind], CONFIG, patience_s=PATIENCE_S, clock=clock)
    with logged() as log:
        things.made[0].gate.clear()
        things.made[1].broken = True
        for _ in range(2):
            assert await probes.refresh(deadline_s=5)
            clock.advance(15)
        assert 'thing_up{thing="a"} 0' in text(probes)
        assert 'thing_up{thing="b"}' not in text(probes)
        for name in "ab":
            assert f'tikwatch_probe_success{{kind="thing",probe="{name}"}} 0' in text(probes)
        assert log.getvalue().count("event=probe.failed") == 2
        things.made[0].gate.set()
        things.made[1].broken = False
        await asyncio.to_thread(lambda: None)
        await until(lambda: things.made[0].measured == 1)
        for _ in range(2):
            await probes.refresh(deadline_s=5)
            clock.advance(15)
        assert log.getvalue().count("event=probe.recovered") == 2
    await probes.close()


async def test_a_reload_keeps_what_stays_the_same(probes: Probes, things: Things, clock: FakeClock) -> None:
    """A probe with the same settings keeps what it knows; a changed one starts afresh; one that is gone is gone."""
    await probes.refresh(deadline_s=5)
    things.plan = {"b": 1, "a": 2, "c": 1}
    await probes.replace(CONFIG)
    assert [thing.name for thing in things.made] == ["a", "b", "a", "c"]
    assert 'thing_up{thing="b"} 1' in text(probes)
    assert 'thing_up{thing="a"}' not in text(probes)
    await probes.refresh(deadline_s=5)
    assert [thing.measured for thing in things.made] == [1, 1, 1, 1]
    things.plan = {}
    await probes.replace(CONFIG)
    assert (len(probes), text(probes)) == (0, "")


async def test_a_reload_that_cannot_be_made_changes_nothing(probes: Probes, things: Things) -> None:
    """When making one of the new probes fails, the old ones stay in force."""
    before = repr(probes)
    things.plan = {"c": 1, "d": object()}

    def fail(name: str) -> Thing:
        if name == "d":
            raise ValueError(name)
        return Thing(name)

    things._make = fail  # type: ignore[method-assign]  # the fake's own
    with pytest.raises(ValueError, match="d"):
        await probes.replace(CONFIG)
    assert repr(probes) == before == "<Probes ['thing/a', 'thing/b']>"


async def test_closing_does_not_wait_for_a_measurement_that_hangs(probes: Probes, things: Things) -> None:
    """The reading ends, and the thread, a daemon, is left to end with the process."""
    things.made[0].gate.clear()
    await probes.refresh(deadline_s=0)
    async with asyncio.timeout(30):
        await probes.close()
    assert [t.daemon for t in threading.enumerate() if t.name == "probe-a"] == [True]
