"""A configuration of nothing but routing, as YAML; the joined one of the bridge has more sections."""

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_core import InitErrorDetails

from alertbridge.deliver.route.config import DeliverySection, RecipientSection, RouteSection
from alertbridge.deliver.route.joins import routing_faults
from alertbridge.deliver.route.times import RotaSection, ScheduleSection
from runtime.loading import parse
from runtime.sections import Section, Surroundings


class RoutingOnly(Section):
    """What routing, rendering and the address book need."""

    delivery: DeliverySection = Field(default=DeliverySection())
    recipients: tuple[RecipientSection, ...] = Field(default=())
    routes: tuple[RouteSection, ...] = Field(default=())
    schedules: tuple[ScheduleSection, ...] = Field(default=())
    rotas: tuple[RotaSection, ...] = Field(default=())
    channels: tuple[dict[str, str], ...] = Field(default=())

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        faults.extend(routing_faults(given, around.folder))
        return given


def routing_config(text: str, folder: Path = Path()) -> RoutingOnly:
    """The configuration in `text`. Raises runtime.loading.ConfigError."""
    return parse(text, RoutingOnly, source="alertbridge.yml", folder=folder)
