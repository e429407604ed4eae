"""The dry run tells who would get what, and why, without sending."""

import pytest

from alertbridge.alerts import AlertStatus
from alertbridge.deliver.dryrun import dry_run, parse_labels, parse_moment
from tests.fakes.routing_config import routing_config
from tests.fakes.told import moment

CONFIG = routing_config("""
recipients:
  - {name: noc, channel: wa, to: "120363000000000001@g.us", fallback: [{channel: sms, to: "+6281200000001"}]}
  - {name: budi, channel: wa, to: "+6281200000001", language: en}
schedules: [{name: night, hours: "22:00-06:00"}]
rotas: [{name: oncall, start: 2026-01-05, members: [budi]}]
routes:
  - {name: critical, match: {severity: critical}, to: [noc, oncall]}
  - {name: warning, match: {severity: warning}, to: noc, quiet: {schedule: night}}
""")


def test_the_dry_run_names_everybody_and_why() -> None:
    """Reasons, a table of recipients, and the text that each would read."""
    labels = parse_labels("alertname=RouterDown,severity=critical,router=core-1")
    run = dry_run(CONFIG, labels, at_s=parse_moment("2026-02-03T02:00", "Asia/Jakarta"))
    assert str(run) == (
        "RouterDown (critical), firing, Tue 2026-02-03 02:00 Asia/Jakarta\n"
        "\n"
        "Why:\n"
        "  route `critical`: severity is critical → noc, oncall (rota: budi until 2026-02-09 08:00)\n"
        "\n"
        "WHO   CHANNEL  ADDRESS                  THEN  LANGUAGE  TEMPLATE  WHEN\n"
        "noc   wa       120363000000000001@g.us  sms   id        built-in  now\n"
        "budi  wa       +6281200000001                 en        built-in  now\n"
        "\n"
        "--- to noc\n"
        "\N{LARGE RED CIRCLE} *KRITIS* RouterDown\n"
        "core-1\n"
        "\n"
        "Sejak 01:57 WIB (3 menit)\n"
        "#481\n"
        "\n"
        "--- to budi\n"
        "\N{LARGE RED CIRCLE} *CRITICAL* RouterDown\n"
        "core-1\n"
        "\n"
        "Since 01:57 WIB (3 minutes)\n"
        "#481"
    )


def test_the_dry_run_tells_of_quiet_hours_and_ends() -> None:
    """A held end shows when it would be told."""
    run = dry_run(CONFIG, {"alertname": "X", "severity": "warning"}, at_s=moment("2026-02-03T02:00:00"),
                  status=AlertStatus.RESOLVED)  # fmt: skip
    assert "Tue 2026-02-03 06:00" in str(run)
    assert "*SELESAI* X (peringatan)" in run.texts["noc"]


def test_the_dry_run_tells_when_nobody_is_told() -> None:
    """The word for it is there, and that an unknown severity counts as a warning."""
    assert "Nobody is told (no_route)" in str(
        dry_run(CONFIG, {"severity": "none"}, at_s=moment("2026-02-03T02:00:00"))
    )
    text = str(dry_run(CONFIG, {"severity": "weird"}, at_s=moment("2026-02-03T02:00:00")))
    assert 'severity is "weird": it counts as warning' in text


def test_labels_and_moments_are_read() -> None:
    """Commas may be escaped, quotes left, and a moment may have a zone of its own."""
    assert parse_labels(r'a=x, b="y",c=1\,2,d=e=f') == {"a": "x", "b": "y", "c": "1,2", "d": "e=f"}
    assert parse_moment("2026-02-03T02:00", "UTC") == parse_moment("2026-02-03T09:00+07:00", "UTC")
    with pytest.raises(ValueError, match='"x" is no label'):
        parse_labels("x")
    with pytest.raises(ValueError, match="write 2026-01-01T02:00"):
        parse_moment("tomorrow", "UTC")
