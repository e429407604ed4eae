"""What a webhook's body is read as: alert by alert, and refused as a whole only when it can never be right."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.accept.payload import (
    Fault,
    NotANotification,
    Received,
    Webhook,
    WebhookAlert,
    read_notification,
)
from alertbridge.accept.trimming import MARK, TextLimits
from alertbridge.alerts import AlertStatus, Severity
from tests.fakes.accepting import alert_values, body_of, moment

T0 = 1_700_000_000.0


def only(**changed: object) -> Received:
    """What a body with one alert, changed so, is read as."""
    return read_notification(body_of(alert_values() | changed))


def test_what_0_25_sends_is_enough() -> None:
    """No notification_reason, no routeLabels; the zero time of a firing alert is no end."""
    received = read_notification(body_of(alert_values("f1")))
    (alert,) = received.group.alerts
    assert (alert.fingerprint, alert.status, alert.starts_at_s) == ("f1", AlertStatus.FIRING, T0)
    assert alert.ends_at_s is None
    assert alert.labels == {"alertname": "Down", "severity": "critical", "instance": "f1"}
    assert alert.annotations == {"summary": "it is down"}
    assert alert.generator_url == "http://prometheus.example.net:9090/graph?g0.expr=up"
    group = received.group
    assert (group.key, group.receiver) == ('{}:{alertname="Down"}', "bridge")
    assert (group.external_url, group.truncated, group.reason) == ("http://am-1.example.net:9093", 0, "")
    assert (received.rejected, received.cut) == ((), 0)


def test_what_newer_ones_add_is_kept_and_used() -> None:
    """The reason of the notification is known; what nobody knows yet stays in the models."""
    body = body_of(
        alert_values("f1", silenceURL="http://x"),
        notification_reason="repeat interval elapsed",
        routeLabels={"team": "noc"},
        future={"deep": [1, 2]},
    )
    assert read_notification(body).group.reason == "repeat interval elapsed"
    webhook = Webhook.model_validate(json.loads(body))
    assert webhook.model_extra is not None
    assert webhook.model_extra["routeLabels"] == {"team": "noc"}
    assert webhook.model_extra["future"] == {"deep": [1, 2]}
    found = WebhookAlert.model_validate(webhook.alerts[0])
    assert found.model_extra == {"silenceURL": "http://x"}


def test_only_version_and_alerts_are_needed_of_the_body() -> None:
    """The rest may be missing or odd without costing an alert."""
    assert read_notification(b'{"version": "4", "alerts": []}').group.alerts == ()
    fields = ("groupKey", "receiver", "externalURL", "notification_reason", "truncatedAlerts")
    odd = {field: [5] for field in fields}
    received = read_notification(body_of(alert_values(), **odd))
    assert len(received.group.alerts) == 1
    assert (received.group.key, received.group.truncated) == ("", 0)


def test_a_receiver_is_unescaped() -> None:
    """Alertmanager sends its name as a regular expression."""
    assert read_notification(body_of(receiver="web\\.hook\\\\2")).group.receiver == "web.hook\\2"


def test_alerts_that_were_left_out_are_told() -> None:
    """`max_alerts` cuts the list, and what is cut is never sent: the account must name it."""
    received = read_notification(body_of(alert_values(), truncatedAlerts=7))
    assert received.group.truncated == 7
    (rejected,) = received.rejected
    assert (rejected.path, rejected.fault, rejected.count) == ("truncatedAlerts", Fault.TRUNCATED, 7)


def test_the_most_urgent_come_first() -> None:
    """Otherwise they keep their order."""
    words = ["info", "warning", "critical", "warning", "critical"]
    given_alerts = [
        alert_values(f"f{n}", labels={"alertname": "A", "severity": word}) for n, word in enumerate(words)
    ]
    found = read_notification(body_of(*given_alerts)).group.alerts
    assert [alert.fingerprint for alert in found] == ["f2", "f4", "f1", "f3", "f0"]
    assert [alert.severity for alert in found][:3] == [Severity.CRITICAL, Severity.CRITICAL, Severity.WARNING]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14T22:13:20Z", T0),
        ("2023-11-14T22:13:20.5Z", T0 + 0.5),
        ("2023-11-14T22:13:20.123456789Z", T0 + 0.123456),
        ("2023-11-15T05:13:20.000000001+07:00", T0),
        ("2023-11-14t18:43:20-03:30", T0),
        ("2023-11-14t22:13:20z", T0),
    ],
)
def test_times_in_every_form_of_rfc_3339(text: str, seconds: float) -> None:
    """Nanoseconds, zones, small letters."""
    (alert,) = only(startsAt=text, status="resolved", endsAt=text).group.alerts
    assert (alert.starts_at_s, alert.ends_at_s) == (seconds, seconds)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T07:07:12+07:07", None])
def test_the_zero_time_is_no_end(text: str | None) -> None:
    """Whatever the zone it is written in; and a firing alert has no end whatever stands there."""
    assert only(status="resolved", endsAt=text).group.alerts[0].ends_at_s is None
    assert only(endsAt=moment(T0)).group.alerts[0].ends_at_s is None


MISSING = object()


@pytest.mark.parametrize(
    ("field", "value", "path", "fault"),
    [
        ("startsAt", MISSING, "startsAt", Fault.MISSING),
        ("startsAt", "yesterday", "startsAt", Fault.TIME),
        ("startsAt", "2023-11-14T22:13:20", "startsAt", Fault.TIME),
        ("startsAt", "2023-13-14T22:13:20Z", "startsAt", Fault.TIME),
        ("startsAt", "0000-01-01T00:00:00Z", "startsAt", Fault.TIME),
        ("startsAt", "0001-01-01T00:00:00Z", "startsAt", Fault.TIME),
        ("startsAt", "٢٠٢٣-11-14T22:13:20Z", "startsAt", Fault.TIME),
        ("startsAt", "2023-11-14T22:13:20." + "9" * 100 + "Z", "startsAt", Fault.TIME),
        ("startsAt", 1_700_000_000, "startsAt", Fault.TIME),
        ("startsAt", True, "startsAt", Fault.TIME),
        ("endsAt", "never", "endsAt", Fault.TIME),
        ("status", "pending", "status", Fault.STATUS),
        ("status", None, "status", Fault.STATUS),
        ("fingerprint", MISSING, "fingerprint", Fault.MISSING),
        ("fingerprint", "", "fingerprint", Fault.FINGERPRINT),
        ("fingerprint", "\0", "fingerprint", Fault.FINGERPRINT),
        ("fingerprint", "f" * 65, "fingerprint", Fault.FINGERPRINT),
        ("fingerprint", 12, "fingerprint", Fault.TYPE),
        ("labels", MISSING, "labels", Fault.MISSING),
        ("labels", [], "labels", Fault.TYPE),
        ("labels", {"a": 5}, "labels.a", Fault.TYPE),
        ("labels", {"a b": None}, 'labels["a b"]', Fault.TYPE),
        ("annotations", {"a": {"b": "c"}}, "annotations.a", Fault.TYPE),
        ("annotations", "text", "annotations", Fault.TYPE),
    ],
)
def test_an_odd_alert_is_rejected_alone(field: str, value: object, path: str, fault: Fault) -> None:
    """With its place, a reason in words and one for metrics; its neighbours are read."""
    odd = alert_values("odd") | {field: value}
    if value is MISSING:
        del odd[field]
    received = read_notification(body_of(alert_values("a"), odd, alert_values("b")))
    assert [alert.fingerprint for alert in received.group.alerts] == ["a", "b"]
    (rejected,) = received.rejected
    assert (rejected.path, rejected.fault) == (f"alerts[1].{path}", fault)
    assert rejected.reason


@pytest.mark.parametrize("odd", [None, 5, "alert", [], [alert_values()], {}])
def test_what_is_no_alert_at_all_is_rejected_alone(odd: object) -> None:
    """Whatever stands in the list."""
    received = read_notification(body_of(alert_values("a"), odd))
    assert len(received.group.alerts) == 1
    assert received.rejected[0].path.startswith("alerts[1]")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (body_of(alert_values())[:-20], "is not JSON"),
        (b"null", "is not a JSON object"),
        (b'"text"', "is not a JSON object"),
        (b"[" * 200_000, "is nested too deep"),
        (b'{"version":"4","alerts":' + b'{"a":' * 200_000, "is nested too deep"),
        (b"\xff" + body_of(), "is not UTF-8 (at byte 0)"),
        (body_of(alert_values()).replace(b"it is down", b"\xc3\x28"), "is not UTF-8 (at byte"),
        (b'{"version":"4","alerts":[],"x":NaN}', "number that cannot be read"),
        (b'{"version":"4","alerts":[],"x":' + b"9" * 5000 + b"x}", "is not JSON"),
        (b'{"alerts":[]}', "has no version"),
        (body_of(version="3"), "of another version"),
        (body_of(version=4), "of another version"),
        (body_of(version=None), "payload:"),
        (b'{"version":"4"}', "has no list of alerts"),
        (body_of(alerts="none"), "has no list of alerts"),
    ],
)
def test_what_can_never_be_right_is_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    """And quickly, however it is made."""
    since_s = time.process_time()
    with pytest.raises(NotANotification) as caught:
        read_notification(body)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 300
    assert time.process_time() - since_s < 2


def test_a_byte_order_mark_and_moderate_depth_are_no_reason_to_lose_an_alert() -> None:
    """What only the quick reader minds is read by the patient one."""
    deep: Any = "end"
    for _ in range(400):
        deep = [deep]
    assert len(read_notification(b"\xef\xbb\xbf" + body_of(alert_values())).group.alerts) == 1
    assert len(read_notification(body_of(alert_values(), deep=deep)).group.alerts) == 1


def test_markup_control_characters_and_other_scripts_are_kept() -> None:
    """They are data; only NUL, which PostgreSQL refuses, and halves of surrogate pairs go."""
    value = "*bold* _it_ `code` <b>\x1b[31m\r\n\t\u202egnihtemos\u202c مرحبا 😀"
    labels = {"alertname": value, "n\0ul": "a\0b", "half": "\ud83d!", "pair": "\ud83d\ude00", "\udc00": "x"}
    (alert,) = only(labels=labels).group.alerts
    assert alert.labels == {"alertname": value, "nul": "ab", "half": "\ufffd!", "pair": "😀", "\ufffd": "x"}


def test_what_is_too_long_or_too_many_is_cut_and_counted() -> None:
    """The alert is kept, with its name and severity, and nothing of it is without end."""
    limits = TextLimits(labels=4, name_chars=20, label_chars=10, annotation_chars=12)
    labels = {f"l{n}": "v" for n in range(10)} | {"severity": "critical", "alertname": "N" * 50}
    given_alert = alert_values(labels=labels, annotations={"a" * 99: "ä" * 99})
    received = read_notification(body_of(given_alert, groupKey="k"), limits)
    (alert,) = received.group.alerts
    assert set(alert.labels) == {"severity", "alertname", "l0", "l1"}
    assert alert.labels["alertname"] == "N" * 9 + MARK
    assert alert.annotations == {"a" * 19 + MARK: "ä" * 11 + MARK}
    assert received.cut == 8 + 1 + 2 + 2  # labels, the name, the annotation's name and text, two addresses


def test_5000_alerts_are_read_quickly() -> None:
    """About 20 µs each; the bound leaves room for a busy machine."""
    body = body_of(*(alert_values(f"f{n:05}") for n in range(5000)))
    since_s = time.process_time()
    assert len(read_notification(body).group.alerts) == 5000
    assert time.process_time() - since_s < 1.0


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ODD_ALERTS = st.dictionaries(
    st.sampled_from(["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"]),
    JSON_VALUES
    | st.sampled_from(["firing", "resolved", moment(T0), "0001-01-01T00:00:00Z", {"alertname": "A"}]),
)


@pytest.mark.timeout(600)
@settings(max_examples=300)
@given(st.lists(ODD_ALERTS | JSON_VALUES, max_size=6), st.dictionaries(st.text(), JSON_VALUES, max_size=3))
def test_whatever_stands_in_the_list_the_good_ones_are_read(odd: list[Any], more: dict[str, Any]) -> None:
    """Each entry is either read or rejected with its own place, and what is read can be stored."""
    more = {f"x{key}": value for key, value in more.items()}
    received = read_notification(body_of(alert_values("good"), *odd, **more))
    assert "good" in {alert.fingerprint for alert in received.group.alerts}
    assert len(received.group.alerts) + len(received.rejected) == 1 + len(odd)
    places = {rejected.path.split("]")[0] for rejected in received.rejected}
    assert len(places) == len(received.rejected)
    for alert in received.group.alerts:
        said = [*alert.labels, *alert.labels.values(), *alert.annotations.values(), alert.fingerprint]
        assert all("\0" not in text and text.encode() is not None for text in said)


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.integers(0, 400).map(lambda end: body_of(alert_values())[:end]))
def test_bytes_without_sense_are_refused_in_words(body: bytes) -> None:
    """Nothing else is raised for them."""
    with suppress(NotANotification):
        read_notification(body)
