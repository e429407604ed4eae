"""Checks between routes, recipients, schedules, rotas and channels, on input that may be wrong in any other way.

The joined configuration calls `routing_faults` in its `prepare`; `routing_warnings` looks at a valid one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import InitErrorDetails

from alertbridge.deliver.render.usertemplates import read_folder
from alertbridge.deliver.route.config import RouteSection, RoutingConfig
from alertbridge.deliver.route.matchers import Matcher, Operator, parse_matcher
from alertbridge.deliver.route.schedule import Schedule
from runtime.sections import fault
from runtime.wording import did_you_mean

Given = Mapping[str, Any]

_NAMED = ("channels", "recipients", "routes", "schedules", "rotas")


def routing_faults(given: Given, folder: Path) -> Iterator[InitErrorDetails]:
    """Names that are used twice, or that nothing bears. `given` is the joined configuration as it was written.

    A list under `channels` counts for the channels; their names are checked only when there is one. `folder` is
    where relative paths start.
    """
    names = {key: _names(given.get(key)) for key in _NAMED}
    for key in _NAMED:
        yield from _twice(given, key)
    yield from _shared(given, names["recipients"])
    for index, recipient in _items(given, "recipients"):
        place = ("recipients", index)
        if "channels" in given:
            yield from _unknown(recipient.get("channel"), "channel", names["channels"], *place, "channel")
            for number, way in enumerate(_list(recipient.get("fallback"))):
                name = _mapping(way).get("channel")
                yield from _unknown(name, "channel", names["channels"], *place, "fallback", number, "channel")
    for index, rota in _items(given, "rotas"):
        yield from _member_faults(rota, names["recipients"], "rotas", index)
    for index, route in _items(given, "routes"):
        yield from _route_faults(route, names, "routes", index)
    yield from _template_faults(given, folder)


def _member_faults(rota: Given, known: Collection[str], *place: str | int) -> Iterator[InitErrorDetails]:
    for number, name in enumerate(_list(rota.get("members"))):
        yield from _unknown(name, "recipient", known, *place, "members", number)
    for number, override in enumerate(_list(rota.get("overrides"))):
        name = _mapping(override).get("member")
        yield from _unknown(name, "recipient", known, *place, "overrides", number, "member")


def _route_faults(
    route: Given, names: Mapping[str, Collection[str]], *place: str | int
) -> Iterator[InitErrorDetails]:
    told, schedules = [*names["recipients"], *names["rotas"]], names["schedules"]
    wanted = route.get("to")
    if isinstance(wanted, str):
        yield from _unknown(wanted, "recipient or rota", told, *place, "to")
    for number, name in enumerate(_list(wanted)):
        yield from _unknown(name, "recipient or rota", told, *place, "to", number)
    for key in ("when", "not_when"):
        yield from _unknown(route.get(key), "schedule", schedules, *place, key)
    quiet = _mapping(route.get("quiet")).get("schedule")
    yield from _unknown(quiet, "schedule", schedules, *place, "quiet", "schedule")


def _template_faults(given: Given, folder: Path) -> Iterator[InitErrorDetails]:
    """Routes that name a template which is not in the folder."""
    templates = _mapping(given.get("delivery")).get("templates")
    known = _template_names(folder / templates) if isinstance(templates, str | Path) else frozenset()
    for index, route in _items(given, "routes"):
        place = ("routes", index, "template")
        if isinstance(route.get("template"), str) and templates is None:
            yield fault("names a template, but delivery has no folder of templates", *place)
        elif templates is not None:
            yield from _unknown(route.get("template"), "template", known, *place)


def _template_names(folder: Path) -> frozenset[str]:
    try:
        return read_folder(folder).names
    except (OSError, UnicodeDecodeError):  # told where the folder is named
        return frozenset()


def _unknown(
    name: object, noun: str, known: Collection[str], *place: str | int
) -> Iterator[InitErrorDetails]:
    if isinstance(name, str) and name not in known:
        yield fault(f'there is no {noun} "{name}"{did_you_mean(name, known)}', *place)


def _twice(given: Given, key: str) -> Iterator[InitErrorDetails]:
    seen: dict[str, int] = {}
    for index, item in _items(given, key):
        name = item.get("name")
        if isinstance(name, str) and seen.setdefault(name, index) != index:
            yield fault(f"{key}[{seen[name]}] has this name already; names must differ", key, index, "name")


def _shared(given: Given, recipients: Collection[str]) -> Iterator[InitErrorDetails]:
    """A rota and a recipient of one name: a route could not say which it means."""
    for index, rota in _items(given, "rotas"):
        if isinstance(name := rota.get("name"), str) and name in recipients:
            yield fault("a recipient has this name already; names must differ", "rotas", index, "name")


def _names(items: object) -> list[str]:
    named = (_mapping(item).get("name") for item in _list(items))
    return [name for name in named if isinstance(name, str)]


def _items(given: Given, key: str) -> Iterator[tuple[int, Given]]:
    return ((index, _mapping(item)) for index, item in enumerate(_list(given.get(key))))


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _mapping(value: object) -> Given:
    """`value` as the mapping it was written as; empty for anything else."""
    if isinstance(value, BaseModel):
        return {field.alias or name: getattr(value, name) for name, field in type(value).model_fields.items()}
    return value if isinstance(value, Mapping) else {}


# -- what is allowed and yet hardly meant


def routing_warnings(config: RoutingConfig) -> tuple[str, ...]:
    """Sentences about routes that no alert can reach or match, and about hours that never end."""
    return tuple(_warnings(config))


def _warnings(config: RoutingConfig) -> Iterator[str]:
    taken: RouteSection | None = None
    matchers = {route.name: tuple(map(parse_matcher, route.match.labels)) for route in config.routes}
    for number, route in enumerate(config.routes):
        head = f"routes[{number}] ({route.name})"
        earlier = config.routes[:number]
        taken = next((one for one in earlier if _takes_all_of(one, route, matchers)), None)
        if taken is not None:
            yield f"{head} is never reached: `{taken.name}` before it takes every alert that it matches"
        if contradiction := _contradiction(route, matchers[route.name]):
            yield f"{head} matches nothing: {contradiction}"
    zone = config.delivery.timezone
    endless = {one.name for one in config.schedules if Schedule.of(one, zone).never_ends}
    for number, route in enumerate(config.routes):
        if route.quiet and route.quiet.schedule in endless:
            yield f"routes[{number}] ({route.name}) is quiet for ever: `{route.quiet.schedule}` never ends"
    reached = {name for route in config.routes for name in route.to}
    members = {
        member
        for rota in config.rotas
        if rota.name in reached
        for member in (*rota.members, *(one.member for one in rota.overrides))
    }
    for number, recipient in enumerate(config.recipients):
        if config.routes and recipient.name not in reached | members:
            yield f"recipients[{number}] ({recipient.name}) is named by no route"


def _takes_all_of(
    first: RouteSection, later: RouteSection, matchers: Mapping[str, tuple[Matcher, ...]]
) -> bool:
    """Whether `first` surely takes every alert that `later` matches: each of its conditions is one of `later`'s."""
    if first.go_on or (first.when, first.not_when) not in ((None, None), (later.when, later.not_when)):
        return False
    if first.match.severity and not set(first.match.severity) >= set(later.match.severity or ("",)):
        return False
    if first.match.receiver not in (None, later.match.receiver):
        return False
    same = {str(matcher) for matcher in matchers[later.name]}
    fixed = {one.label: one.value for one in matchers[later.name] if one.operator is Operator.EQUAL}
    return all(
        str(matcher) in same or (matcher.label in fixed and matcher.holds(fixed))
        for matcher in matchers[first.name]
    )


def _contradiction(route: RouteSection, matchers: Sequence[Matcher]) -> str:
    """Two conditions of `route` that no alert fulfils together; empty if none is seen."""
    if route.when is not None and route.when == route.not_when:
        return f"when and not_when are both {route.when}"
    for fixed in matchers:
        if fixed.operator is Operator.EQUAL:
            for other in matchers:
                if other.label == fixed.label and not other.holds({fixed.label: fixed.value}):
                    return f"{fixed} and {other}"
    return ""
