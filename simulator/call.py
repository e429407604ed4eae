"""One command as received, and what a command may answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .wire import word

if TYPE_CHECKING:
    from .world import Adjust


class Trap(Exception):
    """The command fails: `!trap` with this message, then `!done`. The connection lives on."""

    def __init__(self, message: str, category: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.category = category


class HangUp(Exception):
    """The router closes the connection, after what was already said."""


class Silence(Exception):
    """The router says nothing more on this connection."""


NOT_PERMITTED = "not enough permissions (9)"


@dataclass(slots=True, eq=False)
class Call:
    """A command sentence taken apart: `/ip/arp/print` is menu `/ip/arp`, command `print`."""

    words: list[str]
    menu: str
    command: str
    args: dict[str, str]
    queries: list[str]
    tag: str | None
    row_head: bytes
    """The encoded first words of each reply row: `!re` and the tag."""
    user: str = ""
    policies: frozenset[str] = frozenset()
    adjust: "Adjust | None" = None

    @property
    def path(self) -> str:
        """The command word itself."""
        return self.words[0]

    def row(self, *pairs: tuple[str, str]) -> bytes:
        """One `!re` sentence of these fields."""
        return self.row_head + b"".join(word(f"={key}={value}") for key, value in pairs) + b"\x00"

    def closing(self, reply: str, *words: str) -> bytes:
        """A sentence that is not a row, with the tag."""
        tag = b"" if self.tag is None else word(f".tag={self.tag}")
        return word(reply) + tag + b"".join(map(word, words)) + b"\x00"

    def trap(self, trap: Trap) -> bytes:
        """The `!trap` sentence."""
        category = () if trap.category is None else (f"=category={trap.category}",)
        return self.closing("!trap", *category, f"=message={trap.message}")


def parse_call(words: list[str]) -> Call:
    """A sentence as a call; words of no known shape are left out, as routers do."""
    menu, _, command = words[0].rpartition("/")
    args: dict[str, str] = {}
    queries: list[str] = []
    tag: str | None = None
    for item in words[1:]:
        if item.startswith("="):
            key, _, value = item[1:].partition("=")
            args[key] = value
        elif item.startswith("?"):
            queries.append(item)
        elif item.startswith(".tag="):
            tag = item[5:]
    head = word("!re") if tag is None else word("!re") + word(f".tag={tag}")
    return Call(words, menu, command, args, queries, tag, head)


@dataclass(slots=True)
class Answer:
    """Rows, then `!done`. `ret` goes with `!done`; `empty` says `!empty` when no row came."""

    rows: Iterable[bytes] = ()
    ret: str | None = None
    empty: bool = False
    delay_s: float = 0.0


@dataclass(slots=True)
class Stream:
    """Frames at a distance of `interval_s`, the first at once, until `frame` gives None or /cancel."""

    frame: Callable[[int], Iterable[bytes] | None]
    interval_s: float = 1.0


@dataclass(slots=True)
class Listening:
    """Rows as they change. `subscribe` takes the function to call and gives the one that ends it."""

    subscribe: Callable[[Callable[[bytes], None]], Callable[[], None]]
    first: Iterable[bytes] = field(default=())


Outcome = Answer | Stream | Listening
