"""What the providers that send nothing have in common: a session that always works, and no webhooks."""

from typing import Generic, TypeVar

from alertbridge.deliver.providers.base import (
    Handshake,
    InboundEvent,
    InboundRequest,
    Outcome,
    Receipt,
    Session,
    SessionState,
    Traits,
    WebhookRefused,
)
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.deliver.providers.verdicts import NOTHING_TO_MEND

Channel = TypeVar("Channel", bound=ChannelBase)


class Local(Generic[Channel]):
    """A provider without a gateway. Subclasses send."""

    def __init__(self, section: Channel, traits: Traits) -> None:
        self._section = section
        self._traits = traits

    def __repr__(self) -> str:
        return f"<{type(self).__name__} channel={self._section.name}>"

    @property
    def kind(self) -> str:
        """The word in the configuration."""
        return str(getattr(self._section, "kind", ""))

    @property
    def traits(self) -> Traits:
        return self._traits

    async def session(self) -> Session:
        """Nothing that could be down."""
        return Session(SessionState.WORKING, own_number=self._section.own_number)

    async def status_of(self, provider_id: str) -> Receipt | None:
        """Nothing is told later."""
        del provider_id
        return None

    async def reconnect(self) -> Outcome:
        """Nothing to mend."""
        return NOTHING_TO_MEND.outcome()

    async def restart(self) -> Outcome:
        """Nothing to mend."""
        return NOTHING_TO_MEND.outcome()

    def receive(self, request: InboundRequest) -> tuple[InboundEvent, ...] | Handshake:
        """There are no webhooks. Raises WebhookRefused."""
        del request
        raise WebhookRefused("this channel has no webhook")

    async def close(self) -> None:
        """Nothing is held."""
