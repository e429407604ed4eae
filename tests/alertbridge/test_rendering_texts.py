"""What holds for every text: hostile values change nothing, storms stay short and quick, numbers read well."""

import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.deliver.model import Kind
from alertbridge.deliver.render import humanise
from alertbridge.deliver.render.facts import AlertFacts
from alertbridge.deliver.render.rendering import DIGEST_CHARS, AwaySummary, Renderer
from tests.fakes.told import NOW_S, moment, notice, plain_notice

JAKARTA = ZoneInfo("Asia/Jakarta")
RENDERER = Renderer(JAKARTA)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("rich", [True, False])
def test_a_storm_is_told_briefly_and_at_once(language: str, rich: bool) -> None:
    """Ten thousand notices make one short text in a moment, and the worst alert is in its first two lines."""
    names = ["HighCpu", "InterfaceDown", "QueueDrops", "PppSessionsLow", "x" * 500]
    storm = [
        notice(number=number, name=names[number % 5], severity="warning" if number % 3 else "info",
               labels={"router": f"edge-{number % 400}" + "y" * 90, "interface": "z" * 300})
        for number in range(10_000)
    ]  # fmt: skip
    storm.insert(5_000, notice(number=20_000))
    RENDERER.digest(storm[:1], since_s=NOW_S, language=language, now_s=NOW_S, rich=rich)  # compiles
    took: dict[int, list[float]] = {}
    text = ""
    for told in [storm[:1_000], storm] * 3:
        began = time.process_time()
        text = RENDERER.digest(told, since_s=NOW_S - 300, language=language, now_s=NOW_S, rich=rich)
        took.setdefault(len(told), []).append(time.process_time() - began)
    assert min(took[10_001]) < max(0.2, 40 * min(took[1_000]))
    assert len(text) <= DIGEST_CHARS
    first = " ".join(text.split("\n")[:2])
    assert "RouterDown" in first
    assert "core-1" in first
    assert "10001" in text


def test_a_digest_counts_episodes_as_they_are_now() -> None:
    """Firing and resolved of one episode are one alert, and it is over."""
    began = notice(number=7, ended_s=None)
    over = notice(Kind.RESOLVED, number=7, ended_s=5)
    text = RENDERER.digest([began, over], since_s=NOW_S - 60, language="en", now_s=NOW_S)
    assert text.startswith("\N{WHITE HEAVY CHECK MARK} *RESOLVED* RouterDown")
    assert "*1 more critical alert* in 1 minute: 0 still firing, 1 resolved" in text


def test_a_digest_of_nothing_but_words_of_the_bridge() -> None:
    """Notices that are about no alert are told by their first lines."""
    text = RENDERER.digest([plain_notice("One\ntwo")], since_s=NOW_S - 60, language="id", now_s=NOW_S)
    assert text == "Lainnya:\n- One"


def test_an_outage_of_thousands_is_told_briefly() -> None:
    """Five thousand alerts that still fire make one text, worst first."""
    subjects = [
        one.subject for one in (notice(number=n, severity="warning") for n in range(5_000)) if one.subject
    ]
    text = RENDERER.away(AwaySummary(9_000, subjects, NOW_S - 43_200), language="id", now_s=NOW_S)
    assert "*9000 alert*" in text
    assert "5000 masih aktif, 4000 sudah selesai" in text
    assert len(text) <= DIGEST_CHARS


@given(st.dictionaries(st.sampled_from(["router", "interface", "ssid", "items", "host"]), st.text(max_size=80)),
       st.text(max_size=200))  # fmt: skip
@settings(max_examples=150)
def test_no_value_breaks_a_text(labels: dict[str, str], summary: str) -> None:
    """Whatever labels and annotations hold, severity and name stay in the first line and no template fails."""
    told = notice(
        labels=labels, annotations={"summary": summary, "description": summary, "runbook_url": summary}
    )
    text = RENDERER.alert(told, language="id", now_s=NOW_S)
    assert text.startswith("\N{LARGE RED CIRCLE} *KRITIS* RouterDown\n")
    assert text.endswith("\n#481")
    assert "(template" not in text.removeprefix(summary)
    assert not {"\u202e", "\u200b", "\x00", "\r"} & set(text)
    assert "\n\n\n" not in text


def test_only_links_are_links() -> None:
    """What is no address of the web is not shown as one."""
    bad = [
        "javascript:alert(1)",
        "https://x.example/a b",
        "https://x.example/\n*y*",
        "/relative",
        "https://" + "x" * 600,
    ]
    for link in bad:
        told = notice(annotations={"runbook_url": link})
        assert "Panduan" not in RENDERER.alert(told, language="id", now_s=NOW_S)


def test_titles_are_one_plain_line() -> None:
    """A title has severity or end, name and place, no marks, and is short."""
    assert RENDERER.title(notice(), "id") == "KRITIS RouterDown core-1"
    assert RENDERER.title(notice(Kind.RESOLVED, ended_s=5), "en") == "RESOLVED RouterDown core-1"
    assert RENDERER.title(plain_notice("*Channel* stopped\nmore"), "en") == "Channel stopped"
    long = RENDERER.title(notice(name="x" * 300, labels={"router": "a\nb" * 100}), "id")
    assert len(long) <= 120
    assert "\n" not in long


def test_the_body_of_a_notice_is_told_as_it_is() -> None:
    """A finished text stays; in plain text its marks go."""
    told = plain_notice("*Channel* stopped\nmore")
    assert RENDERER.alert(told, language="en", now_s=NOW_S) == "*Channel* stopped\nmore"
    assert RENDERER.alert(told, language="en", now_s=NOW_S, rich=False) == "Channel stopped\nmore"


def test_an_alert_from_the_future_began_just_now() -> None:
    """A wrong clock after a power cut makes no negative duration."""
    text = RENDERER.alert(notice(began_s=-5_000), language="id", now_s=NOW_S)
    assert "(baru saja)" in text


def test_annotations_come_in_the_language_of_the_reader() -> None:
    """summary_id is for Indonesian; without it, and for English, it is summary."""
    told = notice(annotations={"summary": "down", "summary_id": "mati"}).subject
    assert told is not None
    assert AlertFacts.of(told, "id", NOW_S).summary == "mati"
    assert AlertFacts.of(told, "en", NOW_S).summary == "down"


@pytest.mark.parametrize(
    ("seconds", "indonesian", "english"),
    [
        (-5, "baru saja", "just now"),
        (0.4, "baru saja", "just now"),
        (1, "1 detik", "1 second"),
        (59, "59 detik", "59 seconds"),
        (60, "1 menit", "1 minute"),
        (185, "3 menit", "3 minutes"),
        (3_600, "1 jam", "1 hour"),
        (7_500, "2 jam 5 mnt", "2 h 5 min"),
        (86_400, "1 hari", "1 day"),
        (90_000, "1 hr 1 jam", "1 d 1 h"),
        (float("nan"), "baru saja", "just now"),
        (float("inf"), "36500 hari", "36500 days"),
    ],
)
def test_durations_read_well(seconds: float, indonesian: str, english: str) -> None:
    """Two units at most; nothing for what is not yet a second."""
    assert humanise.duration(seconds, "id") == indonesian
    assert humanise.duration(seconds, "en") == english


def test_numbers_read_well() -> None:
    """Rates go by thousands, sizes by 1,024, with the language's decimal mark."""
    assert humanise.rate(94_230_000, "id") == "94,2 Mbps"
    assert humanise.rate(12, "en") == "12 bps"
    assert humanise.size(1536, "en") == "1.5 KiB"
    assert humanise.size(1e30, "en").endswith(" PiB")
    assert humanise.percent(0.875, "id") == "87,5%"
    assert humanise.number(0.0000012, "en") == "0.000001"
    assert humanise.rate(float("nan"), "id") == "-"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Jakarta", "14:32 WIB"),
        ("Asia/Makassar", "15:32 WITA"),
        ("Asia/Jayapura", "16:32 WIT"),  # codespell:ignore wit
        ("Europe/Berlin", "08:32 CET"),
        ("Asia/Dubai", "11:32 UTC+04"),
        ("UTC", "07:32 UTC"),
    ],
)
def test_times_are_on_the_wall_clock(zone: str, shown: str) -> None:
    """The zone is named as people there call it."""
    assert humanise.time_of(NOW_S, ZoneInfo(zone), "id", now_s=NOW_S) == shown


def test_times_of_other_days_have_their_date() -> None:
    """The day is told when it is another one, the year as well."""
    at = moment("2025-08-17T09:05:00")
    assert humanise.time_of(at, JAKARTA, "id", now_s=NOW_S) == "17 Agu 2025 09:05 WIB"
    assert humanise.time_of(NOW_S, JAKARTA, "en", now_s=NOW_S + 86_400) == "3 Feb 14:32 WIB"
    assert humanise.day_of(at, JAKARTA, "en") == "17 Aug 2025"
    assert humanise.time_of(1e300, JAKARTA, "id", now_s=NOW_S) == "-"
