"""Runs a command of the allow list."""

import asyncio
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import (
    About,
    ActionFailed,
    Done,
    Evidence,
    Fact,
    Stage,
    Undoable,
    Verdict,
)
from alertbridge.recover.actions.command import ListedCommand
from alertbridge.recover.actions.command_process import Ended
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.services import ServiceFailed
from alertbridge.recover.actions.services_config import program_complaint
from alertbridge.recover.actions.services_restart import as_failed, listed
from alertbridge.recover.ports import NoSuchTarget
from runtime.sections import Section


class CommandRunSettings(Section):
    """Parameters of `command_run`. Nothing of an alert reaches the command: what it runs is all in the list."""

    command: str = Field(min_length=1, description="Name of the entry of the kind `command`.")


class CommandRun:
    """As it stands in the configuration, by no shell, in a clean environment, for a limited time."""

    name = "command_run"
    repeatable: ClassVar[bool] = False  # what it does is not ours to know
    about: ClassVar[About] = About(
        changes="Whatever the command does. Only entries under `actions.services` are run; after `timeout_s` the "
        "command and all that it started are killed. The end of its output is kept. An exit code other than 0 means "
        "that nobody knows what was done, and it is not tried again, unless the entry has it under "
        "`unchanged_exit_codes`.",
        verified="The entry's `check` ends with 0; without one, the command itself did.",
        undone="The entry's `undo`, where there is one.",
        undoable=Undoable.CONFIGURED,
    )

    def __init__(self, settings: CommandRunSettings, resources: Resources) -> None:
        service = listed(settings.command, resources, "command")
        if not isinstance(service, ListedCommand):
            raise NoSuchTarget(f"{settings.command!r} is no command")
        self._command = service
        self._kept, self._run_id = resources.recollections, resources.run_id

    def __repr__(self) -> str:
        return f"<CommandRun {self.target}>"

    @property
    def target(self) -> str:
        return self._command.target

    async def before(self) -> Evidence:
        argv = self._command.section.command
        if complaint := await asyncio.to_thread(program_complaint, self._program):
            raise ActionFailed(Stage.PRECHECK, "program_refused", f"{argv[0]}: {complaint}", changed=False)
        facts: dict[str, Fact] = {"program": argv[0], "arguments": len(argv) - 1}
        if self._command.section.check is not None:
            facts["check"] = (await self._ended(self._command.section.check, Stage.PRECHECK)).code
        return Evidence(facts)

    async def run(self) -> Done:
        return await self._done(self._command.section.command, Stage.RUN)

    async def verify(self) -> Verdict:
        check = self._command.section.check
        if check is None:
            went_well = self._kept.number(self._run_id, self.target, "went_well")
            if went_well is None:
                return Verdict.UNKNOWN
            return Verdict.HOLDS if went_well else Verdict.FAILS
        try:
            ended = await self._command.ended(check)
        except ServiceFailed:
            return Verdict.UNKNOWN
        if ended.timed_out:
            return Verdict.UNKNOWN
        return Verdict.HOLDS if ended.code == 0 else Verdict.FAILS

    async def undo(self) -> Done:
        argv = self._command.section.undo
        if argv is None:
            detail = f"{self._command.name} has no `undo` command"
            raise ActionFailed(Stage.UNDO, "not_undoable", detail, changed=False)
        return await self._done(argv, Stage.UNDO)

    @property
    def _program(self) -> Path:
        return Path(self._command.section.command[0])

    async def _ended(self, argv: tuple[str, ...], stage: Stage) -> Ended:
        try:
            return await self._command.ended(argv)
        except ServiceFailed as failed:
            raise as_failed(stage, failed) from failed

    async def _done(self, argv: tuple[str, ...], stage: Stage) -> Done:
        self._kept.keep(self._run_id, self.target)
        ended = await self._ended(argv, stage)
        said = self._command.shown(ended)
        went_well = ended.code == 0 and not ended.timed_out
        self._kept.keep(self._run_id, self.target, went_well=float(went_well))
        if ended.timed_out:
            detail = (
                f"{argv[0]} did not end within {self._command.section.timeout_s:g} s and was killed: {said}"
            )
            raise ActionFailed(stage, "timeout", detail, changed=None)
        if ended.code != 0:
            changed = self._command.changed(ended)
            reason = "command_failed" if changed is None else "command_refused"
            raise ActionFailed(stage, reason, f"{argv[0]} ended with {ended.code}: {said}", changed=changed)
        facts: dict[str, Fact] = {
            "exit_code": ended.code,
            "duration_s": round(ended.duration_s, 3),
            "output": said,
            "output_cut": ended.cut,
        }
        return Done(True, Evidence(facts))
