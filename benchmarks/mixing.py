"""Faults of many kinds on bots, databases and ports: how each breaks, how its run ought to end, what is true of it."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from scripts.demo.billing import LockHolder
from scripts.demo.calls import fetch, get
from scripts.demo.faults import FAULTS, UNSENT, Request, bot_fault, bot_mended, router_fault, router_mended

QUEUE_IS_WELL_S = 5.0
"""A message that has waited for less is none that is stuck: what the demo's rule removes is older."""


class Thing(Enum):
    """What faults are played on."""

    BOT = "bot"
    DATABASE = "database"
    PORT = "port"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to break: which rule answers, how its run ought to end (one of `ends`), and after how many actions.

    `helped_after` is the number of actions after which what was wrong goes away as it would in the field, where a
    network comes back or a plug sits right again; 0 means that recovery has nobody's help. `is_told` is whether a
    person must hear of it over the fallback. `consents` is what the operator answers when he is asked.
    """

    name: str
    thing: Thing
    rule: str
    share: int
    """How often it is drawn, among all."""
    ends: tuple[str, ...] = ("cured",)
    actions: tuple[int, int] = (1, 1)
    helped_after: int = 0
    is_told: bool = False
    consents: bool = True
    breaks: tuple[Request, ...] = ()
    mends: tuple[Request, ...] = ()

    @property
    def can_be_cured(self) -> bool:
        """Whether recovery is to mend it, and not only to say that it cannot."""
        return "cured" in self.ends


RECONNECT, QUEUE, LOCK, BOUNCE = (FAULTS[name].rule for name in ("bot", "queue", "db", "flap"))
LOOP, QUEUE_STUCK, LOGOUT, TIMELOCK = (FAULTS[name] for name in ("loop", "queue", "logout", "timelock"))

KINDS: Sequence[Kind] = (
    Kind(
        "session dropped", Thing.BOT, RECONNECT, 24,
        breaks=FAULTS["bot"].breaks, mends=FAULTS["bot"].mends,
    ),
    Kind(
        "session dropped, two tries in vain", Thing.BOT, RECONNECT, 6, actions=(2, 4), helped_after=2,
        breaks=LOOP.breaks, mends=LOOP.mends,
    ),
    Kind(
        "queue stuck", Thing.BOT, QUEUE, 14, breaks=(bot_fault("queue_stuck"), *UNSENT), mends=QUEUE_STUCK.mends
    ),
    Kind(
        "session drops again and again", Thing.BOT, RECONNECT, 5, ends=("exhausted",), actions=(5, 5), is_told=True,
        breaks=LOOP.breaks, mends=LOOP.mends,
    ),
    Kind(
        "logged out by the phone", Thing.BOT, RECONNECT, 6, ends=("refused",), actions=(0, 0), is_told=True,
        breaks=LOGOUT.breaks, mends=LOGOUT.mends,
    ),
    Kind(
        "banned", Thing.BOT, RECONNECT, 4, ends=("refused",), actions=(0, 0), is_told=True,
        breaks=(bot_fault("banned"),), mends=(bot_mended("banned"),),
    ),
    Kind(
        "barred from new chats", Thing.BOT, RECONNECT, 4, ends=("refused",), actions=(0, 0), is_told=True,
        breaks=TIMELOCK.breaks, mends=TIMELOCK.mends,
    ),
    Kind("locked", Thing.DATABASE, LOCK, 20),
    Kind(
        "locked, and the operator says no", Thing.DATABASE, LOCK, 3, ends=("cancelled",), actions=(0, 0), consents=False
    ),
    Kind("port flaps", Thing.PORT, BOUNCE, 14, helped_after=1),
    Kind(  # every other moment it says that it is well, so that in the end nobody may be able to tell
        "port goes on flapping", Thing.PORT, BOUNCE, 4, ends=("exhausted", "not_cured"), is_told=True
    ),
)  # fmt: skip


def drawn(count: int, dice: random.Random) -> dict[Thing, list[Kind]]:
    """So many faults, each kind about as often as its share, in an order of their own for each kind of thing."""
    kinds = dice.choices(KINDS, weights=[kind.share for kind in KINDS], k=count)
    return {thing: [kind for kind in kinds if kind.thing is thing] for thing in Thing}


# -- what they are played on


@dataclass(frozen=True, slots=True)
class Bot:
    """A simulated bot."""

    name: str
    url: str

    @property
    def labels(self) -> Mapping[str, str]:
        """Those of its alerts."""
        return {"bot": self.name}

    def break_(self, kind: Kind) -> None:
        """Raises Unreachable."""
        for request in kind.breaks:
            self._send(request)

    def mend(self, kind: Kind) -> None:
        """Raises Unreachable."""
        for request in kind.mends:
            self._send(request)

    def is_well(self, kind: Kind) -> bool:
        """What the bot itself says of what was broken. Raises Unreachable."""
        if kind.rule == QUEUE:
            queue = get(f"{self.url}/queue")
            return float(queue["oldest_s"]) < QUEUE_IS_WELL_S  # 0 when it is empty
        health = self._health()
        return health["connection"] == "open" and health["reachout_timelock_until"] is None

    def touched(self) -> int:
        """How often it was told to connect again; one that is logged out must not be. Raises Unreachable."""
        return int(self._health()["reconnects"])

    def _health(self) -> dict[str, Any]:
        text = fetch("GET", f"{self.url}/health", also=(HTTPStatus.SERVICE_UNAVAILABLE,))
        found: dict[str, Any] = json.loads(text)
        return found

    def _send(self, request: Request) -> None:
        fetch(request.method, self.url + request.path, request.body)


@dataclass(frozen=True, slots=True)
class Database:
    """A SQLite file, and a program that can hold its lock."""

    name: str
    holder: LockHolder

    @property
    def labels(self) -> Mapping[str, str]:
        """Those of its alerts."""
        return {"database": self.name}

    def break_(self, _: Kind) -> None:
        """Raises OSError."""
        self.holder.hold()

    def mend(self, _: Kind) -> None:
        """It is let go."""
        self.holder.end()

    def is_well(self, _: Kind) -> bool:
        """Whether nobody holds the lock."""
        return not self.holder.holds

    def touched(self) -> int:
        """Nothing is counted here."""
        return 0


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a simulated router."""

    router: str
    interface: str
    simulator: str

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.router} {self.interface}"

    @property
    def labels(self) -> Mapping[str, str]:
        """Those of its alerts."""
        return {"router": self.router, "interface": self.interface}

    def break_(self, _: Kind) -> None:
        """Raises Unreachable."""
        self._send(router_fault(self.router, "flap", interface=self.interface, period_s=1.0))

    def mend(self, _: Kind) -> None:
        """Raises Unreachable."""
        self._send(router_mended(self.router, "flap"))

    def is_well(self, _: Kind) -> bool:
        """Whether it does not flap any more. Raises Unreachable."""
        return "flap" not in get(f"{self.simulator}/routers/{self.router}/faults")

    def touched(self) -> int:
        """Nothing is counted here."""
        return 0

    def _send(self, request: Request) -> None:
        fetch(request.method, self.simulator + request.path, request.body)


Target = Bot | Database | Port


def in_turn(targets: Sequence[Target]) -> Iterator[Target]:
    """One after the other, again and again."""
    while True:
        yield from targets
