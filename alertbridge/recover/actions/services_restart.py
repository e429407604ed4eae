"""What every restart does alike: looks first, restarts once, and then asks whether another process stands there."""

from typing import ClassVar

import structlog
from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.recollections import Memory
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
        self.pids: tuple[int, ...] = ()
        self._kept, self._run_id = resources.recollections, resources.run_id

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
        before = await self.condition(Stage.RUN)
        self._keep(before.incarnation)
        try:
            await self.service.restart()
        except ServiceFailed as failed:
            log.info("action.service_failed", target=self.target, action=self.name, reason=failed.reason)
            raise as_failed(Stage.RUN, failed) from failed
        try:
            after = await self.service.condition()
        except ServiceFailed:  # it was restarted; how it is now is for verify to find out
            return Done(True)
        self._keep(before.incarnation, after)
        return Done(True, Evidence(after.facts))

    async def verify(self) -> Verdict:
        """HOLDS when it runs, and is not the process of before. FAILS also when it has begun anew by itself."""
        try:
            now = await self.service.condition()
        except ServiceFailed:
            return Verdict.UNKNOWN
        self.pids = now.pids
        if now.running is None:
            return Verdict.UNKNOWN
        if not now.running or now.complaint or self._is_as_before(now) or self._fell_again(now):
            return Verdict.FAILS
        return Verdict.HOLDS

    def _is_as_before(self, now: Condition) -> bool:
        return now.incarnation in self._words("before")

    def _fell_again(self, now: Condition) -> bool:
        """Whether another process stands there than at the last look of this run: it ends as soon as it begins."""
        last, restarts = self._words("last"), self._kept.number(self._run_id, self.target, "restarts")
        if not self._words("acted"):
            return False
        self._keep(next(iter(self._words("before")), ""), now)
        grown = restarts is not None and (now.restarts or 0) > restarts
        return grown or bool(last and now.incarnation not in last)

    def _keep(self, before: str, last: Condition | None = None) -> None:
        """For the object that verifies, which is another one."""
        found: dict[str, Memory] = {"acted": ("yes",), "before": (before,) if before else ()}
        if last is not None:
            found["last"] = (last.incarnation,) if last.incarnation else ()
            found["restarts"] = float(last.restarts or 0)
        self._kept.keep(self._run_id, self.target, **found)

    def _words(self, name: str) -> frozenset[str]:
        return self._kept.words(self._run_id, self.target, name)

    async def undo(self) -> Done:
        detail = f"{self.name} cannot be taken back"
        raise ActionFailed(Stage.UNDO, "not_undoable", detail, changed=False)
