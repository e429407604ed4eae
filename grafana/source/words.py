"""Numbers that stand for words, and the colour of each word."""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.models.dashboard import ValueMap, ValueMapping, ValueMappingResult

from grafana.source.colours import CRITICAL, INFO, OK, SEVERITIES, UNKNOWN, WARNING

Words = Mapping[str, tuple[str, str]]
"""Value as text -> the word and its colour."""

UP: Final[Words] = {"1": ("Up", OK), "0": ("Down", CRITICAL)}
WORKS: Final[Words] = {"1": ("Works", OK), "0": ("Broken", CRITICAL)}
CONNECTED: Final[Words] = {"1": ("Connected", OK), "0": ("Disconnected", CRITICAL)}
ANSWERS: Final[Words] = {"1": ("Answers", OK), "0": ("Silent", CRITICAL)}
PENDING: Final[Words] = {"1": ("Yes", INFO), "0": ("No", OK)}
FAULT: Final[Words] = {"1": ("Yes", CRITICAL), "0": ("No", OK)}
GOOD: Final[Words] = {"1": ("Yes", OK), "0": ("No", CRITICAL)}
PAUSED: Final[Words] = {"1": ("Paused", WARNING), "0": ("Ready", OK)}
LINK: Final[Words] = {"2": ("Up", OK), "1": ("Down", CRITICAL), "0": ("Disabled", UNKNOWN)}
SEVERITY: Final[Words] = {name: (name, colour) for name, colour in SEVERITIES.items()}

BREAKER: Final = {"closed": ("Closed", OK), "half_open": ("Trying", WARNING), "open": ("Open", CRITICAL)}
CHANNEL: Final = {
    "ok": ("Works", OK),
    "reconnecting": ("Reconnecting", WARNING),
    "paused": ("Paused", WARNING),
    "stopped": ("Stopped", CRITICAL),
}
SESSION: Final = {
    "open": ("Open", OK),
    "connecting": ("Connecting", WARNING),
    "half_dead": ("Half dead", CRITICAL),
    "needs_qr": ("Wants a scan", CRITICAL),
    "close": ("Closed", CRITICAL),
    "logged_out": ("Logged out", CRITICAL),
    "banned": ("Banned", CRITICAL),
    "failed": ("Failed", CRITICAL),
    "other": ("Unknown word", UNKNOWN),
}


def numbered(states: Mapping[str, tuple[str, str]]) -> Words:
    """The words of `state_number`'s values."""
    return {str(number): word for number, word in enumerate(states.values())}


def state_number(metric: str, selector: str, by: str, states: Mapping[str, tuple[str, str]]) -> str:
    """A state set as one series per `by`: the place of the state that holds in `states`; absent where none is known."""
    parts = [
        f'{number} * (max by ({by}) ({metric}{{{selector},state="{state}"}}) == 1)'
        for number, state in enumerate(states)
    ]
    return " or ".join(parts)


def mappings(words: Words) -> list[ValueMapping]:
    """For Grafana."""
    return [
        ValueMap(
            {
                value: ValueMappingResult(text=text, color=colour, index=index)
                for index, (value, (text, colour)) in enumerate(words.items())
            }
        )
    ]
