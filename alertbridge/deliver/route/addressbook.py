"""Recipients by name: which way each is reached first, and which ways are tried then."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from alertbridge.deliver.route.config import RoutingConfig


@dataclass(frozen=True, slots=True)
class Way:
    """A channel, and the address on it as the operator wrote it."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person or group. `language` is settled: the recipient's own, else that of the configuration."""

    name: str
    channel: str
    address: str
    language: str
    fallbacks: tuple[Way, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """Every way to it, the first one first."""
        return (Way(self.channel, self.address), *self.fallbacks)


class AddressBook:
    """The recipients of a configuration."""

    def __init__(self, recipients: Iterable[Recipient]) -> None:
        self._by_name: Mapping[str, Recipient] = MappingProxyType({one.name: one for one in recipients})

    @classmethod
    def of(cls, config: RoutingConfig) -> Self:
        """The book of `config`, with the default language filled in."""
        return cls(
            Recipient(
                name=section.name,
                channel=section.channel,
                address=section.to,
                language=section.language or config.delivery.language,
                fallbacks=tuple(Way(way.channel, way.to) for way in section.fallback),
            )
            for section in config.recipients
        )

    def __iter__(self) -> Iterator[Recipient]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> Recipient | None:
        """The recipient of that name; None for one who is no longer in the configuration."""
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def on_channel(self, channel: str) -> tuple[Recipient, ...]:
        """Those who are reached through `channel`, first or as a fallback."""
        return tuple(one for one in self if any(way.channel == channel for way in one.ways))
