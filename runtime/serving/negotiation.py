"""What a client can read: its Accept headers -> choices, whether to compress, which language. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

HEADER_LIMIT_CHARS = 4096
"""A longer header is no honest list of formats; its beginning counts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a header: ``text/plain;version=0.0.4;q=0.5``."""

    name: str
    quality: float
    parameters: Mapping[str, str] = field(default_factory=dict)


def accepts_gzip(accept_encoding: Iterable[str]) -> bool:
    """Whether the client takes gzip, and would not rather have the answer as it is."""
    qualities = {choice.name: choice.quality for choice in choices(accept_encoding)}
    anything = qualities.get("*", 0.0)
    gzip = qualities.get("gzip", qualities.get("x-gzip", anything))
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


def preferred(values: Iterable[str], offered: Sequence[str]) -> str:
    """Which of `offered` an Accept-Language header likes best; the first when it does not say. ``id-ID`` is ``id``."""
    qualities: dict[str, float] = {}
    for choice in choices(values):
        name = choice.name.partition("-")[0]
        qualities[name] = max(choice.quality, qualities.get(name, 0.0))
    anything = qualities.get("*", 0.0)
    return max(offered, key=lambda name: qualities.get(name, anything))


def choices(values: Iterable[str]) -> Iterator[Choice]:
    """The entries of a header, in the client's order."""
    for entry in ",".join(values)[:HEADER_LIMIT_CHARS].split(","):
        name, *rest = (part.strip() for part in entry.split(";"))
        if not name:
            continue
        parameters = {}
        for part in rest:
            key, _, value = part.partition("=")
            parameters[key.strip().lower()] = value.strip().strip('"')
        yield Choice(name.lower(), _weight(parameters.pop("q", "1")), parameters)


def _weight(text: str) -> float:
    """A q-value; what is none counts as 0, as if the entry were not there."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0
