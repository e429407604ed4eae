"""The sections `delivery`, `recipients` and `routes`: whom alerts are told, when, and in which language.

`RoutingConfig` is what the joined configuration must offer; `joins` checks the names between sections.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import InitErrorDetails

from alertbridge.deliver.render.usertemplates import template_faults
from alertbridge.deliver.route.matchers import parse_matcher
from alertbridge.deliver.route.times import Name, RotaSection, ScheduleSection, Zone, one_or_more
from runtime.sections import Section, Surroundings

Language = Literal["id", "en"]
SeverityWord = Literal["critical", "warning", "info", "none"]
"""The values of alerts.Severity, which a Literal must spell out; a test compares them."""


def _checked_matcher(text: str) -> str:
    parse_matcher(text)
    return text


MatcherText = Annotated[str, AfterValidator(_checked_matcher)]
Severities = Annotated[tuple[SeverityWord, ...], BeforeValidator(one_or_more)]


class DeliverySection(Section):
    """What holds for everything that is told."""

    language: Language = Field(
        default="id", description="Language of the messages to recipients that name none: `id` or `en`."
    )
    timezone: Zone = Field(
        default="Asia/Jakarta", description="Time zone of the times in messages, schedules and rotas."
    )
    templates: Path | None = Field(
        default=None,
        description=(
            "Folder with templates of your own, `id/firing.j2` for instance; they replace the built-in ones of "
            "the same name."
        ),
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        if isinstance(folder := given.get("templates"), str | Path):
            given = {**given, "templates": around.folder / folder}
            faults.extend(template_faults(around.folder / folder, "templates"))
        return given


class WaySection(Section):
    """Another way to reach a recipient."""

    channel: Name = Field(description="Name of the channel.")
    to: str = Field(min_length=1, description="Address as that channel wants it: a number, a group, a URL.")


class RecipientSection(Section):
    """A person or group that can be told something."""

    name: Name = Field(description="What routes and rotas call it.")
    channel: Name = Field(description="Name of the channel that reaches it first.")
    to: str = Field(min_length=1, description="Address as you write it: a phone number or a group's id.")
    language: Language | None = Field(
        default=None, description="Language of its messages; that of `delivery` when left out."
    )
    fallback: tuple[WaySection, ...] = Field(
        default=(), description="Other ways, tried in this order when the first one fails or is too slow."
    )


class MatchSection(Section):
    """Which alerts a route is for; what is left out matches every alert."""

    severity: Severities = Field(default=(), description="One of these severities.")
    labels: Annotated[tuple[MatcherText, ...], BeforeValidator(one_or_more)] = Field(
        default=(),
        description=(
            'All of these matchers, written as in Alertmanager: `team="noc"`, `router=~"core.*"`, `site!="lab"`, '
            '`job!~"test.*"`.'
        ),
    )
    receiver: str | None = Field(
        default=None,
        min_length=1,
        description="Name of the Alertmanager receiver that the alert came through.",
    )


class QuietSection(Section):
    """Hours in which a route's recipients are left in peace."""

    model_config = ConfigDict(populate_by_name=True)

    schedule: Name = Field(description="Name of the schedule.")
    do: Literal["hold", "drop"] = Field(
        default="hold",
        description=(
            "`hold` tells it when the hours are over, `drop` not at all; the end of an alert that was told is "
            "always held."
        ),
    )
    spared: Severities = Field(
        default=("critical",), alias="except", description="Severities that are told in these hours as well."
    )


class RouteSection(Section):
    """A rule: alerts that match go to these recipients. The first that matches is the last, unless `continue`."""

    model_config = ConfigDict(populate_by_name=True)

    name: Name = Field(description="What the dry run and the log call it.")
    match: MatchSection = Field(default=MatchSection(), description="Which alerts it is for.")
    when: Name | None = Field(default=None, description="Schedule in which it holds; always when left out.")
    not_when: Name | None = Field(default=None, description="Schedule in which it does not hold.")
    to: Annotated[tuple[Name, ...], BeforeValidator(one_or_more)] = Field(
        description="Recipients and rotas; an empty list tells nobody."
    )
    language: Language | None = Field(
        default=None, description="Language of these messages; the recipient's when left out."
    )
    template: Name | None = Field(
        default=None, description="Template of your own to use, `NAME.j2` in the folder of templates."
    )
    go_on: bool = Field(
        default=False, alias="continue", description="Look at the routes after this one as well."
    )
    resolved: bool = Field(default=True, description="Tell the end of an alert, too.")
    quiet: QuietSection | None = Field(default=None, description="Hours in which nobody is to be disturbed.")


class RoutingConfig(Protocol):
    """The sections that routing, rendering and the address book are made of."""

    @property
    def delivery(self) -> DeliverySection: ...
    @property
    def recipients(self) -> Sequence[RecipientSection]: ...
    @property
    def routes(self) -> Sequence[RouteSection]: ...
    @property
    def schedules(self) -> Sequence[ScheduleSection]: ...
    @property
    def rotas(self) -> Sequence[RotaSection]: ...
