"""Commands that every menu has: print and its kin, set, add, remove."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from .call import Answer, Call, Listening, Outcome, Stream, Trap
from .formats import seconds_of
from .menu import Command, Menu
from .queries import Lookup, compile_queries
from .table import Row
from .traffic import Flow, Moment
from .wire import encode

if TYPE_CHECKING:
    from .world import World

_PRINT_WORDS = frozenset(
    {
        *(
            ".proplist",
            "count-only",
            "stats",
            "detail",
            "once",
            "interval",
            "follow",
            "follow-only",
            "active",
        ),
        *("without-paging", "terse", "brief", "value-list", "as-value", ".id", "numbers", "from", "show-ids"),
    }
)
_FLAGS = {"yes": "true", "no": "false", "true": "true", "false": "false"}


def print_rows(world: World, menu: Menu, call: Call) -> Outcome:
    """Rows of a menu; or their number; or an endless stream of them."""
    if menu.commands_only:
        raise Trap("no such command", 0)
    if unknown := call.args.keys() - _PRINT_WORDS:
        raise Trap(f"unknown parameter {min(unknown)}", 1)
    if "count-only" in call.args:
        stored, made = selected(world, menu, call)
        return Answer(ret=str(len(stored) + len(made)))
    if "follow" in call.args or "follow-only" in call.args:
        first = () if "follow-only" in call.args else _sentences(world, menu, call)
        return Listening(_subscriber(world, menu, call), first)
    if "interval" in call.args and "once" not in call.args:
        return Stream(lambda _: _sentences(world, menu, call), max(0.01, seconds(call, "interval")))
    return Answer(_sentences(world, menu, call), empty=not menu.singleton)


def listen(world: World, menu: Menu, call: Call) -> Outcome:
    """Changed rows in full, removed ones as `.dead`; counters do not count as a change."""
    if menu.commands_only:
        raise Trap("no such command", 0)
    return Listening(_subscriber(world, menu, call))


def selected(world: World, menu: Menu, call: Call) -> tuple[list[Row], list[Row]]:
    """The rows that queries and `=active=` keep: stored ones, and those made for this reading."""
    moment = world.advance()
    stored, made = world.rows(menu)
    if "active" in call.args and menu.active is not None:
        stored = list(filter(menu.active, stored))
    if (reference := call.args.get(".id") or call.args.get("numbers")) is not None:
        wanted = set(reference.split(","))
        stored = [row for row in stored if row.id in wanted or row.values.get("name") in wanted]
    if call.queries:
        keeps = compile_queries(call.queries)
        look = looker(world, menu, moment)
        stored = [row for row in stored if keeps(look(row))]
        made = [row for row in made if keeps(look(row))]
    return stored, made


def looker(world: World, menu: Menu, moment: Moment) -> Callable[[Row], Lookup]:
    """Reads any field of a row as print would say it."""
    known, moving = menu.fields_of(world.version), menu.moving

    def look(row: Row) -> Lookup:
        values = row.values

        def lookup(name: str) -> str | None:
            if name not in known:
                return row.id if name == ".id" and not menu.singleton else None
            compute = moving.get(name)
            if compute is not None:
                return compute(row, moment)
            value = values.get(name)
            return known[name] if value is None else value

        return lookup

    return look


def _sentences(world: World, menu: Menu, call: Call) -> Iterator[bytes]:
    stored, made = selected(world, menu, call)
    plan = world.plan(menu, call.args.get(".proplist"), call, call.adjust)
    rows = plan.encode(stored, world.moment, call.row_head)
    return itertools.chain(rows, plan.encode(made, world.moment, call.row_head, keep=False)) if made else rows


def _subscriber(
    world: World, menu: Menu, call: Call
) -> Callable[[Callable[[bytes], None]], Callable[[], None]]:
    plan = world.plan(menu, call.args.get(".proplist"), call)
    keeps = compile_queries(call.queries) if call.queries else None
    table = world.table(menu.source)

    def subscribe(send: Callable[[bytes], None]) -> Callable[[], None]:
        def changed(row: Row, dead: bool) -> None:
            if menu.where is not None and not menu.where(row):
                return
            if dead:
                send(call.row_head + encode(f"=.id={row.id}") + encode("=.dead=true") + b"\x00")
            elif keeps is None or keeps(looker(world, menu, world.moment)(row)):
                for sentence in plan.encode((row,), world.moment, call.row_head):
                    send(sentence)

        table.watchers.append(changed)
        return lambda: table.watchers.remove(changed) if changed in table.watchers else None

    return subscribe


# -- writing ---------------------------------------------------------------------------------------------


def targets(world: World, menu: Menu, call: Call, *words: str) -> list[Row]:
    """The rows that `=.id=`, `=numbers=` or another of `words` names, by id or by name.

    Raises:
        Trap: none named, or one that is not there.
    """
    world.advance()
    for key in (".id", "numbers", *words):
        if key in call.args:
            return [_target(world, menu, reference) for reference in call.args[key].split(",")]
    if menu.singleton:
        return list(world.table(menu.source))
    raise Trap("missing =.id=", 1)


def _target(world: World, menu: Menu, reference: str) -> Row:
    row = world.table(menu.source).find(reference)
    if row is None or (menu.where is not None and not menu.where(row)):
        raise Trap("no such item", 0)
    return row


def set_fields(world: World, menu: Menu, call: Call) -> Outcome:
    """Store fields in the named rows."""
    changes = _changes(world, menu, call, leave=(".id", "numbers"))
    for row in targets(world, menu, call):
        world.table(menu.source).update(row, dict(changes))
        if menu.on_change is not None:
            menu.on_change(world, row)
    return Answer()


def _changes(world: World, menu: Menu, call: Call, leave: Iterable[str]) -> dict[str, str]:
    known = menu.fields_of(world.version)
    changes = {}
    for key, value in call.args.items():
        if key in leave:
            continue
        if key not in known or key in menu.moving:
            raise Trap(f"unknown parameter {key}", 1)
        if known[key] in ("true", "false"):
            if value not in _FLAGS:
                raise Trap(f"input does not match any value of {key}", 1)
            value = _FLAGS[value]
        changes[key] = value
    return changes


def add_row(world: World, menu: Menu, call: Call) -> Outcome:
    """A new row; its id comes back."""
    if menu.singleton or not menu.editable:
        raise Trap("no such command", 0)
    world.advance()
    row = world.table(menu.source).add(
        _changes(world, menu, call, leave=("place-before", "copy-from")),
        since_s=world.now_s,
        flow=Flow(0.0, 0.0, world.moment) if menu.has_traffic else None,
    )
    if menu.on_add is not None:
        menu.on_add(world, row)
    return Answer(ret=row.id)


def remove_rows(world: World, menu: Menu, call: Call) -> Outcome:
    """The named rows go."""
    if menu.singleton or not (menu.editable or menu.on_remove):
        raise Trap("no such command", 0)
    for row in targets(world, menu, call):
        if menu.on_remove is not None:
            menu.on_remove(world, row)
        else:
            world.table(menu.source).remove(row)
    return Answer()


def _switcher(disabled: str) -> Command:
    def switch(world: World, menu: Menu, call: Call) -> Outcome:
        if "disabled" not in menu.fields_of(world.version):
            raise Trap("no such command", 0)
        for row in targets(world, menu, call):
            world.table(menu.source).change(row, disabled=disabled)
            if menu.on_change is not None:
                menu.on_change(world, row)
        return Answer()

    return Command(switch, "write")


def seconds(call: Call, key: str, default: float = 0.0) -> float:
    """A duration argument in seconds.

    Raises:
        Trap: not a duration.
    """
    text = call.args.get(key)
    try:
        return seconds_of(text) if text else default
    except ValueError as error:
        raise Trap(f"invalid value for argument {key}", 1) from error


GENERIC = {
    "print": Command(print_rows),
    "getall": Command(print_rows),
    "listen": Command(listen),
    "set": Command(set_fields, "write"),
    "add": Command(add_row, "write"),
    "remove": Command(remove_rows, "write"),
    "enable": _switcher("false"),
    "disable": _switcher("true"),
}
