"""A process that PM2 keeps, asked and told through its program.

Of what `pm2 jlist` prints only named fields are taken: it holds the whole environment of each process.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from alertbridge.recover.actions.command_process import CLEAN, CannotStart, Ended, finished
from alertbridge.recover.actions.command_text import Redact, shown
from alertbridge.recover.actions.services import Condition, ServiceFailed
from alertbridge.recover.actions.services_config import Pm2ServiceSection
from alertbridge.recover.actions.services_evidence import tail_of
from runtime.clock import Clock

_ASKING_S = 15.0
_DETAIL_CHARS = 200
_LIST_BYTES = 16 * 1024 * 1024
_BETWEEN = frozenset({"launching", "stopping", "waiting restart"})


@dataclass(frozen=True, slots=True)
class _Listed:
    """One process as PM2 lists it."""

    number: int
    pid: int
    status: str
    restarts: int
    unstable: int
    logs: tuple[Path, ...]


class Pm2Process:
    """All processes of one name; in cluster mode there are several."""

    def __init__(self, section: Pm2ServiceSection, *, clock: Clock, redact: Redact) -> None:
        self._section = section
        self._clock = clock
        self._redact = redact

    def __repr__(self) -> str:
        return f"<Pm2Process {self._section.process}>"

    @property
    def name(self) -> str:
        return self._section.name

    @property
    def target(self) -> str:
        return f"pm2:{self._section.home}:{self._section.process}"

    async def condition(self) -> Condition:
        found = await self._listed()
        states = {one.status for one in found}
        pids = tuple(one.pid for one in found if one.pid)
        restarts = sum(one.restarts for one in found)
        return Condition(
            running=None if states & _BETWEEN else states == {"online"},
            incarnation=" ".join(str(pid) for pid in sorted(pids)),
            pids=pids,
            restarts=restarts,
            facts={
                "status": ", ".join(sorted(states)),
                "main_pid": pids[0] if len(pids) == 1 else None,
                "processes": len(found),
                "restarts": restarts,
                "unstable_restarts": sum(one.unstable for one in found),
            },
        )

    async def restart(self) -> None:
        await self._told("restart")

    async def stop(self) -> None:
        await self._told("stop")

    async def start(self) -> None:
        await self._told("start")

    async def last_lines(self, count: int) -> str:
        try:
            found = await self._listed()
        except ServiceFailed:
            return ""
        ends = [await tail_of(path, count, self._redact) for path in found[0].logs]
        return "\n".join(filter(None, ends))

    async def _listed(self) -> Sequence[_Listed]:
        """The processes of the name, at least one. Raises ServiceFailed."""
        await asyncio.to_thread(self._require_daemon)
        ended = await self._pm2("jlist", limit_s=_ASKING_S)
        if ended.code != 0:
            said = shown(ended.errors, self._redact, limit=_DETAIL_CHARS)
            raise ServiceFailed("no_answer", f"pm2 jlist ended with {ended.code}: {said}")
        mine = [_taken(one) for one in _read(ended) if one.get("name") == self._section.process]
        if not mine:
            raise ServiceFailed("no_such_service", f"PM2 has no process {self._section.process!r}")
        return mine

    def _require_daemon(self) -> None:
        """Without its daemon any command of PM2 would start one, with nothing in it, and as our user."""
        pid = 0
        with suppress(OSError, ValueError):
            pid = int((self._section.home / "pm2.pid").read_text(encoding="ascii"))
        if not pid or not psutil.pid_exists(pid):
            raise ServiceFailed("no_daemon", f"no PM2 daemon runs in {self._section.home}")

    async def _told(self, verb: str) -> None:
        # By number: a name such as "all" or "0" means something else to PM2.
        numbers = [str(one.number) for one in await self._listed()]
        ended = await self._pm2(verb, *numbers, limit_s=self._section.timeout_s, changes=True)
        if ended.code != 0:
            said = shown(ended.errors or ended.output, self._redact, limit=_DETAIL_CHARS)
            raise ServiceFailed("refused", f"pm2 {verb} ended with {ended.code}: {said}", changed=None)

    async def _pm2(self, *words: str, limit_s: float, changes: bool = False) -> Ended:
        home = self._section.home
        environment = {**CLEAN, "HOME": str(home.parent), "PM2_HOME": str(home), "NO_COLOR": "1"}
        try:
            ended = await finished(
                (str(self._section.pm2), *words),
                timeout_s=limit_s,
                clock=self._clock,
                environment=environment,
                limit_bytes=_LIST_BYTES,
            )
        except CannotStart as error:
            raise ServiceFailed("no_pm2", str(error)) from error
        if ended.timed_out:
            detail = f"pm2 {words[0]} did not end within {limit_s:g} s"
            raise ServiceFailed("timeout", detail, changed=None if changes else False)
        return ended


def _read(ended: Ended) -> Sequence[dict[str, Any]]:
    """The list itself; PM2 may print notices in lines before it."""
    for line in reversed(ended.output.decode("utf-8", "replace").splitlines()):
        if line.startswith("["):
            with suppress(ValueError):
                return [one for one in json.loads(line) if isinstance(one, dict)]
    raise ServiceFailed("malformed", "pm2 jlist printed no list")


def _taken(one: dict[str, Any]) -> _Listed:
    try:
        inner = one["pm2_env"]
        logs = (inner.get("pm_out_log_path"), inner.get("pm_err_log_path"))
        return _Listed(
            number=int(one["pm_id"]),
            pid=int(one.get("pid") or 0),
            status=str(inner["status"]),
            restarts=int(inner.get("restart_time") or 0),
            unstable=int(inner.get("unstable_restarts") or 0),
            logs=tuple(Path(path) for path in dict.fromkeys(logs) if isinstance(path, str)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServiceFailed("malformed", "pm2 jlist printed a process that it cannot have") from error
