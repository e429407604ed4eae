"""Removes hotspot cookies: those of a user, those that are old, those that have expired."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from alertbridge.recover.actions.base import About, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import RouterAction
from routeros import Record
from routeros.values import parse_duration
from runtime.sections import Section

MENU = "/ip/hotspot/cookie"
_THREE_DAYS_S = 3 * 86400.0


class HotspotCookieCleanupSettings(Section):
    """Parameters of `hotspot_cookie_cleanup`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    user: str = Field(default="", description="Only cookies of this user; every user's when left out.")
    expired: bool = Field(default=False, description="Only cookies whose time has run out.")
    older_than_s: float | None = Field(
        default=None, ge=0, description="Only cookies that were set longer ago, in seconds."
    )
    lifetime_s: float = Field(
        default=_THREE_DAYS_S,
        gt=0,
        description="How long a cookie lives as the router is configured, in seconds: it tells only when one ends.",
    )
    limit: int = Field(default=500, ge=1, le=10_000, description="Most cookies that one run removes.")

    @model_validator(mode="after")
    def _selects(self) -> Self:
        if not (self.user or self.expired or self.older_than_s is not None):
            raise ValueError("needs one of user, expired and older_than_s, else it would remove every cookie")
        return self


class HotspotCookieCleanup(RouterAction):
    """Every condition that is given must hold."""

    name = "hotspot_cookie_cleanup"
    about: ClassVar[About] = About(
        changes="Removes the hotspot cookies of a user, the old ones, or those that have expired. Sessions stay; their "
        "devices have to log in anew later.",
        verified="No cookie that the rule selects is left.",
        undone="Not at all: the next login sets a new one.",
    )
    repeatable = True

    def __init__(self, settings: HotspotCookieCleanupSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self._settings = settings

    @property
    def place(self) -> str:
        return "hotspot-cookies"

    async def _selected(self, stage: Stage = Stage.PRECHECK) -> list[Record]:
        queries = (f"?user={self._settings.user}",) if self._settings.user else ()
        rows = await self.rows(MENU, ".id", "user", "expires-in", queries=queries, stage=stage)
        return [row for row in rows if self._selects(row)]

    def _selects(self, row: Record) -> bool:
        wanted = self._settings
        try:
            left_s = parse_duration(row.get("expires-in", ""))
        except ValueError:
            left_s = None
        if wanted.expired and (left_s is None or left_s > 0):
            return False
        return wanted.older_than_s is None or (
            left_s is not None and wanted.lifetime_s - left_s > wanted.older_than_s
        )

    async def before(self) -> Evidence:
        return Evidence({"cookies": len(await self._selected())})

    async def run(self) -> Done:
        found = await self._selected(Stage.RUN)
        chosen = found[: self._settings.limit]
        removed = sum([await self.remove(MENU, row[".id"]) for row in chosen])
        left = len(found) - len(chosen)
        words = f"{removed} cookies removed" + (f", {left} left for another run" if left else "")
        return Done(bool(removed), Evidence({"removed": removed, "left": left}), words)

    async def look(self) -> Verdict:
        return Verdict.FAILS if await self._selected() else Verdict.HOLDS
