"""Actions on services and databases of this machine, made of a configuration as a person writes it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from pydantic import ValidationError

from alertbridge.recover.actions.base import Action, ActionFailed
from alertbridge.recover.actions.config import ActionsSection
from alertbridge.recover.actions.databases_listed import Databases
from alertbridge.recover.actions.registry import ACTIONS, Actions
from alertbridge.recover.actions.resources import Resources, Routers
from alertbridge.recover.actions.services_listed import Services
from runtime.clock import Clock, SystemClock
from runtime.logs import Redactor
from runtime.sections import Section
from tests.fakes.clock import FakeClock

T = TypeVar("T")
Entries = Sequence[Mapping[str, Any]]
Make = Callable[..., Action]


@asynccontextmanager
async def recovering_maker(
    services: Entries = (),
    *,
    databases: Entries = (),
    clock: Clock | None = None,
    secrets: Sequence[str] = (),
) -> AsyncIterator[Actions]:
    """All actions, on these services and databases."""
    section = ActionsSection.model_validate({"services": services, "databases": databases})
    time = SystemClock() if clock is None else clock
    async with aiohttp.ClientSession() as session:
        yield Actions(
            Resources(
                routers=Routers(()),
                session=session,
                clock=time,
                keep_dir=Path("/nonexistent"),
                services=Services(section.services, clock=time, redact=Redactor(secrets).text),
                databases=Databases(section.databases),
            )
        )


@asynccontextmanager
async def recovering(
    *,
    services: Entries = (),
    databases: Entries = (),
    clock: Clock | None = None,
    secrets: Sequence[str] = (),
) -> AsyncIterator[Make]:
    """What makes an action of its name and its parameters, on these services and databases."""
    async with recovering_maker(services, databases=databases, clock=clock, secrets=secrets) as actions:
        yield lambda name, **given: actions.make(name, ACTIONS[name].settings.model_validate(given))


async def failing(deed: Awaitable[T]) -> ActionFailed:
    """What an action fails with; fails the test when it does not."""
    try:
        done = await deed
    except ActionFailed as failed:
        return failed
    raise AssertionError(f"it was done: {done}")


def complaints(model: type[Section], given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a section, by place; empty when nothing is."""
    try:
        model.model_validate(given)
    except ValidationError as error:
        return {".".join(map(str, one["loc"])): str(one["msg"]) for one in error.errors()}
    return {}


class WallClock(FakeClock):
    """A wall clock that a test moves, beside a monotonic one that runs."""

    def monotonic(self) -> float:
        return SystemClock().monotonic()
