"""Enables an interface that is disabled."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, Done, Evidence, Stage, Undoable, Verdict
from alertbridge.recover.actions.interfaces import InterfaceAction, told
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import is_on
from runtime.sections import Section


class InterfaceEnableSettings(Section):
    """Parameters of `interface_enable`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    interface: str = Field(description="Name of the interface.")
    running: bool = Field(default=False, description="Whether it must also run to count as mended.")


class InterfaceEnable(InterfaceAction):
    """Enable."""

    name = "interface_enable"
    about: ClassVar[About] = About(
        changes="Enables an interface. One that is enabled is left as it is.",
        verified="The interface is enabled, and running where the rule asks for that.",
        undone="Disabled again, if the run enabled it and it does not carry our own session.",
        undoable=Undoable.YES,
    )
    repeatable = True

    def __init__(self, settings: InterfaceEnableSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self.interface = settings.interface
        self._running = settings.running

    async def before(self) -> Evidence:
        return told(await self.found())

    async def run(self) -> Done:
        row = await self.found(stage=Stage.RUN)
        if not is_on(row, "disabled"):
            return Done(False, told(row), "it was enabled")
        await self.write("/interface/enable", {".id": row[".id"]}, harmless_twice=True)
        return Done(True, told(await self.found(stage=Stage.RUN)))

    async def look(self) -> Verdict:
        row = await self.found()
        fine = not is_on(row, "disabled") and (is_on(row, "running") or not self._running)
        return Verdict.HOLDS if fine else Verdict.FAILS

    async def undo(self) -> Done:
        row = await self.found(stage=Stage.UNDO)
        if is_on(row, "disabled"):
            return Done(False, told(row), "it is disabled")
        await self.refuse_own(stage=Stage.UNDO)
        await self.write("/interface/disable", {".id": row[".id"]}, stage=Stage.UNDO)
        return Done(True, told(await self.found(stage=Stage.UNDO)))
