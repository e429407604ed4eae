"""Checks that look at several sections at once, on input that may be wrong in any other way as well."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel
from pydantic_core import InitErrorDetails

from exporter.config_modules import CollectorDefaults
from exporter.config_routers import DEFAULT_MODULE, RouterSection
from exporter.presets import PRESETS, Preset
from routeros.settings import PLAIN_PORT, TLS_PORT
from runtime.sections import fault
from runtime.wording import did_you_mean

Given = Mapping[str, Any]

_PASSWORDS = ("password", "password_file", "password_env")


def fleet_faults(given: Given) -> Iterator[InitErrorDetails]:
    """Mistakes between routers, and between them and modules and credentials."""
    routers = given.get("routers")
    if not isinstance(routers, list | tuple):
        return
    if not routers:
        yield fault("must have at least one router", "routers")
    names: dict[str, int] = {}
    ends: dict[tuple[str, int], int] = {}
    modules = (DEFAULT_MODULE, *_mapping(given.get("modules")))
    for index, item in enumerate(routers):
        router = _mapping(item)
        if not router:
            continue
        name = router.get("name", router.get("address"))
        if isinstance(name, str) and names.setdefault(name, index) != index:
            yield fault(
                f"routers[{names[name]}] has this name already; names must differ", "routers", index, "name"
            )
        if (end := _end(router)) is not None and ends.setdefault(end, index) != index:
            yield fault(
                f"routers[{ends[end]}] has this address and port already", "routers", index, "address"
            )
        module = router.get("module", DEFAULT_MODULE)
        if isinstance(module, str) and module not in modules:
            yield fault(
                f'there is no module "{module}"{did_you_mean(module, modules)}', "routers", index, "module"
            )
        if (
            not isinstance(item, Mapping) or item.keys() <= RouterSection.model_fields.keys()
        ):  # else the missing key may be the misspelt one
            yield from _login_faults(router, index, shared="credentials" in given)


def _mapping(value: object) -> Given:
    """`value` as the mapping it was written as, without the keys left empty; empty for anything else."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, Mapping) else {}


def _end(router: Given) -> tuple[str, int] | None:
    """Address and port that would be dialled, when both are usable."""
    address, port = router.get("address"), router.get("port")
    if port is None:
        port = PLAIN_PORT if router.get("tls", False) in (False, "no", "off", "false") else TLS_PORT
    if isinstance(address, str) and isinstance(port, int):
        return address.strip("[]").lower(), port
    return None


def _login_faults(router: Given, index: int, *, shared: bool) -> Iterator[InitErrorDetails]:
    has_user = "username" in router
    has_password = any(way in router for way in _PASSWORDS)
    place = ("routers", index)
    if has_user and not has_password:
        yield fault(
            "has a username but no password of its own; add password, password_file or password_env", *place
        )
    elif not has_user and not shared:
        missing = "no username" if has_password else "neither username nor password"
        yield fault(f"has {missing}; give them here, or once for all routers under credentials", *place)


def label_faults(given: Given, known: object) -> Iterator[InitErrorDetails]:
    """Labels of routers that a collector's metrics bear already: no series may have one label twice."""
    taken: dict[str, str] = {}
    for name, own in _mapping(known).items():
        if isinstance(own, CollectorDefaults):
            taken |= dict.fromkeys(own.labels - taken.keys(), name)
    routers = given.get("routers")
    for index, item in enumerate(routers if isinstance(routers, list | tuple) else ()):
        for label in _mapping(_mapping(item).get("labels")):
            if label in taken:
                message = (
                    f"this label belongs to metrics of the collector {taken[label]}; choose another name"
                )
                yield fault(message, "routers", index, "labels", label)


def order_faults(given: Given) -> Iterator[InitErrorDetails]:
    """Pairs of values, preset included, of which the lower one is above the upper one."""
    pool = _mapping(given.get("pool"))
    named = pool.get("preset")
    preset = next((own for name, own in PRESETS.items() if name == named), PRESETS["default"])
    yield from _pair("min_size", "max_size", pool, asdict(preset.pool), "pool")
    retry, breaker = _mapping(given.get("retry")), _mapping(given.get("breaker"))
    yield from _pair("min_wait_s", "max_wait_s", retry, asdict(preset.retry), "retry")
    yield from _pair("cooldown_s", "max_cooldown_s", breaker, asdict(preset.breaker), "breaker")
    yield from _router_pools(given, pool, preset)


def _router_pools(given: Given, pool: Given, preset: Preset) -> Iterator[InitErrorDetails]:
    routers = given.get("routers")
    for index, item in enumerate(routers if isinstance(routers, list | tuple) else ()):
        if own := _mapping(_mapping(item).get("pool")):
            yield from _pair(
                "min_size", "max_size", own, asdict(preset.pool) | dict(pool), "routers", index, "pool"
            )


def _pair(low: str, high: str, own: Given, inherited: Given, *place: str | int) -> Iterator[InitErrorDetails]:
    if low not in own and high not in own:
        return  # nothing was set here, so nothing here is wrong
    values = {**inherited, **own}
    least, most = values[low], values[high]
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        wrong, other = (low, high) if low in own else (high, low)
        word = "at most" if wrong == low else "at least"
        source = "" if other in own else ", which was set elsewhere or comes from the preset"
        yield fault(
            f"must be {word} {other} ({values[other]:g}{source}), got {values[wrong]:g}", *place, wrong
        )
