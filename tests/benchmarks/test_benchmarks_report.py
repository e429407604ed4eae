"""Lines, verdicts and the page that the results go into."""

from pathlib import Path

import pytest

from benchmarks.__main__ import FIGURES, main
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most, median
from benchmarks.report import BEGIN, END, PAGE, kept, result, write

MET = Line("cached scrape", 0.012, Unit.SECONDS, at_most(0.05))
MISSED = Line("over the peer", 3.0, Unit.TIMES, at_least(8))
TOLD = Line("peer", 2.5e8, Unit.MEGABYTES)


def test_a_line_knows_whether_its_target_is_met() -> None:
    """At most and at least are both inclusive, and a line without target is for comparison."""
    assert [line.met for line in (MET, MISSED, TOLD)] == [True, False, None]
    assert Line("edge", 8.0, Unit.TIMES, at_least(8)).met
    assert Line("edge", 0.05, Unit.SECONDS, at_most(0.05)).met
    assert [line.verdict for line in (MET, MISSED, TOLD)] == ["met", "MISSED", "for comparison"]


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.SECONDS, 0.0123, "12 ms"),
        (Unit.SECONDS, 2.0, "2.00 s"),
        (Unit.MEGABYTES, 1.5e8, "150 MB"),
        (Unit.TIMES, 8.04, "8.0 x"),
        (Unit.PERCENT, 0.05, "+5.0 %"),
        (Unit.PERCENT, -0.012, "-1.2 %"),
        (Unit.COUNT, 12.0, "12"),
        (Unit.PER_SECOND, 1234567.0, "1,234,567/s"),
        (Unit.CORES, 0.5, "0.500 cores"),
        (Unit.RATIO, 1.15, "1.150"),
    ],
)
def test_values_are_written_with_their_unit(unit: Unit, value: float, text: str) -> None:
    """Every unit has a form that can be read."""
    assert unit.text(value) == text


def test_a_target_is_written_as_what_must_hold() -> None:
    """The direction is part of the text."""
    assert at_most(2).text(Unit.SECONDS) == "<= 2.00 s"
    assert at_least(8).text(Unit.TIMES) == ">= 8.0 x"


def test_results_are_kept_and_put_between_the_markers(tmp_path: Path) -> None:
    """What was written can be read again, and text around the table stays as it is."""
    file, page = tmp_path / "results.json", tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    second = result(Figure(2, "second", "a thing", lambda _: ()), (MET, MISSED, TOLD))
    first = result(Figure(1, "first", "another", lambda _: ()), (MET,))
    write({"second": second, "first": first}, file=file, page=page)
    text = page.read_text(encoding="utf-8")
    assert kept(file) == {"first": first, "second": second}
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert text.index("## 1. Another") < text.index("## 2. A thing")
    assert "| over the peer | 3.0 x | >= 8.0 x | MISSED |" in text


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    """Nothing is overwritten where the table has no place."""
    page = tmp_path / "page.md"
    page.write_text("no place\n", encoding="utf-8")
    with pytest.raises(ValueError, match="markers"):
        write({}, file=tmp_path / "results.json", page=page)
    assert page.read_text(encoding="utf-8") == "no place\n"


def test_the_page_of_the_documentation_has_its_place() -> None:
    """`--write` finds the markers."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)


@pytest.mark.parametrize("arguments", [["nothing"], ["--quick", "--write"]])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown figure, and a quick run that would go into the documentation, end with code 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "python -m benchmarks" in capsys.readouterr().err


def test_figures_are_numbered_as_promised() -> None:
    """Seven figures of the exporter, then those of the bridge, which take long; each has a name of its own."""
    numbers = [figure.number for figure in FIGURES]
    assert numbers == list(range(1, len(FIGURES) + 1))
    assert [figure.number for figure in FIGURES if figure.long] == numbers[7:]
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)


def test_effort_and_median() -> None:
    """A smoke run does the least, and one odd round does not move the median."""
    assert [effort.pick(9, 3) for effort in Effort] == [9, 3, 1]
    assert median([1.0, 100.0, 2.0]) == 2.0
