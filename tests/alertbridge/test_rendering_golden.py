"""Every kind of text is, in both languages, exactly the golden one.

Set UPDATE_GOLDEN=1 to write the texts anew, then read them as somebody does who was woken at 3 am.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alertbridge.deliver.model import Kind
from alertbridge.deliver.providers.base import Traits
from alertbridge.deliver.render.contexts import Report, ReportSection
from alertbridge.deliver.render.rendering import AwaySummary, Renderer
from alertbridge.deliver.sending import outgoing
from tests.fakes.told import NOW_S, notice, plain_notice, told_message

GOLDEN = Path(__file__).parent / "golden"

ROUTER_DOWN = {
    "summary": "Router core-1 does not answer",
    "summary_id": "Router core-1 tidak menjawab",
    "description": "No answer to the API since 3 minutes; ping is silent, too.",
    "description_id": "API tidak menjawab sejak 3 menit; ping pun diam.",
    "runbook_url": "https://noc.example.net/runbooks/routers.md#routerdown",
    "dashboard_url": "https://grafana.example.net/d/tikwatch-router?var-router=core-1",
}
PLACE = {"router": "core-1", "site": "POP Depok", "instance": "192.0.2.1:8728", "model": "CCR2116"}
HOSTILE = {
    "router": "*core*_1_ ```x```",
    "interface": "\u202eevil\u200b ~eth~",
    "ssid": "\u05e9\u05dc\u05d5\u05dd",
    "host": "> quote\nsecond line",
}

MANY = [
    *(
        notice(number=500 + number, name="HighCpu", severity="warning", labels={"router": f"edge-{number % 5}"},
               began_s=60 + number)
        for number in range(12)
    ),
    notice(number=481, labels=PLACE, annotations=ROUTER_DOWN),
    notice(Kind.RESOLVED, number=530, name="InterfaceDown", severity="warning",
           labels={"router": "core-2", "interface": "sfp-sfpplus1"}, began_s=600, ended_s=30),
]  # fmt: skip
GROUP = [
    *(notice(number=481 + number, labels={"router": f"core-{number}"}, annotations={
        "summary": "Routers do not answer", "summary_id": "Router tidak menjawab",
        "runbook_url": ROUTER_DOWN["runbook_url"]}, began_s=200 - number) for number in range(1, 4)),
    notice(Kind.RESOLVED, number=470, labels={"router": "core-9"}, began_s=4000, ended_s=30),
]  # fmt: skip

Render = Callable[[Renderer, str], str]


def late_again(text: str, language: str) -> str:
    """`text` as it leaves when it waited for ten minutes, then failed for two, and may have arrived before."""
    message = told_message(text, language=language, waited_s=600.0, repeated=True)
    return outgoing(message, Traits(text_limit=4096), 120.0, 120.0, None).text


TEXTS: Mapping[str, Render] = {
    "firing": lambda r, lang: r.alert(
        notice(labels=PLACE, annotations=ROUTER_DOWN), language=lang, now_s=NOW_S
    ),
    "firing-bare": lambda r, lang: r.alert(notice(labels={}, severity="info"), language=lang, now_s=NOW_S),
    "firing-late-repeated": lambda r, lang: late_again(
        r.alert(notice(labels=PLACE, annotations=ROUTER_DOWN), language=lang, now_s=NOW_S), lang
    ),
    "firing-plain": lambda r, lang: r.alert(
        notice(labels=PLACE, annotations=ROUTER_DOWN), language=lang, now_s=NOW_S, rich=False
    ),
    "firing-hostile": lambda r, lang: r.alert(
        notice(labels=HOSTILE, annotations={"summary": "a *b* _c_ {{ 1/0 }}\n> d"}), language=lang, now_s=NOW_S
    ),
    "resolved": lambda r, lang: r.alert(
        notice(Kind.RESOLVED, labels=PLACE, began_s=900, ended_s=5), language=lang, now_s=NOW_S
    ),
    "repeat": lambda r, lang: r.alert(
        notice(Kind.REPEAT, labels=PLACE, annotations=ROUTER_DOWN, began_s=14_700), language=lang, now_s=NOW_S
    ),
    "repeat-acknowledged": lambda r, lang: r.alert(
        notice(Kind.REPEAT, labels=PLACE, annotations=ROUTER_DOWN, began_s=100_000, acknowledged_by="Budi"),
        language=lang,
        now_s=NOW_S,
    ),
    "flapping": lambda r, lang: r.alert(
        notice(Kind.FLAPPING, name="InterfaceDown", severity="warning",
               labels={"router": "core-2", "interface": "ether5"},
               annotations={"summary": "ether5 on core-2 is down", "summary_id": "ether5 pada core-2 mati"}),
        language=lang, now_s=NOW_S,
    ),
    "calm": lambda r, lang: r.alert(
        notice(Kind.CALM, name="InterfaceDown", severity="warning",
               labels={"router": "core-2", "interface": "ether5"}, ended_s=5),
        language=lang, now_s=NOW_S,
    ),
    "escalation": lambda r, lang: r.alert(
        notice(Kind.ESCALATION, labels=PLACE, annotations=ROUTER_DOWN, began_s=960), language=lang, now_s=NOW_S
    ),
    "group": lambda r, lang: r.group(GROUP, language=lang, now_s=NOW_S, truncated=37),
    "group-mixed": lambda r, lang: r.group(MANY, language=lang, now_s=NOW_S),
    "group-over": lambda r, lang: r.group(GROUP[-1:], language=lang, now_s=NOW_S),
    "digest": lambda r, lang: r.digest(
        [*MANY, plain_notice("Channel noc-bot stopped\nmore")], language=lang, now_s=NOW_S, since_s=NOW_S - 300
    ),
    "digest-warnings": lambda r, lang: r.digest(MANY[:12], language=lang, now_s=NOW_S, since_s=NOW_S - 300),
    "digest-plain": lambda r, lang: r.digest(
        MANY, language=lang, now_s=NOW_S, since_s=NOW_S - 300, rich=False
    ),
    "away": lambda r, lang: r.away(
        AwaySummary(41, [one.subject for one in MANY[10:13] if one.subject], NOW_S - 43_200, told_elsewhere=5),
        language=lang, now_s=NOW_S,
    ),
    "away-over": lambda r, lang: r.away(AwaySummary(41, (), NOW_S - 43_200), language=lang, now_s=NOW_S),
    "away-unknown": lambda r, lang: r.away(
        AwaySummary(3, [one.subject for one in MANY[12:13] if one.subject], NOW_S - 7_200, unknown=True),
        language=lang, now_s=NOW_S,
    ),
    "report": lambda r, lang: r.report(
        Report("Tikwatch", NOW_S - 86_400, NOW_S, (
            ReportSection("Router", ("core-1: 99,9%", "edge_2: 98%")), ReportSection("Alert", ("41",)),
        )),
        language=lang, now_s=NOW_S,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(ZoneInfo("Asia/Jakarta"))


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_the_golden_one(renderer: Renderer, name: str, language: str) -> None:
    """The text of each kind is, to the letter, the one that somebody has read and found good."""
    text = f"{TEXTS[name](renderer, language)}\n"
    golden = GOLDEN / f"{name}.{language}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_no_golden_text_is_left_over() -> None:
    """Each golden text belongs to a case."""
    names = {f"{name}.{language}.txt" for name in TEXTS for language in ("id", "en")}
    assert {path.name for path in GOLDEN.glob("*.txt")} == names
