"""How the rows of one menu become sentences for one proplist: stored words once, moving ones each time."""

from collections.abc import Iterable, Iterator

from .menu import Menu, Moving
from .table import Row
from .traffic import Moment
from .wire import encode, word


class Plan:
    """Encodes rows of a menu. Words of stored fields are kept per row until the row changes."""

    __slots__ = ("_moving", "_stored", "_words", "menu")

    def __init__(self, menu: Menu, stored: dict[str, str | None], moving: dict[str, Moving]) -> None:
        """`stored` maps names to defaults, in order; `moving` names to functions."""
        self.menu = menu
        self._stored = stored
        self._moving = tuple((f"={name}=", compute) for name, compute in moving.items())
        self._words: dict[Row, bytes] = {}

    def __repr__(self) -> str:
        return f"<Plan {self.menu.path} {len(self._stored)}+{len(self._moving)} fields>"

    def forget(self, row: Row) -> None:
        """The row changed or is gone."""
        self._words.pop(row, None)

    def encode(
        self, rows: Iterable[Row], moment: Moment, head: bytes, *, keep: bool = True
    ) -> Iterator[bytes]:
        """One whole sentence per row, opened by `head`. `keep` False leaves no trace of the rows."""
        words, moving = self._words, self._moving
        for row in rows:
            known = words.get(row)
            if known is None:
                known = self._stored_words(row)
                if keep:
                    words[row] = known
            parts = [head, known]
            for prefix, compute in moving:
                value = compute(row, moment)
                if value is not None:
                    parts.append(encode(prefix + value))
            parts.append(b"\x00")
            yield b"".join(parts)

    def _stored_words(self, row: Row) -> bytes:
        values = row.values
        parts = []
        for name, default in self._stored.items():
            if name == ".id":
                parts.append(encode(f"=.id={row.id}"))
                continue
            value = values.get(name)
            if value is not None:
                parts.append(encode(f"={name}={value}"))
            elif default is not None:
                parts.append(word(f"={name}={default}"))
        return b"".join(parts)
