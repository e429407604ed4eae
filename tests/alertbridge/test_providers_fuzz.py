"""Whatever JSON a provider answers or posts, it is read or refused; nothing else is ever raised."""

import asyncio

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.deliver.providers.base import InboundEvent, Provider
from alertbridge.deliver.providers.bot import payloads as bot_payloads
from alertbridge.deliver.providers.bot.paths import flag_at, look_up, text_at
from alertbridge.deliver.providers.cloud import payloads as cloud_payloads
from alertbridge.deliver.providers.evolution import payloads as evolution_payloads
from alertbridge.deliver.providers.gowa import payloads as gowa_payloads
from alertbridge.deliver.providers.payload import Loose, read_moment
from alertbridge.deliver.providers.twilio import payloads as twilio_payloads
from alertbridge.deliver.providers.waha import payloads as waha_payloads
from alertbridge.deliver.providers.wuzapi import payloads as wuzapi_payloads
from tests.fakes.channel_sections import provider_of
from tests.fakes.clock import FakeClock
from tests.fakes.provider_webhooks import ACKS, MESSAGES, signed

PAYLOADS = (
    bot_payloads,
    cloud_payloads,
    evolution_payloads,
    gowa_payloads,
    twilio_payloads,
    waha_payloads,
    wuzapi_payloads,
)
MODELS = tuple(
    model
    for module in PAYLOADS
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Loose) and model is not Loose
)
NAMES = tuple(name for name in ACKS if name != "twilio")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


def keys_of(model: type[Loose]) -> list[str]:
    """The names under which a model looks for its fields."""
    return [str(field.alias or name) for name, field in model.model_fields.items()]


@pytest.mark.parametrize(
    "model", MODELS, ids=lambda model: f"{model.__module__.split('.')[-2]}-{model.__name__}"
)
@settings(max_examples=30)
@given(data=st.data())
def test_any_value_of_any_field_is_read_or_counts_as_absent(model: type[Loose], data: st.DataObject) -> None:
    """A field of the wrong type takes its default, and the fields beside it are kept."""
    found = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(keys_of(model), anything)))
    assert isinstance(model.of(found), model)


@pytest.fixture
def providers() -> dict[str, Provider]:
    """Their sessions are never used."""

    async def made() -> dict[str, Provider]:
        async with aiohttp.ClientSession() as session:
            return {name: provider_of(name, "http://127.0.0.1:1", session, FakeClock()) for name in NAMES}

    return asyncio.run(made())


def spoilt(value: object, data: st.DataObject) -> object:
    """`value` with one of its parts, at any depth, replaced by anything."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 4)) == 0:
        return data.draw(anything)
    if isinstance(value, list):
        at = data.draw(st.integers(0, len(value) - 1))
        return [spoilt(item, data) if number == at else item for number, item in enumerate(value)]
    key = data.draw(st.sampled_from(sorted(value)))
    return {**value, key: spoilt(value[key], data)}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=120)
@given(data=st.data())
def test_a_true_webhook_with_anything_in_it_gives_events_or_a_value_error(
    name: str, providers: dict[str, Provider], data: st.DataObject
) -> None:
    """What is signed may be odd all the same; each event has an id of its own and a chat to answer to."""
    body = spoilt(data.draw(st.sampled_from([MESSAGES[name], ACKS[name][0]])), data)
    try:
        found = providers[name].receive(signed(name, body))
    except ValueError:
        return
    assert isinstance(found, tuple)
    for event in found:
        checked(event)


def checked(event: InboundEvent) -> None:
    assert event.event_id
    number = getattr(event, "number", "")
    assert number == "" or (number.isascii() and number.isdigit())


@given(anything, st.text(alphabet="ab.01", max_size=8))
def test_a_path_leads_to_something_or_to_nothing(document: object, path: str) -> None:
    """Never to an error."""
    look_up(document, path)
    assert isinstance(text_at(document, path), str)
    assert flag_at(document, path) in (True, False, None)


@given(scalars)
def test_a_moment_is_seconds_or_zero(value: object) -> None:
    """Finite, and neither before 1970 nor after the year 5138."""
    assert 0.0 <= read_moment(value) < 1e11
