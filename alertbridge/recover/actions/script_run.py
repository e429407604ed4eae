"""Starts a script that stands on the router and on the allow list."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import RouterAction, is_on
from routeros import Record
from routeros.values import parse_int
from runtime.sections import Section

MENU = "/system/script"


class ScriptRunSettings(Section):
    """Parameters of `script_run`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    script: str = Field(min_length=1, description="Name of the script; must be in the router's `scripts`.")
    deadline_s: float = Field(default=30.0, gt=0, le=600, description="Seconds that the script may take.")


class ScriptRun(RouterAction):
    """By its name alone: no text of a rule or an alert becomes a command."""

    name = "script_run"
    about: ClassVar[About] = About(
        changes="Whatever the script does. Only names in the router's `scripts` are started; after `deadline_s` the "
        "script is interrupted.",
        verified="The router counts one run more; what the script was to mend is for the rule's own check.",
        undone="Not at all, unless another script does it.",
    )
    policies = ("read", "write", "the script's own")

    def __init__(self, settings: ScriptRunSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self._settings = settings

    @property
    def place(self) -> str:
        return f"script:{self._settings.script}"

    async def _found(self, stage: Stage = Stage.PRECHECK) -> Record:
        name = self._settings.script
        if name not in self.client.section.scripts:
            raise self.refuse("not_allowed", f"the script {name!r} is not on its list", stage=stage)
        fields = (".id", "name", "run-count", "last-started", "invalid", "policy")
        rows = await self.rows(MENU, *fields, queries=(f"?name={name}",), stage=stage)
        if not rows:
            raise self.refuse("no_such_script", f"there is no script {name!r}", stage=stage)
        if is_on(rows[0], "invalid"):
            raise self.refuse("invalid_script", f"the script {name!r} is invalid", stage=stage)
        return rows[0]

    async def before(self) -> Evidence:
        return _told(await self._found())

    async def run(self) -> Done:
        row = await self._found(Stage.RUN)
        self.remember(runs=_runs(row))
        extra_s = self._settings.deadline_s - self.client.section.command_timeout_s
        try:
            await self.write(f"{MENU}/run", {"number": row[".id"]}, extra_s=extra_s)
        except ActionFailed as failed:
            if failed.reason != "refused":
                raise
            # its own error may come from any line: what stood before it is done
            raise ActionFailed(Stage.RUN, "script_failed", str(failed), changed=None) from failed
        return Done(True, _told(await self._found(Stage.RUN)))

    async def look(self) -> Verdict:
        before = self.remembered("runs")
        if before is None:
            return Verdict.UNKNOWN
        return Verdict.HOLDS if _runs(await self._found()) > before else Verdict.FAILS


def _runs(row: Record) -> int:
    """How often it ran; a router leaves the field out until the first time."""
    try:
        return parse_int(row.get("run-count", "")) or 0
    except ValueError:
        return 0


def _told(row: Record) -> Evidence:
    return Evidence({"run_count": row.get("run-count"), "last_started": row.get("last-started")})
