"""Takes the power from the device behind a PoE port for some seconds."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.interfaces import InterfaceAction, told
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import is_on
from routeros import Record
from runtime.sections import Section

MENU = "/interface/ethernet/poe"


class PoeCycleSettings(Section):
    """Parameters of `poe_cycle`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    interface: str = Field(description="Name of the port that gives the power.")
    off_s: int = Field(default=5, ge=1, le=60, description="Seconds without power.")
    force: bool = Field(default=False, description="Also when the port carries our own session.")


class PoeCycle(InterfaceAction):
    """Power off and on; the router does both by itself."""

    name = "poe_cycle"
    about: ClassVar[About] = About(
        changes="Takes the power from a PoE port for `off_s`: the device behind it starts anew. Not, unless forced, a "
        "port that carries our own session.",
        verified="The port gives power and its link is up.",
        undone="Not needed: the router gives power again by itself.",
    )
    policies = ("read", "write", "test")

    def __init__(self, settings: PoeCycleSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self.interface = settings.interface
        self.force = settings.force
        self._off_s = settings.off_s

    async def before(self) -> Evidence:
        interface = await self.found()
        port = await self._port()
        await self.refuse_own()
        return Evidence(
            {**told(interface).facts, "poe_out": port.get("poe-out"), "poe_status": await self._status()}
        )

    async def _port(self, stage: Stage = Stage.PRECHECK) -> Record:
        rows = await self.rows(
            MENU, ".id", "name", "poe-out", queries=(f"?name={self.interface}",), stage=stage
        )
        if not rows:
            raise self.refuse("no_poe", f"{self.interface!r} gives no power", stage=stage)
        if rows[0].get("poe-out") == "off":
            raise self.refuse("poe_off", f"power is switched off on {self.interface!r}", stage=stage)
        return rows[0]

    async def _status(self) -> str | None:
        """The port's word for its power; None when we may not ask."""
        try:
            port = await self._port()
            reply = await self.ask(f"{MENU}/monitor", {"numbers": port[".id"], "once": ""})
        except ActionFailed as failed:
            if failed.reason == "no_permission":
                return None
            raise
        return reply.records[0].get("poe-out-status") if reply.records else None

    async def run(self) -> Done:
        port = await self._port(Stage.RUN)
        await self.refuse_own(stage=Stage.RUN)
        args = {"numbers": port[".id"], "duration": f"{self._off_s}s"}
        await self.write(f"{MENU}/power-cycle", args, extra_s=self._off_s)
        return Done(True, detail=f"without power for {self._off_s} s")

    async def look(self) -> Verdict:
        status = await self._status()
        interface = await self.found()
        powered = status in (None, "powered-on")
        return Verdict.HOLDS if powered and is_on(interface, "running") else Verdict.FAILS
