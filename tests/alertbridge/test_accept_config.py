"""The `accept:` section says what it means, and the bridge's own parts fit what accepting asks for."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.counts import AcceptCounts
from alertbridge.accept.intake import Intake
from alertbridge.accept.ports import Deciding
from alertbridge.alerts import Severity
from alertbridge.deliver.route.routing import Routes
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.store.database import Database
from alertbridge.store.schema import notices
from tests.fakes.accepting import firing, group, resolved
from tests.fakes.clock import FakeClock
from tests.fakes.routing_config import routing_config

T0 = 1_700_000_000.0
RECIPIENTS = 'recipients: [{name: noc, channel: wa, to: "+6281200000001"}]'


def test_the_defaults_are_those_of_the_promises() -> None:
    """45 s for critical ones, repeats after an hour, more than four changes in ten minutes, 16 MiB."""
    section = AcceptSection()
    deadlines = [section.deadlines.of(severity) for severity in Severity]
    assert deadlines == [45.0, 600.0, 3600.0, 3600.0]
    assert (section.rules.repeat_after_s, section.rules.late_copy_s) == (3600.0, 60.0)
    rules = section.flapping.rules
    assert (rules.changes, rules.window_s, rules.calm_s) == (4, 600.0, 600.0)
    assert (section.limits.body_bytes, section.limits.stranger_body_bytes) == (16 << 20, 64 << 10)
    assert section.limits.texts.label_chars == 2048


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"watchdog": {"matchers": ['alertname=~"("']}}, "watchdog"),
        ({"watchdog": {"matchers": ["Watchdog"]}}, "watchdog"),
        ({"repeat_after_s": 0}, "repeat_after_s"),
        ({"flapping": {"changes": 0}}, "flapping"),
        ({"limits": {"body_bytes": 5}}, "limits"),
        ({"deadlines": {"critical": 45}}, "deadlines"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(given: Mapping[str, Any], place: str) -> None:
    """At load, not at the first alert."""
    with pytest.raises(ValidationError) as caught:
        AcceptSection.model_validate(given)
    assert caught.value.errors()[0]["loc"][0] == place


@pytest.mark.parametrize(
    ("matchers", "heard"),
    [
        (['alertname="Watchdog"'], True),
        (['alertname=~"Watch.*"', 'cluster="a"'], False),
        (['alertname=~"Watch.*"', 'cluster="b"'], True),
        ([], False),
    ],
)
async def test_the_watchdog_is_what_all_matchers_fit(
    database: Database, clock: FakeClock, matchers: list[str], heard: bool
) -> None:
    """Without any there is none, and the alert is one like others."""
    section = AcceptSection.model_validate({"watchdog": {"matchers": matchers}})
    intake = Intake(database, Routes(routing_config(RECIPIENTS)), section, SelfMetrics(process=False), clock)
    taken = await intake.take(group(firing("w", T0, alertname="Watchdog", cluster="b")))
    assert (taken.watchdogs, taken.opened) == ((1, 0) if heard else (0, 1))


async def test_real_routes_and_metrics_fit(database: Database, clock: FakeClock) -> None:
    """From the section `recipients` to rows for each of them, counted as the bridge's metrics have it."""
    routes: Deciding = Routes(routing_config(RECIPIENTS))
    metrics = SelfMetrics(process=False)
    counts: AcceptCounts = metrics
    intake = Intake(database, routes, AcceptSection(), counts, clock)
    await intake.take(group(firing("f1", T0 - 2)))
    clock.advance(300)
    await intake.take(group(resolved("f1", T0 - 2, T0 + 290)))
    async with database.read() as connection:
        found = list(await connection.execute(select(notices).order_by(notices.c.id)))
    assert [(row.kind, row.state, row.recipient) for row in found] == [
        ("firing", "pending", "noc"),
        ("resolved", "pending", "noc"),
    ]
    value = metrics.registry.get_sample_value
    assert value("alertbridge_alerts_received_total", {"status": "firing"}) == 1
    assert value("alertbridge_notices_total", {"kind": "resolved"}) == 1
    assert value("alertbridge_alert_accept_latency_seconds_sum") == 2.0
