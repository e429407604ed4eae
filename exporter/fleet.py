"""The routers under watch, and how a new configuration takes the place of the old one."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping

from exporter.cache import Slot
from exporter.collectors import ALL
from exporter.config import CollectorDefaults, CollectorSettings, Config, RouterSection
from exporter.watch import Watched

KNOWN_COLLECTORS: Mapping[str, CollectorDefaults] = {
    collector.name: CollectorDefaults(
        collector.ttl_s,
        modes=("off", "aggregate", "top", "full") if collector.has_subscribers else (),
        mode=collector.mode,
        labels=frozenset(label for family in collector.families for label in family.labels),
        on_by_default=collector.on_by_default,
        knows_clients=collector.knows_clients,
    )
    for collector in ALL
}
"""What the configuration must know of each collector."""

Make = Callable[[RouterSection, Config], Watched]


class UnknownTarget(LookupError):
    """No router has that name or address; `known` are those that there are."""

    def __init__(self, target: str, known: Collection[str]) -> None:
        super().__init__(target)
        self.target = target
        self.known = tuple(known)


class UnknownModule(LookupError):
    """No module has that name; `known` are those that there are."""

    def __init__(self, module: str, known: Collection[str]) -> None:
        super().__init__(module)
        self.module = module
        self.known = tuple(known)


class Fleet:
    """Every router of the configuration in force. A reload keeps those whose settings did not change."""

    def __init__(self, config: Config, make: Make) -> None:
        self._make = make
        self._put(config, {})

    def __repr__(self) -> str:
        return f"<Fleet routers={len(self._watched)} modules={sorted(self._settings)}>"

    def __iter__(self) -> Iterator[Watched]:
        return iter(self._watched.values())

    def __len__(self) -> int:
        return len(self._watched)

    async def replace(self, config: Config) -> None:
        """Put `config` in force: routers that are new or changed start afresh, those that are gone are closed."""
        before = dict(self._watched)
        sections = {section.name: section for section in config.routers}
        kept = {
            name: watched
            for name, watched in before.items()
            if name in sections and _same(watched.section, self.config, sections[name], config)
        }
        self._put(config, kept)
        gone = [watched for name, watched in before.items() if name not in kept]
        wanted = {pair for settings in self._settings.values() for pair in settings.items()}
        await asyncio.gather(
            *[watched.close() for watched in gone], *[watched.keep(wanted) for watched in kept.values()]
        )

    def _put(self, config: Config, kept: Mapping[str, Watched]) -> None:
        """All of it or, when something in it cannot be made, nothing."""
        watched = {
            section.name: kept.get(section.name) or self._make(section, config) for section in config.routers
        }
        settings: dict[str, Mapping[str, CollectorSettings]] = {
            module: config.collectors(module, KNOWN_COLLECTORS) for module in config.module_names
        }
        self.config = config
        self._watched = watched
        self._settings = settings

    def by_name(self, name: str) -> Watched:
        """The router of that name. Raises UnknownTarget."""
        try:
            return self._watched[name]
        except KeyError:
            raise UnknownTarget(name, self._watched) from None

    def find(self, target: str) -> Watched:
        """The router that `target` names, or the only one at that address. Raises UnknownTarget.

        Only routers of the configuration can be probed: credentials go nowhere else.
        """
        if target in self._watched:
            return self._watched[target]
        at_address = [
            watched
            for watched in self
            if target
            in (watched.section.address, f"{watched.section.address}:{watched.section.effective_port}")
        ]
        if len(at_address) == 1:
            return at_address[0]
        raise UnknownTarget(target, self._watched)

    def settings(self, module: str) -> Mapping[str, CollectorSettings]:
        """Settings of a module's collectors. Raises UnknownModule."""
        try:
            return self._settings[module]
        except KeyError:
            raise UnknownModule(module, self._settings) from None

    def asked(self, only: Collection[str] = ()) -> list[tuple[Watched, Mapping[str, Slot]]]:
        """Every router with the slots of its own module, narrowed to the collectors in `only` unless empty."""
        return [(watched, watched.slots(self.settings(watched.section.module), only)) for watched in self]

    async def close(self) -> None:
        """End every router's work."""
        await asyncio.gather(*[watched.close() for watched in self])


def _same(old: RouterSection, old_config: Config, new: RouterSection, new_config: Config) -> bool:
    """Whether a router may go on as it is: nothing changed that its connections or cache were made with."""
    return (
        old == new
        and old_config.credentials == new_config.credentials
        and old_config.pool == new_config.pool
        and old_config.breaker == new_config.breaker
        and old_config.retry == new_config.retry
        and old_config.cache == new_config.cache
    )
