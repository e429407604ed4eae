"""Takes an interface down and up again, without ever leaving it down."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Undoable, Verdict
from alertbridge.recover.actions.deadman import DeadMan
from alertbridge.recover.actions.interfaces import InterfaceAction, told
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import is_on
from runtime.sections import Section

_MARGIN_S = 20
"""What the dead man waits at least beyond the time that the interface is meant to be down."""
_PAUSES_S = (0.5, 1.0, 2.0, 4.0)


class InterfaceBounceSettings(Section):
    """Parameters of `interface_bounce`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    interface: str = Field(description="Name of the interface.")
    down_s: float = Field(default=3.0, ge=0, le=60, description="Seconds that it is down.")
    dead_man_s: int = Field(
        default=60, ge=20, le=600, description="Seconds after which the router itself enables it again."
    )
    force: bool = Field(default=False, description="Also when it carries our own session.")

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        if self.dead_man_s < self.down_s + _MARGIN_S:
            raise ValueError(f"dead_man_s must be at least {_MARGIN_S} s longer than down_s")
        return self


class InterfaceBounce(InterfaceAction):
    """Disable, wait, enable."""

    name = "interface_bounce"
    about: ClassVar[About] = About(
        changes="Disables an interface and enables it again after `down_s`. Not one that an operator disabled, nor, "
        "unless forced, one that carries our own session or a bridge, VLAN or bond that stands on such a port.",
        verified="The interface is enabled and running.",
        undone="Enabled again by itself: scheduler entries on the router do so after `dead_man_s` or at its next boot "
        "if the run is cut off in the middle. Taking it back enables an interface that was left disabled.",
        undoable=Undoable.YES,
    )

    def __init__(self, settings: InterfaceBounceSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self.interface = settings.interface
        self.force = settings.force
        self._settings = settings

    async def before(self) -> Evidence:
        row = await self.found()
        self._refuse_disabled(row)
        await self.refuse_own()
        return told(row)

    def _refuse_disabled(self, row: dict[str, str], stage: Stage = Stage.PRECHECK) -> None:
        if is_on(row, "disabled"):
            detail = f"{self.interface!r} is disabled; somebody may want it so"
            raise self.refuse("disabled", detail, stage=stage)

    async def run(self) -> Done:
        row = await self.found(stage=Stage.RUN)
        self._refuse_disabled(row, Stage.RUN)
        await self.refuse_own(stage=Stage.RUN)
        dead_man = DeadMan(self, row[".id"], self._settings.dead_man_s)
        await dead_man.arm()
        lost: ActionFailed | None = None
        try:
            await self.write("/interface/disable", {".id": row[".id"]})
        except ActionFailed as failed:
            if failed.changed is False:
                await dead_man.disarm()
                raise
            lost = failed  # nobody knows whether it is down, so it is enabled in any case
        await self.resources.sleep(self._settings.down_s)
        after = await self._enable(row[".id"])
        gone = await dead_man.disarm()
        if lost is not None and after.get("link-downs") == row.get("link-downs"):
            raise lost
        left = "" if gone else f"; the dead man goes by itself within {self._settings.dead_man_s} s"
        return Done(True, told(after), f"down for {self._settings.down_s:g} s{left}")

    async def _enable(self, row_id: str) -> dict[str, str]:
        """The interface as the router tells it once it is enabled. Tried until the dead man would have done it.

        Each try has a fresh connection, also where the breaker would wait: the interface is down by our doing.
        """
        clock = self.resources.clock
        until_s = clock.monotonic() + self._settings.dead_man_s - self._settings.down_s
        pauses = iter(_PAUSES_S)
        while True:
            try:
                await self.write("/interface/enable", {".id": row_id}, harmless_twice=True)
                row = await self.found(stage=Stage.RUN)
                if not is_on(row, "disabled"):
                    return row
                reason, detail = "still_disabled", "the router says that it is still disabled"
            except ActionFailed as failed:
                reason, detail = failed.reason, str(failed)
            pause_s = next(pauses, _PAUSES_S[-1])
            if reason == "no_permission" or clock.monotonic() + pause_s >= until_s:
                words = f"{detail}; the router itself enables it within {self._settings.dead_man_s} s"
                raise ActionFailed(Stage.RUN, "left_to_dead_man", words, changed=True)
            await self.resources.sleep(pause_s)
            await self.client.router.reset()

    async def look(self) -> Verdict:
        row = await self.found()
        return Verdict.HOLDS if is_on(row, "running") and not is_on(row, "disabled") else Verdict.FAILS

    async def undo(self) -> Done:
        row = await self.found(stage=Stage.UNDO)
        if not is_on(row, "disabled"):
            return Done(False, told(row))
        await self.write("/interface/enable", {".id": row[".id"]}, stage=Stage.UNDO, harmless_twice=True)
        return Done(True, told(await self.found(stage=Stage.UNDO)))
