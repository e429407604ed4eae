"""What Evolution answers and tells. Webhooks hold the instance's key; no model has a field for it."""

from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from alertbridge.deliver.providers.baileys import Content, Key, Stubs
from alertbridge.deliver.providers.payload import Id, Loose, Moment, OneOrMany


class Sent(Loose):
    """The answer to a send."""

    key: Key = Key()


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


class Reasons(Loose):
    """Why a request failed: texts, or a number that is not on WhatsApp."""

    message: Annotated[list[object], BeforeValidator(_listed)] = Field(default_factory=list)


class Fault(Loose):
    """The form of its errors."""

    response: Reasons = Reasons()

    @property
    def is_absent(self) -> bool:
        """Whether the number is not on WhatsApp."""
        return any(isinstance(one, dict) and one.get("exists") is False for one in self.response.message)

    @property
    def text(self) -> str:
        return "; ".join(one for one in self.response.message if isinstance(one, str))


class State(Loose):
    state: str = ""


class Connection(Loose):
    """Answers about the connection: a state, a code to scan, or a failure in the guise of success."""

    instance: State = State()
    code: str = ""
    pairing_code: str = Field(default="", alias="pairingCode")
    base64: str = ""
    error: bool = False

    @property
    def wants_pairing(self) -> bool:
        return bool(self.code or self.pairing_code or self.base64)


class Instance(Loose):
    """One instance; the code says why it is closed."""

    name: str = ""
    state: str = Field(default="", alias="connectionStatus")
    owner: str = Field(default="", alias="ownerJid")
    code: int | None = Field(default=None, alias="disconnectionReasonCode")


class Instances(Loose):
    """The list of instances, which has no name of its own."""

    found: Annotated[list[Instance], OneOrMany] = Field(default_factory=list)


class Data(Loose):
    """What an event is about: a message, a status, a connection."""

    key: Key = Key()
    key_id: Id = Field(default="", alias="keyId")
    status: str = ""
    stubs: Stubs = Field(default_factory=list, alias="messageStubParameters")
    message: Content = Content()
    message_type: str = Field(default="", alias="messageType")
    at_s: Moment = Field(default=0.0, alias="messageTimestamp")
    context: dict[str, object] = Field(default_factory=dict, alias="contextInfo")
    state: str = Field(default="", validation_alias=AliasChoices("state", "status"))
    code: int | None = Field(
        default=None, validation_alias=AliasChoices("statusReason", "disconnectionReasonCode")
    )


class Event(Loose):
    """The envelope of a webhook."""

    event: str = ""
    instance: str = ""
    data: Annotated[list[Data], OneOrMany] = Field(default_factory=list)
    at_s: Moment = Field(default=0.0, alias="date_time")
