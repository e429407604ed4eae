"""Every command against a Prometheus and an Alertmanager over HTTP: what it asks, what it does, what it answers."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from alertbridge.alertmanager import AlertmanagerSection
from alertbridge.deliver.render.characters import ISOLATE, ZWJ
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.prometheus import PrometheusSection
from alertbridge.reply.commands.table import COMMANDS
from alertbridge.reply.config import RepliesSection
from alertbridge.reply.model import Outcome, Role
from alertbridge.reply.reportnow import ReportNow
from alertbridge.reply.texts import TEXTS, say
from alertbridge.report.composing import Composer
from alertbridge.report.gathering import Gathering
from alertbridge.report.lines import NoCharts
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.monitoring import Labels, seconds
from tests.fakes.replying import ADMIN, JAKARTA, OPERATOR, PNG, VIEWER, Desk, desk
from tests.fakes.report_bench import ScriptedPrometheus

HOUR_S = 3600.0
PAGE = Path(__file__).parents[2] / "docs/how-to/replies.md"
UP: list[tuple[Labels, float]] = [
    ({"router": "core-1"}, 1.0),
    ({"router": "core-2"}, 1.0),
    ({"router": "branch-7"}, 0.0),
]


@pytest.fixture
async def store(sqlite_section: StoreSection, clock: FakeClock) -> AsyncIterator[Database]:
    opened = await Database.open(sqlite_section, clock)
    yield opened
    await opened.close()


@pytest.fixture
async def at(store: Database, clock: FakeClock) -> AsyncIterator[Desk]:
    async with desk(store, clock) as made:
        made.prometheus.answers = {"group by (router)": UP}
        yield made


async def test_help_tells_what_the_role_allows(at: Desk) -> None:
    """A viewer hears of nothing that is forbidden, in the language that is set; an admin of everything."""
    told = await at.write("help", number=VIEWER)
    assert "Commands for Sari" in told
    assert "status [ROUTER]" in told
    assert "silence" not in told
    admin = await at.write("bantuan", number=ADMIN)
    assert all(command.usage.id in admin for command in COMMANDS if command.name != "help")
    assert at.ear.told[-1].language == "id"


async def test_status_of_the_network(at: Desk) -> None:
    """Routers, subscribers, traffic, alerts, channels and recovery in a few lines."""
    at.prometheus.answers = {
        "router:up:min": UP,
        "subscribers": [({}, 412.0)],
        "receive_bits": [({}, 94.2e6)],
        "transmit_bits": [({}, 12e6)],
    }
    await at.firing("RouterDown", router="branch-7")
    told = await at.write("status")
    for part in (
        "2 of 3 up",
        "Down: branch-7",
        "412",
        "94.2 Mbps in",
        "1 critical alert",
        "wa ok",
        "Recovery: on",
    ):
        assert part in told
    assert at.counts.replies == [("status", "done")]


async def test_status_without_prometheus_tells_the_rest(at: Desk) -> None:
    """What does not answer is named within its time, and the store's part is told all the same."""
    at.prometheus.stalls = True
    await at.firing("RouterDown", router="branch-7")
    told = await at.write("status")
    assert "(Prometheus does not answer)" in told
    assert "1 critical alert" in told
    assert at.counts.replies == [("status", "unavailable")]


async def test_status_of_a_router(at: Desk) -> None:
    """Its state, load and alerts; a part of its name is enough, and a name that fits two is asked about."""
    at.prometheus.answers |= {
        'router="core-1"': [
            ({"__name__": "router:up:min", "router": "core-1"}, 1.0),
            ({"__name__": "router:up:avg24h", "router": "core-1"}, 0.999),
            ({"__name__": "router:cpu_load:ratio", "router": "core-1"}, 0.38),
            ({"__name__": "mikrotik_system_uptime_seconds", "router": "core-1"}, 90000.0),
            ({"__name__": "router:temperature_celsius:max", "router": "core-1"}, 51.0),
        ]
    }
    await at.firing("HighLoad", "warning", router="core-1")
    await at.firing("Other", "warning", router="core-2")
    told = await at.write("status CORE1")
    for part in ("*core-1*: up", "1 d 1 h", "99.9%", "CPU 38%, memory -", "51", "HighLoad"):
        assert part in told
    assert "Other" not in told
    assert "core-1, core-2" in await at.write("status core")
    assert "no router" in await at.write("status tower-9")
    assert "DOWN" not in told


async def test_alerts_worst_first(at: Desk) -> None:
    """Numbers to acknowledge, the worst first, narrowed down by words, not endless."""
    warning = await at.firing("HighLoad", "warning", router="core-1")
    critical = await at.firing("RouterDown", router="branch-7")
    told = await at.write("alerts")
    assert told.index(f"#{critical} RouterDown") < told.index(f"#{warning} HighLoad")
    assert "RouterDown" not in await at.write("alert core-1")
    assert "No alert with" in await at.write("alert nothing-like-it")
    for number in range(20):
        await at.firing(f"Alert{number}", "info", router="core-1")
    assert "and 10 more" in await at.write("alerts")
    assert await at.write("alerts", number=ADMIN) != ""


async def test_ack_makes_a_short_silence(at: Desk, clock: FakeClock) -> None:
    """With exactly the alert's labels, its author and number; messages name who has it in hand."""
    number = await at.firing(router="core-1", job='odd "value"\\')
    told = await at.write(f"ack {number}")
    assert f"#{number} BotDown" in told
    assert "Budi" in told
    (silence,) = at.alertmanager.standing
    wanted = {"alertname": "BotDown", "severity": "critical", "router": "core-1", "job": 'odd "value"\\'}
    assert {one["name"]: one["value"] for one in silence["matchers"]} == wanted
    assert all(one["isEqual"] and not one["isRegex"] for one in silence["matchers"])
    assert silence["createdBy"] == "wa:Budi"
    assert f"ack {number} " in silence["comment"]
    assert seconds(silence["endsAt"]) - clock.time() == pytest.approx(900, abs=0.01)
    row = await at.row(number)
    assert (row.acknowledged_by, row.acknowledged_at) == ("Budi", clock.time())
    assert f"#{number} BotDown core-1" in (shown := await at.write("alerts"))
    assert "in hand: Budi" in shown
    assert at.trail.deeds[:2] == ["reply.ack", "reply.ack.done"]


async def test_ack_by_quoting(at: Desk) -> None:
    """A reply to the alert's message needs no number; one to a message of several asks which, or takes all."""
    first, second = await at.firing("A"), await at.firing("B")
    await at.told_of("both", first, second)
    assert f"#{first}" in await at.write("ack", quoted_id=f"out-{first}")
    assert len(at.alertmanager.standing) == 1
    assert f"#{first}, #{second}" in await at.write("ack", quoted_id="both")
    assert len(at.alertmanager.standing) == 1
    assert f"#{second}" in await at.write("ack all", quoted_id="both")
    assert {(await at.row(one)).acknowledged_by for one in (first, second)} == {"Budi"}
    assert "Which alert" in await at.write("ack")
    assert "Which alert" in await at.write("ack", quoted_id="of-another-channel")


async def test_ack_of_what_is_not_there(at: Desk) -> None:
    """A number that nobody has, one that is over, and one that no table takes."""
    number = await at.firing()
    await at.close(number)
    assert "over already" in await at.write(f"ack {number}")
    assert "no alert #99999" in await at.write("ack 99999")
    assert "no alert" in await at.write("ack 999999999999999999")
    assert not at.alertmanager.posts


async def test_taking_over_and_letting_go(at: Desk) -> None:
    """Another person's ack replaces the first one's; letting go ends the silence."""
    number = await at.firing()
    await at.write(f"ack {number}")
    await at.write(f"tangani {number}", number=ADMIN)
    assert [one["createdBy"] for one in at.alertmanager.standing] == ["wa:Ayu"]
    assert (await at.row(number)).acknowledged_by == "Ayu"
    assert f"#{number}" in await at.write(f"unack {number}")
    assert not at.alertmanager.standing
    assert (await at.row(number)).acknowledged_by is None
    assert "Nothing there" in await at.write(f"unack {number}")


async def test_silence_and_unsilence(at: Desk, clock: FakeClock) -> None:
    """As long as was said, told with its end; taken back by name."""
    number = await at.firing(router="core-1")
    told = await at.write(f"silence {number} 2 jam")
    assert "2 hours, until" in told
    (silence,) = at.alertmanager.standing
    assert seconds(silence["endsAt"]) - clock.time() == pytest.approx(2 * HOUR_S, abs=0.01)
    assert (await at.row(number)).acknowledged_by is None
    assert "Silenced no more" in await at.write(f"unsilence {number}")
    assert not at.alertmanager.standing
    assert at.trail.entries[1]["after"] == {"silenced": f"#{number}", "seconds": 7200.0}


@pytest.mark.parametrize("how_long", ["10 years", "8 hari", "forever", "999999999999h"])
async def test_a_silence_for_ten_years_is_refused(at: Desk, how_long: str) -> None:
    """With the longest that is allowed; nothing reaches Alertmanager."""
    number = await at.firing()
    assert "7 days at most" in await at.write(f"silence {number} {how_long}")
    assert not at.alertmanager.posts
    assert at.counts.replies[-1] == ("silence", Outcome.WRONG_USE.value)


@pytest.mark.parametrize("words", ["", "2", "5s", "2h please"])
async def test_a_silence_that_is_not_clear_is_refused(at: Desk, words: str) -> None:
    """Without a unit, too short, or with words that mean nothing: the right way is told."""
    number = await at.firing()
    told = await at.write(f"silence {number} {words}")
    assert any(part in told for part in ("For how long", "at least", "do not understand"))
    assert not at.alertmanager.posts


@pytest.mark.parametrize("command", ["ack {}", "silence {} 2h"])
async def test_alertmanager_away_is_said(at: Desk, command: str) -> None:
    """It is told as not done, and the store remembers that it may stand."""
    number = await at.firing()
    at.alertmanager.status = 503
    assert "Take it as *not* done" in await at.write(command.format(number))
    at.alertmanager.status, at.alertmanager.refusal = 200, "silence invalid: too big"
    assert "silence invalid: too big" in await at.write(command.format(number))
    assert (await at.row(number)).acknowledged_by is None
    assert [outcome for _, outcome in at.counts.replies] == ["unavailable", "refused"]


async def test_top_subscribers(at: Desk) -> None:
    """Ranked by both directions together, told apart, of one router if wanted."""
    at.prometheus.answers = {
        "and on (router, user)": [({"router": "core-1", "user": "joni"}, 8e6)],
        "topk": [
            ({"router": "core-1", "user": "joni"}, 10e6),
            ({"router": "core-2", "user": "*bold* `x`"}, 30e6),
        ],
        "group by (router)": UP,
    }
    told = await at.write("top")
    assert told.index("1. ") < told.index("2. joni (core-1): 8 Mbps down, 2 Mbps up")
    assert "`" not in told
    await at.write("teratas core-1")
    assert any('router="core-1"' in expression for expression in at.prometheus.asked)
    at.prometheus.answers = {}
    assert "no data" in await at.write("top")


async def test_user(at: Desk) -> None:
    """Session, rate and today's traffic; a name is data, never a part of the expression."""
    session = {
        "router": "core-1",
        "user": "joni",
        "address": "10.9.0.7",
        "caller_id": "AA:BB",
        "service": "pppoe",
    }
    at.prometheus.answers = {
        "session_info": [({"__name__": "mikrotik_ppp_session_info", **session}, 1.0)],
        "session_uptime": [({"router": "core-1", "user": "joni"}, 7200.0)],
        "receive_bits": [({"router": "core-1"}, 5e6)],
        "increase(": [({"router": "core-1"}, 3.0 * 1024**3)],
    }
    told = await at.write("user joni")
    for part in (
        "joni* at core-1",
        "pppoe, address 10.9.0.7, from AA:BB",
        "2 hours",
        "5 Mbps down",
        "3 GiB down",
    ):
        assert part in told
    at.prometheus.answers = {"topk": [({"user": "joni2"}, 1.0)]}
    assert "Similar: joni2" in await at.write('user joni"} or vector(1)')
    assert all(r"joni\"} or vector(1)" in one for one in at.prometheus.asked[-7:-1])
    at.prometheus.answers = {}
    assert "no session" in await at.write("pelanggan nobody")
    assert "Usage" in await at.write("user")


async def test_traffic_with_a_chart(at: Desk, clock: FakeClock) -> None:
    """A picture and its figures; a router, or one of its interfaces, for a day unless told otherwise."""
    now_s = clock.time()
    points = [(now_s - 86_400 + 288 * step, 1e6 * (step % 100)) for step in range(301)]
    at.prometheus.ranges = {"receive_bits": points, "transmit_bits": points[:100]}
    at.prometheus.answers |= {
        "group by (interface)": [({"interface": "ether1"}, 1.0), ({"interface": "ether10"}, 1.0)]
    }
    told = await at.write("traffic core-1")
    assert at.ear.told[-1].body.image_png == PNG
    assert "Traffic of core-1*, last 1 day" in told
    assert "peak 99 Mbps" in told
    assert at.charts.drawn[-1][0] == "core-1, 1 day"
    await at.write("trafik core-1 ether1 2 jam")
    assert at.charts.drawn[-1][0] == "core-1 ether1, 2 hours"
    assert 'interface="ether1"' in at.prometheus.asked[-1]
    assert "ether1, ether10" in await at.write("traffic core-1 eth")
    assert "no interface" in await at.write("traffic core-1 wlan9")
    assert "at most" in await at.write("traffic core-1 10 years")
    at.charts.png = None
    assert "without a picture" in await at.write("traffic core-1")
    at.prometheus.ranges = {}
    assert "no traffic of core-1" in await at.write("traffic core-1")


async def test_run_needs_its_code(at: Desk) -> None:
    """Answered with a code that only the same person can send back, and once."""
    number = await at.firing("PortFlaps", router="core-1", interface="ether5")
    told = await at.write("run bounce-port", quoted_id=f"out-{number}")
    assert "answer *yes K7QX22*" in told
    assert "interface=ether5" in told
    assert at.recovery.requested[0][0] == "bounce-port"
    assert at.recovery.requested[0][1]["router"] == "core-1"
    assert not at.recovery.begun
    assert "tidak cocok" in await at.write("ya K7QX22", number=ADMIN)
    assert not at.recovery.begun
    assert "Approved" in await at.write("ya k7qx22")
    assert at.recovery.begun == ["bounce-port"]
    assert "used already" in await at.write("yes K7QX22")
    assert "does not fit" in await at.write("yes AAAAAA")
    assert at.recovery.begun == ["bounce-port"]
    await at.write("run bounce-port router=core-2 interface=ether1")
    assert at.recovery.requested[1] == ("bounce-port", {"router": "core-2", "interface": "ether1"}, "Budi")
    assert "nothing is done" in await at.write("no K7QX23")


async def test_run_what_cannot_be(at: Desk) -> None:
    """An action that nobody knows, one for admins, one that recovery refuses, words that are no labels."""
    assert "no action" in await at.write("run format-disk")
    assert "admin only" in await at.write("run reboot")
    assert "Usage" in await at.write("run bounce-port core-1")
    assert "Usage" in await at.write("run")
    at.recovery.refusal = "cooldown"
    assert "cooldown" in await at.write("run bounce-port router=core-1")
    assert not at.recovery.codes
    at.recovery.refusal = ""
    assert "ya K7QX22" in await at.write("jalankan reboot router=core-1", number=ADMIN)


async def test_actions_pause_and_resume(at: Desk) -> None:
    """What can be run is listed; an admin stops recovery and lets it go on, and is told when it is so already."""
    assert "*bounce-port*: interface_bounce" in (told := await at.write("actions"))
    assert "*reboot*: router_reboot [admin]" in told
    assert "dijeda" in await at.write("jeda", number=ADMIN)
    assert at.recovery.paused_by == "Ayu"
    assert "Sudah dijeda" in await at.write("pause", number=ADMIN)
    assert "paused by Ayu" in await at.write("status")
    await at.write("lanjutkan", number=ADMIN)
    assert at.recovery.paused_by == ""
    assert "Tidak sedang" in await at.write("resume", number=ADMIN)


async def test_report(at: Desk) -> None:
    """The report in the person's language."""
    assert await at.write("report") == "Report"
    assert await at.write("laporan", number=ADMIN) == "Laporan"


async def test_the_report_of_now(store: Database, clock: FakeClock) -> None:
    """What the daily report would say at this moment, in either language, whole however long it is."""
    gathering = Gathering(ScriptedPrometheus(), store, clock, kept_s=86_400.0)
    composer = Composer(gathering, NoCharts(), Renderer(JAKARTA), JAKARTA, clock)
    async with desk(store, clock, reports=ReportNow(composer, lambda: (), clock)) as at:
        english, indonesian = await at.write("report"), await at.write("laporan", number=ADMIN)
    assert len(english.splitlines()) > 10
    assert english != indonesian


FORBIDDEN = [(VIEWER, "ack 1"), (VIEWER, "silence 1 2h"), (VIEWER, "run bounce-port"), (VIEWER, "yes K7QX22"),
             (OPERATOR, "pause"), (OPERATOR, "resume")]  # fmt: skip


@pytest.mark.parametrize(("number", "text"), FORBIDDEN)
async def test_roles_hold(at: Desk, number: str, text: str) -> None:
    """What a role does not allow is refused, and audited as asked for."""
    assert "needs the role" in await at.write(text, number=number)
    (what,) = at.trail.deeds
    assert what.endswith(".forbidden")
    assert not at.alertmanager.posts
    assert not at.recovery.requested


async def test_nothing_configured_is_said(store: Database, clock: FakeClock) -> None:
    """Without Prometheus, Alertmanager, recovery and reports every command says what is missing."""
    async with desk(store, clock, bare=True) as at:
        number = await at.firing()
        assert "Prometheus is not in" in await at.write("top")
        assert "Alertmanager is not in" in await at.write(f"ack {number}")
        assert "recovery is not in" in await at.write("actions")
        assert "reports is not in" in await at.write("report")
        assert "Prometheus is not in" in await at.write("status")


@pytest.mark.parametrize("text", ["top", "status core-1", "user joni", "traffic core-1"])
async def test_prometheus_away_is_said(at: Desk, text: str) -> None:
    """A server that stalls, and one that refuses the expression, make an honest sentence, not a fault."""
    at.prometheus.stalls = True
    assert "Prometheus does not answer" in await at.write(text)
    at.prometheus.stalls, at.prometheus.error = False, (400, "parse error")
    assert "Prometheus does not answer" in await at.write(text)


async def test_hostile_names_stay_harmless(at: Desk) -> None:
    """Marks, line breaks and text that turns around come from customers' names, and change nothing of the answer."""
    await at.firing("*Down*\n_x_", router="\u202eevil", user="\u05d0\u05d1")
    told = await at.write("alerts")
    assert f"*{ZWJ}Down*{ZWJ}" in told
    assert "\u202e" not in told
    assert told.count("\n") == 2
    at.prometheus.answers = {"topk": [({"router": "r", "user": "\u05d0" * 300}, 1.0)]}
    top = await at.write("top")
    assert ISOLATE in top
    assert len(top) < 300


async def test_answers_are_bounded(at: Desk) -> None:
    """However much there is to tell, an answer stays short."""
    at.prometheus.answers["group by (router)"] = [
        ({"router": f"router-{n:04d}-{'x' * 200}"}, 1.0) for n in range(500)
    ]
    for text in ("status nothing", "status router"):
        assert len(await at.write(text)) <= 1_500


def test_every_sentence_is_there_in_both_languages() -> None:
    """The same places to fill in, and no sentence left empty."""
    for name, phrase in TEXTS.items():
        fields = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in phrase]
        assert fields[0] == fields[1], name
        assert all(phrase), name
    assert say("en", "alert_over", id=1, name="a*b") != say("id", "alert_over", id=1, name="a*b")


def test_the_page_tells_of_every_command() -> None:
    """docs/how-to/replies.md has a row for each command as the table has it."""
    page = PAGE.read_text(encoding="utf-8")
    roles = {Role.VIEWER: "viewer", Role.OPERATOR: "operator", Role.ADMIN: "admin"}
    for command in COMMANDS:
        words = ", ".join(f"`{word}`" for word in command.grammar.words)
        row = f"| {words} | `{command.usage.en}` | {command.does.en} | {roles[command.role]} |"
        assert row in page, row


def test_the_configuration_of_the_page_is_one() -> None:
    """What stands there to be copied is taken as it is."""
    page = PAGE.read_text(encoding="utf-8")
    given = yaml.safe_load(page.split("```yaml")[1].split("```")[0])
    section = RepliesSection.model_validate(given["replies"])
    assert [one.role for one in section.operators] == ["admin", "operator", "viewer"]
    AlertmanagerSection.model_validate(given["alertmanager"])
    PrometheusSection.model_validate(given["prometheus"])
    for default in (section.max_age_s / 60, section.over_after_s, section.skew_s, section.per_minute):
        assert re.search(rf"\b{default:g}\b", page), default
