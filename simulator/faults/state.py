"""Faults of what the router knows: values that are wrong or absent, links and power that fail."""

from __future__ import annotations

from typing import ClassVar

from ..links import FlappingLink, gain_link, lose_link, port_named
from ..menu import Menu, Moving
from ..population.subscribers import lose_sessions, regain_sessions
from .base import MENU, Fault, FaultError, Parameter, Stored


class NotANumber(Fault):
    description = "fields that are numbers carry a text"
    parameters: ClassVar = {
        "menu": MENU,
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
    parameters: ClassVar = {
        "menu": MENU,
        "field": Parameter("", "the field; empty is every field that moves"),
    }

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
    parameters: ClassVar = {
        "interface": Parameter("", "its name; empty is the last ethernet port"),
        "period_s": Parameter(10.0, "seconds between two changes"),
    }

    def switched_on(self) -> None:
        name, period_s = self.text("interface"), self.number("period_s")
        if period_s <= 0:
            raise FaultError("period_s: must be greater than 0")
        try:
            self._link = FlappingLink(self.device.world, name, period_s)
        except KeyError as error:
            raise FaultError(f"interface: {error.args[0]}") from error

    def switched_off(self) -> None:
        self._link.end()


class Unplugged(Fault):
    description = "a port has lost its link, until this is cleared"
    parameters: ClassVar = {"interface": Parameter("", "its name; empty is the last ethernet port")}

    def switched_on(self) -> None:
        world = self.device.world
        world.advance()
        try:
            self._port = port_named(world, self.text("interface"))
        except KeyError as error:
            raise FaultError(f"interface: {error.args[0]}") from error
        lose_link(world, self._port)

    def switched_off(self) -> None:
        self.device.world.advance()
        gain_link(self.device.world, self._port)


class SessionsLost(Fault):
    description = "PPPoE sessions end all at once, and do not come back until this is cleared"
    parameters: ClassVar = {"percent": Parameter(50.0, "how many of those that are up")}

    def switched_on(self) -> None:
        percent = self.number("percent")
        if not 0 < percent <= 100:
            raise FaultError("percent: must be more than 0 and at most 100")
        self.device.world.advance()
        self._lost = lose_sessions(self.device.world, percent / 100)

    def switched_off(self) -> None:
        self.device.world.advance()
        regain_sessions(self.device.world, self._lost)


class Reboot(Fault):
    description = "the router reboots once, as by POST /routers/NAME/reboot; it clears itself"
    parameters: ClassVar = {"down_s": Parameter(1.0, "seconds until the port answers again")}

    def switched_on(self) -> None:
        self.device.reboot(self.number("down_s"))
        self.device.loop.call_soon(self.device.faults.clear, "reboot")
