"""A dead man on the router: entries of its scheduler that enable an interface again if we vanish in the middle.

Two entries, since either alone has a gap: one that runs every `after_s` seconds, and one that runs when the router
boots, for boards whose clock is wrong until the network is back. Each enables the interface and then removes both.
"""

import re
import secrets

import structlog

from alertbridge.recover.actions.base import ActionFailed, Stage
from alertbridge.recover.actions.routerwork import RouterAction, is_on

log = structlog.get_logger(__name__)

MENU = "/system/scheduler"
PREFIX = "tikwatch-"
_ROW_ID = re.compile(r"\*[0-9A-Fa-f]{1,8}")


class DeadMan:
    """The entries of one run. `row_id` is the interface's `.id`, which a script can name as it is."""

    def __init__(self, action: RouterAction, row_id: str, after_s: int) -> None:
        if not _ROW_ID.fullmatch(row_id):
            raise action.refuse("no_such_interface", f"its id {row_id[:20]!r} is none")
        run = re.sub(r"[^A-Za-z0-9_-]", "-", action.resources.run_id)[:60] or secrets.token_hex(6)
        self._action = action
        self._after_s = after_s
        self._names = (f"{PREFIX}{run}", f"{PREFIX}{run}-boot")
        both = "; ".join(f'/system scheduler remove [find where name="{name}"]' for name in self._names)
        self._script = f"/interface enable {row_id}; {both}"

    def __repr__(self) -> str:
        return f"<DeadMan {self._names[0]} after {self._after_s} s>"

    async def arm(self) -> None:
        """Both entries stand on the router, and it says so. Raises ActionFailed, and then nothing was changed
        beside entries that remove themselves."""
        starts = {"interval": f"{self._after_s}s"}, {"interval": "0s", "start-time": "startup"}
        for name, start in zip(self._names, starts, strict=True):
            args = {"name": name, **start, "on-event": self._script, "policy": "read,write"}
            try:
                await self._action.write(
                    f"{MENU}/add", {**args, "comment": self._action.target}, counts=False
                )
            except ActionFailed as failed:
                await self.disarm()
                detail = f"no dead man could be set: {failed}"
                raise ActionFailed(Stage.RUN, failed.reason, detail, changed=failed.changed) from failed
        standing = [row for row in await self._standing() if not is_on(row, "disabled")]
        if len(standing) < len(self._names):
            await self.disarm()
            raise self._action.refuse("no_dead_man", "the router did not keep the dead man", stage=Stage.RUN)

    async def disarm(self) -> bool:
        """Both entries are gone; False when that is not known, and then they do their harmless deed and go.

        The one for the boot goes first: cut off in between, the other one takes it along.
        """
        try:
            for row in sorted(await self._standing(), key=lambda row: row["name"], reverse=True):
                await self._action.remove(MENU, row[".id"], counts=False)
        except ActionFailed as failed:
            log.warning("action.dead_man_left", target=self._action.target, reason=failed.reason)
            return False
        return True

    async def _standing(self) -> list[dict[str, str]]:
        queries = (*(f"?name={name}" for name in self._names), "?#|")
        return await self._action.rows(MENU, ".id", "name", "disabled", queries=queries, stage=Stage.RUN)
