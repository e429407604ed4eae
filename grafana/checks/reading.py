"""Dashboards as they stand in their files, whoever wrote them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path("grafana/dashboards")
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")
_STANDING: Final = {"$__rate_interval": "1m", "$__range": "1h", "$__interval": "1m"}


class Unreadable(Exception):
    """A file that is no dashboard; the message says where it stops being one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query, and where it stands."""

    place: str
    expr: str
    panel: dict[str, Any]
    target: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One file."""

    file: Path
    content: dict[str, Any]

    @property
    def uid(self) -> str:
        """What links call it; empty without one."""
        return str(self.content.get("uid") or "")

    def variables(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {str(one.get("name")): one for one in self.content.get("templating", {}).get("list", [])}

    def panels(self) -> Iterator[dict[str, Any]]:
        """Every panel, those in closed rows and the rows themselves included."""
        for panel in self.content.get("panels", []):
            yield panel
            yield from panel.get("panels") or []

    def place(self, panel: dict[str, Any]) -> str:
        """Where a panel is, for people."""
        return f'{self.file}: panel {panel.get("id")} "{panel.get("title", "")}"'

    def asked(self) -> Iterator[Asked]:
        """Every query of panels and annotations."""
        for panel in self.panels():
            for target in panel.get("targets") or []:
                yield Asked(
                    f"{self.place(panel)}, {target.get('refId')}", str(target.get("expr")), panel, target
                )
        for mark in self.content.get("annotations", {}).get("list", []):
            if "expr" in mark:
                yield Asked(f'{self.file}: annotation "{mark.get("name")}"', str(mark["expr"]), {}, mark)


def dashboards(folder: Path = FOLDER) -> list[Dashboard]:
    """Every dashboard below the folder. Raises Unreadable with file, line and column."""
    return [_read(file) for file in sorted(folder.rglob("*.json"))]


def _read(file: Path) -> Dashboard:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise Unreadable(f"{file}:{error.lineno}:{error.colno}: {error.msg}") from None
    if not isinstance(content, dict) or not isinstance(content.get("panels"), list):
        raise Unreadable(f"{file}:1: is no dashboard: it has no list of panels")
    return Dashboard(file, content)


def names_in(text: str) -> set[str]:
    """The variables that a text uses, those of Grafana itself left out."""
    found = {match[1] or match[2] for match in _VARIABLE.finditer(text)}
    return {name for name in found if not name.startswith("__")}


def spelled_out(expr: str, values: dict[str, str] | None = None) -> str:
    """An expression with something in the place of each variable; `values` by name, else a pattern for anything."""
    known = values or {}
    for name, standing in {**_STANDING, **{f"${name}": value for name, value in known.items()}}.items():
        expr = re.sub(re.escape(name) + r"(?!\w)", lambda _, value=standing: value, expr)  # type: ignore[misc]
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], ".+"), expr)
