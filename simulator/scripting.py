"""Scripts: enough of the console's language for what schedulers and recovery scripts do.

`:delay 5s`, `:error "words"`, `:log info words`, and commands of menus such as `/interface enable *2` or
`/system scheduler remove [find where name="x"]`. Anything else is an error, as an unknown word is on a router.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .call import Trap, parse_call
from .commands import GENERIC
from .formats import seconds_of

if TYPE_CHECKING:
    from .menu import Menu
    from .world import World

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_STATEMENT = re.compile(rf"(?:{_QUOTED}|[^;\n\"])+")
_WORD = re.compile(rf"\[find where (?:{_QUOTED}|[^\]\"])*\]|(?:{_QUOTED}|[^\s\"])+")
_FIND = re.compile(rf"\[find where ([\w.-]+)=({_QUOTED}|[^\]\s]+)\]")


def run_script(world: World, source: str, policies: frozenset[str]) -> float:
    """Do what the script says; returns how many seconds it waits in all.

    Raises:
        Trap: `:error`, or a command that fails; what came before it is done.
    """
    waits_s = 0.0
    for statement in _STATEMENT.findall(source):
        words = _WORD.findall(statement)
        match words:
            case []:
                continue
            case [":delay", text]:
                waits_s += seconds_of(text)
            case [":error", *rest]:
                raise Trap(_bare(" ".join(rest)), 3)
            case [":log", topic, *rest]:
                world.log(f"script,{topic}", _bare(" ".join(rest)))
            case [first, *_] if first.startswith("/"):
                _command(world, words, policies)
            case _:
                raise Trap(f"bad command name {words[0]} (line 1 column 1)", 3)
    return waits_s


def _command(world: World, words: list[str], policies: frozenset[str]) -> None:
    """`/system scheduler remove X`: the menu is as many words as name one, the next is the command."""
    parts = [part for word in words for part in word.strip("/").split("/")] if "/" in words[0][1:] else words
    parts = [part.removeprefix("/") for part in parts]
    depth = max((n for n in range(1, len(parts)) if "/" + "/".join(parts[:n]) in world.menus), default=0)
    if not depth:
        raise Trap(f"bad command name {parts[0]} (line 1 column 2)", 3)
    menu, name, given = world.menus["/" + "/".join(parts[:depth])], parts[depth], parts[depth + 1 :]
    command = menu.commands.get(name) or GENERIC.get(name)
    if command is None:
        raise Trap(f"bad command name {name} (line 1 column {len(parts[0]) + 2})", 3)
    if command.policy not in policies:
        raise Trap("not enough permissions (9)")
    arguments: list[str] = []
    for word in given:
        if word.startswith("["):
            if not (found := _found(world, menu, word)):
                return  # a command on nothing does nothing
            arguments.append(f"=numbers={found}")
        elif "=" in word:
            key, _, value = word.partition("=")
            arguments.append(f"={key}={_bare(value)}")
        else:
            arguments.append(f"=numbers={_bare(word)}")
    command.run(world, menu, parse_call([f"{menu.path}/{name}", *arguments]))


def _found(world: World, menu: Menu, word: str) -> str:
    """Ids of the rows that `[find where field=value]` means."""
    asked = _FIND.fullmatch(word)
    if asked is None:
        raise Trap("syntax error (line 1 column 1)", 3)
    field, wanted = asked[1], _bare(asked[2])
    return ",".join(row.id for row in world.rows(menu)[0] if row.values.get(field) == wanted)


def _bare(text: str) -> str:
    """Without its quotes."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])
