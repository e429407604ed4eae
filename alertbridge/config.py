"""The bridge's configuration: frozen models with their defaults; all mistakes are told at once.

config = load_config(Path("alertbridge.yml"))
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_core import InitErrorDetails

from alertbridge.accept.config import AcceptSection, DeadlineSection
from alertbridge.alertmanager import AlertmanagerSection
from alertbridge.deadman import DeadManSection
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.limit.config import RecipientLimitsSection, SeverityLimitsSection
from alertbridge.deliver.providers.registry import KINDS, ChannelSection
from alertbridge.deliver.route.config import DeliverySection, RecipientSection, RouteSection
from alertbridge.deliver.route.joins import routing_faults
from alertbridge.deliver.route.times import RotaSection, ScheduleSection
from alertbridge.numbers import DEFAULT_REGION, AddressRefused
from alertbridge.prometheus import PrometheusSection
from alertbridge.recover.actions.config import ActionsSection
from alertbridge.recover.actions.registry import KNOWN
from alertbridge.recover.config import RecoverySection
from alertbridge.recover.config_joins import recovery_faults
from alertbridge.reply.config import RepliesSection
from alertbridge.report.config import ReportEntry, report_faults
from alertbridge.store.config import StoreSection
from runtime.editorschema import editor_schema
from runtime.loading import load
from runtime.logs import LogSection
from runtime.sections import Section, Surroundings, fault
from runtime.web import WebSection
from runtime.wording import did_you_mean

DEFAULT_LISTEN = "127.0.0.1:9437"


class BridgeWebSection(WebSection):
    """Where the bridge listens and whom it answers."""

    listen: str = Field(
        default=DEFAULT_LISTEN,
        description='Address and port to listen on; ":9437" means every interface, port 0 any free one.',
    )


class LimitsSection(Section):
    """How much one recipient may get, beside what the channels allow."""

    recipient: RecipientLimitsSection = Field(
        default=RecipientLimitsSection(), description="Over all severities and channels."
    )
    severity: SeverityLimitsSection = Field(default=SeverityLimitsSection(), description="By severity.")


class Config(Section):
    """Configuration of the alert bridge."""

    web: BridgeWebSection = Field(
        default=BridgeWebSection(), description="Where to listen and whom to answer."
    )
    store: StoreSection = Field(default=StoreSection(), description="Where everything is kept.")
    accept: AcceptSection = Field(default=AcceptSection(), description="How alerts are taken in.")
    delivery: DeliverySection = Field(
        default=DeliverySection(), description="What holds for everything that is told."
    )
    channels: tuple[ChannelSection, ...] = Field(
        description="The ways out, at least one.", json_schema_extra={"minItems": 1}
    )
    recipients: tuple[RecipientSection, ...] = Field(
        description="Who can be told something, at least one.", json_schema_extra={"minItems": 1}
    )
    routes: tuple[RouteSection, ...] = Field(
        default=(), description="Which alerts go to whom; without any, every alert goes to every recipient."
    )
    schedules: tuple[ScheduleSection, ...] = Field(default=(), description="Hours, by name.")
    rotas: tuple[RotaSection, ...] = Field(default=(), description="Who is on call, week by week.")
    limits: LimitsSection = Field(
        default=LimitsSection(), description="How much one recipient, and each severity, may get."
    )
    sending: SendingSection = Field(
        default=SendingSection(), description="How messages are sent, proven and told another way."
    )
    alertmanager: AlertmanagerSection | None = Field(
        default=None, description="The Alertmanager to ask what still fires, and to tell silences."
    )
    prometheus: PrometheusSection | None = Field(
        default=None, description="The Prometheus that reports and conditions are made from."
    )
    recovery: RecoverySection = Field(
        default=RecoverySection(), description="What the bridge may do about alerts by itself."
    )
    actions: ActionsSection = Field(
        default=ActionsSection(), description="What recovery may act upon, and with which rights."
    )
    replies: RepliesSection | None = Field(
        default=None, description="Who may write to the bridge, and what they may do."
    )
    reports: tuple[ReportEntry, ...] = Field(default=(), description="Reports that are sent by themselves.")
    deadman: DeadManSection | None = Field(
        default=None, description="Who is told when the monitoring itself falls silent."
    )
    log: LogSection = Field(default=LogSection(), description="What is logged, and how.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        faults.extend(routing_faults(given, around.folder))
        faults.extend(_address_faults(given))
        faults.extend(_lead_faults(given))
        faults.extend(report_faults(given))
        faults.extend(recovery_faults(given, KNOWN))
        faults.extend(_unknown_names(given, "deadman", "recipients", "recipients", "recipient"))
        faults.extend(_unknown_names(given, "replies", "untimed", "channels", "channel"))
        return given


def _address_faults(given: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """Recipients' addresses that their channel cannot take. `given` is what was written, whatever else is wrong."""
    channels = {one.get("name"): one for one in _mappings(given.get("channels"))}
    for index, recipient in enumerate(_mappings(given.get("recipients"))):
        ways: list[tuple[Mapping[str, Any], tuple[str | int, ...]]] = [(recipient, ("recipients", index))]
        fallbacks = enumerate(_mappings(recipient.get("fallback")))
        ways += [(way, ("recipients", index, "fallback", number)) for number, way in fallbacks]
        for way, place in ways:
            channel, to = channels.get(way.get("channel")), way.get("to")
            kind = KINDS.get(str(channel.get("kind"))) if channel is not None else None
            if channel is None or kind is None or not isinstance(to, str | int):
                continue
            region = channel.get("region")
            section = kind.section.model_construct(
                name="", region=region if isinstance(region, str) else DEFAULT_REGION
            )
            try:
                section.address(str(to))
            except AddressRefused as refused:
                yield fault(str(refused), *place, "to")


def _lead_faults(given: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """A lead that leaves nothing of the deadline, so that whatever is critical would take another way at once."""
    accept = given.get("accept")
    sending, deadlines = (
        given.get("sending"),
        accept.get("deadlines") if isinstance(accept, Mapping) else None,
    )
    lead_s = _number(sending, "lead_s", SendingSection().lead_s)
    critical_s = _number(deadlines, "critical_s", DeadlineSection().critical_s)
    if lead_s >= critical_s:
        yield fault(
            f"must be shorter than accept > deadlines > critical_s, which is {critical_s:g}: the fallback would begin "
            "before the channel could",
            "sending",
            "lead_s",
        )


def _number(section: object, key: str, usual: float) -> float:
    """What is written under `key`, where that is a number."""
    found = section.get(key, usual) if isinstance(section, Mapping) else usual
    return float(found) if isinstance(found, int | float) else usual


def _unknown_names(
    given: Mapping[str, Any], section: str, key: str, among: str, noun: str
) -> Iterator[InitErrorDetails]:
    """Names under `section` > `key` (one or a list) that nothing under `among` bears."""
    found = given.get(section)
    wanted = found.get(key) if isinstance(found, Mapping) else None
    known = [str(one.get("name")) for one in _mappings(given.get(among))]
    if not isinstance(wanted, str | list | tuple):
        return
    for number, name in enumerate([wanted] if isinstance(wanted, str) else wanted):
        if isinstance(name, str) and name not in known:
            place = () if isinstance(wanted, str) else (number,)
            yield fault(f'there is no {noun} "{name}"{did_you_mean(name, known)}', section, key, *place)


def _mappings(value: object) -> list[Mapping[str, Any]]:
    """The entries of a list as mappings; an empty one for what is none, so that places stay right."""
    if not isinstance(value, list | tuple):
        return []
    return [entry if isinstance(entry, Mapping) else {} for entry in value]


def load_config(path: Path, *, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration in the file `path`. Raises ConfigError with every mistake in it."""
    return load(path, Config, environment=environment)


def json_schema() -> dict[str, Any]:
    """The JSON schema of the file, for editors."""
    return editor_schema(Config, "Configuration of tikwatch-alertbridge")
