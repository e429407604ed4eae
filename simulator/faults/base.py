"""What a fault is: the few places where a router can differ from a healthy one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..call import Call
from ..menu import Menu, Moving

if TYPE_CHECKING:
    from ..device import Device

Setting = str | float
Stored = dict[str, str | None]


class FaultError(ValueError):
    """No such fault or parameter, or a value that cannot be; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a fault."""

    default: Setting
    description: str


MENU = Parameter("", "menu it concerns, such as /queue/simple; empty is all")


class Fault:
    """A fault that is on. The hooks of this class are those of a healthy router."""

    description: ClassVar[str]
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def __init__(self, device: Device, settings: Mapping[str, Setting]) -> None:
        self.device = device
        self.settings = {name: parameter.default for name, parameter in self.parameters.items()} | dict(
            settings
        )

    def text(self, name: str) -> str:
        """A setting that is text."""
        return str(self.settings[name])

    def number(self, name: str) -> float:
        """A setting that is a number."""
        return float(self.settings[name])

    def concerns(self, call: Call) -> bool:
        """Whether a command is in the menu that was set; logins never are."""
        menu = self.settings.get("menu", "")
        return call.path != "/login" and (not menu or call.menu == menu)

    def switched_on(self) -> None:
        """Once, when the fault begins."""

    def switched_off(self) -> None:
        """Once, when it ends."""

    def session_limit(self, limit: int) -> int:
        """How many connections are let in."""
        return limit

    def check_login(self) -> None:
        """Raise Trap to refuse a login."""

    def check(self, call: Call) -> None:
        """Raise Trap to refuse a command."""

    def delay_s(self, call: Call) -> float:
        """Seconds that a command takes longer."""
        return 0.0

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        """What is said instead of `sentences`; may end in HangUp or Silence."""
        return sentences

    def adjust(self, menu: Menu, stored: Stored, moving: dict[str, Moving]) -> None:
        """Change the fields of a reply."""
