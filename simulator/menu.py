"""What a menu is: a declaration of its fields, where its rows are, and what can be done there.

Fields are written as words, `name[@since][=default]`, in the router's order: `running=false` is said
even when nothing is stored, `comment` only when there is one, `max-sessions@7.16=20` from 7.16 on and
`gateway-status@<7` before 7 only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from .call import Call, Outcome
from .formats import Version, version_of
from .table import Row
from .traffic import Moment

if TYPE_CHECKING:
    from .world import World

Moving = Callable[[Row, Moment], str | None]
"""Computes a field at a moment; None leaves the field out."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What decides which menus a router has: its version, its packages, its hardware."""

    version: Version
    packages: frozenset[str]
    hardware: frozenset[str]


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a menu and the policy it needs."""

    run: Callable[["World", "Menu", Call], Outcome]
    policy: str = "read"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a menu; `default` None means that it is absent unless stored."""

    name: str
    default: str | None = None
    since: Version = ()
    until: Version = ()

    def known_to(self, version: Version) -> bool:
        """Whether that RouterOS has the field."""
        return version >= self.since and (not self.until or version < self.until)


def parse_fields(text: str) -> tuple[Field, ...]:
    """The fields that the words of `text` declare."""
    fields = []
    for item in text.split():
        head, has_default, default = item.partition("=")
        name, _, bound = head.partition("@")
        since = until = ()
        limits: tuple[Version, Version] = (since, until)
        if bound.startswith("<"):
            limits = ((), _bound(bound[1:]))
        elif bound:
            limits = (_bound(bound), ())
        fields.append(Field(name, default if has_default else None, *limits))
    return tuple(fields)


def _bound(text: str) -> Version:
    return version_of(text if "." in text else f"{text}.0")


@dataclass(frozen=True, eq=False)
class Menu:
    """A menu as a table of its parts; most need only `path` and `fields`."""

    path: str
    fields: str
    moving: Mapping[str, Moving] = field(default_factory=dict)
    table: str = ""
    """Path of the table whose rows are shown; the menu's own when empty."""
    where: Callable[[Row], bool] | None = None
    """Which rows of that table belong here."""
    rows: Callable[["World"], Iterable[Row]] | None = None
    """Rows made at the moment of reading, beside those of the table."""
    singleton: bool = False
    commands: Mapping[str, Command] = field(default_factory=dict)
    stats: str = ""
    """Fields that `=stats=` leaves, when it restricts them."""
    detail: str = ""
    """Fields that only `=detail=` or a proplist shows."""
    sensitive: str = ""
    """Fields that need the policy `sensitive`."""
    active: Callable[[Row], bool] | None = None
    """Which rows `=active=` keeps."""
    since: Version = ()
    until: Version = ()
    package: str = ""
    """Package that v6 needs for this menu."""
    extra_package: str = ""
    """Package that v7 needs for this menu."""
    hardware: str = ""
    """Part of a board without which the menu is absent."""
    editable: bool = True
    """Whether add and remove work (set works on every table)."""
    commands_only: bool = False
    """A directory that holds commands and nothing to print."""
    on_change: Callable[["World", Row], None] | None = None
    """Called after set, enable or disable stored something."""
    on_add: Callable[["World", Row], None] | None = None
    """Called after add stored a row."""
    on_remove: Callable[["World", Row], None] | None = None
    """Called instead of taking the row away."""
    has_traffic: bool = False
    """Rows that are added count traffic, from zero and so far without any."""
    first_id: int = 1

    @property
    def source(self) -> str:
        """Path of the table that holds the rows."""
        return self.table or self.path

    def available(self, traits: Traits) -> bool:
        """Whether a router with these traits has the menu."""
        if traits.version < self.since or (self.until and traits.version >= self.until):
            return False
        needed = self.package if traits.version < (7,) else self.extra_package
        return (not needed or needed in traits.packages) and (
            not self.hardware or self.hardware in traits.hardware
        )

    def fields_of(self, version: Version) -> Mapping[str, str | None]:
        """Fields of that RouterOS with their defaults."""
        return _fields(self.fields, version)

    def commanded(self, *extra: tuple[str, Command]) -> Mapping[str, Command]:
        """This menu's own commands with more."""
        return {**self.commands, **dict(extra)}


@lru_cache(maxsize=2048)
def _fields(text: str, version: Version) -> dict[str, str | None]:
    return {item.name: item.default for item in parse_fields(text) if item.known_to(version)}
