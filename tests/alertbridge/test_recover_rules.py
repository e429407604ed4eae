"""Whether a rule acts, case by case; pure."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from alertbridge.alerts import Alert, AlertStatus
from alertbridge.deliver.route.schedule import Schedule
from alertbridge.recover.ages import Ages, Stamp
from alertbridge.recover.config import RuleSection
from alertbridge.recover.model import TRANSITIONS, UNDER_WAY, Planned, Reason, RunEvent, RunState
from alertbridge.recover.rules import Rule, Situation, decide
from tests.fakes.clock import FakeClock

NIGHT = Schedule("night", frozenset(range(7)), ((22 * 60, 30 * 60),), ZoneInfo("UTC"))
NOON_S = 1_790_078_400.0 - 1_790_078_400.0 % 86_400 + 43_200
RULE = {
    "name": "mend",
    "match": {"labels": ['alertname="Broken"']},
    "steps": [{"action": "mend", "with": {"target": "a"}}],
    "dry_run": False,
    "unless": [{"labels": ['alertname="RouterDown"'], "equal": ["router"]}],
    "cooldown_s": 600,
    "per_hour": 6,
    "per_day": 8,
}
PLAN = (Planned("mend", {"target": "a"}, "thing:a"),)
CALM = Situation(PLAN)


def rule(**changes: object) -> Rule:
    """The rule above with changes."""
    return Rule.of(RuleSection.model_validate(RULE | changes), {"night": NIGHT})


def alert(**labels: str) -> Alert:
    """A firing alert."""
    named = {"alertname": "Broken", "severity": "critical", "router": "core", **labels}
    return Alert("f", AlertStatus.FIRING, named, {}, 1.0)


DOWN = {"alertname": "RouterDown", "router": "core"}


@pytest.mark.parametrize(
    ("changes", "situation", "reason"),
    [
        ({}, CALM, Reason.ACT),
        ({"approval": "off"}, CALM, Reason.DISABLED),
        ({}, replace(CALM, is_open=False), Reason.RESOLVED_ALREADY),
        ({}, replace(CALM, gave_up=True), Reason.GAVE_UP),
        ({}, replace(CALM, declined=True), Reason.DECLINED),
        ({}, Situation(None, "no label"), Reason.NO_TARGET),
        ({}, replace(CALM, flapping=True), Reason.FLAPPING),
        ({"on_flapping": "act"}, replace(CALM, flapping=True), Reason.ACT),
        ({}, replace(CALM, others=[DOWN]), Reason.DEPENDENCY),
        ({}, replace(CALM, others=[DOWN | {"router": "edge"}]), Reason.ACT),
        ({}, replace(CALM, others=[{"alertname": "RouterDown"}]), Reason.ACT),
        ({"window": "night"}, CALM, Reason.OUTSIDE_WINDOW),
        ({}, replace(CALM, paused=True), Reason.PAUSED),
        ({}, replace(CALM, awaiting=True), Reason.AWAITING_APPROVAL),
        ({}, replace(CALM, held_by="run 7"), Reason.BUSY_TARGET),
        ({}, replace(CALM, since_same_s=599.0), Reason.COOLDOWN),
        ({}, replace(CALM, since_same_s=600.0), Reason.ACT),
        ({}, replace(CALM, ages_s=[3599.0] * 6), Reason.HOURLY_CAP),
        ({}, replace(CALM, ages_s=[3599.0] * 5 + [3600.0]), Reason.ACT),
        ({}, replace(CALM, ages_s=[4000.0] * 8), Reason.DAILY_CAP),
        ({}, replace(CALM, ages_s=[4000.0] * 7 + [86_400.0]), Reason.ACT),
        ({"dry_run": True}, CALM, Reason.DRY_RUN),
        ({"dry_run": True}, replace(CALM, paused=True), Reason.PAUSED),
    ],
)
def test_each_reason(changes: dict[str, object], situation: Situation, reason: Reason) -> None:
    """Each thing that forbids an action is told by its own name."""
    assert decide(rule(**changes), alert(), situation, NOON_S).reason is reason


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        (replace(CALM, since_same_s=0.0, held_by="run 1", gave_up=True), Reason.ACT),
        (replace(CALM, paused=True), Reason.PAUSED),
        (replace(CALM, ages_s=[1.0] * 6), Reason.HOURLY_CAP),
        (replace(CALM, others=[DOWN]), Reason.DEPENDENCY),
        (replace(CALM, is_open=False), Reason.RESOLVED_ALREADY),
    ],
)
def test_the_next_try_of_a_run(situation: Situation, reason: Reason) -> None:
    """A run's own action is no cooldown for its next try; everything else holds for each try."""
    assert decide(rule(), alert(), situation, NOON_S, going_on=True).reason is reason


@pytest.mark.parametrize("labels", [{"component": "bridge"}, {"__name__": "alertbridge_recovery_exhausted"}])
def test_the_bridges_own_alerts_cause_nothing(labels: dict[str, str]) -> None:
    """Even a rule that got past the configuration's checks does not answer to the bridge's alerts."""
    assert decide(rule(), alert(**labels), CALM, NOON_S).reason is Reason.OWN_ALERT


def test_some_actions_always_ask() -> None:
    """A rule whose action may never be automatic asks whatever it says itself."""
    section = RuleSection.model_validate(RULE)
    assert not Rule.of(section, {}).asks
    assert Rule.of(section, {}, always_asks=frozenset({"mend"})).asks


def test_every_way_out_of_a_run_ends() -> None:
    """What is under way has events, what ended has none, and every state can be reached."""
    begins = {state for state, _ in TRANSITIONS}
    assert begins == set(UNDER_WAY)
    assert {*TRANSITIONS.values(), RunState.PROPOSED} == set(RunState)
    assert {event for _, event in TRANSITIONS} == set(RunEvent)


def test_ages_survive_every_jump_of_the_wall_clock() -> None:
    """A stamp of this boot is read by the monotonic clock alone."""
    clock = FakeClock()
    ages = Ages(clock, "boot")
    stamp = ages.stamp()
    clock.advance(100)
    clock._time_s -= 86_400
    assert ages.age_s(stamp) == pytest.approx(100)
    clock._time_s += 900_000
    assert ages.age_s(stamp) == pytest.approx(100)


def test_a_stamp_from_the_future_ages_from_now_on() -> None:
    """One of another boot that a wrong clock made does not forbid anything for longer than its own length."""
    clock = FakeClock()
    ages = Ages(clock, "boot")
    foreign = Stamp(clock.time() + 86_400, "another boot", 1e9)
    assert ages.age_s(foreign) == pytest.approx(0)
    clock.advance(60)
    assert ages.age_s(foreign) == pytest.approx(60)
    assert ages.age_s(Stamp(clock.time() - 50, "another boot", 5.0)) == pytest.approx(50)
