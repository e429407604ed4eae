"""Names that people shorten or misspell, against those that there are. No input, no output."""

from collections.abc import Callable, Iterable

from alertbridge.reply.parsing import distance

SHOWN = 8


def matching(written: str, known: Iterable[str]) -> list[str]:
    """What `written` can mean, sorted: the name itself, else what begins like it, holds it, or nearly is it."""
    names = sorted(set(known))
    if written in names:
        return [written]
    wanted = _plain(written)
    if not wanted:
        return []
    plain = {name: _plain(name) for name in names}
    ways: tuple[Callable[[str], bool], ...] = (
        lambda other: other == wanted,
        lambda other: other.startswith(wanted),
        lambda other: wanted in other,
        lambda other: len(wanted) >= 4 and distance(wanted, other) == 1,
    )
    for fits in ways:
        if found := [name for name in names if fits(plain[name])]:
            return found
    return []


def listed(names: Iterable[str]) -> str:
    """The first few of them; a dash for none."""
    shown = list(names)
    more = ", \u2026" if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more if shown else "-"


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
