"""Logs a hotspot user out so that he stays out: his cookies go first, else his device is back at once."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import RouterAction
from routeros import Record
from routeros.values import parse_duration
from runtime.sections import Section

ACTIVE, COOKIE, HOST = "/ip/hotspot/active", "/ip/hotspot/cookie", "/ip/hotspot/host"
_CLOCKS_DIFFER_S = 2.0
_BY_COOKIE = ("cookie", "mac-cookie")


class HotspotKickSettings(Section):
    """Parameters of `hotspot_kick`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    user: str = Field(min_length=1, description="Name of the user; the MAC address for a login by MAC.")
    cookies: bool = Field(
        default=True, description="Whether cookies go, too; without that a device is back at once."
    )
    hosts: bool = Field(
        default=False,
        description="Whether the rows of his devices under hosts go as well, which ends a MAC login.",
    )


class HotspotKick(RouterAction):
    """Cookies, then sessions, then hosts."""

    name = "hotspot_kick"
    about: ClassVar[About] = About(
        changes="Removes the hotspot cookies of a user, then ends all his sessions, then, where asked for, forgets his "
        "devices. A login by MAC address comes back whatever is removed.",
        verified="The sessions that were ended are gone, and none came back by a cookie.",
        undone="Not at all: the user logs in again.",
    )

    def __init__(self, settings: HotspotKickSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self._settings = settings

    @property
    def place(self) -> str:
        return f"hotspot:{self._settings.user}"

    async def _sessions(self, stage: Stage = Stage.PRECHECK) -> list[Record]:
        fields = (".id", "user", "mac-address", "login-by", "uptime")
        return await self.rows(ACTIVE, *fields, queries=(f"?user={self._settings.user}",), stage=stage)

    async def _of(self, menu: str, queries: list[str]) -> list[Record]:
        """Rows that any of the queries keeps."""
        words = (*queries, *["?#|"] * (len(queries) - 1))
        return await self.rows(menu, ".id", queries=words, stage=Stage.RUN) if queries else []

    async def before(self) -> Evidence:
        return _told(await self._sessions())

    async def run(self) -> Done:
        sessions = await self._sessions(Stage.RUN)
        devices = [f"?mac-address={mac}" for row in sessions if (mac := row.get("mac-address"))]
        removed = {COOKIE: 0, ACTIVE: 0, HOST: 0}
        if self._settings.cookies:
            removed[COOKIE] = await self._remove(
                COOKIE, await self._of(COOKIE, [f"?user={self._settings.user}", *devices])
            )
        removed[ACTIVE] = await self._remove(ACTIVE, sessions)
        self.remember(ended_at_s=self.resources.clock.monotonic())
        if self._settings.hosts:
            removed[HOST] = await self._remove(HOST, await self._of(HOST, devices))
        words = f"{removed[ACTIVE]} sessions, {removed[COOKIE]} cookies and {removed[HOST]} hosts removed"
        return Done(any(removed.values()), _told(sessions), words)

    async def _remove(self, menu: str, rows: list[Record]) -> int:
        return sum([await self.remove(menu, row[".id"]) for row in rows])

    async def look(self) -> Verdict:
        """A session's id is made of its address and serves again, so its age tells a new one from the old."""
        ended_at_s = self.remembered("ended_at_s")
        if ended_at_s is None:
            return Verdict.UNKNOWN
        passed_s = self.resources.clock.monotonic() - ended_at_s
        for session in await self._sessions():
            age_s = _age_s(session)
            if age_s is None or age_s > passed_s + _CLOCKS_DIFFER_S:
                return Verdict.FAILS
            if self._settings.cookies and session.get("login-by") in _BY_COOKIE:
                return Verdict.FAILS
        return Verdict.HOLDS


def _age_s(session: Record) -> float | None:
    try:
        return parse_duration(session.get("uptime", ""))
    except ValueError:
        return None


def _told(sessions: list[Record]) -> Evidence:
    newest = sessions[0] if sessions else {}
    return Evidence(
        {"sessions": len(sessions), "login_by": newest.get("login-by"), "uptime": newest.get("uptime")}
    )
