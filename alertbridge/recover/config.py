"""The `recovery:` section: which alerts cause which actions, how often, and how it is found out whether they helped."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import InitErrorDetails

from alertbridge.deliver.route.config import MatcherText, MatchSection
from alertbridge.deliver.route.matchers import Matcher, parse_matcher
from alertbridge.deliver.route.times import Name, one_or_more
from alertbridge.recover.expressions import expression_complaint
from alertbridge.recover.parameters import Parameter, text_complaint
from runtime.sections import Section, Surroundings, fault

Source = Literal["target", "promql", "alert"]
TextKind = Literal[
    "acted",
    "cured",
    "not_cured",
    "exhausted",
    "asked",
    "refused",
    "interrupted",
    "too_often",
    "dry_run",
    "stays",
    "stopped",
    "undone",
    "not_undone",
    "undo_lost",
]


def _checked_expression(text: str) -> str:
    if complaint := expression_complaint(text):
        raise ValueError(complaint)
    return text


def _checked_text(text: str) -> str:
    if complaint := text_complaint(text):
        raise ValueError(complaint)
    return text


Expression = Annotated[str, AfterValidator(_checked_expression)]
Names = Annotated[tuple[Name, ...], BeforeValidator(one_or_more)]
OwnText = Annotated[str, AfterValidator(_checked_text)]


class PreconditionSection(Section):
    """What must be so right before a step acts, or it does not act."""

    promql: Expression | None = Field(
        default=None,
        description=(
            "Expression that must give at least one series; values may hold `{{ labels.router }}`. No answer "
            "counts as no."
        ),
    )
    probe: Literal["not_holds", "fails", "none"] = Field(
        default="not_holds",
        description=(
            "The target is asked itself: `not_holds` acts unless it says that all is well, `fails` only when it "
            "says that it is not, `none` does not ask."
        ),
    )


class VerifySection(Section):
    """How it is found out whether a step helped."""

    by: Annotated[tuple[Source, ...], BeforeValidator(one_or_more)] = Field(
        default=("target", "alert"),
        description=(
            "Who is asked, the first that knows counts: `target` itself, `promql`, and the `alert`, which must end."
        ),
    )
    promql: Expression | None = Field(
        default=None, description="Expression that gives at least one series when all is well."
    )
    target_s: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description=(
            "Seconds that the target has to become well. If it says then, for `stable_s`, that it is not, the try did "
            "not help; so each useless try takes this long. Give it what the slowest good cure takes."
        ),
    )
    stable_s: float = Field(
        default=1.0,
        ge=0,
        le=600,
        description="Seconds for which the target must say the same, well or not, to be believed.",
    )
    settle_s: float = Field(
        default=330.0,
        ge=0,
        le=7200,
        description=(
            "Seconds that metrics and the alert need to show a cure: scrape, rule, `keep_firing_for` and group "
            "interval together. Before that, an alert that still fires says nothing."
        ),
    )
    deadline_s: float = Field(
        default=360.0,
        gt=0,
        le=7200,
        description=(
            "Seconds after which nobody is asked any more: a target that says no then is not cured, and what nobody "
            "could tell until then is not known."
        ),
    )
    every_s: float = Field(default=1.0, gt=0, le=60, description="Seconds between two questions.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        faults.extend(_verify_faults(given, cls))
        return given


def _verify_faults(given: Mapping[str, Any], model: type[Section]) -> Iterator[InitErrorDetails]:
    """A verification that can never come to a verdict."""

    def value(name: str) -> object:
        return given.get(name, model.model_fields[name].default)

    by = one_or_more(value("by"))
    if not isinstance(by, list | tuple):
        return
    if not by:
        yield fault("needs at least one of target, promql, alert: a cure without evidence is none", "by")
    if "promql" in by and given.get("promql") is None:
        yield fault("names promql, but there is no promql to ask", "by")
    if "promql" not in by and given.get("promql") is not None:
        yield fault("is asked only when by names it, such as by: [target, promql, alert]", "promql")
    seconds = {name: value(name) for name in ("deadline_s", "settle_s", "target_s", "stable_s", "every_s")}
    if not all(isinstance(one, int | float) for one in seconds.values()):
        return
    limits: dict[str, float] = {name: float(str(one)) for name, one in seconds.items()}
    slow = "alert" in by or "promql" in by
    if slow and limits["deadline_s"] <= limits["settle_s"]:
        yield fault(
            f"can never hold: metrics and the alert have until settle_s ({limits['settle_s']:g}) to show a cure, "
            "so deadline_s must be longer",
            "deadline_s",
        )
    if "target" in by and limits["target_s"] > limits["deadline_s"]:
        yield fault(f"must not be longer than deadline_s ({limits['deadline_s']:g})", "target_s")
    if "target" in by and limits["stable_s"] + limits["every_s"] >= limits["deadline_s"]:
        yield fault("can never hold: the target cannot be well for so long before deadline_s", "stable_s")


class StepSection(Section):
    """One action. The next step is taken when this one did not help."""

    model_config = ConfigDict(populate_by_name=True)

    action: str = Field(min_length=1, description="Which action; the reference lists them all.")
    parameters: Mapping[str, Parameter] = Field(
        default={},
        alias="with",
        description="Its parameters. Texts may hold labels of the alert, such as `{{ labels.router }}`.",
    )
    precondition: PreconditionSection = Field(
        default=PreconditionSection(), description="What must be so before it acts."
    )
    timeout_s: float = Field(default=30.0, gt=0, le=3600, description="Longest time that one try may take.")
    tries: int = Field(
        default=5,
        ge=1,
        le=20,
        description="How often it is tried; the pauses are 1, 2, 4, 8, 16 s and then 30 s.",
    )
    verify: VerifySection = Field(
        default=VerifySection(), description="How it is found out whether it helped."
    )
    undo_when_not_cured: bool = Field(
        default=False,
        description=(
            "Take back what the step changed once it is known that none of its tries helped, before the next step or "
            "the end. Only for actions that can be taken back. When nobody can tell whether it helped it is left as "
            "it is."
        ),
    )


class UnlessSection(Section):
    """Another alert that forbids it while it fires."""

    labels: Annotated[tuple[MatcherText, ...], BeforeValidator(one_or_more)] = Field(
        min_length=1, description='Matchers of the other alert, such as `alertname="RouterDown"`.'
    )
    equal: Annotated[tuple[str, ...], BeforeValidator(one_or_more)] = Field(
        default=(), description="Labels that both alerts must have, with the same value, such as `router`."
    )

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        return tuple(map(parse_matcher, self.labels))


class EscalateSection(Section):
    """When a person is told although, or because, it does not help for good."""

    to: Names = Field(
        default=(), description="Recipients and rotas that are told when it gave up; else those of `tell`."
    )
    after: int = Field(
        default=3, ge=1, le=1000, description="So many cures of one target within `within_d` are too many."
    )
    within_d: float = Field(default=7.0, gt=0, le=365, description="Days in which cures are counted.")


class RuleSection(Section):
    """Alerts that match cause these steps, one after the other, until one of them helps."""

    name: Name = Field(description="What messages, metrics and the audit call it.")
    match: MatchSection = Field(description="Which alerts it is for, as in `routes`; needs labels.")
    steps: tuple[StepSection, ...] = Field(
        description="What is done, in order; at least one.", json_schema_extra={"minItems": 1}
    )
    approval: Literal["auto", "ask", "off"] = Field(
        default="auto",
        description="`auto` acts, `ask` asks a person first, `off` never acts. Some actions always ask.",
    )
    dry_run: bool = Field(
        default=True, description="Only say what would be done. On until you switch it off."
    )
    cooldown_s: float = Field(
        default=600.0,
        ge=0,
        le=604_800,
        description="Seconds from the last such action on the same target until this rule may act there again.",
    )
    per_hour: int = Field(default=6, ge=1, le=1000, description="Most actions of this rule within an hour.")
    per_day: int = Field(
        default=20, ge=1, le=10_000, description="Most actions of this rule within 24 hours."
    )
    window: Name | None = Field(
        default=None, description="Schedule in which it may act; always when left out."
    )
    unless: tuple[UnlessSection, ...] = Field(
        default=(), description="Alerts while which it does not act, such as the router being down."
    )
    on_flapping: Literal["hold", "act"] = Field(
        default="hold", description="What to do about an alert that comes and goes."
    )
    tell: Names = Field(
        default=(), description="Who is told what it did; those of the section when left out."
    )
    escalate: EscalateSection = Field(
        default=EscalateSection(), description="When a person must look, and who."
    )
    texts: Mapping[TextKind, OwnText] = Field(
        default={},
        description="Texts of your own for its messages, such as `cured: Bot {{ labels.bot }} pulih`.",
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        faults.extend(_cap_faults(given, cls))
        return given

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        return tuple(map(parse_matcher, self.match.labels))


def _cap_faults(given: Mapping[str, Any], model: type[Section]) -> Iterator[InitErrorDetails]:
    per_hour = given.get("per_hour", model.model_fields["per_hour"].default)
    per_day = given.get("per_day", model.model_fields["per_day"].default)
    if isinstance(per_hour, int) and isinstance(per_day, int) and per_hour > per_day:
        yield fault(f"{per_hour} an hour can never be reached with per_day: {per_day}", "per_hour")
    steps = given.get("steps")
    if isinstance(steps, list | tuple) and not steps:
        yield fault("needs at least one step", "steps")
    if not isinstance(per_hour, int) or not isinstance(steps, list | tuple):
        return
    for index, step in enumerate(steps):
        tries = step.get("tries", 5) if isinstance(step, Mapping) else None
        if isinstance(tries, int) and tries > per_hour:
            yield fault(
                f"{tries} tries can never be made with per_hour: {per_hour}; give fewer tries or more an hour",
                "steps", index, "tries",
            )  # fmt: skip


class RecoverySection(Section):
    """What the bridge may do about alerts by itself."""

    enabled: bool = Field(default=True, description="Whether rules are looked at.")
    paused: bool = Field(
        default=False,
        description="Whether it begins paused, until an operator resumes it; what an operator said last counts.",
    )
    tell: Names = Field(
        default=(), description="Recipients and rotas that are told what is done, unless a rule names others."
    )
    rules: tuple[RuleSection, ...] = Field(default=(), description="What is done about which alerts.")
    approval_s: float = Field(
        default=120.0, ge=10, le=3600, description="Seconds for which a code that confirms an action is good."
    )
    reconsider_s: float = Field(
        default=15.0,
        ge=1,
        le=3600,
        description="How often alerts that still fire are looked at again, in seconds.",
    )
    lease_s: float = Field(
        default=20.0,
        ge=5,
        le=600,
        description="Seconds after which another replica takes over what a silent one had under way.",
    )

    @property
    def actions_by_rule(self) -> Mapping[str, Sequence[str]]:
        """What each rule may do, by its name."""
        return {rule.name: [step.action for step in rule.steps] for rule in self.rules}
