"""What the gateways on Baileys and whatsmeow have in common: words for acks, codes of disconnects, shapes of texts."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from alertbridge.deliver.providers.base import Outcome, Receipt, Session, SessionState
from alertbridge.deliver.providers.payload import Id, Loose
from alertbridge.deliver.providers.verdicts import Verdict, pause, permanent, retry

RECEIPTS: Mapping[str, Receipt | None] = {
    "ERROR": Receipt.FAILED,
    "PENDING": None,
    "SERVER_ACK": Receipt.ACKED,
    "SERVER": Receipt.ACKED,
    "DELIVERY_ACK": Receipt.DELIVERED,
    "DEVICE": Receipt.DELIVERED,
    "READ": Receipt.READ,
    "PLAYED": Receipt.READ,
    # Baileys' numbers, as its users often pass them on
    "0": Receipt.FAILED,
    "1": None,
    "2": Receipt.ACKED,
    "3": Receipt.DELIVERED,
    "4": Receipt.READ,
    "5": Receipt.READ,
}
"""A status of a message, as Baileys and those on it write it; None for what proves nothing yet."""

REFUSED_LATER: Mapping[str, Verdict] = {
    "463": pause("reachout_timelock"),
    "479": retry("stanza_refused"),
    "429": retry("rate_limited", 60.0),
}
"""Why WhatsApp refused a message after the gateway had taken it, by `messageStubParameters`."""

_DISCONNECTS: Mapping[int, tuple[SessionState, str]] = {
    401: (SessionState.LOGGED_OUT, "logged out: the phone, or WhatsApp, removed this device"),
    402: (SessionState.BANNED, "banned for a time"),
    403: (SessionState.BANNED, "the account is locked, or its main device is gone"),
    405: (SessionState.MISCONFIGURED, "WhatsApp refuses the version of the client; update the gateway"),
    406: (SessionState.BANNED, "banned"),
    411: (SessionState.NEEDS_PAIRING, "the pairing is too old"),
    440: (SessionState.MISCONFIGURED, "another process uses the same login; end it"),
}


def disconnected(code: int | None, *, own_number: str = "", pairing_url: str = "") -> Session:
    """The session that ended with a code of Baileys; what is not known to be final may come back."""
    state, detail = _DISCONNECTS.get(
        code or 0, (SessionState.DISCONNECTED, f"closed with code {code}" if code else "closed")
    )
    return Session(state, detail, own_number, pairing_url)


def refused_later(stubs: list[str]) -> Outcome:
    """What a message means that was taken and then came back with an error."""
    for stub in stubs:
        if (verdict := REFUSED_LATER.get(stub)) is not None:
            return verdict.outcome(f"WhatsApp refused it: {stub}")
    return permanent("refused_by_server").outcome("WhatsApp refused it after it was sent")


def _texts(value: object) -> object:
    return [str(item) for item in value] if isinstance(value, list) else value


Stubs = Annotated[list[str], BeforeValidator(_texts)]


class Key(Loose):
    """Which message, and by whom; the typed fields that may hold a number or a LID."""

    id: Id = ""
    remote_jid: str = Field(default="", alias="remoteJid")
    remote_jid_alt: str = Field(default="", alias="remoteJidAlt")
    from_me: bool = Field(default=False, alias="fromMe")
    participant: str = ""
    participant_alt: str = Field(default="", alias="participantAlt")
    participant_pn: str = Field(default="", alias="participantPn")
    sender_pn: str = Field(default="", alias="senderPn")
    sender_lid: str = Field(default="", alias="senderLid")
    participant_lid: str = Field(default="", alias="participantLid")

    @property
    def is_group(self) -> bool:
        return self.remote_jid.endswith("@g.us")

    @property
    def people(self) -> tuple[str, ...]:
        """JIDs of the sender, as far as WhatsApp told them."""
        group = (self.participant, self.participant_alt, self.participant_pn, self.participant_lid)
        return (
            group
            if self.is_group
            else (self.remote_jid, self.remote_jid_alt, self.sender_pn, self.sender_lid)
        )


class Context(Loose):
    """What a text refers to."""

    stanza_id: Id = Field(default="", alias="stanzaId")
    stanza_id_go: Id = Field(default="", alias="stanzaID")
    is_forwarded: bool = Field(default=False, alias="isForwarded")

    @property
    def quoted_id(self) -> str:
        return self.stanza_id or self.stanza_id_go


class ExtendedText(Loose):
    """A text with something about it: a quotation, a link."""

    text: str = ""
    context: Context = Field(default=Context(), alias="contextInfo")


class Caption(Loose):
    """A picture's text."""

    caption: str = ""


class Button(Loose):
    """What a tapped button said."""

    id: Id = Field(default="", alias="selectedButtonId")
    template_id: str = Field(default="", alias="selectedId")
    text: str = Field(default="", alias="selectedDisplayText")


class Content(Loose):
    """WhatsApp's own message object, as far as a command can stand in it."""

    conversation: str = ""
    extended: ExtendedText = Field(default=ExtendedText(), alias="extendedTextMessage")
    image: Caption = Field(default=Caption(), alias="imageMessage")
    button: Button = Field(default=Button(), alias="buttonsResponseMessage")
    template_button: Button = Field(default=Button(), alias="templateButtonReplyMessage")
    edited: dict[str, object] = Field(default_factory=dict, alias="editedMessage")
    protocol: dict[str, object] = Field(default_factory=dict, alias="protocolMessage")
    context: Context = Field(default=Context(), alias="messageContextInfo")

    @property
    def text(self) -> str:
        return self.conversation or self.extended.text or self.image.caption or self.button.text

    @property
    def quoted_id(self) -> str:
        return self.extended.context.quoted_id

    @property
    def button_id(self) -> str:
        return self.button.id or self.template_button.template_id

    @property
    def is_forwarded(self) -> bool:
        return self.extended.context.is_forwarded or self.context.is_forwarded

    @property
    def is_edited(self) -> bool:
        return bool(self.edited) or "editedMessage" in self.protocol
