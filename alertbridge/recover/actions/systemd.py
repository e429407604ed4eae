"""A unit of systemd, asked and told through systemctl."""

import os
from collections.abc import Mapping

from alertbridge.recover.actions.command_process import CLEAN, CannotStart, Ended, finished
from alertbridge.recover.actions.command_text import Redact, shown
from alertbridge.recover.actions.services import Condition, ServiceFailed
from alertbridge.recover.actions.services_config import SystemdServiceSection
from runtime.clock import Clock

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "MainPID", "NRestarts", "Result", "InvocationID")
_BETWEEN = frozenset({"activating", "deactivating", "reloading", "refreshing", "maintenance"})
_DETAIL_CHARS = 200
_ASKING_S = 10.0


class SystemdUnit:
    """One unit."""

    def __init__(self, section: SystemdServiceSection, *, clock: Clock, redact: Redact) -> None:
        self._section = section
        self._clock = clock
        self._redact = redact

    def __repr__(self) -> str:
        return f"<SystemdUnit {self._section.full_unit}>"

    @property
    def name(self) -> str:
        return self._section.name

    @property
    def target(self) -> str:
        return f"systemd{'-user' if self._section.user else ''}:{self._section.full_unit}"

    async def condition(self) -> Condition:
        ended = await self._systemctl("show", f"--property={','.join(_PROPERTIES)}", limit_s=_ASKING_S)
        found = _properties(ended.output)
        if found.get("LoadState") != "loaded":
            state = found.get("LoadState", "unknown")
            raise ServiceFailed("no_such_service", f"systemd has no unit {self._section.full_unit} ({state})")
        active, pid = found.get("ActiveState", ""), _number(found.get("MainPID"))
        restarts = _number(found.get("NRestarts"))
        return Condition(
            running=None if active in _BETWEEN else active == "active",
            incarnation=found.get("InvocationID") or (str(pid) if pid else ""),
            pids=(pid,) if pid else (),
            restarts=restarts,
            facts={
                "active_state": active,
                "sub_state": found.get("SubState"),
                "main_pid": pid,
                "restarts": restarts,
                "result": found.get("Result"),
            },
        )

    async def restart(self) -> None:
        await self._told("restart")

    async def stop(self) -> None:
        await self._told("stop")

    async def start(self) -> None:
        await self._told("start")

    async def last_lines(self, count: int) -> str:
        who = "--user-unit" if self._section.user else "--unit"
        argv = (
            *(str(self._section.systemctl.with_name("journalctl")), "--no-pager", "--quiet", "--output=cat"),
            *(f"--lines={count}", f"{who}={self._section.full_unit}"),
        )
        try:
            ended = await finished(argv, timeout_s=_ASKING_S, clock=self._clock)
        except CannotStart:
            return ""
        return shown(ended.output, self._redact) if ended.code == 0 else ""

    async def _told(self, verb: str) -> None:
        ended = await self._systemctl(
            verb, "--no-ask-password", limit_s=self._section.timeout_s, changes=True
        )
        if ended.code != 0:
            said = shown(ended.errors, self._redact, limit=_DETAIL_CHARS)
            raise ServiceFailed("refused", f"systemctl {verb} ended with {ended.code}: {said}", changed=None)

    async def _systemctl(self, verb: str, *options: str, limit_s: float, changes: bool = False) -> Ended:
        scope = ("--user",) if self._section.user else ()
        argv = (str(self._section.systemctl), *scope, verb, *options, "--", self._section.full_unit)
        try:
            ended = await finished(
                argv, timeout_s=limit_s, clock=self._clock, environment=self._environment()
            )
        except CannotStart as error:
            raise ServiceFailed("no_systemctl", str(error)) from error
        if ended.timed_out:
            detail = f"systemctl {verb} did not end within {limit_s:g} s; its job may go on"
            raise ServiceFailed("timeout", detail, changed=None if changes else False)
        if not changes and ended.code != 0:
            said = shown(ended.errors, self._redact, limit=_DETAIL_CHARS)
            raise ServiceFailed("no_answer", f"systemctl {verb} ended with {ended.code}: {said}")
        return ended

    def _environment(self) -> Mapping[str, str]:
        if not self._section.user:
            return CLEAN
        return {**CLEAN, "XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}


def _properties(output: bytes) -> Mapping[str, str]:
    lines = (line.partition("=") for line in output.decode("utf-8", "replace").splitlines())
    return {name: value for name, mark, value in lines if mark}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
