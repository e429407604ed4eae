"""Whatever shape a file has under the right keys, it is a configuration or a list of problems, never a crash."""

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import Config
from exporter.fleet import KNOWN_COLLECTORS
from runtime.loading import ConfigError, parse

_KEYS = [
    "name",
    "address",
    "port",
    "tls",
    "username",
    "password",
    "password_file",
    "labels",
    "module",
    "pool",
    "preset",
    "min_size",
    "collectors",
    "ttl_s",
    "mode",
    "limit",
    "listen",
    "allow",
    "basic_auth",
    "bearer",
    "token",
    "rate_limit",
    "system",
    "queue",
    "max_in_flight",
    "level",
]
_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["default", "a", "192.0.2.1", "top", "off", ""]),
    st.text(max_size=5),
)
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=12,
)
_SECTIONS = ("web", "credentials", "pool", "breaker", "retry", "cache", "scrape", "log", "modules", "routers")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(_SECTIONS), _VALUE, max_size=6))
def test_any_shape_is_told_as_problems(given_value: dict[str, object]) -> None:
    """A list where a word belongs, a word where a section belongs: each is a problem with its place."""
    with contextlib.suppress(ConfigError):
        parse(json.dumps(given_value), Config, extras={"collectors": KNOWN_COLLECTORS})
