"""Health as a table of rules."""

from dataclasses import replace

import pytest

from exporter.judgement import RULES, SEVERITY, CollectorEvidence, Evidence, Health, Judgement, judge

GOOD = Evidence(
    answers=True,
    asked_s_ago=5.0,
    collectors=(CollectorEvidence("interface", age_s=5.0), CollectorEvidence("system", age_s=40.0)),
    commands=100,
    success_ratio=1.0,
    p95_s=0.2,
    limit=4.0,
)
SILENT = replace(GOOD, answers=False, cause="unreachable", contact_text="connection refused")
OPEN = replace(SILENT, breaker="open", breaker_text="5 failures in a row", retry_in_s=41.6)
REFUSED = replace(OPEN, cause="login_refused", contact_text="the router refused the login")


def failing(error_class: str = "deadline", **more: float | None) -> Evidence:
    """One collector of two fails."""
    own = {"failing_for_s": 20.0, "age_s": 30.0, **more}
    bad = CollectorEvidence("queue", error_class=error_class, error_text="no answer within 30 s", **own)
    return replace(GOOD, collectors=(*GOOD.collectors, bad))


def reading(seconds: float, age_s: float | None = 45.0) -> Evidence:
    """One collector is being read for that long."""
    slow = CollectorEvidence("queue", refreshing_for_s=seconds, age_s=age_s)
    return replace(GOOD, collectors=(*GOOD.collectors, slow))


@pytest.mark.parametrize(
    ("evidence", "health", "code", "text"),
    [
        (Evidence(), "unknown", "never_asked", "it was not asked yet"),
        (Evidence(asked_s_ago=0.1), "unknown", "first_answer_awaited", "its first answer is awaited"),
        (replace(GOOD, asked_s_ago=900.0), "unknown", "not_asked_lately", "nobody asked for 15 min"),
        (SILENT, "offline", "unreachable", "connection refused"),
        (OPEN, "offline", "breaker_open", "left alone for another 42 s: connection refused"),
        (replace(OPEN, retry_in_s=0.0), "offline", "breaker_open", "to be tried again: connection refused"),
        (REFUSED, "critical", "login_refused", "the router refused the login; next try in 42 s"),
        (
            replace(SILENT, cause="protocol", contact_text="a word of 3 GiB"),
            "critical",
            "not_understood",
            "3 GiB",
        ),
        (
            replace(GOOD, breaker="half_open", breaker_text="5 failures"),
            "warning",
            "half_open",
            "on trial after 5 failures",
        ),
        (failing(), "warning", "collectors_failing", "queue fails: no answer within 30 s"),
        (failing(failing_for_s=200.0, age_s=None), "warning", "collectors_failing", "queue fails"),
        (
            failing(failing_for_s=600.0, age_s=None),
            "critical",
            "collectors_gone",
            "queue fails for 10 min and nothing is served (no answer within 30 s)",
        ),
        (failing("permission"), "warning", "permission_missing", "queue: no answer within 30 s"),
        (failing("permission", failing_for_s=9e9, age_s=None), "warning", "permission_missing", "queue"),
        (failing("pool_exhausted"), "warning", "queue_waits", "no place came free in time for queue"),
        (replace(GOOD, waiting=17), "warning", "queue_waits", "17 commands wait, where 4 may run at once"),
        (reading(12.0), "warning", "stale", "queue is being read for 12 s, what is served is 45 s old"),
        (reading(12.0, None), "warning", "stale", "what is served is nothing yet"),
        (replace(GOOD, p95_s=5.1), "warning", "latency_high", "takes 5.1 s or longer, and a scrape has 10 s"),
        (
            replace(GOOD, success_ratio=0.85),
            "warning",
            "commands_failing",
            "15% of the last 100 commands failed",
        ),
    ],
)
def test_each_rule_tells_its_reason(evidence: Evidence, health: str, code: str, text: str) -> None:
    """What is wrong with a router gives its health, one code for programs and one sentence for people."""
    found = judge(evidence)
    assert found.health is Health(health)
    assert [reason.code for reason in found.reasons] == [code]
    assert text in found.reasons[0].text


@pytest.mark.parametrize(
    "evidence",
    [
        GOOD,
        replace(GOOD, waiting=16),
        replace(GOOD, commands=9, success_ratio=0.1, p95_s=9.0),
        replace(GOOD, commands=0, success_ratio=None, p95_s=None),
        replace(GOOD, asked_s_ago=299.0),
        reading(9.0),
    ],
)
def test_what_proves_nothing_leaves_a_router_healthy(evidence: Evidence) -> None:
    """A queue as one scrape makes it, too few commands, a pause between scrapes: all is well."""
    assert judge(evidence) == Judgement(Health.HEALTHY)


def test_the_worst_reason_gives_the_health_and_all_are_told() -> None:
    """A router with a lost collector and high latency is critical, for two reasons."""
    evidence = replace(failing(failing_for_s=600.0, age_s=None), p95_s=6.0)
    found = judge(evidence)
    assert found.health is Health.CRITICAL
    assert [reason.code for reason in found.reasons] == ["collectors_gone", "latency_high"]


@pytest.mark.parametrize("evidence", [SILENT, OPEN, REFUSED])
def test_a_silent_router_has_one_reason(evidence: Evidence) -> None:
    """That its collectors fail only follows from its silence, and is not told beside it."""
    all_fail = tuple(
        CollectorEvidence(f"c{n}", error_class="unreachable", error_text="x", failing_for_s=9e9)
        for n in range(7)
    )
    found = judge(replace(evidence, collectors=all_fail, waiting=99, p95_s=9.0))
    assert len(found.reasons) == 1


def test_a_failure_that_a_collector_told_is_not_told_twice() -> None:
    """The share of failed commands is a reason only where no collector shows it."""
    found = judge(replace(failing(), success_ratio=0.5))
    assert [reason.code for reason in found.reasons] == ["collectors_failing"]


def test_many_failing_collectors_are_counted_after_the_third() -> None:
    """A reason stays one line."""
    bad = tuple(CollectorEvidence(f"c{n}", error_class="failed", error_text="x") for n in range(5))
    assert (
        judge(replace(GOOD, collectors=bad)).reasons[0].text
        == "c0 fails: x; c1 fails: x; c2 fails: x; and 2 more"
    )


def test_rules_are_told_apart_and_unknown_is_no_fault() -> None:
    """Each rule has a code of its own and a meaning; not knowing is better than knowing of a fault."""
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert all(rule.meaning.endswith(".") for rule in RULES)
    assert sorted(Health, key=SEVERITY.__getitem__)[:2] == [Health.HEALTHY, Health.UNKNOWN]
