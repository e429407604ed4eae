"""What gateways on Baileys hand on of a message, and a code to scan."""

from __future__ import annotations

import base64

from ..addresses import jid
from ..world import Inbound

QR_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQAAAADsdIMmAAAAFUlEQVR4nGP4f4ABCTOAMYQNlUIiAe48DvF7oYQSAAAAAElFTkSuQmCC"
)


def raw_message(inbound: Inbound) -> dict[str, object]:
    """A message as Baileys hands it on."""
    sender = inbound.lid or jid(inbound.sender)
    key: dict[str, object] = {
        "remoteJid": jid(inbound.chat) if inbound.group else sender,
        "fromMe": False,
        "id": inbound.id,
    }
    if inbound.group:
        key["participant"] = sender
    if inbound.lid is not None:
        key["participantAlt" if inbound.group else "remoteJidAlt"] = jid(inbound.sender)
    context: dict[str, object] = {}
    if inbound.quoted_id is not None:
        context |= {"stanzaId": inbound.quoted_id, "quotedMessage": {"conversation": inbound.quoted_text}}
    if inbound.forwarded:
        context |= {"isForwarded": True, "forwardingScore": 1}
    message: dict[str, object] = {"conversation": inbound.text}
    if context:
        message = {"extendedTextMessage": {"text": inbound.text, "contextInfo": context}}
    if inbound.edited:
        edited = {
            "key": {"id": inbound.quoted_id or inbound.id},
            "type": "MESSAGE_EDIT",
            "editedMessage": message,
        }
        message = {"protocolMessage": edited}
    return {
        "key": key,
        "messageTimestamp": int(inbound.at_s),
        "pushName": inbound.name,
        "broadcast": False,
        "message": message,
    }
