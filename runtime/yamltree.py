"""YAML text -> plain values, with the line of each; what is wrong is told by line and with a remedy.

Scalars follow the core schema of YAML 1.2, so that ``no``, ``off``, ``12:30`` and ``2024-01-01`` are text and
not a boolean, a number of minutes or a date. ``<<`` merges as it always has. Nothing in a message is taken
from the text itself beyond one character, because any part of it may be a password.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

from runtime.wording import counted

Place = tuple[str | int, ...]

MAX_DEPTH = 50
MAX_NODES = 300_000
"""Nodes after aliases are followed; a few lines of nested aliases could otherwise fill the memory."""

_PREFIX = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_MERGE = re.compile(r"<<")
_RESOLVERS = (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT), ("merge", _MERGE))

_QUOTE = "put the value in quotes"
_REMEDIES: tuple[tuple[str, str], ...] = (
    (r"found character '\\t'", "a tab; YAML wants spaces for indentation"),
    (r"found character '(.)' that cannot start any token", f"a value cannot begin with {{0}}; {_QUOTE}"),
    (
        r"mapping values are not allowed here",
        f'a ":" too many, or wrong indentation; if the ":" belongs to a value, {_QUOTE}',
    ),
    (
        r"while scanning a quoted scalar",
        "a quote that is opened here is never closed, or holds an escape that YAML does not know",
    ),
    (
        r"undefined alias",
        f"a value that begins with * refers to an anchor that is not there; if it is meant as text, {_QUOTE}",
    ),
    (
        r"while scanning an? (?:alias|anchor)",
        f"a value that begins with * or & is an alias or anchor; if it is meant as text, {_QUOTE}",
    ),
    (r"duplicate anchor", "this anchor (&...) is defined already"),
    (
        r"(?:undefined tag handle|while (?:scanning|parsing) a (?:tag|node))",
        f"a value cannot begin with !; {_QUOTE}",
    ),
    (r"while scanning a (?:directive|block scalar)", f"a line or value cannot begin so; {_QUOTE}"),
    (r"expected a single document", "a second document begins here; one file holds one configuration"),
    (r"could not find expected ':'", 'a key without ":" and a space after it, or wrong indentation'),
    (
        r"while parsing a flow sequence",
        'a "[" that is not closed here, or a "," too few; an address in brackets wants quotes',
    ),
    (r"but found ':'", f'a value cannot begin with ":" here; {_QUOTE}'),
    (r"while parsing a flow (?:mapping|node)", 'a "{{" or "[" that is not closed here, or a "," too few'),
    (
        r"while parsing a block (?:mapping|collection)",
        "wrong indentation, or something after a value that does not belong there",
    ),
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with the text at `line` (from 1) under `place`; `message` holds no part of a value."""

    line: int
    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Tree:
    """Plain values, the line of each key or list item by its place, and the flaws found on the way.

    After a syntax error `value` is None and the error is the only flaw.
    """

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)
    flaws: tuple[Flaw, ...] = ()

    def line_of(self, place: Place) -> int:
        """Line of `place`, or of the nearest thing around it that the text has."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def _resolver_table() -> dict[str | None, list[tuple[str, re.Pattern[str]]]]:
    """Under None, so that each scalar is tried against all of them whatever its first character."""
    return {None: [(_PREFIX + tag, re.compile(f"(?:{pattern.pattern})\\Z")) for tag, pattern in _RESOLVERS]}


class _PlainLoader(yaml.SafeLoader):
    """Pure Python: its errors are the ones that `_REMEDIES` knows."""

    yaml_implicit_resolvers = _resolver_table()


_FastLoader: type[Any] = _PlainLoader
if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class _LibyamlLoader(Composer, CParser, Resolver):
        """Several times as fast, which a file with a thousand routers feels.

        The events are libyaml's; the nodes are made in Python, since libyaml's own way to make them overflows the
        stack of the process on a file that is nested deep enough.
        """

        yaml_implicit_resolvers = _resolver_table()

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            Resolver.__init__(self)

    _FastLoader = _LibyamlLoader


def parse(text: str) -> Tree:
    """The values in `text`, an empty text being None. Never raises."""
    try:
        root = _compose(_FastLoader, text)
    except (yaml.YAMLError, RecursionError, ValueError):
        try:
            root = _compose(_PlainLoader, text)
        except RecursionError:
            return Tree(None, {}, (Flaw(1, (), f"is nested more than {MAX_DEPTH} levels deep"),))
        except (yaml.YAMLError, ValueError) as error:
            return Tree(None, {}, (_syntax_flaw(error, text),))
    if root is None:
        return Tree(None)
    builder = _Builder()
    try:
        value = builder.build(root, (), ())
    except _TooMuch as error:
        return Tree(None, {}, (Flaw(error.line, (), error.message),))
    return Tree(value, builder.lines, tuple(builder.flaws))


def _compose(loader_type: type[Any], text: str) -> yaml.Node | None:
    loader = loader_type(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def _syntax_flaw(error: yaml.YAMLError | ValueError, text: str) -> Flaw:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Flaw(line, (), f"the character {_name_of(error.character)} is not allowed in YAML")
    if not isinstance(error, yaml.MarkedYAMLError):
        return Flaw(1, (), "is not valid YAML")
    mark = error.problem_mark or error.context_mark
    said = f"{error.context or ''} {error.problem or ''}"
    if "quoted scalar" in said and error.context_mark is not None:
        mark = error.context_mark
    line = mark.line + 1 if mark is not None else 1
    for pattern, remedy in _REMEDIES:
        if found := re.search(pattern, said):
            return Flaw(line, (), remedy.format(*found.groups()))
    return Flaw(line, (), "is not valid YAML; look at indentation, quotes and brackets")


def _name_of(character: object) -> str:
    code = ord(character) if isinstance(character, str) and len(character) == 1 else character
    return f"U+{code:04X}" if isinstance(code, int) else "here"


class _TooMuch(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


class _Builder:
    """Walks the nodes once; aliases are walked each time they occur."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.flaws: list[Flaw] = []
        self._nodes = 0

    def build(self, node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]) -> Any:
        line = node.start_mark.line + 1
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _TooMuch(
                line, f"holds more than {counted(MAX_NODES, 'value')} once its aliases (*...) are followed"
            )
        if len(above) > MAX_DEPTH:
            raise _TooMuch(line, f"is nested more than {MAX_DEPTH} levels deep")
        if any(node is other for other in above):
            raise _TooMuch(line, "an alias (*...) refers to something that it is part of")
        self.lines.setdefault(place, line)
        below = (*above, node)
        if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
            return self._mapping(node, place, below)
        if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
            return [self.build(item, (*place, index), below) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place, line)
        self._flaw(line, place, f"a value cannot begin with !; {_QUOTE}")
        return None

    def _mapping(self, node: yaml.MappingNode, place: Place, below: tuple[yaml.Node, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _PREFIX + "merge":
                merged.extend(value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node])
                continue
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _PREFIX + "str":
                self._flaw(line, place, "a key here is not text; put it in quotes")
                continue
            key = key_node.value
            if key in first_lines:
                self._flaw(line, (*place, key), f"is given twice; the first time in line {first_lines[key]}")
                continue
            first_lines[key] = line
            self.lines[*place, key] = line
            values[key] = self.build(value_node, (*place, key), below)
        for source in merged:
            self._merge(source, values, place, below)
        return values

    def _merge(
        self, source: yaml.Node, values: dict[str, Any], place: Place, below: tuple[yaml.Node, ...]
    ) -> None:
        """Adds what `source` has and `values` does not, as ``<<`` asks."""
        line = source.start_mark.line + 1
        if not isinstance(source, yaml.MappingNode):
            self._flaw(line, place, "<< merges a mapping (<<: *anchor) and nothing else")
            return
        inner = _Builder()
        inner._nodes = self._nodes
        extra = inner.build(source, place, below)
        self._nodes = inner._nodes
        for key in extra:
            if key not in values:
                values[key] = extra[key]
                depth = len(place)
                own = {p: n for p, n in inner.lines.items() if p[depth : depth + 1] == (key,)}
                self.lines.update(own)

    def _scalar(self, node: yaml.ScalarNode, place: Place, line: int) -> Any:
        text: str = node.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._flaw(line, place, "holds half a character (a surrogate escape)")
            return None
        try:
            match node.tag.removeprefix(_PREFIX):
                case "str" | "merge":
                    return text
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
                case "float":
                    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._flaw(line, place, "is not a number that can be used")
            return None
        self._flaw(line, place, f"a value cannot begin with !; {_QUOTE}")
        return None

    def _flaw(self, line: int, place: Place, message: str) -> None:
        self.flaws.append(Flaw(line, place, message))
