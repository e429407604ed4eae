"""How long a scrape may take, by what its client says and by the configuration."""

import pytest

from exporter.config import ScrapeSection
from exporter.serve.scraperequest import deadline_s
from tests.fakes.served import logged

SCRAPE = ScrapeSection(deadline_margin_s=0.5, default_deadline_s=7.0)


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        ("10", 9.5),
        ("10.000000", 9.5),
        ("1", 0.5),
        ("0.6", 0.3),
        ("0.001", 0.0005),
        ("3600", 3599.5),
        (" 15 ", 14.5),
    ],
)
def test_the_deadline_is_what_the_client_waits_less_a_margin(header: str, expected_s: float) -> None:
    """The margin is the configured one, but never more than half of the time there is."""
    assert deadline_s(header, SCRAPE) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    "header", ["", "soon", "-1", "0", "nan", "inf", "-inf", "1e300", "3601", "10s", "0x10"]
)
def test_a_header_without_sense_counts_as_none(header: str) -> None:
    """The default holds then, and the log says at debug level what was ignored."""
    with logged() as log:
        assert deadline_s(header, SCRAPE) == 7.0
    assert "event=scrape.timeout_header_ignored" in log.getvalue()
    assert "level=debug" in log.getvalue()


def test_without_the_header_the_default_holds() -> None:
    """A client that does not say how long it waits gets `scrape.default_deadline_s`."""
    with logged() as log:
        assert deadline_s(None, SCRAPE) == 7.0
    assert log.getvalue() == ""
