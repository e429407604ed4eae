"""What every probe's configuration has: a name, a limit in time, how often; and names that differ."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import InitErrorDetails

from exporter.config_routers import checked_name
from runtime.sections import Section, fault

PROBE_TIMEOUT_S = 5.0
"""Usual limit of a measurement: half of the usual scrape timeout."""

ProbeName = Annotated[str, AfterValidator(checked_name)]


class ProbeSection(Section):
    """Something that is asked beside the routers."""

    name: ProbeName = Field(description="Name of it in labels; names of one kind must differ.")
    timeout_s: float = Field(
        default=PROBE_TIMEOUT_S,
        gt=0,
        le=60,
        description="Seconds that a measurement may take as a whole. No page ever waits that long for it.",
    )
    ttl_s: float = Field(
        default=10.0,
        ge=0,
        le=86_400,
        description="Seconds for which a measurement is served again without a new one.",
    )


def name_faults(given: Mapping[str, Any], key: str) -> Iterator[InitErrorDetails]:
    """Names that come twice in the list under `key`."""
    items = given.get(key)
    seen: dict[str, int] = {}
    for index, item in enumerate(items if isinstance(items, list | tuple) else ()):
        name = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(item, BaseModel):
            name = getattr(item, "name", None)
        if isinstance(name, str) and seen.setdefault(name, index) != index:
            yield fault(f"{key}[{seen[name]}] has this name already; names must differ", key, index, "name")


_URL_CHARACTERS = re.compile(r"[!-~]+")


def checked_url(text: str) -> str:
    """An http or https address without a user in it. Raises ValueError, which never quotes it."""
    if not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("must be an address of printable ASCII characters without spaces")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an address such as http://127.0.0.1:3000") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an address such as http://127.0.0.1:3000")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; they have keys of their own")
    if parts.fragment:
        raise ValueError('must not hold a "#"')
    return text


Url = Annotated[str, AfterValidator(checked_url)]
