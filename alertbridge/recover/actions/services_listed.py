"""The services of the allow list, by name."""

from collections.abc import Iterable

from alertbridge.recover.actions.command import ListedCommand
from alertbridge.recover.actions.command_text import Redact
from alertbridge.recover.actions.docker import DockerContainer
from alertbridge.recover.actions.pm2 import Pm2Process
from alertbridge.recover.actions.services import Service
from alertbridge.recover.actions.services_config import (
    CommandServiceSection,
    DockerServiceSection,
    Pm2ServiceSection,
    ServiceSection,
    SystemdServiceSection,
)
from alertbridge.recover.actions.systemd import SystemdUnit
from runtime.clock import Clock, SystemClock


class UnknownService(LookupError):
    """No such service among those that may be acted upon."""


class Services:
    """What may be restarted or run. `redact` masks the configuration's secrets in what programs say."""

    def __init__(
        self, sections: Iterable[ServiceSection] = (), *, clock: Clock | None = None, redact: Redact = str
    ) -> None:
        time = SystemClock() if clock is None else clock
        self._listed = {section.name: _made(section, time, redact) for section in sections}

    def __repr__(self) -> str:
        return f"<Services {', '.join(self._listed)}>"

    def named(self, name: str) -> Service:
        """The service of that name. Raises UnknownService."""
        try:
            return self._listed[name]
        except KeyError as error:
            raise UnknownService(name) from error

    def can_undo(self, name: str) -> bool:
        """Whether it is a command with a way back."""
        service = self._listed.get(name)
        return isinstance(service, ListedCommand) and service.section.undo is not None


def _made(section: ServiceSection, clock: Clock, redact: Redact) -> Service:
    match section:
        case SystemdServiceSection():
            return SystemdUnit(section, clock=clock, redact=redact)
        case DockerServiceSection():
            return DockerContainer(section, redact=redact)
        case Pm2ServiceSection():
            return Pm2Process(section, clock=clock, redact=redact)
        case CommandServiceSection():
            return ListedCommand(section, clock=clock, redact=redact)
