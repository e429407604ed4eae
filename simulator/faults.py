"""Everything that can be made to go wrong with a router: a table, and the board where faults are switched.

A fault overrides the few hooks where it differs from a healthy router; nobody else asks which are on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .call import NOT_PERMITTED, Call, HangUp, Silence, Trap
from .login import REFUSED
from .menu import Menu, Moving
from .wire import sentence

if TYPE_CHECKING:
    from .device import Device

Setting = str | float
Stored = dict[str, str | None]


class FaultError(ValueError):
    """No such fault or parameter, or a value that cannot be; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a fault."""

    default: Setting
    description: str


_MENU = Parameter("", "menu it concerns, such as /queue/simple; empty is all")


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


class Refuse(Fault):
    description = "nobody listens on the port: connections are refused, open ones are cut"

    def switched_on(self) -> None:
        self.device.refuse()
        self.device.drop_connections()

    def switched_off(self) -> None:
        self.device.back()


class Hang(Fault):
    description = "connections are accepted and nothing is ever answered"

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        raise Silence
        yield b""  # makes this a generator, so that silence falls when the reply is due


class HangMidSentence(Fault):
    description = "half a sentence of a reply, then silence"
    parameters = {"menu": _MENU}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        first = next(sentences)
        yield first[: max(1, len(first) // 2)]
        raise Silence


class DropMidReply(Fault):
    description = "some rows of a reply and half of the next sentence, then the connection closes"
    parameters = {"menu": _MENU, "rows": Parameter(1, "whole sentences that still come")}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        left = int(self.number("rows"))
        for said in sentences:
            if left <= 0 or b"!done" in said[:6]:
                yield said[: max(1, len(said) // 2)]
                break
            left -= 1
            yield said
        raise HangUp


class Garbage(Fault):
    description = "random bytes instead of a reply"
    parameters = {"menu": _MENU, "length": Parameter(512, "how many bytes")}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        yield self.device.random.randbytes(int(self.number("length")))
        raise Silence


class AbsurdLength(Fault):
    description = "a word announced with a length that cannot be, then silence"
    parameters = {
        "menu": _MENU,
        "prefix": Parameter("f0ffffffff", "the length as hex: f0ffffffff is 4 GiB, f8 a reserved byte"),
    }

    def switched_on(self) -> None:
        try:
            bytes.fromhex(self.text("prefix"))
        except ValueError as error:
            raise FaultError(f"prefix: {self.text('prefix')!r} is not hex, such as f0ffffffff") from error

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        yield bytes.fromhex(self.text("prefix"))
        raise Silence


class Fatal(Fault):
    description = "!fatal instead of a reply, then the connection closes"
    parameters = {"menu": _MENU, "reason": Parameter("session terminated", "the bare word after !fatal")}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if not self.concerns(call):
            yield from sentences
            return
        yield sentence("!fatal", self.text("reason"))
        raise HangUp


class UnknownReplyWord(Fault):
    description = "a reply word of no known meaning before each reply"
    parameters = {"menu": _MENU, "word": Parameter("!note", "the word")}

    def reply(self, call: Call, sentences: Iterator[bytes]) -> Iterator[bytes]:
        if self.concerns(call):
            yield call.closing(self.text("word"), "=message=of no known meaning")
        yield from sentences


class WrongPassword(Fault):
    description = "every login is refused"

    def check_login(self) -> None:
        raise Trap(REFUSED)


class NoApiPolicy(Fault):
    description = "the user's group has lost the policy api: logins are refused as with a wrong password"

    def switched_on(self) -> None:
        self.device.drop_connections()

    def check_login(self) -> None:
        raise Trap(REFUSED)


class NoPermission(Fault):
    description = "commands are refused for lack of a policy"
    parameters = {"menu": _MENU}

    def check(self, call: Call) -> None:
        if self.concerns(call):
            raise Trap(NOT_PERMITTED)


class SlowMenu(Fault):
    description = "commands take longer"
    parameters = {"menu": _MENU, "seconds": Parameter(5.0, "how much longer")}

    def delay_s(self, call: Call) -> float:
        return self.number("seconds") if self.concerns(call) else 0.0


class SessionLimit(Fault):
    description = "connections beyond a number are closed at once"
    parameters = {"limit": Parameter(1, "how many may be open")}

    def session_limit(self, limit: int) -> int:
        return min(limit, int(self.number("limit")))


class NotANumber(Fault):
    description = "fields that are numbers carry a text"
    parameters = {
        "menu": _MENU,
        "field": Parameter("", "the field; empty is every field that moves"),
        "text": Parameter("n/a", "what it says"),
    }

    def adjust(self, menu: Menu, stored: Stored, moving: dict[str, Moving]) -> None:
        wanted, text = self.text("field"), self.text("text")
        if self.text("menu") not in ("", menu.path):
            return
        for name in [
            name for name in (*stored, *moving) if name == wanted or (not wanted and name in moving)
        ]:
            stored.pop(name, None)
            moving[name] = lambda _row, _moment: text


class MissingField(Fault):
    description = "fields are absent from the rows"
    parameters = {"menu": _MENU, "field": Parameter("", "the field; empty is every field that moves")}

    def adjust(self, menu: Menu, stored: Stored, moving: dict[str, Moving]) -> None:
        wanted = self.text("field")
        if self.text("menu") not in ("", menu.path):
            return
        for name in [
            name for name in (*stored, *moving) if name == wanted or (not wanted and name in moving)
        ]:
            stored.pop(name, None)
            moving.pop(name, None)


class Flap(Fault):
    description = "a port loses and regains its link again and again"
    parameters = {
        "interface": Parameter("", "its name; empty is the last ethernet port"),
        "period_s": Parameter(10.0, "seconds between two changes"),
    }

    def switched_on(self) -> None:
        from .links import FlappingLink

        name, period_s = self.text("interface"), self.number("period_s")
        if period_s <= 0:
            raise FaultError("period_s: must be greater than 0")
        try:
            self._link = FlappingLink(self.device.world, name, period_s)
        except KeyError as error:
            raise FaultError(f"interface: {error.args[0]}") from error

    def switched_off(self) -> None:
        self._link.end()


class Reboot(Fault):
    description = "the router reboots once, as by POST /routers/NAME/reboot; it clears itself"
    parameters = {"down_s": Parameter(1.0, "seconds until the port answers again")}

    def switched_on(self) -> None:
        self.device.reboot(self.number("down_s"))
        self.device.loop.call_soon(self.device.faults.clear, "reboot")


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
