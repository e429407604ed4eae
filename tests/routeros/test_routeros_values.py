"""RouterOS text -> numbers, form by form."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routeros.values import (
    SENTINELS,
    Stage,
    Version,
    is_number,
    parse_bool,
    parse_date,
    parse_duration,
    parse_float,
    parse_int,
    parse_pair,
    parse_percent,
    parse_rate,
    parse_signal,
    parse_size,
    parse_version,
)

NUMERIC = (parse_int, parse_float, parse_percent, parse_duration, parse_size, parse_rate, parse_signal)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1w2d3h4m5s", 788645),
        ("00:01:02", 62),
        ("53m10s720ms", 3190.72),
        ("1d02:03:04", 93784),
        ("170ms", 0.17),
        ("2w00:00:00", 1209600),
        ("1ms234us", 0.001234),
        ("521w16h1m7s", 315158467),
        ("0s", 0),
        ("00:00:00.5", 0.5),
        ("5d", 432000),
        ("3m", 180),
        ("90m", 5400),
        ("1.5s", 1.5),
        ("-2s", -2),
        ("30", 30),
        ("25:00:00", 90000),
    ],
)
def test_duration_forms(text: str, seconds: float) -> None:
    """Each form of a duration met on routers gives its seconds."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["5x", "1h2d", "00:61:00", "00:00", "s", "-", "1m2m", "ms", "1 h", "1e3", "٣s"]
)
def test_no_duration(text: str) -> None:
    """What cannot be a duration is an error, never a guess."""
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("yes", True),
        ("", True),
        ("false", False),
        ("no", False),
        ("auto", None),
        ("default", None),
    ],
)
def test_bool_forms(text: str, value: bool | None) -> None:
    """Both spellings of yes and no, a key with empty value, and the third state."""
    assert parse_bool(text) is value


@pytest.mark.parametrize("text", ["True", "1", "on", "maybe"])
def test_no_bool(text: str) -> None:
    """Nothing else is a yes or a no."""
    with pytest.raises(ValueError, match="expected a yes or no"):
        parse_bool(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("18446744073709551615", 2**64 - 1),
        ("1 234 567", 1234567),
        ("-62", -62),
        ("+5", 5),
        ("007", 7),
    ],
)
def test_int_forms(text: str, value: int) -> None:
    """Counters of 64 bits, signs, and the spaces of the console."""
    assert parse_int(text) == value


@pytest.mark.parametrize("text", ["1_000", "0x10", "1.5", "٣", "--1", "1,5", " ", "\n1", "²"])
def test_no_int(text: str) -> None:
    """Python would take some of these for numbers; RouterOS does not write them."""
    with pytest.raises(ValueError, match="expected a whole number"):
        parse_int(text)


@pytest.mark.parametrize(("text", "value"), [("23.9", 23.9), ("-7.42", -7.42), ("3", 3.0)])
def test_float_forms(text: str, value: float) -> None:
    """Decimals as sensors tell them."""
    assert parse_float(text) == value


@pytest.mark.parametrize("text", ["nan", "inf", "1e5", "1.", ".5", "9" * 400])
def test_no_float(text: str) -> None:
    """No infinity, no not-a-number, no exponent."""
    with pytest.raises(ValueError, match="expected a number"):
        parse_float(text)


def test_percent() -> None:
    """The percent sign may be there or not."""
    assert (parse_percent("7"), parse_percent("0.1"), parse_percent("12%")) == (7.0, 0.1, 12.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512k", 512_000),
        ("10M", 10_000_000),
        ("1Gbps", 1e9),
        ("2.5Gbps", 2.5e9),
        ("100Mbps", 1e8),
        ("86.6Mbps-20MHz/1S/SGI", 86_600_000),
        ("1G-baseT-full", 1e9),
        ("0", 0),
        ("433000000", 433e6),
        ("9.6kbps", 9600),
        ("300bps", 300),
    ],
)
def test_rate_forms(text: str, value: float) -> None:
    """Queue limits, ethernet and wireless rates all come out as bits per second."""
    assert parse_rate(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["10M/2M", "fast", "10Mb", "M", "-5M", "5-foo", "10MHz"])
def test_no_rate(text: str) -> None:
    """A pair, another unit or a word is no rate."""
    with pytest.raises(ValueError, match="expected a rate"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1048576", 1048576),
        ("2048KiB", 2097152),
        ("12.5MiB", 13107200),
        ("1GiB", 2**30),
        ("3TiB", 3 * 2**40),
        ("7B", 7),
    ],
)
def test_size_forms(text: str, value: float) -> None:
    """Plain bytes, and binary units."""
    assert parse_size(text) == value


@pytest.mark.parametrize("text", ["12 apples", "KiB", "-5", "1.2.3MiB"])
def test_no_size(text: str) -> None:
    """What cannot be a size is an error."""
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "separator", "halves"),
    [
        ("1200/3400", "/", ("1200", "3400")),
        ("0s/0s", "/", ("0s", "0s")),
        ("0.1/0.1", "/", ("0.1", "0.1")),
        ("1200,3400", ",", ("1200", "3400")),
        ("/", "/", ("", "")),
    ],
)
def test_pair_forms(text: str, separator: str, halves: tuple[str, str]) -> None:
    """Both kinds of pairs, and a pair of nothing."""
    assert parse_pair(text, separator) == halves


@pytest.mark.parametrize("text", ["1200", "", "1/2/3"])
def test_no_pair(text: str) -> None:
    """One value or three are no pair."""
    with pytest.raises(ValueError, match="expected two values"):
        parse_pair(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("-62", -62), ("-62dBm", -62), ("-62@6Mbps", -62), ("-62dBm@6Mbps", -62), ("-7.5dBm", -7.5)],
)
def test_signal_forms(text: str, value: float) -> None:
    """The number up to the first thing that is none."""
    assert parse_signal(text) == value


def test_no_signal() -> None:
    """A word is no signal level."""
    with pytest.raises(ValueError, match="expected a signal"):
        parse_signal("strong")


@pytest.mark.parametrize("text", ["jan/02/2026 15:04:05", "2026-01-02 15:04:05", "Jan/02/2026 15:04:05"])
def test_date_forms(text: str) -> None:
    """Dates of RouterOS 6 and 7 are in the router's zone and come out as Unix seconds."""
    expected = datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC).timestamp() - 7 * 3600
    assert parse_date(text, gmt_offset_s=7 * 3600) == expected


@pytest.mark.parametrize("text", ["", "never", "1970-01-01 00:00:00", "jan/01/1970 00:00:00", "2026-01-02"])
def test_date_without_value(text: str) -> None:
    """Never is no moment, and without the zone no date is one."""
    assert parse_date(text) is None


def test_date_alone_is_midnight() -> None:
    """A date without time is its first second."""
    assert parse_date("2026-01-02", 0.0) == datetime(2026, 1, 2, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text", ["15:04:05", "jan/02 15:04:05", "2026-13-02", "foo/02/2026", "2026-02-30 00:00:00"]
)
def test_no_date(text: str) -> None:
    """A time without date, and days that do not exist, are errors."""
    with pytest.raises(ValueError, match="expected a date"):
        parse_date(text, 0.0)


def test_versions_order() -> None:
    """beta < rc < release, and numbers compare as numbers."""
    texts = [
        "6.49.10 (long-term)",
        "7.1beta6",
        "7.9",
        "7.10beta4 (development)",
        "7.10rc2 (testing)",
        "7.10",
        "7.10.2",
    ]
    versions = [parse_version(text) for text in texts]
    assert versions == sorted(versions)
    assert len(set(versions)) == len(versions)


def test_version_parts() -> None:
    """The channel is kept and does not order."""
    assert parse_version("7.24.1 (stable)") == Version(7, 24, 1)
    assert parse_version("7.24.1 (stable)").channel == "stable"
    assert parse_version("7.23rc2 (testing)").stage is Stage.RC
    assert str(parse_version("7.23beta4 (development)")) == "7.23beta4"


@pytest.mark.parametrize("text", ["", "7", "seven", "7.x", "7.1.2.3"])
def test_no_version(text: str) -> None:
    """What has no major and minor number is no version."""
    with pytest.raises(ValueError, match="expected a version"):
        parse_version(text)


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
def test_sentinels_give_no_value(sentinel: str) -> None:
    """The words for "no value" are neither zero nor an error."""
    assert [parse(sentinel) for parse in NUMERIC] == [None] * len(NUMERIC)


@given(st.text(max_size=40))
def test_numbers_or_value_error(text: str) -> None:
    """Whatever a router says, a parser gives a finite number, None or a ValueError."""
    for parse in (*NUMERIC, lambda value: parse_date(value, 0.0)):
        try:
            value = parse(text)
        except ValueError:
            continue
        assert value is None or math.isfinite(value)


@given(st.text(alphabet="0123456789٣²x. ", max_size=12))
def test_is_number_means_int(text: str) -> None:
    """Text that passes for a number is exactly what an int is written like, leading zeros aside."""
    if is_number(text):
        assert int(text) == parse_int(text) >= 0  # type: ignore[operator] # None would fail, as it should


@given(st.integers(0, 10**9), st.integers(0, 999), st.integers(0, 999))
def test_duration_round_trip(whole_s: int, ms: int, us: int) -> None:
    """A duration written with units or as a clock reads back."""
    minutes, seconds = divmod(whole_s, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    weeks, days = divmod(days, 7)
    units = f"{weeks}w{days}d{hours}h{minutes}m{seconds}s{ms}ms{us}us"
    assert parse_duration(units) == pytest.approx(whole_s + ms / 1e3 + us / 1e6, abs=1e-6)
    assert parse_duration(f"{weeks}w{days}d{hours:02}:{minutes:02}:{seconds:02}") == whole_s


@given(st.integers(-(2**63), 2**64))
def test_int_round_trip(number: int) -> None:
    """Every 64-bit number reads back exactly."""
    assert parse_int(str(number)) == number


@given(st.integers(10**9, 4 * 10**9), st.integers(-12 * 4, 14 * 4))
def test_date_round_trip(unix_s: int, quarters: int) -> None:
    """A moment written in either style of a router's zone reads back."""
    moment = datetime.fromtimestamp(unix_s, tz=UTC)
    local = moment + timedelta(seconds=quarters * 900)
    old = f"{local:%b/%d/%Y %H:%M:%S}".lower()
    assert parse_date(f"{local:%Y-%m-%d %H:%M:%S}", quarters * 900) == moment.timestamp()
    assert parse_date(old, quarters * 900) == moment.timestamp()


@given(st.integers(0, 10**15), st.sampled_from(["", "KiB", "MiB", "GiB"]))
def test_size_round_trip(number: int, unit: str) -> None:
    """A size in any unit is its number times the unit."""
    power = ["", "KiB", "MiB", "GiB"].index(unit)
    assert parse_size(f"{number}{unit}") == float(number) * float(1024**power)
