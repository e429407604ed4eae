"""One engine on a store in memory and a thing that is broken, played in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

from alertbridge.recover.engine import Engine
from alertbridge.recover.model import Run
from tests.fakes.fast_store import FastStore
from tests.fakes.recovery_scene import Scene, section_of
from tests.fakes.recovery_schedules import LoopClock
from tests.fakes.scripted_action import ScriptedMaker, Target
from tests.fakes.virtual_loop import VirtualLoop

RULE = """
tell: noc
reconsider_s: 15
lease_s: 15
rules:
  - name: mend
    match: {{labels: 'alertname="Broken"'}}
    dry_run: false
    cooldown_s: 600
    escalate: {{to: boss, after: 2, within_d: 7}}
    {extra}
    steps:
      - action: {action}
        with: {{target: "{{{{ labels.thing }}}}"}}
        tries: {tries}
        timeout_s: 5
        undo_when_not_cured: {undo}
        precondition: {{probe: {probe}}}
        verify: {{target_s: 3, stable_s: 0, settle_s: 60, deadline_s: 90, every_s: 1}}
"""


class Story:
    """One engine on a store in memory, and the thing ``a`` that is broken."""

    def __init__(self, loop: VirtualLoop, store: FastStore, **changes: str | int) -> None:
        self.clock = LoopClock(loop)
        self.store = store
        self.maker = ScriptedMaker(self.clock, "a", "b")
        values = {"action": "mend", "tries": 3, "probe": "not_holds", "extra": "", "undo": "false", **changes}
        self.scene = Scene(store.database, self.clock, self.maker, section_of(RULE.format(**values)))

    @property
    def it(self) -> Target:
        return self.maker.targets["a"]

    def texts(self, start: str) -> list[str]:
        return self.scene.ear.texts(start)

    async def begun(self, store: FastStore | None = None) -> Engine:
        engine = self.scene.engine((store or self.store).database)
        await engine.start()
        return engine

    async def killed(self, engine: Engine, store: FastStore) -> None:
        """The engine's process is gone."""
        store.dead = True
        for task in [*engine._tasks, *engine._driven.values()]:
            task.cancel()
        await asyncio.sleep(1)

    async def acted(self) -> None:
        """Returns when an action has begun."""
        while not self.it.acts:  # noqa: ASYNC110  time is virtual
            await asyncio.sleep(0.1)

    async def last(self) -> Run:
        return (await self.scene.runs())[-1]

    async def ended(self, engine: Engine, within_s: float = 300.0) -> Run:
        """The last run, once it is over."""
        until_s = self.clock.monotonic() + within_s
        while self.clock.monotonic() < until_s:
            runs = await self.scene.runs()
            if runs and not runs[-1].under_way:
                return runs[-1]
            await asyncio.sleep(0.5)
        raise AssertionError(f"no run came to its end: {await self.scene.runs()}")


Tell = Callable[[Story], Awaitable[None]]


def told(tell: Tell, **changes: str | int) -> None:
    """Plays a story; what it leaves running is ended."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(tell(Story(loop, FastStore(), **changes)))
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
    finally:
        loop.close()
