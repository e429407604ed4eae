"""A container, asked and told through the Engine's API on its unix socket."""

import json
import struct
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

from alertbridge.recover.actions.command_text import Redact, shown
from alertbridge.recover.actions.services import Condition, ServiceFailed
from alertbridge.recover.actions.services_config import DockerServiceSection
from alertbridge.webcall import ANSWER_LIMIT_BYTES

_ASKING_S = 10.0
_DETAIL_CHARS = 200
_ALREADY = 304  # the Engine's answer to a stop or start of what is stopped or started
_FRAME = struct.Struct(">B3xI")


class DockerContainer:
    """One container. Each call makes a connection of its own: there are few, and none is left open."""

    def __init__(self, section: DockerServiceSection, *, redact: Redact) -> None:
        self._section = section
        self._redact = redact

    def __repr__(self) -> str:
        return f"<DockerContainer {self._section.container}>"

    @property
    def name(self) -> str:
        return self._section.name

    @property
    def target(self) -> str:
        return f"docker:{self._section.container}"

    async def condition(self) -> Condition:
        _, body = await self._call("GET", "json", limit_s=_ASKING_S)
        try:
            found = json.loads(body)
            state = found["State"]
            status, pid, began = str(state["Status"]), int(state["Pid"]), str(state["StartedAt"])
            restarts = int(found.get("RestartCount", 0))
            health = str((state.get("Health") or {}).get("Status", "none"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServiceFailed("malformed", "the Engine's answer is not what it should be") from error
        running: bool | None = status == "running"
        if status in ("restarting", "removing") or (running and health == "starting"):
            running = None
        return Condition(
            running=running,
            incarnation=f"{str(found.get('Id', ''))[:12]} {began}" if pid else "",
            pids=(pid,) if pid else (),
            restarts=restarts,
            complaint="unhealthy" if health == "unhealthy" else "",
            facts={
                "status": status,
                "main_pid": pid,
                "started_at": began,
                "restarts": restarts,
                "health": health,
                "exit_code": _whole(state, "ExitCode"),
                "out_of_memory": bool(state.get("OOMKilled", False)),
            },
        )

    async def restart(self) -> None:
        await self._told("restart")

    async def stop(self) -> None:
        await self._told("stop")

    async def start(self) -> None:
        await self._told("start")

    async def last_lines(self, count: int) -> str:
        query = {"stdout": "1", "stderr": "1", "tail": str(count)}
        try:
            _, body = await self._call("GET", "logs", limit_s=_ASKING_S, params=query)
        except ServiceFailed:
            return ""
        return shown(_unframed(body), self._redact)

    async def _told(self, verb: str) -> None:
        params = {} if verb == "start" else {"t": str(self._section.stop_s)}
        limit_s = self._section.timeout_s + (0 if verb == "start" else self._section.stop_s)
        await self._call("POST", verb, limit_s=limit_s, params=params)

    async def _call(
        self, method: str, what: str, *, limit_s: float, params: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """A good answer. Raises ServiceFailed; nobody knows what a POST did that was not answered."""
        url = f"http://docker/containers/{quote(self._section.container, safe='')}/{what}"
        unknown = None if method == "POST" else False
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(path=str(self._section.socket)),
                    timeout=aiohttp.ClientTimeout(total=limit_s),
                ) as session,
                session.request(method, url, params=params, allow_redirects=False) as response,
            ):
                body = await response.content.read(ANSWER_LIMIT_BYTES)
                status = response.status
        except (aiohttp.ClientConnectorError, FileNotFoundError, PermissionError) as error:
            reason = getattr(error, "os_error", error).strerror or type(error).__name__
            raise ServiceFailed("no_engine", f"{self._section.socket}: {reason}") from error
        except TimeoutError as error:
            detail = f"the Engine did not answer within {limit_s:g} s"
            raise ServiceFailed("timeout", detail, changed=unknown) from error
        except (aiohttp.ClientError, OSError) as error:
            detail = f"the Engine's answer did not come ({type(error).__name__})"
            raise ServiceFailed("connection_lost", detail, changed=unknown) from error
        if status < 300 or status == _ALREADY:
            return status, body
        raise self._refused(status, body, method)

    def _refused(self, status: int, body: bytes, method: str) -> ServiceFailed:
        try:
            said = shown(str(json.loads(body)["message"]), self._redact, limit=_DETAIL_CHARS)
        except (ValueError, KeyError, TypeError):
            said = "without a word"
        reason = {403: "no_permission", 404: "no_such_service", 409: "conflict"}.get(status, "refused")
        # An Engine that failed inside a restart may have stopped the container and not started it again.
        changed = None if method == "POST" and status >= 500 else False
        return ServiceFailed(reason, f"the Engine answered {status}: {said}", changed=changed)


def _whole(state: Mapping[str, Any], key: str) -> int | None:
    value = state.get(key)
    return value if isinstance(value, int) else None


def _unframed(body: bytes) -> bytes:
    """The text of a log. Without a terminal each piece has a header of eight bytes: stream and length."""
    text, place = bytearray(), 0
    while place + _FRAME.size <= len(body):
        stream, length = _FRAME.unpack_from(body, place)
        if stream > 2 or body[place + 1 : place + 4] != b"\0\0\0":
            return body if not text else bytes(text)
        text += body[place + _FRAME.size : place + _FRAME.size + length]
        place += _FRAME.size + length
    return bytes(text) if text else body
