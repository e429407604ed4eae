"""Taking back: by a person, by a rule, once, and never blindly after a crash."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from alertbridge.recover import audit
from alertbridge.recover.actions.registry import Actions
from alertbridge.recover.ages import Ages
from alertbridge.recover.approvals import Answer
from alertbridge.recover.engine import Engine, Settings
from alertbridge.recover.journal import Journal
from alertbridge.recover.model import Run, RunState
from alertbridge.recover.undoing import Begun, Refusal, Refused, Wish, begin
from runtime.clock import SystemClock
from simulator.links import lose_link
from tests.fakes.acting import Bench, acting
from tests.fakes.fast_store import FastStore
from tests.fakes.recovering import recovering_maker
from tests.fakes.recovery_scene import BOOT, Everybody, Scene, section_of
from tests.fakes.recovery_story import Story, told
from tests.fakes.scripted_action import ScriptedMaker


async def over(story: Story, number: int) -> Run:
    """That run, once it is over."""
    for _ in range(200):
        run = next(run for run in await story.scene.runs() if run.id == number)
        if not run.under_way:
            return run
        await asyncio.sleep(0.5)
    raise AssertionError(f"run {number} goes on")


async def cured(story: Story) -> Engine:
    """An engine that cured `a`."""
    engine = await story.begun()
    engine.episode_changed(await story.scene.fires(thing="a"))
    assert (await story.ended(engine)).state is RunState.CURED
    return engine


async def refusal(engine: Engine, number: int, *, again: bool = False) -> Refusal | None:
    """Why a run is not taken back."""
    found = await engine.request_undo(Wish(number, "budi", again=again), with_code=False)
    return found.refusal if isinstance(found, Refused) else None


def test_a_run_is_taken_back_once_and_the_rule_leaves_the_alert_alone() -> None:
    """Also while paused; it is told, audited before and after, refused a second time, and not done again."""

    async def tell(story: Story) -> None:
        engine = await cured(story)
        await engine.pause("ayu")
        begun = await engine.request_undo(Wish(1, "budi", "wrong port"))
        assert isinstance(begun, Begun)
        assert not story.it.undos
        assert (await engine.approve(begun.code, "ayu")).answer is Answer.WRONG
        assert (await engine.approve(begun.code, "budi")).answer is Answer.TAKEN
        run = await over(story, begun.run.id)
        assert (run.state, run.undoes, len(story.it.undos)) == (RunState.UNDONE, 1, 1)
        assert not story.it.well
        assert "mend on thing:a was taken back (run 1)" in story.texts("\u21a9")[0]
        assert await refusal(engine, 1) is Refusal.UNDONE
        assert await refusal(engine, run.id) is Refusal.IS_UNDO
        await engine.resume("ayu")
        await asyncio.sleep(1500)
        assert len(story.it.acts) == 1
        lines = [line async for line in audit.export(story.scene.database)]
        events = [re.search('"event":"([a-z_]+)"', line)[1] for line in lines if f'"run":{run.id},' in line]  # type: ignore[index]
        assert events == ["proposed", "ask", "approve", "take_back", "undo", "undone"]
        assert any("wrong port" in line and "operator:budi" in line for line in lines)
        await engine.stop()

    told(tell)


def test_what_cannot_be_taken_back_is_refused_with_a_reason() -> None:
    """No such run, one that is under way, one that changed nothing."""

    async def tell(story: Story) -> None:
        story.it.takes_s, story.it.default = 3, "fail"
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.acted()
        assert await refusal(engine, 1) is Refusal.UNDER_WAY
        await story.ended(engine)
        assert await refusal(engine, 1) is Refusal.NO_CHANGE
        assert await refusal(engine, 7) is Refusal.NO_SUCH_RUN
        assert str(Refused(Refusal.NO_SUCH_RUN, 7)) == "there is no run 7"
        await engine.stop()

    told(tell)


def test_an_action_without_a_way_back_is_refused() -> None:
    """It says so itself."""

    async def tell(story: Story) -> None:
        engine = await cured(story)
        assert await refusal(engine, 1) is Refusal.NOT_UNDOABLE
        await engine.stop()

    told(tell, action="mend_once")


def test_a_target_that_another_run_has_is_left_alone() -> None:
    """One at a time: the rule acts on it again, and so it cannot be taken back now."""

    async def tell(story: Story) -> None:
        engine = await cured(story)
        story.it.well, story.it.takes_s = False, 4
        while len(story.it.acts) < 2:  # noqa: ASYNC110  time is virtual
            await asyncio.sleep(0.1)
        assert await refusal(engine, 1) is Refusal.BUSY
        await engine.stop()

    told(tell)


def test_an_undo_that_a_crash_cut_off_is_told_and_not_repeated() -> None:
    """Nobody knows whether it was taken back; only a person who says so has it done once more."""

    async def tell(story: Story) -> None:
        first = story.store.beside(same_process=False)
        engine = await story.begun(first)
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.ended(engine)
        story.it.back = "hang"
        begun = await engine.request_undo(Wish(1, "budi"), with_code=False)
        assert isinstance(begun, Begun)
        while not story.it.undos:  # noqa: ASYNC110  time is virtual
            await asyncio.sleep(0.1)
        await story.killed(engine, first)
        story.it.back = "useless"
        again = await story.begun(story.store.beside(same_process=False))
        run = await over(story, begun.run.id)
        assert (run.state, len(story.it.undos)) == (RunState.UNDO_LOST, 1)
        assert "its outcome is not known" in story.texts("\u2753")[0]
        assert await refusal(again, 1) is Refusal.UNKNOWN
        assert await refusal(again, 1, again=True) is None
        assert (await over(story, run.id + 1)).state is RunState.UNDONE
        assert len(story.it.undos) == 2
        await again.stop()

    told(tell)


@pytest.mark.parametrize(("waits_s", "state"), [(60, RunState.UNDONE), (700, RunState.CANCELLED)])
def test_a_wish_of_the_command_line_is_taken_up_soon_or_never(waits_s: float, state: RunState) -> None:
    """A bridge that comes back hours later does not take back what somebody wanted then."""

    async def tell(story: Story) -> None:
        engine = await cured(story)
        await engine.stop()
        journal = Journal(story.scene.database, Ages(story.clock, BOOT), "command line", 0.0)
        begun = await begin(journal, Wish(1, "budi"), lambda one: True)
        assert isinstance(begun, Begun)
        await asyncio.sleep(waits_s)
        again = await story.begun()
        assert (await over(story, begun.run.id)).state is state
        done = state is RunState.UNDONE
        assert len(story.it.undos) == done
        assert await refusal(again, 1) is (Refusal.UNDONE if done else None)
        await again.stop()

    told(tell)


@pytest.mark.parametrize("undo", ["true", "false"])
def test_a_step_that_did_not_help_is_taken_back_where_the_rule_says_so(undo: str) -> None:
    """Once, after its last try, and then the run gives up as it would have."""

    async def tell(story: Story) -> None:
        story.it.default = "useless"
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine)
        assert (run.state, run.reason, len(story.it.acts)) == (RunState.EXHAUSTED, "not_cured", 3)
        assert len(story.it.undos) == (1 if undo == "true" else 0)
        assert len(story.texts("\u21a9")) == len(story.it.undos)
        assert len(story.texts("\U0001f198")) == 2  # to noc and to boss, once each
        assert await refusal(engine, run.id) is (Refusal.UNDONE if undo == "true" else None)
        await engine.stop()

    told(tell, undo=undo)


def test_a_pause_keeps_the_rule_from_taking_back() -> None:
    """What it changed stands, a person is told, and may still take it back."""

    async def tell(story: Story) -> None:
        story.it.default = "useless"
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.acted()
        await asyncio.sleep(1)
        await engine.pause("ayu")
        run = await story.ended(engine)
        assert (run.state, run.reason, story.it.undos) == (RunState.CANCELLED, "paused", [])
        assert "what it changed stands" in story.texts("\U0001f198")[0]
        assert await refusal(engine, run.id) is None
        await engine.stop()

    told(tell, undo="true", tries=1)


def test_taking_back_that_is_cut_off_interrupts_the_run() -> None:
    """A rule does not go on when nobody knows how its target is."""

    async def tell(story: Story) -> None:
        story.it.default, story.it.back = "useless", "lose"
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine)
        assert (run.state, run.reason, len(story.it.undos)) == (RunState.INTERRUPTED, "no_answer", 1)
        await engine.stop()

    told(tell, undo="true", tries=1)


# -- against a router

ROUTER_RULE = """
tell: noc
rules:
  - name: enable
    match: {labels: 'alertname="PortDisabled"'}
    dry_run: false
    steps:
      - action: interface_enable
        with: {router: core, interface: "{{ labels.interface }}", running: UNDO}
        tries: 1
        undo_when_not_cured: UNDO
        verify: {by: target, target_s: 1, stable_s: 0.4, every_s: 0.1, deadline_s: 5}
"""
PORT = "ether3"


async def settled(scene: Scene, count: int) -> Sequence[Run]:
    """All runs, once there are so many and all are over."""
    async with asyncio.timeout(60):
        while True:
            runs = await scene.runs()
            if len(runs) == count and not any(run.under_way for run in runs):
                return runs
            await asyncio.sleep(0.05)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with acting() as bench:
        row = bench.rows("/interface", name=PORT)[0]
        bench.device.world.table("/interface").change(row, disabled="true", running="false")
        yield bench


def engine_on(bench: Bench, *, undo: bool) -> tuple[Scene, Engine]:
    clock = SystemClock()
    section = section_of(ROUTER_RULE.replace("UNDO", "true" if undo else "false"))
    store = FastStore()
    scene = Scene(store.database, clock, ScriptedMaker(clock), section)
    settings = Settings(section, Actions(bench.resources), scene.ear, Everybody(), {})
    return scene, Engine(store.database, clock, scene.tally, settings, boot=BOOT)


async def test_an_interface_that_was_enabled_is_disabled_again(bench: Bench) -> None:
    """By a person, after a restart as well: what was changed is known from the store."""
    scene, engine = engine_on(bench, undo=False)
    await engine.start()
    engine.episode_changed(await scene.fires("PortDisabled", interface=PORT))
    (run,) = await settled(scene, 1)
    assert (run.state, bench.is_disabled(PORT)) == (RunState.CURED, False)
    bench.resources.recollections.keep(str(run.id), run.now.target)
    assert isinstance(await engine.request_undo(Wish(run.id, "budi"), with_code=False), Begun)
    back = (await settled(scene, 2))[-1]
    assert (back.state, bench.is_disabled(PORT)) == (RunState.UNDONE, True)
    await engine.stop()


async def test_an_interface_that_does_not_run_is_disabled_again_by_its_rule(bench: Bench) -> None:
    """Enabling did not help: the router is left as it was found."""
    scene, engine = engine_on(bench, undo=True)
    await engine.start()
    engine.episode_changed(await scene.fires("PortDisabled", interface=PORT))
    await bench.until(lambda: not bench.is_disabled(PORT))
    lose_link(bench.device.world, bench.rows("/interface", name=PORT)[0])
    (run,) = await settled(scene, 1)
    assert (run.state, bench.is_disabled(PORT)) == (RunState.EXHAUSTED, True)
    assert len(bench.words("/interface/enable")) == len(bench.words("/interface/disable")) == 1
    await engine.stop()


COMMAND_RULE = """
tell: noc
rules:
  - name: touch
    match: {labels: 'alertname="FlagMissing"'}
    dry_run: false
    steps:
      - action: command_run
        with: {command: "{{ labels.command }}"}
        tries: 1
        verify: {by: target, target_s: 5, stable_s: 0, every_s: 0.1, deadline_s: 10}
"""


@pytest.mark.parametrize("has_undo", [True, False])
async def test_a_command_is_taken_back_where_it_has_a_way_back(tmp_path: Path, *, has_undo: bool) -> None:
    """The entry's `undo` is run, once; without one it is refused before anything is done."""
    flag = tmp_path / "flag"
    entry: dict[str, object] = {"name": "flag", "kind": "command", "command": ["/usr/bin/touch", str(flag)]}
    if has_undo:
        entry["undo"] = ["/bin/rm", str(flag)]
    async with recovering_maker([entry]) as maker:
        clock, store, section = SystemClock(), FastStore(), section_of(COMMAND_RULE)
        scene = Scene(store.database, clock, ScriptedMaker(clock), section)
        engine = Engine(
            store.database,
            clock,
            scene.tally,
            Settings(section, maker, scene.ear, Everybody(), {}),
            boot=BOOT,
        )
        await engine.start()
        engine.episode_changed(await scene.fires("FlagMissing", command="flag"))
        (run,) = await settled(scene, 1)
        assert (run.state, flag.exists()) == (RunState.CURED, True)
        refused = await refusal(engine, run.id)
        assert refused is (None if has_undo else Refusal.NOT_UNDOABLE)
        await settled(scene, 2 if has_undo else 1)
        assert flag.exists() is not has_undo
        assert await refusal(engine, run.id) is (Refusal.UNDONE if has_undo else Refusal.NOT_UNDOABLE)
        await engine.stop()
