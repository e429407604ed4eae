"""Whatever a bot answers, measuring ends in measurements that the page can hold."""

import json
import math
from typing import Any

import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter.bots.fields import Field
from exporter.bots.presets import PRESETS
from exporter.bots.sessions import OTHER, Patience, Session, session_of
from exporter.config_bots import BotSection
from exporter.pointers import MISSING, parse_pointer, resolve
from exporter.probes.base import blocks
from exporter.probes.bot import Bot

URL = "http://bot.example.net"
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["ok", "open", "2026-11-22T20:00:00Z", "0001-01-01T00:00:00", "9999-12-31T23:59:59-23:59"]
    )
)
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def nested(places: list[tuple[str, ...]]) -> st.SearchStrategy[Any]:
    """Objects that have something at some of the places that a preset looks at."""

    def built(values: list[Any]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for place, value in zip(places, values, strict=True):
            here = document
            for step in place[:-1]:
                below = here.setdefault(step, {})
                here = below if isinstance(below, dict) else here
            here[place[-1]] = value
        return document

    return st.lists(ANY_JSON, min_size=len(places), max_size=len(places)).map(built)


BAILEYS_PLACES = [place for row in PRESETS["baileys"].endpoints[0].fields.values() for place in row] + [
    ("queues",)
]


def check(body: bytes, **settings_of_bot: Any) -> None:
    """Measure a bot that answers `body`; the text must be readable and bear no value that is no number."""
    section = BotSection.model_validate({"name": "noc", "url": URL, **settings_of_bot})
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        web.get(f"{URL}/health", body=body)
        bot = Bot(section)
        measured = bot.measure()
    text = b"".join(blocks(bot.labels, measured).values()).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert samples
    assert all(math.isfinite(sample.value) for sample in samples)
    up = [sample.value for sample in samples if sample.name == "whatsapp_bot_up"]
    reasons = [sample.value for sample in samples if sample.name == "whatsapp_bot_failure"]
    assert up == [1 - sum(reasons)]


@settings(max_examples=60)
@given(document=ANY_JSON | nested(BAILEYS_PLACES))
def test_any_json_is_measured(document: Any) -> None:
    """No JSON, fitting or not, makes a measurement fail or spoils the page."""
    check(json.dumps(document).encode(), kind="baileys")


@settings(max_examples=40)
@given(body=st.binary(max_size=500))
def test_any_bytes_are_measured(body: bytes) -> None:
    """Nor do bytes that are no JSON."""
    check(body, kind="baileys")


@settings(max_examples=40)
@given(
    document=ANY_JSON, pointers=st.dictionaries(st.sampled_from(list(Field)), st.lists(st.text(), max_size=3))
)
def test_any_json_by_any_pointers(document: Any, pointers: dict[Field, list[str]]) -> None:
    """Nor do pointers that lead anywhere."""
    escaped = {
        field.value: "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
        for field, steps in pointers.items()
    }
    fields = escaped or {"state": ""}
    check(json.dumps(document).encode(), kind="http", url=f"{URL}/health", fields=fields)


@given(steps=st.lists(st.text(), max_size=5))
def test_a_pointer_leads_where_it_was_made_to(steps: list[str]) -> None:
    """Escaped and parsed, a path of keys finds what lies at its end, and nothing one step further."""
    document: Any = "here"
    for step in reversed(steps):
        document = {step: document}
    text = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
    assert parse_pointer(text) == tuple(steps)
    assert resolve(document, parse_pointer(text)) == "here"
    assert resolve(document, (*steps, "further")) is MISSING


VALUES = st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(
    values=st.dictionaries(st.sampled_from(list(Field)), VALUES),
    frame_s=st.none() | st.floats(1, 1e5),
    now_s=st.floats(0, 4e9),
)
def test_every_state_is_a_known_one(values: dict[Field, Any], frame_s: float | None, now_s: float) -> None:
    """Whatever the fields hold, the state is of the set, `other`, or not known."""
    found = session_of(values, PRESETS["baileys"].states, Patience(frame_s=frame_s), now_s=now_s)
    assert found in {None, OTHER, *(state.value for state in Session)}
