"""What answers on a router's port, found out when a connection failed: the plain API, TLS, or nothing."""

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from enum import Enum

from routeros.words import encode_word

PROBE_S = 3.0
_GREETING = encode_word(b"/quit") + b"\x00"
"""Ends a session that was never begun: every RouterOS answers with a word that begins with ``!``."""


class Speech(Enum):
    """What was heard."""

    API = "the plain API"
    TLS = "TLS"
    NEITHER = "neither the API nor TLS"


@dataclass(frozen=True, slots=True)
class Found:
    """What answers on a port, and the SHA-256 of its certificate (64 digits) if it showed one."""

    speech: Speech
    fingerprint_sha256: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """TLS without a certificate, as api-ssl speaks it until it is given one."""
        return self.speech is Speech.TLS and self.fingerprint_sha256 is None


async def probe(address: str, port: int, *, timeout_s: float = PROBE_S) -> Found:
    """Listen to a port with both languages at once. No secret is sent."""
    encrypted, plain = await asyncio.gather(
        _try_tls(address, port, timeout_s), _try_api(address, port, timeout_s)
    )
    return encrypted or plain or Found(Speech.NEITHER)


async def _try_tls(address: str, port: int, timeout_s: float) -> Found | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # to see the certificate is all that is wanted
    context.set_ciphers("DEFAULT:aNULL:@SECLEVEL=0")
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(address, port, ssl=context)
    except (OSError, TimeoutError):
        return None
    tls = writer.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    writer.transport.abort()
    return Found(Speech.TLS, hashlib.sha256(certificate).hexdigest() if certificate else None)


async def _try_api(address: str, port: int, timeout_s: float) -> Found | None:
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(_GREETING)
                length, mark = await reader.readexactly(2)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return None
    return Found(Speech.API) if 0 < length < 0x80 and mark == ord("!") else None
