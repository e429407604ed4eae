"""Results as a table for the terminal, as `results.json` beside the code, and as a page of the documentation."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measures import Figure, Line

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, in words; `value` and `unit` are what `measured` was made from."""

    what: str
    measured: str
    target: str
    verdict: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Result:
    """One figure that was measured, and on what."""

    number: int
    name: str
    title: str
    machine: str
    rows: tuple[Row, ...]


def machine() -> str:
    """What the figures depend on most."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores, {platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    )


def result(figure: Figure, lines: Sequence[Line]) -> Result:
    """The lines of a figure in words."""
    return Result(
        figure.number,
        figure.name,
        figure.title,
        machine(),
        tuple(
            Row(
                line.what,
                line.unit.text(line.value),
                line.target.text(line.unit) if line.target else "",
                line.verdict,
                round(line.value, 6),
                line.unit.value,
            )
            for line in lines
        ),
    )


def show(found: Result, took_s: float, console: Console) -> None:
    """Print one figure."""
    table = Table(title=f"{found.number}. {found.title} ({took_s:.0f} s)", title_justify="left")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("target", justify="right")
    table.add_column("verdict")
    for row in found.rows:
        style = {"met": "green", "MISSED": "bold red"}.get(row.verdict, "dim")
        table.add_row(row.what, row.measured, row.target, row.verdict, style=style)
    console.print(table)


def kept(file: Path = RESULTS) -> dict[str, Result]:
    """The results of earlier runs, by name of the figure."""
    if not file.is_file():
        return {}
    read = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: Result(**{**found, "rows": tuple(Row(**row) for row in found["rows"])})
        for name, found in read.items()
    }


def write(results: Mapping[str, Result], *, file: Path = RESULTS, page: Path = PAGE) -> None:
    """Put `results` into the file and the table between the markers of the page.

    Raises:
        ValueError: the page has no markers.
    """
    ordered = sorted(results.values(), key=lambda found: found.number)
    content = {found.name: asdict(found) for found in ordered}
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no markers {BEGIN} and {END}")
    page.write_text(f"{before}{begin}\n\n{markdown(ordered)}\n{end}{after}", encoding="utf-8")


def markdown(results: Sequence[Result]) -> str:
    """The tables as they stand in the documentation."""
    parts: list[str] = []
    for found in results:
        parts += [f"## {found.number}. {found.title[:1].upper()}{found.title[1:]}", ""]
        parts += [f"`python -m benchmarks {found.name}`; {found.machine}", ""]
        parts += ["| What | Measured | Target | Verdict |", "|---|---:|---:|---|"]
        parts += [f"| {row.what} | {row.measured} | {row.target} | {row.verdict} |" for row in found.rows]
        parts.append("")
    return "\n".join(parts)
