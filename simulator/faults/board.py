"""The table of all faults, and the board where those of one router are switched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..call import Call
from ..menu import Menu, Moving
from .access import NoApiPolicy, NoPermission, Refuse, SessionLimit, SlowMenu, WrongPassword
from .base import Fault, FaultError, Setting, Stored
from .replies import AbsurdLength, DropMidReply, Fatal, Garbage, Hang, HangMidSentence, UnknownReplyWord
from .state import Flap, MissingField, NotANumber, Reboot, SessionsLost, Unplugged

if TYPE_CHECKING:
    from ..device import Device

FAULTS: Mapping[str, type[Fault]] = {
    "refuse": Refuse,
    "hang": Hang,
    "hang_mid_sentence": HangMidSentence,
    "drop_mid_reply": DropMidReply,
    "garbage": Garbage,
    "absurd_length": AbsurdLength,
    "fatal": Fatal,
    "reboot": Reboot,
    "wrong_password": WrongPassword,
    "no_api_policy": NoApiPolicy,
    "no_permission": NoPermission,
    "slow_menu": SlowMenu,
    "session_limit": SessionLimit,
    "unknown_reply_word": UnknownReplyWord,
    "not_a_number": NotANumber,
    "missing_field": MissingField,
    "flap": Flap,
    "unplugged": Unplugged,
    "sessions_lost": SessionsLost,
}


class FaultBoard:
    """The faults that are on at one router."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._on: dict[str, Fault] = {}

    def __repr__(self) -> str:
        return f"faults: {', '.join(self._on) or 'none'}"

    def set(self, name: str, /, **settings: Setting) -> None:
        """Switch a fault on; one that is on already takes the new settings.

        Raises:
            FaultError: no such fault or parameter, or a value that cannot be.
        """
        kind = FAULTS.get(name)
        if kind is None:
            raise FaultError(f"unknown fault {name!r}; there are {', '.join(FAULTS)}")
        for key, value in settings.items():
            _check(name, kind, key, value)
        self.clear(name)
        fault = kind(self._device, settings)
        self._on[name] = fault
        try:
            fault.switched_on()
        except FaultError:
            del self._on[name]
            raise

    def clear(self, name: str | None = None) -> None:
        """Switch one fault off, or all."""
        for each in [name] if name is not None else list(self._on):
            if (fault := self._on.pop(each, None)) is not None:
                fault.switched_off()

    @property
    def active(self) -> dict[str, dict[str, Setting]]:
        """Faults that are on, with their settings."""
        return {name: dict(fault.settings) for name, fault in self._on.items()}

    @property
    def refusing(self) -> bool:
        """Whether the port is to stay closed."""
        return "refuse" in self._on

    def session_limit(self, limit: int) -> int:
        """How many connections are let in."""
        for fault in self._on.values():
            limit = fault.session_limit(limit)
        return limit

    def check_login(self) -> None:
        """Raise Trap when logins are refused."""
        for fault in self._on.values():
            fault.check_login()

    def check(self, call: Call) -> None:
        """Raise Trap when the command is refused."""
        for fault in self._on.values():
            fault.check(call)

    def delay_s(self, call: Call) -> float:
        """How much longer the command takes."""
        return sum(fault.delay_s(call) for fault in self._on.values())

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        """What is really said."""
        for fault in self._on.values():
            sentences = fault.reply(call, sentences)
        return sentences

    @property
    def adjust(self) -> Callable[[Menu, Stored, dict[str, Moving]], None] | None:
        """What bends the fields of replies; None while nothing does."""
        bending = [fault for fault in self._on.values() if type(fault).adjust is not Fault.adjust]
        if not bending:
            return None

        def adjust(menu: Menu, stored: Stored, moving: dict[str, Moving]) -> None:
            for fault in bending:
                fault.adjust(menu, stored, moving)

        return adjust


def _check(name: str, kind: type[Fault], key: str, value: object) -> None:
    parameter = kind.parameters.get(key)
    if parameter is None:
        allowed = ", ".join(kind.parameters) or "none"
        raise FaultError(f"{name}: unknown parameter {key!r}; there are: {allowed}")
    wanted: type | tuple[type, ...] = str if isinstance(parameter.default, str) else (int, float)
    if not isinstance(value, wanted) or isinstance(value, bool):
        what = "a text" if wanted is str else "a number"
        raise FaultError(f"{name}: {key} must be {what}, got {value!r}")
