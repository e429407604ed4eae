"""Restarts a service that takes too much memory or too much of the processor, and keeps what it looked like."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Evidence, Fact, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.services_evidence import Usage, usage_of
from alertbridge.recover.actions.services_restart import RestartSettings, ServiceAction

_LINES = 30


class ProcessRestartSettings(RestartSettings):
    """Parameters of `process_restart`. Without a limit it is restarted whatever it takes."""

    rss_limit_bytes: int | None = Field(
        default=None, gt=0, description="Memory, of it and all that it started, above which it is restarted."
    )
    cpu_limit_ratio: float | None = Field(
        default=None, gt=0, description="Share of a core, such as 0.9, above which it is restarted."
    )


class ProcessRestart(ServiceAction):
    """The process is looked at just before: afterwards nobody could."""

    name = "process_restart"
    about: ClassVar[About] = About(
        changes="Restarts one service under `actions.services`, of whatever kind, when it still takes more than "
        "its limits. Kept before: memory, processor, threads, open files, and the last lines of its log.",
        verified="As the restart of its kind is, and the new process stays below the limits.",
        undone="Not at all; a restart leaves nothing to take back.",
    )

    def __init__(self, settings: ProcessRestartSettings, resources: Resources) -> None:
        super().__init__(settings, resources)
        self._settings = settings

    async def before(self) -> Evidence:
        condition = await self.condition(Stage.PRECHECK)
        usage = await usage_of(condition.pids)
        if usage is None:
            detail = f"{self.service.name} has no process that could be looked at"
            raise ActionFailed(Stage.PRECHECK, "no_process", detail, changed=False)
        facts: dict[str, Fact] = {**condition.facts, **usage.facts()}
        if self._has_limits and not self._exceeded(usage):
            detail = f"{self.service.name} takes no more than it may"
            raise ActionFailed(Stage.PRECHECK, "within_limits", detail, changed=False)
        facts["last_lines"] = await self.service.last_lines(_LINES)
        return Evidence(facts)

    async def verify(self) -> Verdict:
        verdict = await super().verify()
        if verdict is not Verdict.HOLDS or not self._has_limits:
            return verdict
        usage = await usage_of(self.pids)
        if usage is None:
            return Verdict.UNKNOWN
        return Verdict.FAILS if self._exceeded(usage) else Verdict.HOLDS

    @property
    def _has_limits(self) -> bool:
        return self._settings.rss_limit_bytes is not None or self._settings.cpu_limit_ratio is not None

    def _exceeded(self, usage: Usage) -> bool:
        rss, cpu = self._settings.rss_limit_bytes, self._settings.cpu_limit_ratio
        return (rss is not None and usage.rss_bytes > rss) or (cpu is not None and usage.cpu_ratio > cpu)
