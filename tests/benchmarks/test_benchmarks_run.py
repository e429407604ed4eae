"""The benchmarks run: each figure at its smallest size, without the peer that must be installed, times unasserted."""

import math
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from benchmarks import rendering
from benchmarks.__main__ import FIGURES
from benchmarks.exporting import exporting
from benchmarks.measures import Effort, Figure
from benchmarks.peers import _sections
from benchmarks.replay import COMMAND, Replay, hotspot_rows
from benchmarks.simulated import Routers, simulated
from benchmarks.wire import commands_received, drain
from simulator.wire import SentenceReader

SHORT = [figure for figure in FIGURES if not figure.long]


@pytest.mark.parametrize("figure", SHORT, ids=[figure.name for figure in SHORT])
def test_a_figure_can_be_measured(figure: Figure) -> None:
    """Every line has a number, and every figure has a target. The long ones have tests of what they start."""
    lines = figure.measure(Effort.SMOKE)
    assert lines
    assert all(math.isfinite(line.value) for line in lines)
    assert any(line.target for line in lines)
    assert len({line.what for line in lines}) == len(lines)


def test_both_writers_are_given_the_same_samples() -> None:
    """What is compared in speed is equal in content."""
    rows = rendering.records(3)
    ours = rendering.samples_of(rendering.ours(rows))
    assert len(ours) == 3 * rendering.COLUMNS
    assert ours == rendering.samples_of(generate_latest(rendering.peer(rows)))


def test_the_replay_answers_under_the_tag_that_was_asked() -> None:
    """Rows and their end carry the client's tag, or none; any other command is done at once."""
    replay = Replay(hotspot_rows(2))
    tagged = SentenceReader().feed(replay.answer([COMMAND, ".tag=7"]))
    assert [words[:2] for words in tagged] == [["!re", ".tag=7"], ["!re", ".tag=7"], ["!done", ".tag=7"]]
    assert [len(words) for words in tagged] == [18, 18, 2]
    untagged = SentenceReader().feed(replay.answer([COMMAND]))
    assert [words[0] for words in untagged] == ["!re", "!re", "!done"]
    assert SentenceReader().feed(replay.answer(["/login", ".tag=1"])) == [["!done", ".tag=1"]]


def test_an_exporter_is_measured_on_simulated_routers(tmp_path: Path) -> None:
    """Values, faults, processor seconds and memory can be had, and its commands sent again."""
    with simulated([Routers("core"), Routers("branch", count=2)], tmp_path) as network:
        assert list(network.ports) == ["core", "branch-0000", "branch-0001"]
        with exporting(network.ports, tmp_path) as exporter:
            page = exporter.scrape()
            assert page.values("mikrotik_up") == [1, 1, 1]
            assert page.values("mikrotik_up", 'router="core"') == [1]
            assert page.samples > 100
            assert exporter.program.cpu_s() >= exporter.startup_cpu_s > 0
            assert exporter.program.peak_rss_bytes() >= exporter.program.rss_bytes() > 0
        commands = commands_received(network, "core")
        assert ["/system/resource/print"] in [words[:1] for words in commands]
        assert not [word for words in commands for word in words if word.startswith((".tag", "/login"))]
        assert drain(network.ports["core"], commands).size_bytes > 1000


def test_the_configuration_of_the_peer_has_one_section_per_router() -> None:
    """The text is what ConfigObj reads."""
    assert _sections({"core": {"port": 1}, "default": {"enabled": True}}) == (
        "[core]\n    port = 1\n\n[default]\n    enabled = True\n"
    )
