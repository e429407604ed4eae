"""Reboots a router, on a person's word only."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import RouterAction
from routeros.values import parse_duration
from runtime.sections import Section

_CLOCKS_DIFFER_S = 5.0


class RouterRebootSettings(Section):
    """Parameters of `router_reboot`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    min_uptime_s: float = Field(
        default=600.0, ge=0, description="It is refused while the router has been up for less, in seconds."
    )


class RouterReboot(RouterAction):
    """No answer at all is the usual answer."""

    name = "router_reboot"
    about: ClassVar[About] = About(
        changes="Reboots the router: everything that runs over it is cut off for a minute or more.",
        verified="Its uptime is shorter than before.",
        undone="Not at all.",
        ask_only=True,
    )
    policies = ("read", "reboot")

    def __init__(self, settings: RouterRebootSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self._min_uptime_s = settings.min_uptime_s

    @property
    def place(self) -> str:
        return ""

    async def _uptime(self, stage: Stage = Stage.PRECHECK) -> float:
        rows = await self.rows("/system/resource", "uptime", stage=stage)
        try:
            uptime_s = parse_duration(rows[0].get("uptime", "")) if rows else None
        except ValueError:
            uptime_s = None
        if uptime_s is None:
            raise self.refuse("no_uptime", "it does not tell its uptime", stage=stage)
        return uptime_s

    async def _allowed(self, stage: Stage) -> float:
        uptime_s = await self._uptime(stage)
        if uptime_s < self._min_uptime_s:
            raise self.refuse("just_booted", f"it booted {uptime_s:.0f} s ago", stage=stage)
        return uptime_s

    async def before(self) -> Evidence:
        return Evidence({"uptime_s": await self._allowed(Stage.PRECHECK)})

    async def run(self) -> Done:
        """A connection that is lost, or falls silent, right after the word is how a router goes down."""
        uptime_s = await self._allowed(Stage.RUN)
        self.remember(uptime_s=uptime_s, asked_at_s=self.resources.clock.monotonic())
        said = "it took the command"
        try:
            await self.write("/system/reboot", {})
        except ActionFailed as failed:
            if failed.reason not in ("connection_lost", "no_answer"):
                raise
            said = "the connection ended with the command"
        return Done(True, Evidence({"uptime_s": uptime_s}), said)

    async def look(self) -> Verdict:
        before_s, asked_at_s = self.remembered("uptime_s"), self.remembered("asked_at_s")
        if before_s is None or asked_at_s is None:
            return Verdict.UNKNOWN
        uptime_s = await self._uptime()
        passed_s = self.resources.clock.monotonic() - asked_at_s
        if uptime_s < before_s and uptime_s <= passed_s + _CLOCKS_DIFFER_S:
            return Verdict.HOLDS
        return Verdict.UNKNOWN if passed_s < _CLOCKS_DIFFER_S else Verdict.FAILS
