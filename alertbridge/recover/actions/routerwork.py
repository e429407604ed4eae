"""What every action on a router does alike: asks, writes once, and says of a failure what it may have changed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import structlog

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.recollections import Memory
from alertbridge.recover.actions.resources import Resources, RouterTarget
from routeros import (
    CommandDeadline,
    CommandFailed,
    CommandUnsupported,
    LoginRefused,
    NotAttempted,
    PermissionDenied,
    Priority,
    Record,
    Reply,
    RouterError,
    failure_class,
)

log = structlog.get_logger(__name__)

_NO_ARGS: Mapping[str, str] = MappingProxyType({})
_DETAIL_CHARS = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """What an error of the client means to a run: a stable word, a sentence, and what may have changed."""

    reason: str
    detail: str
    changed: bool | None


def failure(error: RouterError, target: RouterTarget) -> Failure:
    """`changed` is None when the command went out and nobody knows whether it was carried out."""
    detail = str(error)[:_DETAIL_CHARS]
    match error:
        case PermissionDenied():
            section = target.section
            words = f'the user {section.username!r} on {section.name} needs the policy "{error.policy}"'
            return Failure("no_permission", f"{words} for {error.path}", False)
        case CommandUnsupported():
            return Failure("unsupported", detail, False)
        case CommandFailed():
            reason = "no_such_item" if is_gone(error) else "refused"
            return Failure(reason, detail, False)
        case LoginRefused() | NotAttempted():
            return Failure(failure_class(error), detail, False)
        case CommandDeadline():
            return Failure("no_answer", detail, None)
        case _:
            return Failure(
                "connection_lost" if error.sent else "unreachable", detail, None if error.sent else False
            )


def is_gone(error: CommandFailed) -> bool:
    """Whether the row was not there any more."""
    return "no such item" in error.message.casefold()


class RouterAction(ABC):
    """Base of the actions on one router.

    Commands have critical priority. Reads are tried again when their connection is lost; writes are not, unless
    doing them once more is the same as doing them once. `changed` of a failure covers what was written before it.
    Making one raises NoSuchTarget when the router is none that may be acted upon.
    """

    name: ClassVar[str]
    about: ClassVar[About]
    repeatable: ClassVar[bool] = False
    policies: ClassVar[tuple[str, ...]] = ("read", "write")
    """What the user's group on the router needs, beside `api`."""

    def __init__(self, router: str, resources: Resources) -> None:
        self.router = router
        self.resources = resources
        self.client = resources.routers.named(router)
        self.written = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target}>"

    @property
    @abstractmethod
    def place(self) -> str:
        """What on the router is acted upon, such as ``interface:ether5``; empty is the router itself."""

    @property
    def target(self) -> str:
        return "/".join(filter(None, (f"router:{self.router}", self.place)))

    # -- the router

    async def rows(
        self,
        path: str,
        *proplist: str,
        queries: Sequence[str] = (),
        args: Mapping[str, str] = _NO_ARGS,
        stage: Stage = Stage.PRECHECK,
    ) -> list[Record]:
        """The rows of a menu now. Raises ActionFailed."""
        target = self.client
        try:
            return await target.router.print(
                path,
                proplist=proplist,
                queries=queries,
                args=args,
                deadline_s=target.section.command_timeout_s,
                priority=Priority.CRITICAL,
            )
        except RouterError as error:
            raise self.failed(error, stage, reading=True) from error

    async def optional_rows(self, path: str, *proplist: str, queries: Sequence[str] = ()) -> list[Record]:
        """The rows of a menu that not every router has. Raises ActionFailed."""
        try:
            return await self.rows(path, *proplist, queries=queries)
        except ActionFailed as failed:
            if failed.reason == "unsupported":
                return []
            raise

    async def ask(self, command: str, args: Mapping[str, str], *, stage: Stage = Stage.PRECHECK) -> Reply:
        """The answer to a command that changes nothing. Raises ActionFailed."""
        target = self.client
        try:
            return await target.router.call(
                command,
                args=args,
                deadline_s=target.section.command_timeout_s,
                priority=Priority.CRITICAL,
                idempotent=True,
            )
        except RouterError as error:
            raise self.failed(error, stage, reading=True) from error

    async def write(
        self,
        command: str,
        args: Mapping[str, str],
        *,
        stage: Stage = Stage.RUN,
        extra_s: float = 0.0,
        harmless_twice: bool = False,
        counts: bool = True,
    ) -> Reply:
        """A command that changes something, sent once unless it is `harmless_twice`. `extra_s` is how long the router
        works on it by its nature; what does not count as a change is preparation. Raises ActionFailed."""
        target = self.client
        try:
            reply = await target.router.call(
                command,
                args=args,
                deadline_s=target.section.command_timeout_s + extra_s,
                priority=Priority.CRITICAL,
                idempotent=harmless_twice,
            )
        except RouterError as error:
            raise self.failed(error, stage) from error
        self.written = self.written or counts
        return reply

    async def remove(self, path: str, row_id: str, *, stage: Stage = Stage.RUN, counts: bool = True) -> bool:
        """The row is gone; False when it had gone by itself. Raises ActionFailed."""
        try:
            await self.write(f"{path}/remove", {".id": row_id}, stage=stage, counts=counts)
        except ActionFailed as failed:
            if failed.reason == "no_such_item":
                return False
            raise
        return True

    def failed(self, error: RouterError, stage: Stage, *, reading: bool = False) -> ActionFailed:
        """The error as the engine knows it."""
        found = failure(error, self.client)
        changed = True if self.written else False if reading else found.changed
        log.info(
            "action.router_failed",
            target=self.target,
            action=self.name,
            stage=stage.value,
            reason=found.reason,
        )
        return ActionFailed(stage, found.reason, found.detail, changed=changed)

    def refuse(self, reason: str, detail: str, *, stage: Stage = Stage.PRECHECK) -> ActionFailed:
        """It would be wrong, or cannot work; to be raised."""
        return ActionFailed(stage, reason, f"{self.router}: {detail}", changed=self.written)

    # -- between the deed and its verification

    def remember(self, **found: Memory) -> None:
        """For `remembered` and `remembered_words` of another object of the same run."""
        self.resources.recollections.keep(self.resources.run_id, self.target, **found)

    def remembered(self, name: str) -> float | None:
        """A number that this run kept."""
        return self.resources.recollections.number(self.resources.run_id, self.target, name)

    def remembered_words(self, name: str) -> frozenset[str]:
        """Words that this run kept."""
        return self.resources.recollections.words(self.resources.run_id, self.target, name)

    # -- what an action is

    @abstractmethod
    async def before(self) -> Evidence: ...

    @abstractmethod
    async def run(self) -> Done: ...

    @abstractmethod
    async def look(self) -> Verdict:
        """What the router says of itself. May raise ActionFailed, which is no verdict."""

    async def verify(self) -> Verdict:
        try:
            return await self.look()
        except ActionFailed:
            return Verdict.UNKNOWN

    async def undo(self) -> Done:
        """Most deeds cannot be taken back."""
        raise self.refuse("not_undoable", f"{self.name} cannot be taken back", stage=Stage.UNDO)


def is_on(record: Mapping[str, str], flag: str) -> bool:
    """Whether a flag holds: said as true or yes, or present without a value; absent is no."""
    return record.get(flag, "false").strip().lower() in ("true", "yes", "")
