"""Who bears a name in the configuration just now: a recipient itself, or whoever a rota has on call."""

from collections.abc import Iterable, Mapping, Sequence

from alertbridge.deliver.route.addressbook import AddressBook
from alertbridge.deliver.route.config import RoutingConfig
from alertbridge.deliver.route.schedule import Rota
from alertbridge.recover.ports import Person


class ConfiguredPeople:
    """The recipients and rotas of a configuration; see `ports.People`."""

    def __init__(self, config: RoutingConfig) -> None:
        self._book = AddressBook.of(config)
        zone = config.delivery.timezone
        self._rotas: Mapping[str, Rota] = {one.name: Rota.of(one, zone) for one in config.rotas}

    def __repr__(self) -> str:
        return f"<ConfiguredPeople recipients={len(self._book)} rotas={len(self._rotas)}>"

    def of(self, names: Iterable[str], now_s: float) -> Sequence[Person]:
        """See `ports.People.of`."""
        found: dict[str, Person] = {}
        for name in names:
            rota = self._rotas.get(name)
            recipient = self._book.get(name if rota is None else rota.on_call(now_s).member)
            if recipient is not None:
                found[recipient.name] = Person(recipient.name, recipient.language)
        return tuple(found.values())
