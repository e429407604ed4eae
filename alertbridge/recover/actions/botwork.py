"""What every action on a bot does alike: looks at its session first, and leaves alone what only a person can mend."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import ClassVar

from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Provider, Session, SessionState
from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.ports import NoSuchTarget

FINAL = frozenset(
    {
        SessionState.LOGGED_OUT,
        SessionState.BANNED,
        SessionState.TIMELOCKED,
        SessionState.NEEDS_PAIRING,
        SessionState.MISCONFIGURED,
    }
)
"""What no action of ours mends; trying is how a number earns a block."""
_VERDICTS = {
    SessionState.WORKING: Verdict.HOLDS,
    SessionState.DISCONNECTED: Verdict.FAILS,
    **dict.fromkeys(FINAL, Verdict.FAILS),
}
_TAKEN = (OutcomeClass.ACCEPTED, OutcomeClass.QUEUED_REMOTE)


class BotAction(ABC):
    """Base of the actions on the bot behind a channel. Making one raises NoSuchTarget without such a channel."""

    name: ClassVar[str]
    about: ClassVar[About]
    repeatable: ClassVar[bool] = False

    def __init__(self, channel: str, resources: Resources) -> None:
        self.channel = channel
        self.resources = resources
        if channel not in resources.providers:
            raise NoSuchTarget(f"there is no channel {channel!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target}>"

    @property
    def provider(self) -> Provider:
        return self.resources.providers[self.channel]

    @property
    def target(self) -> str:
        return f"bot:{self.channel}"

    async def session(self, stage: Stage) -> Session:
        """The session as it is. Raises ActionFailed when only a person can mend it."""
        session = await self.provider.session()
        if session.state in FINAL:
            raise ActionFailed(stage, session.state.value, told(session), changed=False)
        return session

    async def before(self) -> Evidence:
        session = await self.session(Stage.PRECHECK)
        return Evidence({"session": session.state.value, "detail": session.detail[:200]})

    @abstractmethod
    async def run(self) -> Done: ...

    async def mended(self, outcome: Outcome) -> Done:
        """What came of telling the provider to mend the session. Raises ActionFailed."""
        if outcome.kind in _TAKEN:
            return Done(True, detail=outcome.reason)
        reason = outcome.reason or outcome.kind.value
        detail = outcome.detail
        if outcome.logged_out:
            reason, detail = "logged_out", told(await self.provider.session(), outcome.detail)
        if outcome.kind is OutcomeClass.PERMANENT:
            detail = detail or f"the channel {self.channel} has nothing of the kind"
        changed = None if outcome.kind is OutcomeClass.UNKNOWN else False
        raise ActionFailed(Stage.RUN, reason, detail, changed=changed)

    async def verify(self) -> Verdict:
        return _VERDICTS.get((await self.provider.session()).state, Verdict.UNKNOWN)

    async def undo(self) -> Done:
        detail = f"{self.name} cannot be taken back"
        raise ActionFailed(Stage.UNDO, "not_undoable", detail, changed=False)


def told(session: Session, detail: str = "") -> str:
    """A session for a person, with the page where the number is paired again."""
    words = session.detail or detail or session.state.value.replace("_", " ")
    if session.until_s is not None:
        words += f" until {datetime.fromtimestamp(session.until_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"{words}; pair it again at {session.pairing_url}" if session.pairing_url else words
