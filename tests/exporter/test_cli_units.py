"""Numbers as people read them, and text that a terminal only shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cli.terminal import visible
from exporter.cli.units import Unit, bit_rate, duration, milliseconds, shown, size


@pytest.mark.parametrize(
    ("bits_per_s", "text"),
    [
        (0, "0"),
        (999, "999"),
        (999.6, "1000"),
        (1000, "1.00k"),
        (12_345, "12.3k"),
        (999_499, "999k"),
        (999_500, "1.00M"),
        (99_960_000, "100M"),
        (2.5e9, "2.50G"),
        (5e15, "5000T"),
    ],
)
def test_bit_rates_have_three_digits_and_steps_of_a_thousand(bits_per_s: float, text: str) -> None:
    """A rate is told in bit/s with k, M, G."""
    assert bit_rate(bits_per_s) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (12.5 * 1024**2, "12.5 MiB"), (1024**4, "1.00 TiB")],
)
def test_sizes_have_steps_of_1024(size_bytes: float, text: str) -> None:
    """A size is told in bytes with binary steps."""
    assert size(size_bytes) == text


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0, "0s"),
        (12.4, "12s"),
        (59.6, "1m"),
        (303, "5m 3s"),
        (14_700, "4h 5m"),
        (273_600, "3d 4h"),
        (259_230, "3d"),
        (400 * 86_400, "400d"),
    ],
)
def test_durations_have_their_two_largest_units(duration_s: float, text: str) -> None:
    """A duration is told as days and hours, hours and minutes, and so on."""
    assert duration(duration_s) == text


def test_short_times_are_milliseconds() -> None:
    """How long something took is told in ms below a second."""
    assert [milliseconds(value) for value in (0.0004, 0.012, 0.9996, 3.04)] == [
        "0 ms",
        "12 ms",
        "1.0 s",
        "3.0 s",
    ]


def test_every_unit_can_be_shown() -> None:
    """Each unit has its words, and nothing known is a dash."""
    assert {unit: shown(1, unit) for unit in Unit if unit is not Unit.TEXT} == {
        Unit.FLAG: "yes",
        Unit.COUNT: "1",
        Unit.BIT_RATE: "1",
        Unit.BYTES: "1 B",
        Unit.DURATION: "1s",
        Unit.RATIO: "100%",
        Unit.TEMPERATURE: "1",
        Unit.VOLTAGE: "1.0",
    }
    assert [shown(None, unit) for unit in Unit] == ["-"] * len(Unit)


@given(st.floats(min_value=0, max_value=1e15))
def test_no_rate_is_wider_than_its_column_can_bear(bits_per_s: float) -> None:
    """At most three digits, a point and a mark, up to the largest rates there are."""
    assert len(bit_rate(bits_per_s)) <= 5


@given(st.text())
def test_what_is_shown_is_one_line_of_printable_text(text: str) -> None:
    """No character of a name is obeyed by a terminal, and printable text stays as it is."""
    assert visible(text).isprintable()
    if text.isprintable():
        assert visible(text) == text


def test_controls_are_written_as_escapes() -> None:
    """Escape sequences, line ends and marks that turn the writing direction become visible."""
    assert visible("\x1b]0;owned\x07a\nb\u202ec\x9b") == r"\x1b]0;owned\x07a\nb\u202ec\x9b"
