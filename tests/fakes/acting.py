"""Actions on a simulated router, with a clock that only waiting moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from alertbridge.recover.actions.base import Action, ActionFailed
from alertbridge.recover.actions.config import ActionRouterSection
from alertbridge.recover.actions.registry import ACTIONS, Actions
from alertbridge.recover.actions.resources import Resources, Routers
from routeros import RetrySettings
from simulator import Device, Network, RouterSpec
from simulator.table import Row
from tests.fakes.clock import FakeClock

WRITER = ("api", "read", "write", "test", "reboot")
READER = ("api", "read", "test")


@dataclass
class Bench:
    """A router, what acts on it, and what is done to it while an action waits."""

    device: Device
    clock: FakeClock
    actions: Actions
    resources: Resources
    on_sleep: list[Callable[[], None]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def make(self, name: str, *, run_id: str = "run-7", **settings: object) -> Action:
        """An action on the router ``core``."""
        model = ACTIONS[name].settings
        given = {"router": "core", **settings}
        return self.actions.make(name, model.model_validate(given), run_id=run_id)

    def rows(self, path: str, **fields: str) -> list[Row]:
        """Rows of a table as they are in truth, with these values; underscores stand for hyphens."""
        self.device.world.advance()
        wanted = {key.replace("_", "-"): value for key, value in fields.items()}
        return [row for row in self.device.world.table(path) if wanted.items() <= row.values.items()]

    def interface(self, name: str) -> dict[str, str]:
        """An interface as it is in truth."""
        return self.rows("/interface", name=name)[0].values

    def is_disabled(self, name: str) -> bool:
        return self.interface(name).get("disabled") == "true"

    @property
    def dead_men(self) -> list[str]:
        """Entries of ours in the router's scheduler."""
        names = (row.values["name"] for row in self.rows("/system/scheduler"))
        return [name for name in names if name.startswith("tikwatch-")]

    def words(self, command: str) -> list[tuple[str, ...]]:
        """How often a command arrived, and with what."""
        return [said.words for said in self.device.log if said.path == command]

    async def pass_time(self, seconds: float) -> None:
        """Time passes on the router; nobody asks it anything."""
        self.clock.advance(seconds)
        self.device.world.advance()
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when it holds. Raises TimeoutError."""
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110  what it asks about tells nobody
                await asyncio.sleep(0.002)

    async def sleep(self, seconds: float) -> None:
        """How actions wait here: the clock moves, and then what a test wants to happen meanwhile."""
        self.slept.append(seconds)
        self.clock.advance(seconds)
        if self.on_sleep:
            self.on_sleep.pop(0)()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def acting(
    keep_dir: Path = Path("/nonexistent"),
    *,
    router: dict[str, Any] | None = None,
    attempts: int = 1,
    **spec: Any,
) -> AsyncIterator[Bench]:
    """`spec` are fields of RouterSpec, `router` keys of its section. Clients come in by ether2."""
    clock = FakeClock()
    given = {"policies": WRITER, "management": "ether2", **spec}
    async with (
        Network([RouterSpec("core", **given)], clock=clock, wall=clock.time) as network,
        aiohttp.ClientSession() as session,
    ):
        device = network["core"]
        section = ActionRouterSection.model_validate(
            {
                "name": "core",
                "address": "127.0.0.1",
                "port": device.port,
                "username": "monitor",
                "password": "secret",
                "command_timeout_s": 6.0,
                **(router or {}),
            }
        )
        retry = RetrySettings(attempts=attempts, min_wait_s=0.01, max_wait_s=0.02)
        bench: Bench
        resources = Resources(
            routers=Routers([section], retry),
            session=session,
            clock=clock,
            keep_dir=keep_dir,
            sleep=lambda seconds: bench.sleep(seconds),
        )
        bench = Bench(device, clock, Actions(resources), resources)
        try:
            yield bench
        finally:
            await resources.close()


async def failing(deed: Any) -> ActionFailed:
    """What an action fails with; fails the test when it does not."""
    try:
        done = await deed
    except ActionFailed as failed:
        return failed
    raise AssertionError(f"it was done: {done}")
