"""Writes the names of mktxp's metrics, read from its source, into the list that the parity table is held against.

python -m benchmarks.peers installs it; then: python -m scripts.mktxp_names --write
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers import VENV

LIST = Path("tests/exporter/peers/mktxp-2.1.0.txt")
_SUFFIXES = {"counter_collector": "_total", "info_collector": "_info", "gauge_collector": ""}


class NotUnderstood(ValueError):
    """A name is built in a way that this script does not know."""


def source_of(venv: Path) -> Path:
    """The folder of mktxp's collectors. Raises FileNotFoundError when it is not installed."""
    for folder in venv.glob("lib/python*/site-packages/mktxp/collector"):
        return folder
    raise FileNotFoundError(f"mktxp is not installed in {venv}")


def names(folder: Path) -> list[str]:
    """Every metric's name as Prometheus sees it, sorted. Raises NotUnderstood."""
    found: set[str] = set()
    for path in folder.glob("*.py"):
        if path.name != "base_collector.py":
            found.update(_names(ast.parse(path.read_text(encoding="utf-8")), path.name))
    return sorted(found)


def _names(tree: ast.Module, file: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            suffix = _SUFFIXES.get(node.func.attr)
            if suffix is not None:
                name = node.args[0] if node.args else _keyword(node, "name")
                for text in _texts(name, tree, file):
                    yield f"mktxp_{text.removesuffix(suffix)}{suffix}"


def _keyword(node: ast.Call, wanted: str) -> ast.expr:
    for keyword in node.keywords:
        if keyword.arg == wanted:
            return keyword.value
    raise NotUnderstood(f"line {node.lineno}: a call without a name")


def _texts(node: ast.expr, tree: ast.Module, file: str) -> list[str]:
    """Every text that an expression can be: constants, f-strings over them, either branch, loops over lists."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_texts(body, tree, file), *_texts(orelse, tree, file)]
        case ast.FormattedValue(value=value):
            return _texts(value, tree, file)
        case ast.JoinedStr(values=parts):
            texts = [""]
            for part in parts:
                texts = [left + right for left in texts for right in _texts(part, tree, file)]
            return texts
        case ast.Name(id=name):
            return [text for value in _bound(name, tree) for text in _texts(value, tree, file)]
    raise NotUnderstood(f"{file}, line {node.lineno}: {ast.unparse(node)}")


def _bound(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """What a variable may hold: what is assigned to it, or its place in the tuples that a loop goes through."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.For(target=ast.Tuple(elts=targets), iter=ast.Name(id=sequence)):
                places = [i for i, one in enumerate(targets) if isinstance(one, ast.Name) and one.id == name]
                for values in _bound(sequence, tree) if places else ():
                    if isinstance(values, ast.List):
                        rows = [row for row in values.elts if isinstance(row, ast.Tuple)]
                        yield from (row.elts[places[0]] for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if the list is (now) what the source says, 1 if `--check` finds it is not."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mktxp_names", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help=f"write {LIST}")
    choice.add_argument("--check", action="store_true", help=f"fail unless {LIST} is up to date")
    given = parser.parse_args(arguments)
    text = "\n".join(names(source_of(VENV))) + "\n"
    if given.write:
        LIST.write_text(text, encoding="utf-8")
        return 0
    if LIST.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{LIST} is not what the source of mktxp says\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
