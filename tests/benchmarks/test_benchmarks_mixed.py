"""How mixed faults are drawn and judged, without a demo: the audit is held against the rules entry by entry."""

import random
from pathlib import Path

import pytest
import yaml

from alertbridge.config import load_config
from benchmarks.judging import Judged
from benchmarks.ledger import Breaches, Json, breaches, rules_of
from benchmarks.mixed import BOTS, DATABASES, PORTS, Mixed, kill_marks, lines
from benchmarks.mixing import KINDS, Thing, drawn
from scripts.demo.bridgeconfig import TOKEN_FILE, bridge_config
from scripts.demo.cast import Cast
from scripts.demo.ports import HOST, VARIABLES, Ports

RULES: dict[str, Json] = {
    "reconnect": {
        "match": {"labels": ['alertname=~"BotDisconnected|BotLoggedOut"', 'bot!=""']},
        "steps": [{"action": "bot_reconnect", "tries": 2}],
        "dry_run": False,
        "cooldown_s": 10,
        "per_hour": 4,
        "per_day": 5,
    },
    "lock": {
        "match": {"labels": ['alertname="DatabaseLocked"']},
        "steps": [{"action": "sqlite_end_lock_holder", "tries": 1}],
        "dry_run": False,
        "approval": "ask",
        "cooldown_s": 0,
        "per_hour": 100,
        "per_day": 100,
    },
}
ALERTS = {
    "reconnect": {"alertname": "BotDisconnected", "bot": "one"},
    "lock": {"alertname": "DatabaseLocked", "database": "billing"},
}


def run(
    number: int,
    *events: str,
    rule: str = "reconnect",
    at_s: float = 1000.0,
    target: str = "bot:one",
    action: str = "",
    **alert: str,
) -> list[Json]:
    """The entries of a run, one each second; ``proposed`` comes first by itself."""
    planned = str(RULES[rule]["steps"][0]["action"])
    proposed = {"plan": [{"action": planned, "target": target}], "alert": {**ALERTS[rule], **alert}}
    return [
        {
            "at": at_s + second,
            "actor": f"rule:{rule}",
            "event": event,
            "run": number,
            "target": target,
            "after": proposed if event == "proposed" else {"action": action or planned},
        }
        for second, event in enumerate(["proposed", *events])
    ]


TRY = ("ready", "act", "done")
ONCE = (*TRY, "cure")


def found(*runs: list[Json]) -> Breaches:
    """What the audit of these runs shows."""
    told = [entry for one in runs for entry in one]
    return breaches(sorted(told, key=lambda entry: float(entry["at"])), RULES)


def test_what_the_rules_allow_is_no_breach() -> None:
    """Tries of a run, runs one after the other, and what a person agreed to."""
    told = found(
        run(1, *TRY, "again", *TRY, "cure"),
        run(2, *ONCE, at_s=1100.0),
        run(3, "ask", "approve", *ONCE, rule="lock", target="sqlite:billing"),
        run(4, "ready", "refuse", target="bot:two"),
    )
    assert told == Breaches(actions=4)
    assert not told.any


@pytest.mark.parametrize(
    ("runs", "breach"),
    [
        ([run(1, *ONCE, action="bot_restart")], "outside_rules"),
        ([run(1, *ONCE, alertname="RouterDown")], "outside_rules"),
        ([run(1, *ONCE, bot="")], "outside_rules"),
        ([run(1, "ask", *ONCE, rule="lock")], "outside_rules"),
        ([run(1, *TRY, "again", *TRY, "again", *TRY, "cure")], "over_a_limit"),
        ([run(1, *ONCE), run(2, *ONCE, at_s=1005.0)], "over_a_limit"),
        ([run(n, *ONCE, at_s=1000.0 + 100 * n, target=f"bot:{n}") for n in range(1, 6)], "over_a_limit"),
        ([run(n, *ONCE, at_s=5000.0 * n, target=f"bot:{n}") for n in range(1, 7)], "over_a_limit"),
        ([run(1, *TRY, *("wait",) * 20, "cure"), run(2, *ONCE, at_s=1015.0)], "twice_at_once"),
        ([run(1, "ready", "act", "act", "done", "cure")], "repeated"),
    ],
)
def test_each_breach_is_found(runs: list[list[Json]], breach: str) -> None:
    """And only that one, once."""
    told = found(*runs)
    assert told.any
    assert told == Breaches(actions=told.actions, **{breach: 1})


def test_faults_are_drawn_by_their_seed() -> None:
    """The same seed gives the same faults; every kind comes up among many, about as often as its share."""
    first, again, other = (drawn(400, random.Random(seed)) for seed in (1, 1, 2))  # noqa: S311  dice
    assert first == again != other
    kinds = [kind for thing in Thing for kind in first[thing]]
    assert len(kinds) == 400
    assert {kind.name for kind in kinds} == {kind.name for kind in KINDS}


def test_the_bridge_is_killed_all_along() -> None:
    """Once in each stretch, never before the first fault began, and not at all when nobody wants it."""
    marks = kill_marks(200, 10, random.Random(1))  # noqa: S311  dice
    assert [mark // 20 for mark in marks] == list(range(10))
    assert kill_marks(5, 0, random.Random(1)) == []  # noqa: S311


@pytest.mark.parametrize(
    ("ended", "well", "misjudged"),
    [
        ("cured", True, False),
        ("cured", False, True),
        ("exhausted", True, True),
        ("refused", False, False),
        ("not_cured", True, False),
        ("interrupted", False, False),
    ],
)
def test_a_verdict_is_wrong_when_it_claims_what_is_not_so(ended: str, well: bool, misjudged: bool) -> None:
    """That nobody can tell is no claim."""
    assert Judged("any", "bot1", True, 1, ended, well=well).misjudged is misjudged


def test_every_kind_has_its_rule_in_the_larger_demo(tmp_path: Path) -> None:
    """The bridge takes the configuration, and what cannot be cured is told to a person."""
    (tmp_path / TOKEN_FILE).write_text("token-of-the-demo", encoding="utf-8")
    ports = Ports(**{name: 9500 + number for number, name in enumerate(VARIABLES)})
    cast = Cast.of(tmp_path, ports, bots=BOTS, databases=DATABASES, profiles=PORTS)
    routers = [{"name": name, "address": HOST, "port": 9600 + n} for n, name in enumerate(PORTS)]
    file = tmp_path / "alertbridge.yml"
    file.write_text(bridge_config(ports, tmp_path, cast, routers), encoding="utf-8")
    assert {rule.name for rule in load_config(file).recovery.rules} == set(rules_of(file))
    assert {kind.rule for kind in KINDS} <= set(rules_of(file))
    assert all(kind.is_told for kind in KINDS if {"exhausted", "refused"} & {*kind.ends})
    channels = yaml.safe_load(file.read_text(encoding="utf-8"))["channels"]
    assert set(BOTS) <= {channel["name"] for channel in channels}


def test_the_table_counts_what_went_wrong() -> None:
    """A fault that did not end as it ought to, a false verdict, a breach and a broken chain are all seen."""
    judged = [
        Judged("session dropped", "bot1", True, 1, "cured", "", 1, 12.0, None, True),
        Judged("session dropped", "bot2", True, 2, "cured", "", 1, 14.0, None, False, ["it was not well"]),
        Judged("banned", "bot1", False, 3, "refused", "banned", 0, 9.0, 1.0, False),
    ]
    made = {
        line.what: line
        for line in lines(Mixed(judged, Breaches(2, repeated=1), "entry 3 is gone", [4.0, 6.0], 60.0))
    }
    assert made["verdicts that were not the truth"].value == 1
    assert made["share that ended as it ought to"].value == pytest.approx(2 / 3)
    assert made["share cured of the 2 that can be"].value == 1
    assert made["audit chains that do not hold"].met is False
    assert made["repeated without a look at the last"].met is False
    assert made["outside the rules"].met
    assert made["kills of the bridge meanwhile"].value == 2
    assert made["session dropped: verified, worst"].value == 14
    assert made["banned: then told over the fallback, worst"].value == 1
