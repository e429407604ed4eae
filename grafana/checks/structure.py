"""What every dashboard must have, and may not have."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any, Final

from grafana.checks.reading import Dashboard, names_in

COLUMNS: Final = 24
SOURCE: Final = "${datasource}"
_LETTERS_PER_COLUMN: Final = 8
_LETTERS_OF_SIGNS: Final = 14
"""How much of a title is seen on a screen 1200 pixels wide; the second is what the sign for the description takes."""
_LINK: Final = re.compile(r"/d/([\w-]+)(?:/[^?\s]*)?(?:\?(\S*))?$")
_FIXED: Final = re.compile(r"\b(rate|irate|delta|deriv)\s*\([^()]*\[\d+[smhdw]")
_ZERO: Final = re.compile(r"\bor\s+(on\s*\(\s*\)\s*)?vector\s*\(\s*0\s*\)")


def complaints(boards: Sequence[Dashboard]) -> Iterator[str]:
    """Everything that is wrong, each with its place."""
    by_uid: dict[str, Dashboard] = {}
    for board in boards:
        if board.uid in by_uid:
            yield f"{board.file}: the uid {board.uid} is also that of {by_uid[board.uid].file}"
        by_uid[board.uid] = board
    for board in boards:
        yield from _of_whole(board)
        yield from _of_variables(board)
        yield from _of_grid(board)
        yield from _of_links(board, by_uid)
        for panel in board.panels():
            if panel.get("type") != "row":
                yield from (f"{board.place(panel)}: {wrong}" for wrong in _of_panel(board, panel))


def _of_whole(board: Dashboard) -> Iterator[str]:
    content = board.content
    for key in ("uid", "title", "description", "tags", "refresh"):
        if not content.get(key):
            yield f"{board.file}: has no {key}"
    if content.get("id", 0) is not None:
        yield f"{board.file}: id must be null, Grafana numbers dashboards itself"
    if content.get("editable") is not False:
        yield f"{board.file}: must not be editable; what is edited in Grafana is lost with the next start"
    if int(content.get("schemaVersion", 0)) < 42:
        yield f"{board.file}: schemaVersion is older than 42"
    if "tikwatch" not in content.get("tags", []):
        yield f"{board.file}: without the tag tikwatch it is missing in the menu of dashboards"


def _of_variables(board: Dashboard) -> Iterator[str]:
    defined = board.variables()
    parts = {name: board.content.get(name) for name in ("panels", "annotations", "links")}
    used = names_in(json.dumps(parts, ensure_ascii=False))
    among = {name: names_in(json.dumps(variable, ensure_ascii=False)) for name, variable in defined.items()}
    for name in sorted(used.union(*among.values()) - defined.keys()):
        yield f"{board.file}: uses ${name}, which is not among its variables"
    for name in sorted(defined.keys() - used.union(*among.values())):
        yield f"{board.file}: variable {name} is used nowhere"
    for name, variable in defined.items():
        if variable.get("type") == "query" and variable.get("datasource", {}).get("uid") != SOURCE:
            yield f"{board.file}: variable {name} does not ask {SOURCE}"
        if variable.get("type") == "query" and variable.get("refresh") != 2:
            yield f"{board.file}: variable {name} is not asked again when the range of time changes"
        if variable.get("includeAll") and variable.get("allValue") != ".+":
            yield f"{board.file}: variable {name} has another value for All than .+"


def _of_grid(board: Dashboard) -> Iterator[str]:
    placed = []
    for panel in board.panels():
        grid = panel.get("gridPos") or {}
        if not all(isinstance(grid.get(side), int) for side in "xywh"):
            yield f"{board.place(panel)}: gridPos wants whole x, y, w and h"
            continue
        if grid["x"] < 0 or grid["w"] < 1 or grid["h"] < 1 or grid["x"] + grid["w"] > COLUMNS:
            yield f"{board.place(panel)}: stands outside the {COLUMNS} columns"
        placed.append((panel, grid))
    for (one, first), (other, second) in combinations(placed, 2):
        if _overlap(first, second):
            yield f"{board.place(one)}: overlaps {board.place(other)}"
    numbers = [panel.get("id") for panel in board.panels()]
    for number in sorted({str(one) for one in numbers if numbers.count(one) > 1 or not isinstance(one, int)}):
        yield f"{board.file}: the panel id {number} is there more than once, or is no number"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def _of_panel(board: Dashboard, panel: Mapping[str, Any]) -> Iterator[str]:
    fields = panel.get("fieldConfig", {})
    defaults = fields.get("defaults", {})
    for key in ("title", "description", "targets"):
        if not panel.get(key):
            yield f"has no {key}"
    if not defaults.get("unit"):
        yield "has no unit"
    room = int((panel.get("gridPos") or {}).get("w", COLUMNS)) * _LETTERS_PER_COLUMN - _LETTERS_OF_SIGNS
    if len(str(panel.get("title", ""))) > room:
        yield f"its title is cut off: it has room for {room} letters"
    if panel.get("datasource", {}).get("uid") != SOURCE:
        yield f"does not ask {SOURCE}"
    steps = defaults.get("thresholds", {}).get("steps") or []
    if not steps or steps[0].get("value") is not None:
        yield "has no thresholds, or the first of them has a value"
    values = [step.get("value") for step in steps[1:]]
    if any(not isinstance(value, int | float) for value in values) or any(
        one >= other for one, other in pairwise(values)
    ):
        yield "its thresholds do not rise"
    yield from _of_targets(board, panel)


def _of_targets(board: Dashboard, panel: Mapping[str, Any]) -> Iterator[str]:
    targets = panel.get("targets") or []
    names = [target.get("refId") for target in targets]
    if len(set(names)) != len(names):
        yield "two queries share a letter"
    if panel.get("type") == "table" and len(targets) > 1 and not panel.get("transformations"):
        yield "several queries and no transformation: a table shows only one of them"
    several = [name for name, variable in board.variables().items() if variable.get("multi")]
    for target in targets:
        letter, expr = target.get("refId"), str(target.get("expr", ""))
        if target.get("datasource", {}).get("uid") != SOURCE:
            yield f"{letter} does not ask {SOURCE}"
        if panel.get("type") == "timeseries" and _FIXED.search(re.sub(r"\{[^}]*\}", "", expr)):
            yield f"{letter}: a fixed range in a graph; use $__rate_interval"
        if _ZERO.search(expr):
            yield f"{letter}: `or vector(0)` makes a zero of what is not there"
        for name in several:
            if re.search(rf'[^~!]=\s*"[^"]*\$\{{?{name}\b', expr):
                yield f"{letter}: ${name} can have several values and needs =~"
        if panel.get("type") == "table" and target.get("format") != "table":
            yield f"{letter}: a table wants the format table"


def _of_links(board: Dashboard, by_uid: Mapping[str, Dashboard]) -> Iterator[str]:
    for place, url in _urls(board):
        found = _LINK.search(url)
        if found is None:
            yield f"{place}: a link leads to {url}, which is no dashboard"
            continue
        target = by_uid.get(found[1])
        if target is None:
            yield f"{place}: a link leads to the dashboard {found[1]}, which is not there"
            continue
        for name in re.findall(r"var-(\w+)=", found[2] or ""):
            if name not in target.variables():
                yield f"{place}: a link passes {name}, which is no variable of {target.file}"


def _urls(board: Dashboard) -> Iterator[tuple[str, str]]:
    for link in board.content.get("links", []):
        if link.get("type") == "link":
            yield str(board.file), str(link.get("url", ""))
    for panel in board.panels():
        fields = panel.get("fieldConfig", {})
        links = [*(panel.get("links") or []), *(fields.get("defaults", {}).get("links") or [])]
        for override in fields.get("overrides") or []:
            for wanted in override.get("properties", []):
                links += wanted["value"] if wanted.get("id") == "links" else []
        for link in links:
            yield board.place(panel), str(link.get("url", ""))
