"""Targets that break and mend by script, and actions on them that fail, hang, lie or do what they should."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import Field

from alertbridge.recover.actions.base import (
    About,
    Action,
    ActionFailed,
    Done,
    Evidence,
    Stage,
    Undoable,
    Verdict,
)
from alertbridge.recover.ports import KnownAction, NoSuchTarget
from runtime.clock import Clock
from runtime.sections import Section

ABOUT = About("a scripted target", "it says so", "it breaks again", undoable=Undoable.YES)


@dataclass(frozen=True, slots=True)
class Act:
    """One time that an action ran: times by the monotonic clock. `known` says that it told how it ended."""

    run_id: str
    action: str
    began_s: float
    ended_s: float | None = None
    known: bool = False


@dataclass
class Target:
    """One thing that can be broken. `script` holds what happens at the next runs, `default` what happens then.

    Words: ``mend`` (it is well then), ``fail`` (refused, nothing changed), ``useless`` (done, no effect), ``hang``
    (never ends), ``lose`` (done, and no answer comes), ``bug``. `mute` makes it tell nothing when asked; `before` is
    the reason for which a look before acting is refused. `back` is what happens when it is taken back.
    """

    name: str
    well: bool = False
    default: str = "mend"
    script: deque[str] = field(default_factory=deque)
    mute: bool = False
    lies: bool = False
    before: str = ""
    takes_s: float = 0.0
    back: str = "useless"
    acts: list[Act] = field(default_factory=list)
    undos: list[Act] = field(default_factory=list)
    answers: list[tuple[str, float, Verdict]] = field(default_factory=list)
    running: int = 0
    at_once: int = 0
    looks: int = 0

    def verdict(self) -> Verdict:
        """What it says of itself."""
        if self.mute:
            return Verdict.UNKNOWN
        return Verdict.HOLDS if self.well or self.lies else Verdict.FAILS


class MendSettings(Section):
    """Parameters of the scripted actions."""

    target: str = Field(min_length=1)
    level: int = Field(default=1, ge=1)


@dataclass
class ScriptedAction:
    """Acts on a target."""

    settings: MendSettings
    it: Target
    clock: Clock
    run_id: str
    name: ClassVar[str] = "mend"
    about: ClassVar[About] = ABOUT
    repeatable: ClassVar[bool] = True

    @property
    def target(self) -> str:
        return f"thing:{self.it.name}"

    async def before(self) -> Evidence:
        self.it.looks += 1
        await asyncio.sleep(0)
        if self.it.before:
            raise ActionFailed(Stage.PRECHECK, self.it.before, "pair it again at http://bot.example/qr")
        return Evidence({"well": self.it.well})

    async def run(self) -> Done:
        return await self._noted(
            self.it.acts, self.it.script.popleft() if self.it.script else self.it.default
        )

    async def _noted(self, acts: list[Act], word: str) -> Done:
        """Does what `word` says, noted among `acts`."""
        it = self.it
        it.running += 1
        it.at_once = max(it.at_once, it.running)
        began_s, place, known = self.clock.monotonic(), len(acts), False
        acts.append(Act(self.run_id, self.name, began_s))
        try:
            done = await self._do(word)
            known = True
        except ActionFailed as error:
            known = error.changed is not None
            raise
        else:
            return done
        finally:
            it.running -= 1
            acts[place] = Act(self.run_id, self.name, began_s, self.clock.monotonic(), known)

    async def _do(self, word: str) -> Done:
        if self.it.takes_s:
            await asyncio.sleep(self.it.takes_s)
        match word:
            case "mend":
                self.it.well = True
            case "fail":
                raise ActionFailed(Stage.RUN, "unreachable", "no route", changed=False)
            case "lose":
                self.it.well = True
                raise ActionFailed(Stage.RUN, "no_answer", "the line went dead", changed=None)
            case "hang":
                await asyncio.sleep(86_400)
            case "bug":
                raise ZeroDivisionError("a fault in the action")
        return Done(True, Evidence({"word": word}))

    async def verify(self) -> Verdict:
        await asyncio.sleep(0)
        said = self.it.verdict()
        self.it.answers.append((self.run_id, self.clock.monotonic(), said))
        return said

    async def undo(self) -> Done:
        if self.about.undoable is Undoable.NO:
            raise ActionFailed(Stage.UNDO, "not_undoable")
        done = await self._noted(self.it.undos, self.it.back)
        self.it.well = False
        return done


class Unrepeatable(ScriptedAction):
    """The same, and it may not be done twice."""

    name = "mend_once"
    repeatable = False
    about = About("a scripted target", "it says so", "not at all")


class AskedOnly(ScriptedAction):
    """The same, and never without a yes."""

    name = "mend_asked"
    about = About("a scripted target", "it says so", "not at all", ask_only=True)


class Broken(ScriptedAction):
    """The other way round: two rules that fight."""

    name = "break"
    about = About("a scripted target", "it says so", "by mend", opposes=("mend",))


_CLASSES: Mapping[str, type[ScriptedAction]] = {
    one.name: one for one in (ScriptedAction, Unrepeatable, AskedOnly, Broken)
}
KNOWN: Mapping[str, KnownAction] = {
    name: KnownAction(name, MendSettings, kind.about, kind.repeatable) for name, kind in _CLASSES.items()
}


class ScriptedMaker:
    """Makes the actions above on targets that exist; see `recover.ports.ActionMaker`."""

    def __init__(self, clock: Clock, *names: str) -> None:
        self.clock = clock
        self.targets = {name: Target(name) for name in names}

    @property
    def known(self) -> Mapping[str, KnownAction]:
        return KNOWN

    def make(self, name: str, settings: Section, *, run_id: str = "") -> Action:
        if not isinstance(settings, MendSettings) or settings.target not in self.targets:
            raise NoSuchTarget(f"there is no thing of that name: {getattr(settings, 'target', '')}")
        return _CLASSES[name](settings, self.targets[settings.target], self.clock, run_id)

    def can_undo(self, name: str, settings: Mapping[str, object]) -> bool:
        return KNOWN[name].about.undoable is Undoable.YES
