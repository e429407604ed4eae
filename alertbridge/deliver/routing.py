"""Alert and moment -> who is told, in which language, by which template, and why. No input, no output.

The end of an alert must reach those who were told of its beginning, also when the rota has moved on or the
hours have changed since. Whoever makes notices of an end therefore asks `Routes.follow` with the recipients of
that episode's earlier notices, and `Routes.decide` only for a beginning.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from alertbridge.alerts import Alert
from alertbridge.deliver.config import RoutingConfig
from alertbridge.deliver.model import Kind

SUPPRESSED_NO_ROUTE = "no_route"
SUPPRESSED_MUTED = "muted"
SUPPRESSED_QUIET = "quiet_hours"
SUPPRESSED_UNWANTED_END = "resolved_off"


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told. `template` is empty for the built-in one; `not_before_s` is Unix time."""

    recipient: str
    language: str
    template: str = ""
    not_before_s: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is told, and in words why. `suppressed` is why nobody is (a SUPPRESSED_... word), else empty."""

    targets: tuple[Target, ...]
    reasons: tuple[str, ...]
    suppressed: str = ""


class Routes:
    """The routes of a configuration. Without any, everybody is told everything."""

    def __init__(self, config: RoutingConfig) -> None:
        self._config = config

    def decide(self, alert: Alert, kind: Kind, now_s: float, *, receiver: str = "") -> Decision:
        """Who is told of `alert` at `now_s` (Unix seconds). `receiver` is Alertmanager's name for it."""
        raise NotImplementedError

    def follow(
        self, alert: Alert, recipients: Iterable[str], kind: Kind, now_s: float, *, receiver: str = ""
    ) -> Decision:
        """As `decide`, but for those who were told of this episode before, each of them once.

        Nothing is dropped because of quiet hours, only held; who is no longer in the configuration is left out.
        """
        raise NotImplementedError
