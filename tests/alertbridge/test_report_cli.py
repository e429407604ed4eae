"""`report --dry-run` prints what would be sent, and sends nothing."""

import argparse
from pathlib import Path

import pytest

from alertbridge.cli import report
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import Unusable
from runtime.loading import ConfigError
from tests.fakes.report_bench import entry

CONFIG = """
store: {path: store.db}
delivery: {language: en}
channels: [{name: out, kind: console}]
recipients: [{name: noc, channel: out, to: "-"}]
prometheus: {url: "http://127.0.0.1:9", timeout_s: 0.5}
"""


def options(folder: Path, *arguments: str) -> argparse.Namespace:
    """The command line, as the program reads it."""
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    return parser.parse_args(["--dry-run", "--config", str(folder / "bridge.yml"), *arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration whose Prometheus and store are not there."""
    (tmp_path / "bridge.yml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def test_a_report_is_printed_with_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without Prometheus and without a store: both are said, and nothing is a zero."""
    done = report.run(options(folder, "--kind", "weekly", "--at", "2026-11-23T09:00"))
    out, err = capsys.readouterr()
    assert done == ExitCode.OK
    assert out.startswith(
        "\N{BAR CHART} *Weekly report*\n16 Nov 2026 to 22 Nov 2026\n_Prometheus does not answer."
    )
    assert "*Alerts*\n- no data\n" in out
    assert "without the store: " in err
    assert not (folder / "store.db").exists()


def test_a_picture_that_there_is_not_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The status tells it to scripts, too; the file is not made."""
    done = report.run(options(folder, "--png", str(folder / "chart.png"), "--language", "id"))
    assert done == ExitCode.SOME_FAILED
    out, err = capsys.readouterr()
    assert "*Laporan harian*" in out
    assert "there is no picture" in err
    assert not (folder / "chart.png").exists()


def test_a_configuration_that_is_wrong_is_told(folder: Path) -> None:
    """As by every command."""
    (folder / "bridge.yml").write_text("channels: 7", encoding="utf-8")
    with pytest.raises(ConfigError):
        report.run(options(folder))


def test_it_only_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --dry-run the command line is refused: the bridge alone sends."""
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--config", "x"])
    assert "--dry-run" in capsys.readouterr().err


def test_the_report_that_is_meant() -> None:
    """By name, by kind, the first one, or one with every default."""
    daily, weekly = entry(name="pagi", top=3), entry(name="senin", kind="weekly")
    both = (daily, weekly)
    assert report.chosen(both, None, None) is daily
    assert report.chosen(both, "senin", None) is weekly
    assert report.chosen(both, None, "weekly") is weekly
    with pytest.raises(Unusable, match='there is no report "senim"; did you mean "senin"'):
        report.chosen(both, "senim", None)
    made = report.chosen((daily,), None, "monthly")
    assert (made.kind, made.top) == ("monthly", 5)
    assert report.chosen((), None, None).kind == "daily"
