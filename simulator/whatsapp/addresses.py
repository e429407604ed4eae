"""Addresses as the providers write them, and the one name that a chat has here."""

from __future__ import annotations

import re

GROUP = "@g.us"
LID = "@lid"
_NUMBER = re.compile(r"[1-9]\d{6,14}")
_GROUP = re.compile(r"\d{10,20}(-\d{8,12})?@g\.us")
_LID = re.compile(r"\d{8,20}@lid")
_SERVERS = ("@s.whatsapp.net", "@c.us")


class AddressError(ValueError):
    """Not an address of WhatsApp."""


def chat_of(address: str) -> str:
    """The chat: a person's digits, or a group's or hidden person's JID. Raises AddressError."""
    bare = address.removeprefix("whatsapp:").removeprefix("+").strip()
    if _GROUP.fullmatch(bare) or _LID.fullmatch(bare):
        return bare
    for server in _SERVERS:
        if bare.endswith(server):
            bare = bare.removesuffix(server).partition(":")[0]
    digits = re.sub(r"[ ()-]", "", bare)
    if not _NUMBER.fullmatch(digits):
        raise AddressError(f"{address!r} is neither a number in international form nor a group")
    return digits


def is_group(chat: str) -> bool:
    """Whether the chat has several members."""
    return chat.endswith(GROUP)


def jid(chat: str) -> str:
    """As Baileys and whatsmeow write it."""
    return chat if "@" in chat else f"{chat}@s.whatsapp.net"


def web_jid(chat: str) -> str:
    """As whatsapp-web.js writes it."""
    return chat if "@" in chat else f"{chat}@c.us"
