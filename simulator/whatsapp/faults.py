"""What can be wrong with a provider, with the parameters of each, and what is wrong with it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Parameter = float | str
COMMON: Mapping[str, Parameter] = {"times": 0, "to": ""}
"""Every fault takes these: so many times and then no more (0: until cleared); for this number or group alone."""


class FaultError(ValueError):
    """No such provider, fault or parameter; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be wrong; `parameters` with their defaults."""

    description: str
    parameters: Mapping[str, float] = field(default_factory=dict)


GENERAL: Mapping[str, Fault] = {
    "unavailable": Fault("every request is refused before it is read", {"status": 503, "retry_after": 0}),
    "slow": Fault("every answer takes that long", {"seconds": 3}),
    "hang": Fault(
        "no answer to a send; the message is out when `delivered` is 1", {"seconds": 3600, "delivered": 1}
    ),
    "reset": Fault("the connection ends without an answer to a send", {"delivered": 1}),
    "error_after_delivery": Fault(
        "a send is answered with a server error, and the message is out", {"status": 500}
    ),
    "error_before_delivery": Fault(
        "a send is answered with a server error, and no message is out", {"status": 500}
    ),
    "malformed": Fault("the answer to a send is cut JSON, and the message is out", {"delivered": 1}),
    "html": Fault("the answer to a send is a page for people, with status 200", {"delivered": 1}),
    "rate_limited": Fault("a send is refused for its pace", {"retry_after": 7}),
    "wrong_token": Fault("no credentials are good enough"),
}
LIFE: Mapping[str, Fault] = {
    "no_ack": Fault("taken and never acknowledged; a restart mends it when `curable` is 1", {"curable": 1}),
    "late_ack": Fault("acknowledged that much later", {"seconds": 10}),
    "lost": Fault("acknowledged as failed instead of delivered", {"code": 0}),
    "phone_off": Fault("acknowledged by the server; delivered when this is cleared"),
    "no_number": Fault("the number is not on WhatsApp"),
}
HOOKS: Mapping[str, Fault] = {
    "webhooks_duplicate": Fault("each webhook comes so many times more", {"copies": 1}),
    "webhooks_reordered": Fault("every other webhook is overtaken by the next", {"seconds": 0.3}),
    "webhooks_silent": Fault("no webhook comes"),
    "webhooks_unsigned": Fault("webhooks come with a wrong signature, where there is one"),
}
SESSION: Mapping[str, Fault] = {
    "disconnected": Fault(
        "the session is broken; a restart mends it when `curable` is 1", {"code": 428, "curable": 1}
    ),
    "logged_out": Fault("the phone removed the device; only POST /control/scan mends it", {"code": 401}),
    "banned": Fault("the account is blocked", {"code": 403}),
    "timelock": Fault(
        "WhatsApp's error 463: no new chats from this account; told by webhook when `later` is 1",
        {"later": 1},
    ),
}


class FaultBoard:
    """The faults of one provider; `changed` is called when one is set, used up or cleared."""

    def __init__(self, provider: str, known: Mapping[str, Fault], changed: Callable[[], None]) -> None:
        self.provider = provider
        self.known = known
        self._changed = changed
        self._active: dict[str, dict[str, Parameter]] = {}

    def __repr__(self) -> str:
        return f"<FaultBoard {self.provider} {self._active}>"

    def __contains__(self, name: str) -> bool:
        return name in self._active

    @property
    def active(self) -> dict[str, dict[str, Parameter]]:
        """Name to parameters."""
        return {name: dict(parameters) for name, parameters in self._active.items()}

    def look(self, name: str, chat: str = "") -> Mapping[str, float] | None:
        """The numbers of a fault that is on for this chat."""
        parameters = self._active.get(name)
        if parameters is None or (parameters["to"] and parameters["to"] != chat):
            return None
        return {key: value for key, value in parameters.items() if isinstance(value, int | float)}

    def use(self, name: str, chat: str = "") -> Mapping[str, float] | None:
        """As `look`, and counts down what holds only for some times."""
        numbers = self.look(name, chat)
        if numbers is not None and numbers["times"]:
            self._active[name]["times"] = numbers["times"] - 1
            if numbers["times"] <= 1:
                del self._active[name]
                self._changed()
        return numbers

    def set(self, name: str, **parameters: object) -> None:
        """Switch a fault on. Raises FaultError."""
        if name not in self.known:
            raise FaultError(f"{self.provider} has no fault {name!r}; known: {', '.join(self.known)}")
        defaults: dict[str, Parameter] = {**self.known[name].parameters, **COMMON}
        given: dict[str, Parameter] = {}
        for key, value in parameters.items():
            if key not in defaults:
                raise FaultError(f"{name} has no parameter {key!r}; known: {', '.join(defaults)}")
            given[key] = _checked(name, key, value)
        self._active[name] = {**defaults, **given}
        self._changed()

    def clear(self, name: str | None = None) -> None:
        """Switch one fault off, or all. Raises FaultError."""
        if name is not None and name not in self.known:
            raise FaultError(f"{self.provider} has no fault {name!r}; known: {', '.join(self.known)}")
        for one in list(self._active) if name is None else [name]:
            self._active.pop(one, None)
        self._changed()


def _checked(name: str, key: str, value: object) -> Parameter:
    if key == "to":
        if not isinstance(value, str):
            raise FaultError(f"{name}: to is a number or group as text")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1_000_000:
        raise FaultError(f"{name}: {key} is a number from 0 to 1000000")
    return value
