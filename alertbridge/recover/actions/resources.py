"""What actions act with: routers that may be written to, ways out, the exporter. Opened when first needed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import aiohttp

from alertbridge.deliver.providers.base import Provider
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.recover.actions.config import ActionExporterSection, ActionRouterSection
from alertbridge.recover.actions.databases_listed import Databases
from alertbridge.recover.actions.recollections import Recollections
from alertbridge.recover.actions.services_listed import Services
from alertbridge.recover.ports import NoSuchTarget
from routeros import BreakerSettings, PoolSettings, RetrySettings, Router
from runtime.clock import Clock

_BREAKER = BreakerSettings(failure_limit=5, cooldown_s=10.0, max_cooldown_s=60.0)
"""A router that was just rebooted or cut off is looked at again soon: the engine bounds how often, not the breaker."""
_LONGEST_COMMAND_S = 900.0
"""Each command has its own deadline; a script may be given minutes."""
_RETRY = RetrySettings(attempts=3, min_wait_s=0.5, max_wait_s=4.0)


class RouterTarget:
    """One router with the user that may write. It connects at the first command."""

    def __init__(self, section: ActionRouterSection, retry: RetrySettings = _RETRY) -> None:
        self.section = section
        self._retry = retry
        self._router: Router | None = None

    def __repr__(self) -> str:
        return f"<RouterTarget {self.section.name}>"

    @property
    def router(self) -> Router:
        """The client; made when first asked for."""
        if self._router is None:
            pool = PoolSettings(
                min_size=0,
                max_size=2,
                acquire_timeout_s=self.section.command_timeout_s,
                idle_timeout_s=60.0,
                connect_timeout_s=self.section.command_timeout_s,
                command_timeout_s=_LONGEST_COMMAND_S,
                cancel_timeout_s=min(2.0, self.section.command_timeout_s),
            )
            self._router = Router(self.section.target, pool=pool, breaker=_BREAKER, retry=self._retry)
        return self._router

    async def close(self) -> None:
        """Nothing is open afterwards; a later command would connect anew."""
        router, self._router = self._router, None
        if router is not None:
            await router.close()


class Routers:
    """The routers that may be acted upon, by name."""

    def __init__(self, sections: Iterable[ActionRouterSection], retry: RetrySettings = _RETRY) -> None:
        self._targets = {section.name: RouterTarget(section, retry) for section in sections}

    def __repr__(self) -> str:
        return f"<Routers {', '.join(self._targets)}>"

    def named(self, name: str) -> RouterTarget:
        """The router of that name. Raises NoSuchTarget."""
        try:
            return self._targets[name]
        except KeyError as error:
            raise NoSuchTarget(f"{name!r} is not under `actions.routers`") from error

    async def close(self) -> None:
        """Every connection is closed."""
        await asyncio.gather(*(target.close() for target in self._targets.values()))


@dataclass(frozen=True, slots=True)
class Resources:
    """What an action may need. `run_id` names the run that it is made for; `sleep` is how it waits."""

    routers: Routers
    session: aiohttp.ClientSession
    clock: Clock
    keep_dir: Path
    providers: Mapping[str, Provider] = field(default_factory=dict)
    channels: Mapping[str, ChannelBase] = field(default_factory=dict)
    exporter: ActionExporterSection | None = None
    services: Services = field(default_factory=Services)
    databases: Databases = field(default_factory=Databases)
    recollections: Recollections = field(default_factory=Recollections)
    run_id: str = ""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def of_run(self, run_id: str) -> Self:
        """The same for one run."""
        return replace(self, run_id=run_id)

    async def close(self) -> None:
        """Closes the routers; the HTTP session and the providers are their owners'."""
        await self.routers.close()
