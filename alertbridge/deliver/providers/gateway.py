"""What the adapters of gateways have in common: addresses, sessions that cannot be asked, what nobody offers."""

from dataclasses import replace
from typing import Generic, TypeVar

from alertbridge.deliver.providers.base import Outcome, Outgoing, Receipt, Session, SessionState, Traits
from alertbridge.deliver.providers.calls import Answer, Calls
from alertbridge.deliver.providers.section import HttpSection
from alertbridge.deliver.providers.verdicts import NOTHING_TO_MEND, by_status, permanent
from alertbridge.numbers import Address, AddressRefused
from runtime.clock import Clock

Channel = TypeVar("Channel", bound=HttpSection)

_MISCONFIGURED = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 407})


class Gateway(Generic[Channel]):
    """A provider that is asked over HTTP. Subclasses send, ask for the session, and read webhooks."""

    def __init__(
        self, section: Channel, calls: Calls, clock: Clock, traits: Traits, *, pairing_path: str = ""
    ) -> None:
        self._section = section
        self._calls = calls
        self._clock = clock
        self._traits = traits
        self._own_number = section.own_number
        self._pairing_url = section.pairing_url or (f"{section.url}{pairing_path}" if pairing_path else "")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} channel={self._section.name}>"

    @property
    def kind(self) -> str:
        """The word in the configuration."""
        return str(getattr(self._section, "kind", ""))

    @property
    def traits(self) -> Traits:
        """The number that sends is known from the configuration, or since the session told it."""
        return replace(self._traits, own_address=self._own_number)

    async def status_of(self, provider_id: str) -> Receipt | None:
        """Most gateways cannot be asked."""
        del provider_id
        return None

    async def reconnect(self) -> Outcome:
        """Where there is no session, there is nothing to mend."""
        return NOTHING_TO_MEND.outcome()

    async def restart(self) -> Outcome:
        """As `reconnect`."""
        return NOTHING_TO_MEND.outcome()

    async def close(self) -> None:
        """The connections are the caller's."""

    def _addressed(self, message: Outgoing) -> Address | Outcome:
        try:
            return self._section.parsed(message.address)
        except AddressRefused as refused:
            return permanent("bad_address").outcome(f"the address {refused}")

    def _session(
        self, state: SessionState, detail: str = "", own_number: str = "", *, until_s: float | None = None
    ) -> Session:
        """A session that the gateway told of; where to pair is said when that would help."""
        if own_number and not self._section.own_number:
            self._own_number = own_number
        needed = state in (SessionState.NEEDS_PAIRING, SessionState.LOGGED_OUT)
        url = self._pairing_url if needed else ""
        return Session(state, self._calls.say(detail), self._own_number, url, until_s)

    def _untold(self, answer: Answer | Outcome) -> Session:
        """The session when the gateway did not answer, or refused to say."""
        if isinstance(answer, Outcome):
            return Session(SessionState.UNREACHABLE, f"{answer.reason} {answer.detail}".strip())
        if answer.status in _MISCONFIGURED:
            return Session(
                SessionState.MISCONFIGURED, f"{by_status(answer.status).reason} (HTTP {answer.status})"
            )
        if answer.succeeded:
            return Session(SessionState.UNKNOWN, "the answer cannot be read")
        return Session(SessionState.UNREACHABLE, f"HTTP {answer.status}")
