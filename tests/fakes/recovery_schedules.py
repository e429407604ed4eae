"""Random histories of recovery, and what must hold in each of them, told by a model that shares no code with it.

A history has alerts that begin and end, targets that fail, hang and lie, replicas that are killed at any statement
and started again, pauses, approvals and wall clocks that jump; time is virtual. `play` runs one and returns what was
wrong with it.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from structlog.testing import capture_logs

from alertbridge.accept.ports import Change
from alertbridge.deliver.route.schedule import Schedule
from alertbridge.recover import audit
from alertbridge.recover.actions.base import Verdict
from alertbridge.recover.approvals import Answer
from alertbridge.recover.config import RecoverySection
from alertbridge.recover.engine import Engine
from alertbridge.recover.model import Run, RunState
from alertbridge.recover.undoing import Begun, Wish
from alertbridge.store.schema_recovery import audit as entries
from tests.fakes.fast_store import FastStore
from tests.fakes.recovery_scene import Scene
from tests.fakes.scripted_action import Act, ScriptedMaker, Target
from tests.fakes.virtual_loop import VirtualLoop

T = TypeVar("T")
THINGS = ("a", "b", "c")
FAULTS_OF_ACTIONS = ("recovery.action_fault", "recovery.undo_fault")
BACK = ("useless", "useless", "useless", "hang", "lose", "bug")
WORDS = ("mend", "mend", "mend", "fail", "useless", "useless", "hang", "lose", "bug")
BASE_S = 1_790_000_000.0
QUIET_S = 120.0
"""So long what still fires is left alone with its rules."""
DRAIN_S = 300.0
LOOK_S = 20.0
"""Every run must have come to its end within so long once nothing fires."""
WINDOW = "window"
CODE = re.compile(r"yes ([0-9A-Z]{6}) .*run (\d+)\.")


class LoopClock:
    """The time of the loop; the wall clock may be off."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.off_s = 0.0

    def monotonic(self) -> float:
        return 5000.0 + self._loop.time()

    def time(self) -> float:
        return BASE_S + self._loop.time() + self.off_s


@dataclass
class Spans:
    """Times between which something was so; an open end is infinity."""

    spans: list[list[float]] = field(default_factory=list)

    def begin(self, at_s: float) -> None:
        if not self.spans or self.spans[-1][1] != float("inf"):
            self.spans.append([at_s, float("inf")])

    def end(self, at_s: float) -> None:
        if self.spans:
            self.spans[-1][1] = min(self.spans[-1][1], at_s)

    def covers(self, at_s: float) -> bool:
        return any(begin < at_s < end for begin, end in self.spans)


@dataclass
class Replica:
    """A process."""

    store: FastStore
    engine: Engine


def make_section(dice: random.Random) -> RecoverySection:
    """Some rules."""
    rules = []
    for number in range(dice.randint(1, 3)):
        per_hour = dice.randint(2, 6)
        steps = [
            {
                "action": dice.choice(("mend", "mend", "mend_once", "mend_asked" if number == 2 else "mend")),
                "with": {"target": "{{ labels.thing }}"},
                "tries": dice.randint(1, min(4, per_hour)),
                "timeout_s": 4.0,
                "precondition": {"probe": dice.choice(("not_holds", "none", "fails"))},
                "verify": {
                    "target_s": 3.0, "stable_s": dice.choice((0.0, 1.0)), "settle_s": 20.0, "deadline_s": 30.0,
                    "every_s": 1.5, "by": dice.choice((["target"], ["target", "alert"], ["alert"])),
                },
            }
            for _ in range(dice.randint(1, 2))
        ]  # fmt: skip
        for step in steps:
            step["undo_when_not_cured"] = step["action"] == "mend" and dice.random() < 0.3
        rule = {
            "name": f"rule{number}",
            "match": {"labels": [f'alertname=~"Broken{dice.choice(("", ".*"))}"', 'thing=~"[abc]"']},
            "steps": steps,
            "dry_run": dice.random() < 0.05,
            "approval": dice.choice(("auto",) * 8 + ("ask", "ask", "off")),
            "cooldown_s": dice.choice((0.0, 30.0, 120.0, 600.0)),
            "per_hour": per_hour,
            "per_day": dice.randint(per_hour, 8),
            "unless": [{"labels": ['alertname="Down"'], "equal": ["thing"]}] if dice.random() < 0.4 else [],
            "window": WINDOW if dice.random() < 0.2 else None,
        }
        rules.append(rule)
    return RecoverySection.model_validate(
        {"rules": rules, "tell": ["noc"], "reconsider_s": 45.0, "lease_s": 15.0, "approval_s": 40.0}
    )


class History:
    """One history while it is played."""

    def __init__(self, seed: int, store: FastStore, loop: VirtualLoop) -> None:
        self.dice = random.Random(seed)  # noqa: S311  dice
        self.clock = LoopClock(loop)
        self.maker = ScriptedMaker(self.clock, *THINGS)
        self.section = make_section(self.dice)
        self.window = Schedule(WINDOW, frozenset(range(7)), ((0, 12 * 60),), ZoneInfo("UTC"))
        self.scene = Scene(
            store.database, self.clock, self.maker, self.section, schedules={WINDOW: self.window}
        )
        self.store = store
        self.replicas: list[Replica] = []
        self.open: dict[str, Change] = {}
        self.fired: dict[int, Spans] = {}
        self.down: dict[str, Spans] = {name: Spans() for name in THINGS}
        self.barred: dict[str, Spans] = {name: Spans() for name in THINGS}
        self.paused = Spans()
        self.approved: dict[int, float] = {}
        self.answered: set[int] = set()
        self.wished: set[str] = set()
        self.off_s: list[tuple[float, float]] = [(0.0, 0.0)]
        self.faults: list[str] = []
        self._pair = self.dice.random() < 0.5

    def now_s(self) -> float:
        return self.clock.monotonic()

    # -- what happens

    async def play(self) -> None:
        """Events, then quiet time in which everything must come to its end."""
        await self.start()
        events: list[Callable[[], Awaitable[None]]] = [
            self.fire, self.fire, self.fire, self.fire, self.fire, self.fire, self.end, self.end, self.end, self.end,
            self.broken, self.kill, self.kill_soon, self.kill_soon,
            self.start, self.start, self.stop, self.pause, self.resume, self.resume, self.jump, self.answer,
            self.answer, self.take_back, self.take_back, self.bar, self.unbar, self.mute, self.depend,
        ]  # fmt: skip
        for _ in range(self.dice.randint(10, 24)):
            await asyncio.sleep(self.dice.choice((0.0, 0.5, 2.0, 7.0, 25.0, 90.0)))
            await self.dice.choice(events)()
        for replica in self.alive():
            replica.store.dies_at = None
        if not self.replicas:
            await self.start()
        await self.resume()
        await asyncio.sleep(QUIET_S)
        while self.open:  # what still fires may begin a run at any moment
            await self.end()
        await self.until_over()
        for replica in self.replicas:
            await replica.engine.stop()
        await self.check()

    async def until_over(self) -> None:
        """Until no run is under way, or until all should have been over."""
        for _ in range(int(DRAIN_S / LOOK_S)):
            await asyncio.sleep(LOOK_S)
            if not any(run.under_way for run in await self.scene.runs()):
                return

    async def unless_killed(self, store: FastStore, work: Awaitable[T]) -> T | None:
        """What `work` gives; None when its process was killed in the middle."""
        try:
            return await work
        except asyncio.CancelledError:
            if not store.dead:
                raise
            return None

    def alive(self) -> list[Replica]:
        for replica in [one for one in self.replicas if one.store.dead]:
            self.bury(replica)
        return self.replicas

    def bury(self, replica: Replica) -> None:
        """A process that is gone takes its tasks along."""
        replica.store.dead = True
        self.replicas.remove(replica)
        for task in [*replica.engine._tasks, *replica.engine._driven.values()]:
            task.cancel()

    async def start(self) -> None:
        alive = self.alive()
        if len(alive) >= (2 if self._pair else 1):
            return
        store = self.store.beside(same_process=self._pair)
        engine = self.scene.engine(store.database)
        self.replicas.append(Replica(store, engine))
        await engine.start()

    async def stop(self) -> None:
        if alive := self.alive():
            replica = alive.pop(0)
            await self.unless_killed(replica.store, replica.engine.stop())
            replica.store.dead = True

    async def kill(self) -> None:
        if alive := self.alive():
            self.bury(self.dice.choice(alive))
            await asyncio.sleep(0)

    async def kill_soon(self) -> None:
        """At some statement to come."""
        if alive := self.alive():
            store = self.dice.choice(alive).store
            store.dies_at = store.steps + self.dice.randint(1, 60)

    async def fire(self) -> None:
        thing = self.dice.choice(THINGS)
        name = self.dice.choice(("Broken", "Broken", "BrokenToo"))
        key = f"{name}-{thing}"
        target = self.maker.targets[thing]
        target.well = False
        target.default = self.dice.choice(WORDS)
        target.takes_s = self.dice.choice((0.0, 0.0, 1.0, 3.0))
        target.back = self.dice.choice(BACK)
        target.script.clear()
        target.script.extend(self.dice.choices(WORDS, k=self.dice.randint(0, 3)))
        if key not in self.open:
            change = await self.scene.fires(name, thing=thing)
            self.open[key] = change
            self.fired.setdefault(change.episode_id, Spans()).begin(self.now_s())
        for replica in self.alive()[:1]:
            replica.engine.episode_changed(self.open[key])
            if self.dice.random() < 0.2:
                replica.store.dies_at = replica.store.steps + self.dice.randint(1, 80)

    async def end(self) -> None:
        """An alert ends, though not always because its target is well."""
        if self.open:
            key = self.dice.choice(sorted(self.open))
            change = self.open.pop(key)
            ended = await self.scene.ends(change)
            self.fired[change.episode_id].end(self.now_s())
            if change.alert.name == "Down":
                self.down[change.alert.labels["thing"]].end(self.now_s())
            for replica in self.alive()[:1]:
                replica.engine.episode_changed(ended)

    async def broken(self) -> None:
        self.maker.targets[self.dice.choice(THINGS)].well = False

    async def pause(self) -> None:
        if alive := self.alive():
            await self.unless_killed(alive[0].store, alive[0].engine.pause("budi"))
            if not alive[0].store.dead:
                self.paused.begin(self.now_s())

    async def resume(self) -> None:
        if alive := self.alive():
            self.paused.end(self.now_s())
            await self.unless_killed(alive[0].store, alive[0].engine.resume("budi"))

    async def jump(self) -> None:
        self.clock.off_s += self.dice.choice((-90_000.0, -3700.0, -40.0, 40.0, 3700.0, 90_000.0))
        self.off_s.append((self.now_s(), self.clock.off_s))

    async def answer(self) -> None:
        """Somebody answers a question, perhaps late, perhaps a second time."""
        asked = [found for text in self.scene.ear.texts("🔐") if (found := CODE.search(text))]
        if not asked or not (alive := self.alive()):
            return
        found = self.dice.choice(asked[-3:])
        engine = alive[0].engine
        approves = self.dice.random() < 0.8
        work = (engine.approve if approves else engine.reject)(found[1], "budi")
        answered = await self.unless_killed(alive[0].store, work)
        if answered is not None and answered.answer is Answer.TAKEN and answered.run_id is not None:
            if answered.run_id in self.answered:
                self.faults.append(f"run {answered.run_id} was answered twice")
            self.answered.add(answered.run_id)
            if approves:
                self.approved[answered.run_id] = self.now_s()

    async def take_back(self) -> None:
        """Somebody wants taken back what a run changed, also one that is under way, and perhaps twice."""
        runs = await self.scene.runs()
        if not runs or not (alive := self.alive()):
            return
        number, replica = self.dice.choice(runs[-6:]).id, alive[0]
        self.wished.add(str(number))
        wish = replica.engine.request_undo(Wish(number, "budi"), with_code=self.dice.random() < 0.5)
        begun = await self.unless_killed(replica.store, wish)
        if isinstance(begun, Begun) and begun.code and not replica.store.dead:
            await self.unless_killed(replica.store, replica.engine.approve(begun.code, "budi"))

    async def bar(self) -> None:
        thing = self.dice.choice(THINGS)
        self.maker.targets[thing].before = "logged_out"
        self.barred[thing].begin(self.now_s())

    async def unbar(self) -> None:
        thing = self.dice.choice(THINGS)
        self.barred[thing].end(self.now_s())
        self.maker.targets[thing].before = ""

    async def mute(self) -> None:
        target = self.maker.targets[self.dice.choice(THINGS)]
        target.mute = not target.mute

    async def depend(self) -> None:
        thing = self.dice.choice(THINGS)
        key = f"Down-{thing}"
        if key in self.open:
            self.down[thing].end(self.now_s())
            change = self.open.pop(key)
            await self.scene.ends(change)
            self.fired[change.episode_id].end(self.now_s())
        else:
            self.open[key] = change = await self.scene.fires("Down", thing=thing)
            self.fired.setdefault(change.episode_id, Spans()).begin(self.now_s())
            self.down[thing].begin(self.now_s())

    # -- what must hold

    async def check(self) -> None:
        runs = {run.id: run for run in await self.scene.runs()}
        acts = [(act, target) for target in self.maker.targets.values() for act in target.acts]
        for act, target in acts:
            for problem in self._of_act(act, target, runs[int(act.run_id)]):
                self.faults.append(f"{problem}: {target.name} at {act.began_s:.1f} by run {act.run_id}")
        for target in self.maker.targets.values():
            if target.at_once > 1:
                self.faults.append(f"{target.name}: {target.at_once} actions at once")
            self.faults.extend(self._of_target(target, runs))
            self.faults.extend(self._of_undos(target, runs))
        self.faults.extend(self._over_caps(acts, runs))
        self.faults.extend(
            f"run {run.id} is left {run.state.value}" for run in runs.values() if run.under_way
        )
        await self._check_audit(acts, runs)

    def _of_act(self, act: Act, target: Target, run: Run) -> Iterator[str]:
        section = next(rule for rule in self.section.rules if rule.name == run.rule)
        if section.dry_run or section.approval == "off":
            yield "the rule may not act"
        if act.action not in [step.action for step in section.steps]:
            yield "an action of no step"
        asks = section.approval == "ask" or any(step.action == "mend_asked" for step in section.steps)
        if asks and self.approved.get(run.id, float("inf")) > act.began_s:
            yield "nobody said yes"
        if self.paused.covers(act.began_s):
            yield "while paused"
        off_s = [off_s for at_s, off_s in self.off_s if at_s <= act.began_s][-1]
        if section.window and not self.window.covers(BASE_S + act.began_s - 5000.0 + off_s):
            yield "outside its window"
        if run.episode_id is not None and not self.fired[run.episode_id].covers(act.began_s):
            began, ended = self.fired[run.episode_id].spans[0]
            if not began <= act.began_s <= ended:
                yield "the alert was over"
        if section.unless and self.down[target.name].covers(act.began_s):
            yield "against its dependence"
        if self.barred[target.name].covers(act.began_s):
            yield "logged out"

    def _of_target(self, target: Target, runs: dict[int, Run]) -> Iterator[str]:
        for number, act in enumerate(target.acts):
            run = runs[int(act.run_id)]
            section = next(rule for rule in self.section.rules if rule.name == run.rule)
            earlier = target.acts[:number]
            same = [one for one in earlier if one.run_id != act.run_id and one.action == act.action]
            if same and act.began_s - same[-1].began_s < section.cooldown_s - 1e-6:
                # The run began before its later steps: their cooldown was looked at when it began.
                first = next(one for one in target.acts if one.run_id == act.run_id)
                if first.began_s - same[-1].began_s < section.cooldown_s - 1e-6:
                    yield f"run {act.run_id} on {target.name} within the cooldown of run {same[-1].run_id}"
            own = [one for one in earlier if one.run_id == act.run_id]
            if len(own) >= sum(step.tries for step in section.steps):
                yield f"run {act.run_id} made more than its tries"
            if own and not own[-1].known:
                failed = any(
                    said is Verdict.FAILS and own[-1].began_s <= at_s <= act.began_s
                    for by, at_s, said in target.answers
                    if by == act.run_id
                )
                if not failed or own[-1].action == "mend_once":
                    yield f"run {act.run_id} repeated on {target.name} what nobody knows the outcome of"

    def _of_undos(self, target: Target, runs: dict[int, Run]) -> Iterator[str]:
        """Only what was done is taken back, once, by a wish or by its rule."""
        for number, undo in enumerate(target.undos):
            run = runs[int(undo.run_id)]
            mine = (undo.run_id, undo.action)
            acts = [
                act for act in target.acts if (act.run_id, act.action) == mine and act.began_s <= undo.began_s
            ]
            before = [one for one in target.undos[:number] if (one.run_id, one.action) == mine]
            told = f"{target.name} at {undo.began_s:.1f} of run {run.id}"
            if not acts:
                yield f"taken back what was never done: {told}"
            elif before and (before[-1].began_s > acts[-1].began_s or len(before) >= len(acts)):
                yield f"taken back twice: {told}"
            if undo.run_id not in self.wished:
                section = next(rule for rule in self.section.rules if rule.name == run.rule)
                if not any(step.undo_when_not_cured for step in section.steps if step.action == undo.action):
                    yield f"taken back though nobody wants it: {told}"
                if self.paused.covers(undo.began_s):
                    yield f"taken back while paused: {told}"

    def _over_caps(self, acts: list[tuple[Act, Target]], runs: dict[int, Run]) -> Iterator[str]:
        for rule in self.section.rules:
            times = sorted(act.began_s for act, _ in acts if runs[int(act.run_id)].rule == rule.name)
            for cap, span_s in ((rule.per_hour, 3600.0), (rule.per_day, 86_400.0)):
                for first, last in zip(times, times[cap:], strict=False):
                    if last - first < span_s - 1e-6:
                        yield f"{rule.name}: more than {cap} actions in {span_s:.0f} s"

    async def _check_audit(self, acts: list[tuple[Act, Target]], runs: dict[int, Run]) -> None:
        proof = await audit.verify(self.store.database)
        if not proof.holds:
            self.faults.append(f"audit: {proof.fault}")
        async with self.store.database.read() as connection:
            rows = (await connection.execute(select(entries.c.run_id, entries.c.entry))).all()
        begun = [run_id for run_id, entry in rows if '"event":"act"' in entry]
        for number in runs:
            made = sum(act.run_id == str(number) for act, _ in acts)
            if begun.count(number) < made:
                self.faults.append(f"run {number}: {made} actions, {begun.count(number)} in the audit")
            back = [number, *(run.id for run in runs.values() if run.undoes == number)]
            noted = sum('"event":"undo"' in entry for run_id, entry in rows if run_id in back)
            undone = sum(
                undo.run_id == str(number) for target in self.maker.targets.values() for undo in target.undos
            )
            if noted < undone:
                self.faults.append(f"run {number}: {undone} times taken back, {noted} in the audit")
        for run in runs.values():
            if run.state is RunState.CURED and not run.evidence.get("verdict"):
                self.faults.append(f"run {run.id} is cured without evidence")


def play(seed: int, store: FastStore) -> tuple[list[str], int]:
    """What was wrong with the history of that number, and how many actions it had."""
    loop = VirtualLoop()
    history = History(seed, store.cleared(), loop)
    try:
        with capture_logs() as logs:
            loop.run_until_complete(history.play())
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left))
    finally:
        loop.close()
    history.faults += [str(entry) for entry in logs if entry["log_level"] == "error" and "bug" not in str(entry)
                       and "ZeroDivision" not in str(entry) and entry["event"] not in FAULTS_OF_ACTIONS]  # fmt: skip
    return history.faults, sum(len(target.acts) for target in history.maker.targets.values())
