"""Notices -> the text that a person reads, in Indonesian or English, for WhatsApp or as plain text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from alertbridge.deliver.config import RoutingConfig
from alertbridge.deliver.model import Notice, Subject


@dataclass(frozen=True, slots=True)
class AwaySummary:
    """What went on while nothing could be sent: `total` alerts since `since_s` (Unix seconds).

    `unknown`: Alertmanager could not be asked, `still_firing` is as last heard. `told_elsewhere` of them went out
    over a fallback.
    """

    total: int
    still_firing: Sequence[Subject]
    since_s: float
    unknown: bool = False
    told_elsewhere: int = 0


class Renderer:
    """Makes texts. Pure but for a warning in the log when a template of the user's fails.

    Every method takes `language` (id, en), `now_s` (Unix seconds), `late_s` when it is worth saying that it is
    late, `repeated` when it may have arrived before, and `rich`: WhatsApp's marks, or plain text (SMS, e-mail).
    """

    @classmethod
    def of(cls, config: RoutingConfig) -> Self:
        raise NotImplementedError

    def alert(
        self,
        notice: Notice,
        *,
        language: str,
        now_s: float,
        late_s: float | None = None,
        repeated: bool = False,
        rich: bool = True,
    ) -> str:
        """The text of one notice; of one without a subject, its body."""
        raise NotImplementedError

    def group(
        self,
        notices: Sequence[Notice],
        *,
        language: str,
        now_s: float,
        late_s: float | None = None,
        repeated: bool = False,
        rich: bool = True,
        truncated: int = 0,
    ) -> str:
        """Several notices of one Alertmanager group; `truncated` more were left out by Alertmanager."""
        raise NotImplementedError

    def digest(
        self,
        notices: Sequence[Notice],
        *,
        since_s: float,
        language: str,
        now_s: float,
        late_s: float | None = None,
        repeated: bool = False,
        rich: bool = True,
        truncated: int = 0,
    ) -> str:
        """What had no room since `since_s` (Unix seconds), folded into at most 1,500 characters, worst first."""
        raise NotImplementedError

    def away(
        self,
        summary: AwaySummary,
        *,
        language: str,
        now_s: float,
        late_s: float | None = None,
        repeated: bool = False,
        rich: bool = True,
    ) -> str:
        """What went on during an outage, as of now."""
        raise NotImplementedError

    def title(self, notice: Notice, language: str) -> str:
        """Severity, name and place in one plain line, for subjects of e-mails and fields of templates."""
        raise NotImplementedError
