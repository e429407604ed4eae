"""Who is told of what, and why."""

import pytest

from alertbridge.alerts import AlertStatus
from alertbridge.deliver.model import Kind
from alertbridge.deliver.route.addressbook import AddressBook, Way
from alertbridge.deliver.route.routing import Routes, Target
from tests.fakes.routing_config import routing_config
from tests.fakes.told import NOW_S, alert, moment

CONFIG = routing_config("""
recipients:
  - {name: noc, channel: wa, to: "120363000000000001@g.us"}
  - name: budi
    channel: wa
    to: "+6281200000001"
    language: en
    fallback: [{channel: sms, to: "+6281200000001"}]
  - {name: ani, channel: wa, to: "081200000002"}
schedules:
  - {name: night, hours: "22:00-06:00"}
  - {name: office, days: mon-fri, hours: "08:00-17:00"}
rotas:
  - {name: oncall, start: 2026-01-05, members: [budi, ani]}
routes:
  - {name: lab, match: {labels: 'site="lab"'}, to: []}
  - {name: critical, match: {severity: critical}, to: [noc, oncall]}
  - name: core
    match: {severity: [warning], labels: ['router=~"core.*"', 'job!="test"']}
    to: noc
    language: en
    continue: true
  - {name: office, match: {receiver: web.hook}, when: office, to: ani}
  - {name: info, match: {severity: info}, to: ani, resolved: false, quiet: {schedule: night, do: drop}}
  - {name: rest, match: {severity: warning}, to: noc, quiet: {schedule: night}}
""")
ROUTES = Routes(CONFIG)
DAY, NIGHT = NOW_S, moment("2026-02-03T23:00:00")
MORNING = moment("2026-02-04T06:00:00")


def test_a_critical_alert_goes_to_the_group_and_who_is_on_call() -> None:
    """The rota is resolved to a person, and the reason names route, condition and person."""
    decision = ROUTES.decide(alert(), Kind.FIRING, DAY)
    assert decision.targets == (Target("noc", "id"), Target("budi", "en"))
    assert decision.reasons == (
        "route `critical`: severity is critical → noc, oncall (rota: budi until 2026-02-09 08:00)",
    )
    assert decision.suppressed == ""


def test_continue_looks_further_and_nobody_is_told_twice() -> None:
    """Two routes reach the group: it is told once, as the first of them says."""
    decision = ROUTES.decide(alert("warning", router="core-1"), Kind.FIRING, DAY)
    assert decision.targets == (Target("noc", "en"),)
    assert [reason.split("`")[1] for reason in decision.reasons] == ["core", "rest"]


def test_the_earliest_moment_counts() -> None:
    """A route without quiet hours tells at once, though another would have held it."""
    decision = ROUTES.decide(alert("warning", router="core-1"), Kind.FIRING, NIGHT)
    assert decision.targets == (Target("noc", "en", not_before_s=None),)


def test_quiet_hours_hold() -> None:
    """What is not critical waits for the end of the night."""
    decision = ROUTES.decide(alert("warning", router="edge-1"), Kind.FIRING, NIGHT)
    assert decision.targets == (Target("noc", "id", not_before_s=MORNING),)
    assert decision.reasons == (
        "route `rest`: severity is warning → noc; held until 2026-02-04 06:00: quiet hours `night`",
    )


def test_quiet_hours_drop() -> None:
    """Where the route says so, it is not told at all, and the decision says why."""
    decision = ROUTES.decide(alert("info"), Kind.FIRING, NIGHT)
    assert (decision.targets, decision.suppressed) == ((), "quiet_hours")


def test_quiet_hours_spare_what_is_critical_and_escalated() -> None:
    """Critical alerts come through by default, escalations always."""
    assert ROUTES.decide(alert(), Kind.FIRING, NIGHT).targets[0].not_before_s is None
    escalation = ROUTES.decide(alert("warning"), Kind.ESCALATION, NIGHT)
    assert escalation.targets == (Target("noc", "id"),)


@pytest.mark.parametrize(
    ("labels", "kind", "suppressed"),
    [
        ({"site": "lab"}, Kind.FIRING, "muted"),
        ({"severity": "none"}, Kind.FIRING, "no_route"),
        ({"severity": "info"}, Kind.RESOLVED, "resolved_off"),
    ],
)
def test_nobody_is_told_for_a_reason(labels: dict[str, str], kind: Kind, suppressed: str) -> None:
    """When nobody is told, there is a word for it and a sentence."""
    decision = ROUTES.decide(alert(**labels), kind, DAY)
    assert (decision.targets, decision.suppressed) == ((), suppressed)
    assert decision.reasons


def test_a_route_may_depend_on_the_receiver_and_the_hour() -> None:
    """The route for office hours is for one receiver only, and not at night."""
    wanted = alert("none")
    assert ROUTES.decide(wanted, Kind.FIRING, DAY, receiver="web.hook").targets == (Target("ani", "id"),)
    assert ROUTES.decide(wanted, Kind.FIRING, NIGHT, receiver="web.hook").suppressed == "no_route"
    assert ROUTES.decide(wanted, Kind.FIRING, DAY, receiver="other").suppressed == "no_route"


def test_the_end_follows_those_who_were_told() -> None:
    """A week later somebody else is on call; the end goes to the one who was told of the beginning."""
    later = DAY + 7 * 86_400
    over = alert(status=AlertStatus.RESOLVED)
    decision = ROUTES.follow(over, ["noc", "budi", "noc"], Kind.RESOLVED, later)
    assert decision.targets == (Target("noc", "id"), Target("budi", "en"))


def test_an_end_is_held_where_its_beginning_would_be_dropped() -> None:
    """Quiet hours never swallow an end whose beginning was told."""
    config = CONFIG.model_copy(
        update={
            "routes": tuple(
                route.model_copy(update={"resolved": True}) if route.name == "info" else route
                for route in CONFIG.routes
            )
        }
    )
    over = alert("info", status=AlertStatus.RESOLVED)
    for kind in (Kind.RESOLVED, Kind.CALM):
        decision = Routes(config).follow(over, ["ani"], kind, NIGHT)
        assert decision.targets == (Target("ani", "id", not_before_s=MORNING),)


def test_an_end_goes_to_who_was_told_though_no_route_leads_there_now() -> None:
    """Labels or routes may have changed since; only who is no recipient any more is left out."""
    decision = ROUTES.follow(alert(site="lab"), ["ani", "gone"], Kind.RESOLVED, DAY)
    assert decision.targets == (Target("ani", "id"),)
    assert "gone: was told of the beginning, but is no longer a recipient" in decision.reasons
    assert ROUTES.follow(alert("none"), ["budi"], Kind.RESOLVED, DAY).targets == (Target("budi", "en"),)
    assert ROUTES.follow(alert(), ["gone"], Kind.RESOLVED, DAY).suppressed == "recipient_gone"


def test_a_route_that_tells_no_ends_tells_none() -> None:
    """`resolved: false` holds for those who were told by that route."""
    assert ROUTES.follow(alert("info"), ["ani"], Kind.RESOLVED, DAY).suppressed == "resolved_off"


def test_without_routes_everybody_is_told() -> None:
    """A configuration of channels and recipients alone works."""
    routes = Routes(CONFIG.model_copy(update={"routes": ()}))
    told = routes.decide(alert("none"), Kind.FIRING, NIGHT).targets
    assert [target.recipient for target in told] == ["noc", "budi", "ani"]


def test_a_route_names_its_template() -> None:
    """Whoever is told by that route gets its template."""
    critical = CONFIG.routes[1].model_copy(update={"template": "short"})
    decision = Routes(CONFIG.model_copy(update={"routes": (critical,)})).decide(alert(), Kind.FIRING, DAY)
    assert [target.template for target in decision.targets] == ["short", "short"]


def test_the_address_book_knows_every_way() -> None:
    """Language and fallbacks are settled, and a channel knows whom it reaches."""
    book = AddressBook.of(CONFIG)
    budi = book.get("budi")
    assert budi is not None
    assert budi.ways == (Way("wa", "+6281200000001"), Way("sms", "+6281200000001"))
    assert [one.language for one in book] == ["id", "en", "id"]
    assert [one.name for one in book.on_channel("sms")] == ["budi"]
    assert book.get("nobody") is None
    assert len(book) == len(book.names) == 3
