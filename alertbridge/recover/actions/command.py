"""A command of the allow list; with commands to stop and to start, it is a service."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from alertbridge.recover.actions.command_process import CLEAN, CannotStart, Ended, finished
from alertbridge.recover.actions.command_text import Redact, shown
from alertbridge.recover.actions.services import Condition, ServiceFailed
from alertbridge.recover.actions.services_config import CommandServiceSection, program_complaint
from alertbridge.recover.actions.services_evidence import tail_of
from runtime.clock import Clock
from runtime.secrets import SecretUnreadable, read_secret_file

_DETAIL_CHARS = 200


class ListedCommand:
    """What an entry of the kind `command` can do."""

    def __init__(self, section: CommandServiceSection, *, clock: Clock, redact: Redact) -> None:
        self.section = section
        self._clock = clock
        self._redact = redact

    def __repr__(self) -> str:
        return f"<ListedCommand {self.section.name}>"

    @property
    def name(self) -> str:
        return self.section.name

    @property
    def target(self) -> str:
        return f"command:{self.section.name}"

    async def ended(self, argv: Sequence[str]) -> Ended:
        """How `argv`, one of the entry's commands, ended. Raises ServiceFailed when it could not begin."""
        secrets = await asyncio.to_thread(self._prepared, argv[0])
        try:
            ended = await finished(
                argv,
                timeout_s=self.section.timeout_s,
                clock=self._clock,
                cwd=self.section.cwd,
                environment={**CLEAN, **self.section.environment, **secrets},
                limit_bytes=self.section.output_limit_bytes,
            )
        except CannotStart as error:
            raise ServiceFailed("cannot_start", str(error)) from error
        return _without(secrets.values(), ended)

    def _prepared(self, program: str) -> Mapping[str, str]:
        """The variables that stand in files. Raises ServiceFailed, also when the program must not be run any more."""
        # What was safe when the configuration was read may have been replaced since.
        if complaint := program_complaint(Path(program)):
            raise ServiceFailed("program_refused", f"{program}: {complaint}")
        try:
            files = self.section.environment_files.items()
            return {variable: read_secret_file(path) for variable, path in files}
        except SecretUnreadable as error:
            raise ServiceFailed("secret_unreadable", str(error)) from error

    def changed(self, failed: Ended) -> bool | None:
        """Whether a command that did not end with 0 changed something; None when nobody knows."""
        known = not failed.timed_out and failed.code in self.section.unchanged_exit_codes
        return False if known else None

    def shown(self, ended: Ended) -> str:
        """What it said, for the audit."""
        both = b"\n".join(filter(None, (ended.output, ended.errors)))
        return shown(both, self._redact)

    async def condition(self) -> Condition:
        pid = await asyncio.to_thread(self._pid)
        if self.section.check is not None:
            ended = await self.ended(self.section.check)
            running = None if ended.timed_out else ended.code == 0
        else:
            running = None if self.section.pid_file is None else pid is not None
        return Condition(
            running=running,
            incarnation="" if pid is None else str(pid),
            pids=() if pid is None else (pid,),
            facts={"main_pid": pid, "as_it_should_be": running},
        )

    async def restart(self) -> None:
        await self._told(self.section.command, "command")

    async def stop(self) -> None:
        await self._told(self.section.stop, "stop")

    async def start(self) -> None:
        await self._told(self.section.start, "start")

    async def last_lines(self, count: int) -> str:
        if self.section.log_file is None:
            return ""
        return await tail_of(self.section.log_file, count, self._redact)

    async def _told(self, argv: Sequence[str] | None, key: str) -> None:
        if argv is None:
            raise ServiceFailed("not_configured", f"{self.name} has no `{key}` command")
        ended = await self.ended(argv)
        if ended.timed_out:
            detail = f"{argv[0]} did not end within {self.section.timeout_s:g} s and was killed"
            raise ServiceFailed("timeout", detail, changed=None)
        if ended.code != 0:
            said = self.shown(ended)[-_DETAIL_CHARS:]
            detail = f"{argv[0]} ended with {ended.code}: {said}"
            raise ServiceFailed("command_failed", detail, changed=self.changed(ended))

    def _pid(self) -> int | None:
        if self.section.pid_file is not None:
            with suppress(OSError, ValueError):
                pid = int(self.section.pid_file.read_text(encoding="ascii"))
                return pid if psutil.pid_exists(pid) else None
        return None


def _without(secrets: Iterable[str], ended: Ended) -> Ended:
    """The same, none of `secrets` in what it said."""
    output, errors = ended.output, ended.errors
    for secret in sorted(secrets, key=len, reverse=True):
        output = output.replace(secret.encode(), b"***")
        errors = errors.replace(secret.encode(), b"***")
    return Ended(ended.code, output, errors, ended.cut, ended.timed_out, ended.duration_s)
