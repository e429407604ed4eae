"""Moves what is stuck in a bot's queue aside: into a file first, then out of the queue."""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alertbridge.deliver.providers.bot.config import BotSection
from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.botwork import BotAction
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.ports import NoSuchTarget
from alertbridge.webcall import CallFailed, call
from runtime.sections import Section

PAGE = 200
_MOST_MESSAGES = 100_000
_GROWS_OLD_S = 60.0
"""What is about to become old enough while we write is kept as well: rather twice than not at all."""


class _Queue(BaseModel):
    """`GET /queue`; with `full=1` also the messages, oldest first."""

    model_config = ConfigDict(extra="ignore")

    pending: int
    oldest_s: float = 0.0
    messages: list[dict[str, object]] | None = None


class _Cleared(BaseModel):
    model_config = ConfigDict(extra="ignore")

    removed: int


class BotClearQueueSettings(Section):
    """Parameters of `bot_clear_queue`."""

    channel: str = Field(description="Name of a channel of kind `bot` that offers `/queue`.")
    older_than_s: float = Field(
        default=3600.0, ge=0, description="Only messages that have waited that long, in seconds."
    )


class BotClearQueue(BotAction):
    """Never more than is in the file."""

    name = "bot_clear_queue"
    about: ClassVar[About] = About(
        changes="Takes messages that have waited longer than `older_than_s` out of a bot's queue. Each is first "
        "written to a file of JSON lines under `actions.keep_dir`, for its owner's eyes only. The bot must offer "
        "`GET /queue?full=1&offset=0&limit=200` (`pending`, `oldest_s`, and `messages`, each with `id` and `age_s`) "
        "and `POST /queue/clear` with `older_than_s` and `ids`, answered with `removed`; without the list it is "
        "refused.",
        verified="Nothing in the queue has waited that long.",
        undone="By hand: the file holds what was removed, and nothing sends it by itself, since it would come late.",
    )

    def __init__(self, settings: BotClearQueueSettings, resources: Resources) -> None:
        super().__init__(settings.channel, resources)
        section = resources.channels.get(settings.channel)
        if not isinstance(section, BotSection):
            raise NoSuchTarget(f"the channel {settings.channel!r} is no bot of one's own: it has no queue")
        self._section = section
        self._older_than_s = settings.older_than_s

    async def before(self) -> Evidence:
        """A queue can be cleared whatever the session is like."""
        queue = await self._queue()
        await self._page(0, 1)
        return Evidence({"pending": queue.pending, "oldest_s": queue.oldest_s})

    async def run(self) -> Done:
        listed = await self._listed()
        old = [message for message in listed if self._is_old(message)]
        if not old:
            return Done(False, Evidence({"pending": len(listed)}), "nothing has waited that long")
        path = self._file()
        try:
            await asyncio.to_thread(_keep, path, old)
        except OSError as error:
            detail = f"{path.parent} cannot be written ({error.strerror}); nothing was removed"
            raise ActionFailed(Stage.RUN, "cannot_keep", detail, changed=False) from error
        _, body = await self._ask(
            "POST",
            "/queue/clear",
            Stage.RUN,
            json={"older_than_s": self._older_than_s, "ids": [message["id"] for message in old]},
        )
        removed = self._removed(body, kept=len(old))
        evidence = Evidence({"removed": removed, "kept": len(old), "file": str(path)})
        return Done(bool(removed), evidence, f"{removed} messages moved to {path}")

    def _removed(self, body: bytes, *, kept: int) -> int:
        """How many the bot says it removed. A bot that ignores `ids` may have taken one that came between."""
        try:
            removed = _Cleared.model_validate_json(body).removed
        except ValidationError as error:
            raise ActionFailed(
                Stage.RUN, "malformed", "the bot does not say what it removed", changed=None
            ) from error
        if removed > kept:
            detail = f"the bot removed {removed} messages, of which {kept} are kept"
            raise ActionFailed(Stage.RUN, "removed_more", detail, changed=True)
        return removed

    def _is_old(self, message: Mapping[str, object]) -> bool:
        age_s = message.get("age_s")
        return not isinstance(age_s, int | float) or age_s >= self._older_than_s - _GROWS_OLD_S

    async def verify(self) -> Verdict:
        try:
            queue = await self._queue()
        except ActionFailed:
            return Verdict.UNKNOWN
        drained = not queue.pending or queue.oldest_s < max(self._older_than_s, 1.0)
        return Verdict.HOLDS if drained else Verdict.FAILS

    # -- the bot

    async def _listed(self) -> list[dict[str, object]]:
        """Every message in the queue. Raises ActionFailed."""
        found: dict[str, dict[str, object]] = {}
        for offset in range(0, _MOST_MESSAGES, PAGE):
            page = await self._page(offset, PAGE, Stage.RUN)
            found |= {str(message.get("id")): message for message in page}
            if len(page) < PAGE:
                return list(found.values())
        detail = f"more than {_MOST_MESSAGES} messages are queued; that is for a person"
        raise ActionFailed(Stage.RUN, "too_many", detail, changed=False)

    async def _page(self, offset: int, limit: int, stage: Stage = Stage.PRECHECK) -> list[dict[str, object]]:
        params = {"full": "1", "offset": str(offset), "limit": str(limit)}
        queue = await self._queue(stage, params)
        if queue.messages is None or not all(isinstance(one.get("id"), str) for one in queue.messages):
            detail = "the bot does not list its queue (GET /queue?full=1), so nothing is removed"
            raise ActionFailed(stage, "not_listed", detail, changed=False)
        return queue.messages[:limit]

    async def _queue(self, stage: Stage = Stage.PRECHECK, params: Mapping[str, str] | None = None) -> _Queue:
        _, body = await self._ask("GET", "/queue", stage, params=params)
        try:
            return _Queue.model_validate_json(body)
        except ValidationError as error:
            raise ActionFailed(stage, "malformed", "the bot's answer is no queue", changed=False) from error

    async def _ask(
        self,
        method: str,
        path: str,
        stage: Stage,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
    ) -> tuple[int, bytes]:
        section = self._section
        headers = {}
        if section.token is not None:
            headers[section.token_header] = f"{section.token_prefix}{section.token.get_secret_value()}"
        unknown = None if method == "POST" else False
        try:
            status, body = await call(
                self.resources.session,
                method,
                section.url.rstrip("/") + path,
                timeout_s=section.timeout_s,
                headers=headers,
                params=params,
                json=json,
            )
        except CallFailed as error:
            raise ActionFailed(stage, "unreachable", f"the bot: {error}", changed=unknown) from error
        if status != 200:
            reason = {401: "unauthorised", 403: "unauthorised", 404: "unsupported"}.get(status, "refused")
            changed = unknown if status >= 500 else False
            raise ActionFailed(stage, reason, f"the bot answers HTTP {status} to {path}", changed=changed)
        return status, body

    def _file(self) -> Path:
        at = datetime.fromtimestamp(self.resources.clock.time(), UTC).strftime("%Y%m%dT%H%M%S%fZ")
        return self.resources.keep_dir / f"queue-{self.channel}-{at}.jsonl"


def _keep(path: Path, messages: list[dict[str, object]]) -> None:
    """Written, on the disk, and readable by its owner only, before it bears its name. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.writelines(f"{json.dumps(message, ensure_ascii=False)}\n" for message in messages)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
