"""Generated files: written by `--write`, held against what they would be by `--check`."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path


def run(program: str, files: Mapping[Path, Callable[[], str]], arguments: Sequence[str] | None = None) -> int:
    """The command line of a module that makes `files`.

    Exit code 0 if each is (now) up to date, 1 if `--check` finds that one is not.
    """
    names = ", ".join(map(str, files))
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=f"Makes {names}.")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help=f"write {names}")
    choice.add_argument("--check", action="store_true", help="fail unless up to date")
    given = parser.parse_args(arguments)
    stale = 0
    for path, make in files.items():
        text = make()
        if given.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not what its sources give; run: make docs\n")
            stale = 1
    return stale


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; a bar inside a cell does not end it."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
