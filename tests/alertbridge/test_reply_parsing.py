"""What people write: forgiving about what only reads, never guessing at what changes something."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertbridge.reply.commands.table import BY_NAME, COMMANDS, GRAMMARS
from alertbridge.reply.durations import take_duration
from alertbridge.reply.model import Order
from alertbridge.reply.parsing import Misunderstood, closest, distance, parse

HOUR_S, DAY_S = 3600.0, 86_400.0

UNDERSTOOD = [
    ("help", Order("help")),
    ("Bantuan!", Order("help")),
    ("?", Order("help")),
    ("  *STATUS*  ", Order("status")),
    ("/status core-1", Order("status", names=("core-1",))),
    ("sttaus core-1?", Order("status", names=("core-1",))),
    ("statsu", Order("status")),
    ("alret", Order("alerts")),
    ("alarm core", Order("alerts", names=("core",))),
    ("ack 481", Order("ack", (481,))),
    ("Ack #481.", Order("ack", (481,))),
    ("ack481", Order("ack", (481,))),
    ("ack 481, 482 481", Order("ack", (481, 482))),
    ("tangani 481", Order("ack", (481,))),
    ("ack", Order("ack")),
    ("ack semua", Order("ack", everything=True)),
    ("ack 481 please", Order("ack", (481,), surplus=("please",))),
    ("lepas 481", Order("unack", (481,))),
    ("silence 481 2h", Order("silence", (481,), duration_s=2 * HOUR_S)),
    ("diamkan 481 selama 2 jam", Order("silence", (481,), duration_s=2 * HOUR_S)),
    ("senyap 2 jam", Order("silence", duration_s=2 * HOUR_S)),
    ("silence 481 for 1h30m", Order("silence", (481,), duration_s=1.5 * HOUR_S)),
    ("silence 481 10 years", Order("silence", (481,), duration_s=3650 * DAY_S)),
    ("diamkan 481 selamanya", Order("silence", (481,), duration_s=math.inf)),
    ("silence 481 2", Order("silence", (481, 2))),
    ("bunyikan 481", Order("unsilence", (481,))),
    ("pelanggan joni@isp", Order("user", names=("joni@isp",))),
    (
        "trafik core-1 sfp-sfpplus1 24 jam",
        Order("traffic", names=("core-1", "sfp-sfpplus1"), duration_s=DAY_S),
    ),
    ("trafik core-1 <pppoe-joni>", Order("traffic", names=("core-1", "<pppoe-joni>"))),
    ("jalankan bounce-port router=core-1", Order("run", names=("bounce-port", "router=core-1"))),
    ("ya K7QX23", Order("yes", code="K7QX23")),
    ("YA k7q x23", Order("yes", code="k7qx23")),
    ("tidak K7QX23", Order("no", code="K7QX23")),
    ("@62812000000001 status", Order("status")),
    ("\u200bstatus\u200e", Order("status")),
    ("\uff53\uff54\uff41\uff54\uff55\uff53", Order("status")),
    ("\n\nstatus core-1\nterima kasih", Order("status", names=("core-1",))),
]


@pytest.mark.parametrize(("text", "order"), UNDERSTOOD)
def test_what_is_understood(text: str, order: Order) -> None:
    """Case, punctuation, small misspellings, both languages, and numbers glued to words."""
    assert parse(text, GRAMMARS) == order


ASKED_ABOUT = [("acl 481", ""), ("silense 481 2h", "silence"), ("tanganni 481", "tangani"), ("pasue", "pause"),
               ("resum", "resume"), ("jalankn x", "jalankan"), ("unsilense 4", "unsilence")]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), ASKED_ABOUT)
def test_nothing_that_changes_is_guessed(text: str, meant: str) -> None:
    """A misspelt dangerous word is asked about, however near it is."""
    found = parse(text, GRAMMARS)
    assert isinstance(found, Misunderstood)
    assert found.meant == meant


@pytest.mark.parametrize(
    "text", ["", "   ", "halo", "ya", "ya betul", "tidak apa-apa", "*", "status" + "x" * 600]
)
def test_talk_is_no_command(text: str) -> None:
    """A bare yes, a greeting and a long text mean nothing."""
    assert isinstance(parse(text, GRAMMARS), Misunderstood)


@pytest.mark.parametrize("text", ["statsu", "yes please", "ya tunggu", "acl 481"])
def test_in_a_group_nothing_is_guessed(text: str) -> None:
    """There people talk to each other, so only what is written out counts."""
    assert parse(text, GRAMMARS, strict=True) == Misunderstood(text.split()[0])
    assert parse("status", GRAMMARS, strict=True) == Order("status")
    assert parse("ya K7QX23", GRAMMARS, strict=True) == Order("yes", code="K7QX23")


def test_words_belong_to_one_command() -> None:
    """No word calls two commands, and each command is called by its name."""
    words = [word for command in COMMANDS for word in command.grammar.words]
    assert len(words) == len(set(words))
    assert all(name in command.grammar.words for name, command in BY_NAME.items())


@given(st.sampled_from(COMMANDS), st.data())
def test_one_wrong_letter_never_runs_something_dangerous(command: object, data: st.DataObject) -> None:
    """Whatever letter of whatever word is changed, what then runs only reads, unless it is a word itself."""
    word = data.draw(st.sampled_from([w for one in COMMANDS for w in one.grammar.words if len(w) > 1]))
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    written = word[:at] + letter + word[at + 1 :]
    found = parse(f"{written} 481", GRAMMARS)
    known = {w for one in COMMANDS for w in one.grammar.words}
    if isinstance(found, Order) and written not in known:
        assert not BY_NAME[found.command].changes


@given(st.text(max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    """Every text is an order or none, and an order names a command that there is."""
    found = parse(text, GRAMMARS)
    if isinstance(found, Order):
        assert found.command in BY_NAME
        assert all(number >= 0 for number in found.episodes)


@given(st.text(alphabet="abcs", max_size=6), st.text(alphabet="abcs", max_size=6))
def test_distance_is_one(one: str, other: str) -> None:
    """It is none for the same, the same both ways, and never more than the longer one."""
    assert (distance(one, other) == 0) is (one == other)
    assert distance(one, other) == distance(other, one) <= max(len(one), len(other))


def test_two_words_as_near_are_not_guessed() -> None:
    """What can mean two things means none."""
    assert closest("statur", ["status", "stator"]) == ""
    assert closest("statur", ["status", "other"]) == "status"


DURATIONS = [
    ("2h", 2 * HOUR_S),
    ("2jam", 2 * HOUR_S),
    ("2 jam", 2 * HOUR_S),
    ("30m", 1800),
    ("30 menit", 1800),
    ("1 jam 30 menit", 5400),
    ("1h 30m", 5400),
    ("1,5 jam", 5400),
    ("1.5h", 5400),
    ("setengah jam", 1800),
    ("sejam", HOUR_S),
    ("3 hari", 3 * DAY_S),
    ("2d", 2 * DAY_S),
    ("seminggu", 7 * DAY_S),
    ("90 detik", 90),
    ("10 years", 3650 * DAY_S),
    ("10 tahun", 3650 * DAY_S),
    ("forever", math.inf),
    ("999999999999h", 999999999999 * HOUR_S),
]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_durations(text: str, seconds: float) -> None:
    """In both languages, short and long, added up, with fractions, and without end."""
    assert take_duration(text.split()) == (seconds, [])


@pytest.mark.parametrize("text", ["", "core-1", "481", "ether1", "2x", "h", "jam"])
def test_no_durations(text: str) -> None:
    """Names and bare numbers are none."""
    assert take_duration(text.split()) == (None, text.split())


@given(st.integers(1, 59), st.integers(1, 59))
def test_durations_add_up(hours: int, minutes: int) -> None:
    """Glued or apart, hours and minutes mean the same."""
    wanted = hours * HOUR_S + minutes * 60
    for text in (f"{hours}h{minutes}m", f"{hours} jam {minutes} menit", f"{hours}j {minutes}mnt"):
        assert take_duration([*text.split(), "core-1"]) == (wanted, ["core-1"])
