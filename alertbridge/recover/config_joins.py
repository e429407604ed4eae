"""Checks of recovery rules against what there is: actions, recipients, schedules, Prometheus, and each other.

The joined configuration calls `recovery_faults` in its `prepare`; `recovery_warnings` looks at a valid section.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from alertbridge.deliver.route.matchers import Matcher, parse_matcher
from alertbridge.recover.actions.base import Undoable
from alertbridge.recover.config import RecoverySection, RuleSection
from alertbridge.recover.parameters import is_template, stand_in, template_complaint
from alertbridge.recover.ports import KnownAction
from alertbridge.recover.rules import OWN_COMPONENT
from runtime.sections import fault
from runtime.wording import did_you_mean

Given = Mapping[str, Any]

NONSENSE = "qzx-7d1f"
"""A value that no label has; what matches alerts full of it matches everything."""
OWN_ALERTS = (
    "RecoveryExhausted",
    "RecoveryPaused",
    "BridgeDown",
    "BridgeDeliveryFailing",
    "BridgeOutboxStuck",
    "BridgeOutboxGrowing",
    "BridgeChannelDown",
    "BridgeAcksMissing",
    "BridgeMessagesDead",
    "BridgeWatchdogLost",
    "BridgeStoreDown",
    "BridgeConfigRefused",
    "BridgeAlertsRejected",
    "BridgeSlow",
)
_NAMED_BY = ("alertname", "symptom", "component")
"""Labels of which a rule must name at least one: the others only say where."""
_TARGETS: Mapping[str, tuple[str, ...]] = {
    "channel": ("channels",),
    "router": ("actions", "routers"),
    "service": ("actions", "services"),
    "command": ("actions", "services"),
    "database": ("actions", "databases"),
}
"""Where a parameter of that name must be found."""
_NAMES_ELSEWHERE = frozenset({"exporter_pool_reset"})
"""Its router is one of the exporter's configuration."""


def recovery_faults(given: Given, known: Mapping[str, KnownAction]) -> Iterator[InitErrorDetails]:
    """Mistakes in the `recovery` section of a joined configuration as it was written, whatever else is wrong.

    `known` are the actions by name; places count from the joined configuration.
    """
    section = _mapping(given.get("recovery"))
    people = [*_names(given.get("recipients")), *_names(given.get("rotas"))]
    schedules = _names(given.get("schedules"))
    yield from _people_faults(section.get("tell"), people, "recovery", "tell")
    rules = [_mapping(rule) for rule in _list(section.get("rules"))]
    yield from _twice(rules)
    for index, rule in enumerate(rules):
        place = ("recovery", "rules", index)
        yield from _match_faults(rule, *place, "match")
        yield from _people_faults(rule.get("tell"), people, *place, "tell")
        escalate = _mapping(rule.get("escalate"))
        yield from _people_faults(escalate.get("to"), people, *place, "escalate", "to")
        yield from _unknown(rule.get("window"), "schedule", schedules, *place, "window")
        if rule.get("approval") == "ask" and not (
            rule.get("tell") or section.get("tell") or escalate.get("to")
        ):
            yield fault("asks, and nobody is named under tell who could say yes", *place, "approval")
        for number, step in enumerate(_list(rule.get("steps"))):
            yield from _step_faults(_mapping(step), given, known, *place, "steps", number)
    yield from _fights(rules, known)


# -- what a rule matches


def _match_faults(rule: Given, *place: str | int) -> Iterator[InitErrorDetails]:
    matchers = _matchers(rule)
    if matchers is None:
        return
    everything = {matcher.label: NONSENSE for matcher in matchers} | dict.fromkeys(_NAMED_BY, NONSENSE)
    if all(matcher.holds(everything) for matcher in matchers):
        yield fault(
            "matches alerts of every kind; name what it is for, such as labels: 'alertname=\"BotDisconnected\"'",
            *place,
        )
        return
    for name in OWN_ALERTS:
        own = {matcher.label: NONSENSE for matcher in matchers}
        own |= {"alertname": name, "component": OWN_COMPONENT, "rule": str(rule.get("name", ""))}
        if all(matcher.holds(own) for matcher in matchers):
            yield fault(
                f"matches {name}, the bridge's alert about itself: its action would answer to itself; "
                'add component!="bridge"',
                *place,
            )
            return


def _matchers(rule: Given) -> list[Matcher] | None:
    """The label matchers of a rule; None when they cannot be read, which is told elsewhere."""
    match = _mapping(rule.get("match"))
    labels = match.get("labels", ())
    texts = [labels] if isinstance(labels, str) else _list(labels)
    try:
        return [parse_matcher(text) for text in texts if isinstance(text, str)]
    except ValueError:
        return None


# -- steps


def _step_faults(
    step: Given, given: Given, known: Mapping[str, KnownAction], *place: str | int
) -> Iterator[InitErrorDetails]:
    name = step.get("action")
    yield from _unknown(name, "action", known, *place, "action")
    if isinstance(name, str) and name in known:
        parameters = _mapping(step.get("with"))
        yield from _parameter_faults(parameters, known[name], *place, "with")
        if name not in _NAMES_ELSEWHERE:
            yield from _target_faults(parameters, given, *place, "with")
        if step.get("undo_when_not_cured") is True and not _can_undo(known[name], parameters, given):
            yield fault(f"{name} cannot be taken back here", *place, "undo_when_not_cured")
    if given.get("prometheus") is None:
        for key in ("precondition", "verify"):
            if _mapping(step.get(key)).get("promql") is not None:
                yield fault("needs the section prometheus to be asked", *place, key, "promql")


def _parameter_faults(
    parameters: Given, action: KnownAction, *place: str | int
) -> Iterator[InitErrorDetails]:
    """What the action's own model says, but for values that only an alert's labels complete."""
    for name, value in parameters.items():
        for text in value if isinstance(value, list | tuple) else (value,):
            if isinstance(text, str) and (complaint := template_complaint(text)):
                yield fault(complaint, *place, str(name))
    try:
        action.settings.model_validate({name: stand_in(value) for name, value in parameters.items()})
    except ValidationError as error:
        for found in error.errors(include_url=False):
            where = found["loc"]
            if where and is_template(parameters.get(str(where[0]))):
                continue
            if found["type"] == "extra_forbidden":
                names = action.settings.model_fields
                yield fault(
                    f'{action.name} has no parameter "{where[0]}"{did_you_mean(str(where[0]), names)}',
                    *place, *where,
                )  # fmt: skip
            elif found["type"] == "missing":
                yield fault(f'{action.name} needs "{where[0]}"', *place)
            else:
                yield fault(_lowered(found["msg"]), *place, *where)


def _target_faults(parameters: Given, given: Given, *place: str | int) -> Iterator[InitErrorDetails]:
    """A name that no alert completes, and that nothing in the configuration bears."""
    for parameter, way in _TARGETS.items():
        wanted = parameters.get(parameter)
        if isinstance(wanted, str) and not is_template(wanted):
            *outer, last = way
            within: Given = given
            for key in outer:
                within = _mapping(within.get(key))
            yield from _unknown(wanted, parameter, _names(within.get(last)), *place, parameter)


def _can_undo(action: KnownAction, parameters: Given, given: Given) -> bool:
    """Whether it can be taken back; where an alert names the command, one that can is enough."""
    if action.about.undoable is not Undoable.CONFIGURED:
        return action.about.undoable is Undoable.YES
    services = [_mapping(one) for one in _list(_mapping(given.get("actions")).get("services"))]
    wanted = parameters.get("command")
    return any(one.get("undo") for one in services if is_template(wanted) or one.get("name") == wanted)


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]


# -- rules against each other


def _fights(rules: Sequence[Given], known: Mapping[str, KnownAction]) -> Iterator[InitErrorDetails]:
    """Two rules that act by themselves on the same thing, each against the other."""
    for (first, one), (second, other) in combinations(enumerate(rules), 2):
        if one.get("approval", "auto") != "auto" or other.get("approval", "auto") != "auto":
            continue
        for number, step in enumerate(_list(other.get("steps"))):
            for before in _list(one.get("steps")):
                if _opposed(_mapping(before), _mapping(step), known):
                    yield fault(
                        f"undoes what rules[{first}] ({one.get('name', '')}) does with "
                        f"{_mapping(before).get('action')}: they would fight; let one of them ask",
                        "recovery", "rules", second, "steps", number, "action",
                    )  # fmt: skip


def _opposed(one: Given, other: Given, known: Mapping[str, KnownAction]) -> bool:
    names = (str(one.get("action")), str(other.get("action")))
    if any(name not in known for name in names):
        return False
    first, second = (known[name] for name in names)
    if second.name not in first.about.opposes and first.name not in second.about.opposes:
        return False
    mine, theirs = _mapping(one.get("with")), _mapping(other.get("with"))
    shared = set(mine) & set(theirs) & set(first.settings.model_fields) & set(second.settings.model_fields)
    return bool(shared) and all(mine[name] == theirs[name] for name in shared)


def recovery_warnings(section: RecoverySection) -> tuple[str, ...]:
    """Sentences about what is allowed and yet hardly meant."""
    return tuple(_warnings(section.rules))


def _warnings(rules: Sequence[RuleSection]) -> Iterator[str]:
    for number, rule in enumerate(rules):
        head = f"recovery > rules[{number}] ({rule.name})"
        if rule.approval == "off":
            yield f"{head} is off: it never acts"
        elif rule.dry_run:
            yield f"{head} is a dry run: it only says what it would do"
        slowest_s = max(step.verify.settle_s for step in rule.steps)
        if rule.cooldown_s < slowest_s:
            yield (
                f"{head} may act again after {rule.cooldown_s:g} s, while the alert may go on firing for "
                f"{slowest_s:g} s after a cure; only the step's probe keeps it from that"
            )


# -- reading what was written


def _people_faults(wanted: object, known: Collection[str], *place: str | int) -> Iterator[InitErrorDetails]:
    if isinstance(wanted, str):
        yield from _unknown(wanted, "recipient or rota", known, *place)
    for number, name in enumerate(_list(wanted)):
        yield from _unknown(name, "recipient or rota", known, *place, number)


def _unknown(
    name: object, noun: str, known: Collection[str], *place: str | int
) -> Iterator[InitErrorDetails]:
    if isinstance(name, str) and name not in known:
        yield fault(f'there is no {noun} "{name}"{did_you_mean(name, known)}', *place)


def _twice(rules: Sequence[Given]) -> Iterator[InitErrorDetails]:
    seen: dict[str, int] = {}
    for index, rule in enumerate(rules):
        name = rule.get("name")
        if isinstance(name, str) and seen.setdefault(name, index) != index:
            yield fault(
                f"rules[{seen[name]}] has this name already; names must differ",
                "recovery", "rules", index, "name",
            )  # fmt: skip


def _names(items: object) -> list[str]:
    named = (_mapping(item).get("name") for item in _list(items))
    return [name for name in named if isinstance(name, str)]


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _mapping(value: object) -> Given:
    return value if isinstance(value, Mapping) else {}
