"""Faults of access: who is let in, what is permitted, how long it takes."""

from __future__ import annotations

from typing import ClassVar

from ..call import NOT_PERMITTED, Call, Trap
from ..login import REFUSED
from .base import MENU, Fault, Parameter


class Refuse(Fault):
    description = "nobody listens on the port: connections are refused, open ones are cut"

    def switched_on(self) -> None:
        self.device.refuse()
        self.device.drop_connections()

    def switched_off(self) -> None:
        self.device.back()


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
    parameters: ClassVar = {"menu": MENU}

    def check(self, call: Call) -> None:
        if self.concerns(call):
            raise Trap(NOT_PERMITTED)


class SlowMenu(Fault):
    description = "commands take longer"
    parameters: ClassVar = {"menu": MENU, "seconds": Parameter(5.0, "how much longer")}

    def delay_s(self, call: Call) -> float:
        return self.number("seconds") if self.concerns(call) else 0.0


class SessionLimit(Fault):
    description = "connections beyond a number are closed at once"
    parameters: ClassVar = {"limit": Parameter(1, "how many may be open")}

    def session_limit(self, limit: int) -> int:
        return min(limit, int(self.number("limit")))
