"""What every restart does alike: looks first, restarts once, and then asks whether another process stands there."""

from typing import ClassVar

import structlog
from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.services import Condition, Service, ServiceFailed
from alertbridge.recover.actions.services_listed import UnknownService
from alertbridge.recover.ports import NoSuchTarget
from runtime.sections import Section

log = structlog.get_logger(__name__)


class RestartSettings(Section):
    """Parameters of a restart."""

    service: str = Field(min_length=1, description="Name of the entry under `actions.services`.")


def listed(name: str, resources: Resources, *kinds: str) -> Service:
    """The service of that name, of one of these kinds; any kind when none is named. Raises NoSuchTarget."""
    try:
        service = resources.services.named(name)
    except UnknownService as error:
        raise NoSuchTarget(f"{name!r} is not under `actions.services`") from error
    kind = service.target.partition(":")[0].partition("-")[0]
    if kinds and kind not in kinds:
        raise NoSuchTarget(
            f"{name!r} under `actions.services` is of the kind {kind}, not {' or '.join(kinds)}"
        )
    return service


def as_failed(stage: Stage, failed: ServiceFailed) -> ActionFailed:
    """The same for the engine."""
    return ActionFailed(stage, failed.reason, str(failed), changed=failed.changed)


class ServiceAction:
    """Base of the actions that restart one service. Making one raises NoSuchTarget when it is not listed."""

    name: ClassVar[str]
    about: ClassVar[About]
    repeatable: ClassVar[bool] = True  # a second restart costs another moment, no more
    kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: RestartSettings, resources: Resources) -> None:
        self.service = listed(settings.service, resources, *self.kinds)
        self._before: Condition | None = None
        self._after: Condition | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target}>"

    @property
    def target(self) -> str:
        return self.service.target

    async def condition(self, stage: Stage) -> Condition:
        """How the service is. Raises ActionFailed."""
        try:
            return await self.service.condition()
        except ServiceFailed as failed:
            raise as_failed(stage, failed) from failed

    async def before(self) -> Evidence:
        return Evidence((await self.condition(Stage.PRECHECK)).facts)

    async def run(self) -> Done:
        self._before = await self.condition(Stage.RUN)
        try:
            await self.service.restart()
        except ServiceFailed as failed:
            log.info("action.service_failed", target=self.target, action=self.name, reason=failed.reason)
            raise as_failed(Stage.RUN, failed) from failed
        try:
            self._after = await self.service.condition()
        except ServiceFailed:  # it was restarted; how it is now is for verify to find out
            return Done(True)
        return Done(True, Evidence(self._after.facts))

    async def verify(self) -> Verdict:
        """HOLDS when it runs, and is not the process of before. FAILS also when it has begun anew by itself."""
        try:
            now = await self.service.condition()
        except ServiceFailed:
            return Verdict.UNKNOWN
        if now.running is None:
            return Verdict.UNKNOWN
        if not now.running or now.complaint or self._is_as_before(now) or self._fell_again(now):
            return Verdict.FAILS
        return Verdict.HOLDS

    def _is_as_before(self, now: Condition) -> bool:
        before = self._before
        return before is not None and bool(now.incarnation) and now.incarnation == before.incarnation

    def _fell_again(self, now: Condition) -> bool:
        """Whether another process stands there than at the last look: it ends as soon as it begins."""
        last, self._after = self._after, now
        if last is None:
            return False
        grown = (now.restarts or 0) > (last.restarts or 0)
        return grown or bool(last.incarnation and last.incarnation != now.incarnation)

    async def undo(self) -> Done:
        detail = f"{self.name} cannot be taken back"
        raise ActionFailed(Stage.UNDO, "not_undoable", detail, changed=False)
