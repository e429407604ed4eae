"""Modules: which collectors run on a router, and how. Of a collector only its defaults are known here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field
from pydantic_core import InitErrorDetails

from runtime.sections import Section, Surroundings, fault
from runtime.wording import did_you_mean

KNOWN_COLLECTORS = "collectors"
"""Key in Surroundings.extras of the mapping from name to CollectorDefaults."""

ModeName = Literal["off", "aggregate", "top", "full"]
"""What becomes of rows that are one per subscriber; the words of `exporter.cardinality.Mode`."""


class CollectorSection(Section):
    """Settings of one collector. A value that is left out is the collector's own."""

    ttl_s: float | None = Field(
        default=None,
        ge=0,
        le=86_400,
        description="Seconds for which a result is served again without asking the router.",
    )
    mode: ModeName | None = Field(
        default=None,
        description=(
            "Series per subscriber: none (`off`), only sums (`aggregate`), the busiest ones and the rest as "
            "one (`top`), or all (`full`)."
        ),
    )
    limit: int | None = Field(
        default=None, ge=0, le=1_000_000, description="Subscribers with series of their own, at most."
    )
    top: int | None = Field(default=None, ge=1, le=100_000, description="Subscribers shown in mode `top`.")


@dataclass(frozen=True, slots=True)
class CollectorDefaults:
    """What the configuration must know of a collector: its own settings and the modes it understands.

    A collector without `modes` has no rows per subscriber, and takes neither `mode` nor `limit` nor `top`.
    `labels` are those of its metrics; a router's own labels must bear other names. `knows_clients` says that it shows
    or learns the names of DHCP clients.
    """

    ttl_s: float
    modes: tuple[ModeName, ...] = ()
    mode: ModeName = "full"
    limit: int = 5000
    top: int = 20
    labels: frozenset[str] = frozenset()
    on_by_default: bool = True
    knows_clients: bool = False


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """What a collector works with in one module, all values settled."""

    ttl_s: float
    mode: ModeName
    limit: int
    top: int
    client_names: bool = False


def _by_name(given: object) -> object:
    """Collectors as a mapping: a list of names means each with its own settings."""
    if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given):
        return {name: {} for name in given}
    if isinstance(given, Mapping):
        return {name: {} if settings is None else settings for name, settings in given.items()}
    return given


class ModuleSection(Section):
    """Which collectors run, and how."""

    collectors: Annotated[
        dict[str, CollectorSection] | None,
        BeforeValidator(_by_name, json_schema_input_type=list[str] | dict[str, CollectorSection]),
    ] = Field(
        default=None,
        description="Names of collectors, as a list or with settings for each; the usual ones when left out.",
    )
    client_names: bool = Field(
        default=False,
        description=(
            "Label `client` on the infos of hotspot and PPPoE sessions and of wireless stations: comment or host "
            "name of the DHCP lease that has the same MAC address."
        ),
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        known, chosen = around.extras.get(KNOWN_COLLECTORS), given.get("collectors")
        if isinstance(known, Mapping):
            if isinstance(chosen, list | tuple):
                for index, name in enumerate(chosen):
                    faults.extend(_collector_faults(name, {}, known, index))
            elif isinstance(chosen, Mapping):
                for name, settings in chosen.items():
                    faults.extend(_collector_faults(name, settings, known, name))
        if isinstance(chosen, list | tuple):
            faults.extend(_name_faults(chosen))
        return given

    def settled(self, known: Mapping[str, CollectorDefaults]) -> dict[str, CollectorSettings]:
        """The chosen collectors, in the order of `known`, their own values filled in."""
        chosen = self.collectors
        if chosen is None:
            chosen = {name: CollectorSection() for name, own in known.items() if own.on_by_default}
        return {
            name: _settled(chosen[name], own, client_names=self.client_names and own.knows_clients)
            for name, own in known.items()
            if name in chosen
        }


def _settled(given: CollectorSection, own: CollectorDefaults, *, client_names: bool) -> CollectorSettings:
    return CollectorSettings(
        ttl_s=own.ttl_s if given.ttl_s is None else given.ttl_s,
        mode=given.mode or own.mode,
        limit=own.limit if given.limit is None else given.limit,
        top=given.top or own.top,
        client_names=client_names,
    )


def _name_faults(names: Sequence[object]) -> Iterator[InitErrorDetails]:
    for index, name in enumerate(names):
        if not isinstance(name, str):
            continue
        if name in names[:index]:
            yield fault(f'"{name}" is listed twice', "collectors", index)


def _collector_faults(
    name: object, settings: object, known: Mapping[str, CollectorDefaults], step: str | int
) -> Iterator[InitErrorDetails]:
    if not isinstance(name, str):
        return
    if name not in known:
        yield fault(f'there is no collector "{name}"{did_you_mean(name, known)}', "collectors", step)
        return
    values = settings.model_dump() if isinstance(settings, CollectorSection) else settings
    given = {k: v for k, v in values.items() if v is not None} if isinstance(values, Mapping) else {}
    modes = known[name].modes
    if not modes:
        for key in ("mode", "limit", "top"):
            if key in given:
                yield fault(
                    "does not apply: this collector has no rows per subscriber", "collectors", step, key
                )
    elif (mode := given.get("mode")) in get_args(ModeName) and mode not in modes:
        yield fault(f"this collector knows only {', '.join(modes)}, got {mode}", "collectors", step, "mode")
