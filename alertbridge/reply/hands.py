"""The recovery engine as operators use it; see `ports.Recovery`.

The engine knows names alone: what only an admin may do is kept here.
"""

from collections.abc import Callable, Mapping, Sequence

from alertbridge.recover.approvals import Answer
from alertbridge.recover.engine import Engine, Settings
from alertbridge.recover.undoing import Refused, Wish
from alertbridge.reply.ports import (
    CodeAnswer,
    NoSuchOffer,
    Offer,
    RecoveryState,
    RunRefused,
    UndoRefused,
    Waiting,
)

_ANSWERS = {
    Answer.TAKEN: CodeAnswer.TAKEN,
    Answer.WRONG: CodeAnswer.WRONG,
    Answer.EXPIRED: CodeAnswer.EXPIRED,
    Answer.USED: CodeAnswer.USED,
}


class Hands:
    """`settings` are those that are in force."""

    def __init__(self, engine: Engine, settings: Callable[[], Settings]) -> None:
        self._engine = engine
        self._settings = settings

    async def state(self) -> RecoveryState:
        """Raises StoreError."""
        status = await self._engine.status()
        return RecoveryState(status.paused_by if status.paused else "", status.running, status.awaiting)

    def offers(self) -> Sequence[Offer]:
        """Every rule that is not switched off. A rule with an action that always asks is for admins."""
        for_admins = self._ask_only()
        return [
            Offer(
                rule.name,
                " \u2192 ".join(step.action for step in rule.steps),
                asks=any(step.action in for_admins for step in rule.steps),
                dry_run=rule.dry_run,
            )
            for rule in self._settings().section.rules
            if rule.approval != "off"
        ]

    async def request(self, name: str, labels: Mapping[str, str], *, by: str) -> Waiting:
        """Raises NoSuchOffer, RunRefused, StoreError."""
        asked = await self._engine.request(name, labels, by)
        if asked is None:
            raise NoSuchOffer(name)
        if asked.run_id is None:
            raise RunRefused(asked.decision.reason.value, asked.decision.detail)
        return Waiting(str(asked.run_id), asked.code, asked.valid_s)

    async def undo(self, number: int, *, by: str) -> Waiting:
        """Raises UndoRefused, StoreError."""
        found = await self._engine.request_undo(Wish(number, by))
        if isinstance(found, Refused):
            raise UndoRefused(found.refusal.name.lower(), found.number, found.other)
        does = ", ".join(f"{one.action} {one.target}" for one in found.run.plan)
        return Waiting(str(found.run.id), found.code, found.valid_s, does)

    async def answer(self, code: str, *, by: str, yes: bool, is_admin: bool) -> CodeAnswer:
        """When somebody else says yes to what only an admin may let begin, its code stays good. Raises StoreError."""
        if yes and not is_admin and await self._is_for_admins(code, by):
            return CodeAnswer.FOR_ADMINS
        answered = await (self._engine.approve(code, by) if yes else self._engine.reject(code, by))
        return _ANSWERS[answered.answer]

    async def pause(self, *, by: str) -> None:
        """Raises StoreError."""
        await self._engine.pause(by)

    async def resume(self, *, by: str) -> None:
        """Raises StoreError."""
        await self._engine.resume(by)

    async def _is_for_admins(self, code: str, by: str) -> bool:
        run = await self._engine.peek(code)
        if run is None or run.requested_by not in ("", by):  # whoever guesses learns nothing
            return False
        for_admins = self._ask_only()
        return run.undoes is not None or any(step.action in for_admins for step in run.plan)

    def _ask_only(self) -> frozenset[str]:
        known = self._settings().maker.known
        return frozenset(name for name, kind in known.items() if kind.about.ask_only)
