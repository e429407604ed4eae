"""Drops every PPP session of a user; the client dials again within seconds."""

from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import About, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import RouterAction
from routeros import Record
from runtime.sections import Section

MENU = "/ppp/active"


class PppKickSettings(Section):
    """Parameters of `ppp_kick`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    user: str = Field(min_length=1, description="Name of the user whose sessions are dropped.")


class PppKick(RouterAction):
    """All rows of one name, whatever the service."""

    name = "ppp_kick"
    about: ClassVar[About] = About(
        changes="Ends every PPP session of a user. The client dials again within seconds and gets the user's present "
        "settings.",
        verified="None of the sessions that were ended is there any more; new ones are expected.",
        undone="Not at all: the client comes back by itself.",
    )

    def __init__(self, settings: PppKickSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self._user = settings.user

    @property
    def place(self) -> str:
        return f"ppp:{self._user}"

    async def _sessions(self, stage: Stage = Stage.PRECHECK) -> list[Record]:
        fields = (".id", "name", "service", "uptime", "session-id")
        return await self.rows(MENU, *fields, queries=(f"?name={self._user}",), stage=stage)

    async def before(self) -> Evidence:
        return _told(await self._sessions())

    async def run(self) -> Done:
        sessions = await self._sessions(Stage.RUN)
        if sessions:
            self.remember(ended=tuple(map(_key, sessions)))
        for session in sessions:
            await self.remove(MENU, session[".id"])
        words = f"{len(sessions)} sessions ended" if sessions else "the user was not online"
        return Done(bool(sessions), _told(sessions), words)

    async def look(self) -> Verdict:
        ended = self.remembered_words("ended")
        if not ended:
            return Verdict.UNKNOWN
        still = {_key(session) for session in await self._sessions()}
        return Verdict.FAILS if still & ended else Verdict.HOLDS


def _key(session: Record) -> str:
    """What no later session has: the session's own id where the router tells it."""
    return session.get("session-id") or session[".id"]


def _told(sessions: list[Record]) -> Evidence:
    newest = sessions[0] if sessions else {}
    return Evidence(
        {"sessions": len(sessions), "service": newest.get("service"), "uptime": newest.get("uptime")}
    )
