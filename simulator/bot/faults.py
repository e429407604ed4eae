"""What can be wrong with the bot, with the parameters of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class BotFaultError(ValueError):
    """No such fault or parameter; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be wrong; `parameters` are numbers with their defaults."""

    description: str
    parameters: Mapping[str, float] = field(default_factory=dict)


FAULTS: Mapping[str, Fault] = {
    "disconnect": Fault(
        "the session is closed and stays so; POST /reconnect mends it when `curable` is 1",
        {"code": 428, "curable": 1},
    ),
    "logged_out": Fault("the phone removed the device; only POST /control/scan mends it", {"code": 401}),
    "banned": Fault("the account is blocked; nothing but clearing the fault mends it", {"code": 403}),
    "half_dead": Fault(
        "calls itself open, nothing comes in and nothing is acknowledged; a restart of the process mends it",
        {"self_probe_tells": 1},
    ),
    "queue_stuck": Fault("messages are taken and never leave the queue; a restart mends it"),
    "queued": Fault("a send is answered 429 with `queued` true, and the message goes out"),
    "send_hangs": Fault("no answer to a send; the message goes out when `delivered` is 1", {"delivered": 1}),
    "timelock": Fault("WhatsApp's error 463: what is sent fails, and health says so", {"seconds": 3600}),
    "frozen": Fault("no request is answered"),
    "slow": Fault("every answer takes that long", {"seconds": 3}),
    "drip": Fault("the answer comes one byte at a time", {"seconds": 0.2}),
    "wrong_json": Fault("the answer is JSON of something else"),
    "broken_json": Fault("the answer is no JSON at all"),
    "html": Fault("a page for people comes instead"),
    "status_500": Fault("the answer is a server error"),
    "redirect": Fault("the answer points somewhere else"),
    "half_body": Fault("the connection ends in the middle of the answer"),
    "huge_body": Fault("the answer is very long", {"megabytes": 10}),
}

SESSION_FAULTS = ("disconnect", "logged_out", "banned")


class BotFaults:
    """The faults that are on."""

    def __init__(self) -> None:
        self._active: dict[str, dict[str, float]] = {}

    def __repr__(self) -> str:
        return f"<BotFaults {self._active}>"

    def __contains__(self, name: str) -> bool:
        return name in self._active

    @property
    def active(self) -> dict[str, dict[str, float]]:
        """Name to parameters."""
        return {name: dict(parameters) for name, parameters in self._active.items()}

    def parameter(self, fault: str, name: str) -> float:
        """A parameter of a fault that is on."""
        return self._active[fault][name]

    def set(self, name: str, **parameters: object) -> None:
        """Switch a fault on. Raises BotFaultError."""
        if name not in FAULTS:
            raise BotFaultError(f"there is no fault {name!r}; known: {', '.join(FAULTS)}")
        known = FAULTS[name].parameters
        given: dict[str, float] = {}
        for key, value in parameters.items():
            if key not in known:
                raise BotFaultError(f"{name} has no parameter {key!r}; known: {', '.join(known) or 'none'}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600:
                raise BotFaultError(f"{name}: {key} is a number from 0 to 3600")
            given[key] = value
        self._active[name] = {**known, **given}

    def clear(self, name: str | None = None) -> None:
        """Switch one fault off, or all. Raises BotFaultError."""
        if name is None:
            self._active.clear()
            return
        if name not in FAULTS:
            raise BotFaultError(f"there is no fault {name!r}; known: {', '.join(FAULTS)}")
        self._active.pop(name, None)
