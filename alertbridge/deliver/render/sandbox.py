"""Templates that cannot get out, cannot run for ever and cannot forget to escape.

Jinja's sandbox keeps a template away from the program; it does not keep it from counting to a billion. So the
syntax tree is changed before it is compiled: every loop takes its turns from a budget, and joining texts goes
through a function that looks at the length. Methods cannot be called, filters are a short list, and what a
template writes is escaped unless a filter has marked it as finished.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.runtime import Context, Macro
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

SOURCE_LIMIT = 16_000
TEXT_LIMIT = 16_000
STEPS_LIMIT = 20_000
_NUMBER_LIMIT = 10**12

FAILURES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What a template of somebody else's can raise when it is compiled or rendered; Python's own compiler gives up
with a SyntaxError or MemoryError on things that are too deep inside each other."""

Filters = Mapping[str, Callable[..., object]]


class Marked(str):
    """Finished text: it is written as it is."""

    __slots__ = ()


class TooMuch(SecurityError):
    """A template takes too many steps or writes too much."""


class Budget:
    """What one rendering may still do."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._steps = STEPS_LIMIT

    def step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise TooMuch(f"it takes more than {STEPS_LIMIT} steps; is there a loop in a loop?")

    def turns(self, items: Iterable[object]) -> Iterator[object]:
        """`items`, each for a step."""
        for item in items:
            self.step()
            yield item

    def checked(self, value: object) -> object:
        """`value` if it is not too large."""
        if isinstance(value, str | list | tuple) and len(value) > TEXT_LIMIT:
            raise TooMuch(f"it makes a text of more than {TEXT_LIMIT} characters")
        if isinstance(value, int | float) and abs(value) > _NUMBER_LIMIT:
            raise TooMuch("it computes with too large a number")
        return value

    def joined(self, parts: Sequence[object]) -> str:
        """What ``~`` makes of `parts`."""
        self.step()
        if any(not isinstance(part, str | int | float) for part in parts):
            raise TypeError("only texts and numbers can be joined")
        text = "".join(map(str, parts))
        self.checked(text)
        return text


class _Bounded(NodeTransformer):
    """Sends loops and joins through the budget; refuses what reaches for other templates."""

    _REFUSED = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if isinstance(node, self._REFUSED):
            word = type(node).__name__.lower().replace("fromimport", "import")
            raise TemplateSyntaxError(f"a template stands alone here; {word} is not allowed", node.lineno)
        return super().generic_visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802  the name is jinja2's
        self.generic_visit(node)
        node.iter = _call_filter("turns", cast("nodes.Expr", node.iter))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _call_filter("joined", nodes.List(node.nodes, lineno=node.lineno))


def _call_filter(name: str, argument: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(argument, name, [], [], None, None, lineno=argument.lineno)


class Sandbox(SandboxedEnvironment):
    """Compiles templates and renders them within a budget. `escape` makes a value harmless where it is written."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, filters: Filters, escape: Callable[[str], str]) -> None:
        super().__init__(
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            finalize=self._written,
        )
        self._budget = Budget()
        self._escape = escape
        self.globals = {}
        self.filters = {name: self._guarded(function) for name, function in filters.items()}
        self.filters |= {"turns": self._budget.turns, "joined": self._budget.joined}
        self.tests = {
            name: test
            for name, test in self.tests.items()
            if name
            in ("defined", "undefined", "none", "string", "number", "mapping", "even", "odd", "in", "eq")
        }

    def compiled(self, source: str, name: str) -> Template:
        """`source` ready to render. Raises one of FAILURES."""
        if len(source) > SOURCE_LIMIT:
            raise TooMuch(f"it is longer than {SOURCE_LIMIT} characters")
        self._budget.renew()
        tree = _Bounded().visit(self.parse(source, name))
        tree.set_environment(self)
        return Template.from_code(self, self.compile(tree, name), {})

    def rendered(self, template: Template, context: Mapping[str, object]) -> str:
        """What `template` makes of `context`. Raises one of FAILURES."""
        self._budget.renew()
        chunks: list[str] = []
        length = 0
        for chunk in template.generate(context):
            length += len(chunk)
            if length > TEXT_LIMIT:
                raise TooMuch(f"it writes more than {TEXT_LIMIT} characters")
            chunks.append(chunk)
        return "".join(chunks)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Only macros of the template itself can be called; what they write is finished text."""
        if not isinstance(__obj, Macro):
            raise SecurityError("only macros can be called; there are filters for the rest")
        __self._budget.step()
        return __self._budget.checked(Marked(super().call(__context, __obj, *args, **kwargs)))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(side, int | float) for side in (left, right))
        if operator == "**" or not (numbers or operator == "+"):
            raise SecurityError(f"{operator} is not allowed here")
        self._budget.step()
        return self._budget.checked(super().call_binop(context, operator, left, right))

    def _written(self, value: object) -> str:
        match value:
            case Marked():
                return value
            case str():
                return self._escape(value)
            case None:
                return ""
            case bool() | int() | float() | StrictUndefined():  # the last raises, and says what is not there
                return str(value)
        raise TypeError(f"a {type(value).__name__} cannot be written; write its parts")

    def _guarded(self, function: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(function)
        def guarded(*args: object, **kwargs: object) -> object:
            self._budget.step()
            return self._budget.checked(function(*args, **kwargs))

        return guarded
