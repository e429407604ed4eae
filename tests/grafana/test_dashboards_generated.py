"""The committed dashboards are what their sources give, and what is wrong with one is told with file and panel."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grafana.checks.reading import FOLDER
from grafana.source.__main__ import main
from grafana.source.boards import BOARDS

ROOT = Path(__file__).resolve().parents[2]
FLEET = "grafana/dashboards/network/fleet.json"


@dataclass(frozen=True)
class Ended:
    """How the check ended, and what it said."""

    code: int
    told: str


@dataclass(frozen=True)
class Copy:
    """A copy of what the check reads, to break."""

    folder: Path
    said: pytest.CaptureFixture[str]

    def run(self, word: str = "--check") -> Ended:
        """`python -m grafana.source` there."""
        code = main([word])
        return Ended(code, self.said.readouterr().err)

    def change(self, breaking: Callable[[dict[str, Any]], object]) -> None:
        """Change the dashboard of the fleet."""
        file = self.folder / FLEET
        board = json.loads(file.read_text(encoding="utf-8"))
        breaking(board)
        file.write_text(json.dumps(board), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Copy:
    for folder in ("grafana/dashboards", "prometheus/rules"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return Copy(tmp_path, capsys)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_files_are_what_the_sources_give(board: Any) -> None:
    """A dashboard's file equals what its module makes."""
    assert (ROOT / FOLDER / board.file).read_text(encoding="utf-8") == board.as_json()


def test_there_is_nothing_else_and_nothing_wrong(copy: Copy) -> None:
    """The check of all files finds nothing, and there are as many files as sources."""
    assert copy.run() == Ended(0, "")
    assert len(list((copy.folder / FOLDER).rglob("*.json"))) == len(BOARDS) == 8


def test_writing_makes_a_changed_file_good_again(copy: Copy) -> None:
    """What was changed by hand is named by the check and put right by `--write`."""
    file = copy.folder / FLEET
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace('"title": "Fleet"', '"title": "Mine"'), encoding="utf-8")
    ended = copy.run()
    assert ended.code == 1
    assert f"{FLEET} is not what its sources give" in ended.told
    assert copy.run("--write").code == 0
    assert file.read_text(encoding="utf-8") == good


def _first(board: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def _expr(board: dict[str, Any], expr: str, kind: str = "stat") -> None:
    _first(board, kind)["targets"][0]["expr"] = expr


def _overlap(board: dict[str, Any]) -> None:
    board["panels"][1]["gridPos"] = dict(board["panels"][0]["gridPos"])


def _link(board: dict[str, Any], url: str) -> None:
    _first(board, "stat")["fieldConfig"]["defaults"]["links"] = [{"title": "there", "url": url}]


BREAKS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no unit": (lambda b: _first(b, "stat")["fieldConfig"]["defaults"].pop("unit"), '"Routers down": has no unit'),
    "no description": (lambda b: _first(b, "stat").pop("description"), '"Routers down": has no description'),
    "a fixed data source": (
        lambda b: _first(b, "stat").update(datasource={"type": "prometheus", "uid": "abc"}),
        "does not ask ${datasource}",
    ),
    "a fixed range": (
        lambda b: _expr(b, 'sum(rate(up{job="a"}[5m]))', "timeseries"),
        "a fixed range in a graph; use $__rate_interval",
    ),
    "a zero for nothing": (lambda b: _expr(b, "sum(up) or vector(0)"), "makes a zero of what is not there"),
    "an unknown metric": (
        lambda b: _expr(b, "sum(mikrotik_upp)"), '"Routers down", A: nothing exports or records mikrotik_upp'
    ),
    "a missing variable": (lambda b: _expr(b, 'up{router=~"$ruter"}'), "uses $ruter, which is not among"),
    "several values and =": (lambda b: _expr(b, 'up{router="$router"}'), "$router can have several values"),
    "panels upon each other": (_overlap, '"Routers down": overlaps'),
    "a dead link": (lambda b: _link(b, "/d/tikwatch-gone"), "the dashboard tikwatch-gone, which is not there"),
    "a link with a wrong variable": (
        lambda b: _link(b, "/d/tikwatch-router?var-ruter=x"), "a link passes ruter, which is no variable of"
    ),
    "thresholds that fall": (
        lambda b: _first(b, "stat")["fieldConfig"]["defaults"]["thresholds"]["steps"].append(
            {"value": -1, "color": "red"}
        ),
        "its thresholds do not rise",
    ),
    "a long title": (
        lambda b: _first(b, "stat").update(title="Routers that do not answer"), "it has room for 18 letters"
    ),
    "can be edited": (lambda b: b.update(editable=True), f"{FLEET}: must not be editable"),
    "an id": (lambda b: b.update(id=7), f"{FLEET}: id must be null"),
    "another dashboard's uid": (lambda b: b.update(uid="tikwatch-router"), "the uid tikwatch-router is also that of"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_wrong_is_told_with_its_place(copy: Copy, name: str) -> None:
    """A mistake in a file ends the check with 1 and a line that begins with the file."""
    breaking, words = BREAKS[name]
    copy.change(breaking)
    ended = copy.run()
    assert ended.code == 1
    told = [line for line in ended.told.splitlines() if words in line]
    assert told, ended.told
    assert told[0].startswith("grafana/dashboards/")


@pytest.mark.system("promtool")
def test_a_query_that_cannot_be_read_is_told_in_the_words_of_promtool(copy: Copy) -> None:
    """PromQL with a mistake is found without a server."""
    copy.change(lambda board: _expr(board, "sum(up"))
    ended = copy.run()
    assert ended.code == 1
    assert f'{FLEET}: panel 1 "Routers down", A: could not parse expression' in ended.told


def test_a_file_that_is_no_json_is_told_with_line_and_column(copy: Copy) -> None:
    """A lost bracket does not end in a trace."""
    file = copy.folder / FLEET
    file.write_text(file.read_text(encoding="utf-8").rstrip().removesuffix("}"), encoding="utf-8")
    ended = copy.run()
    assert ended.code == 1
    assert re.search(rf"(?m)^{FLEET}:\d+:\d+: ", ended.told)


def test_thresholds_follow_the_file_of_the_alerts(copy: Copy) -> None:
    """Another threshold in the rules makes dashboards out of date, and is in them after `--write`."""
    file = copy.folder / "prometheus/rules/thresholds.rules.yml"
    text = file.read_text(encoding="utf-8").replace(
        "cpu_warning\n        expr: 0.70", "cpu_warning\n        expr: 0.61"
    )
    file.write_text(text, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "grafana.source", "--write"],
        cwd=copy.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert '"value": 0.61' in (copy.folder / FLEET).read_text(encoding="utf-8")
    assert copy.run().code == 1  # this process began with the old thresholds
