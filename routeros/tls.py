"""TLS towards api-ssl: how a certificate is judged, and in which words a refusal is told."""

from __future__ import annotations

import hashlib
import logging
import ssl
from functools import lru_cache
from pathlib import Path

from routeros.errors import RouterUnreachable, UnreachableReason
from routeros.settings import TlsSettings

_log = logging.getLogger(__name__)

# OpenSSL's verification codes (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN = (18, 19, 20, 21)
_WRONG_NAME = (62, 64)


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """The context for these settings, one for all routers that share them until the CA file changes.

    Raises: OSError, of which ssl.SSLError is one, when the CA file cannot be used.
    """
    return _context(
        settings, Path(settings.ca_file).stat().st_mtime_ns if settings.ca_file is not None else 0
    )


@lru_cache(maxsize=64)
def _context(settings: TlsSettings, _changed_ns: int) -> ssl.SSLContext:
    if settings.ca_file is not None or (settings.verify and settings.fingerprint_sha256 is None):
        context = ssl.create_default_context(cafile=settings.ca_file)
        # Certificates made by routers lack what RFC 5280 wants; Python 3.13 and later would refuse them.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.check_hostname = settings.server_name != ""
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if settings.fingerprint_sha256 is None:
        # A router without certificate speaks anonymous Diffie-Hellman only, which ends with TLS 1.2.
        context.set_ciphers("ALL:@SECLEVEL=0")
        _log.warning("certificates are not verified: anyone on the way can read the password")
    return context


def check_fingerprint(settings: TlsSettings, certificate: bytes | None) -> None:
    """The certificate (DER) is the pinned one, if one is pinned.

    Raises: RouterUnreachable, with both fingerprints.
    """
    expected = settings.fingerprint_sha256
    if expected is None:
        return
    if certificate is None:
        raise _refusal("the router showed no certificate, but one is pinned by its fingerprint")
    actual = hashlib.sha256(certificate).hexdigest()
    if actual != expected:
        raise _refusal(
            f"the certificate has the SHA-256 fingerprint {actual}, not the pinned {expected}: "
            f"it was renewed, or somebody stands in between"
        )


def tls_error(error: OSError, address: str) -> RouterUnreachable:
    """What went wrong in the handshake, with a remedy."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _refusal(_certificate_words(error, address))
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return _refusal("the port does not speak TLS: use the port of api-ssl (8729), or leave TLS off")
    if isinstance(error, ssl.SSLError) and "HANDSHAKE_FAILURE" in str(error.reason):
        return _refusal("no common cipher: assign a certificate to api-ssl in /ip/service")
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return _refusal(f"the TLS handshake failed: {error.reason or error}")
    return _refusal(
        "the connection was closed during the TLS handshake: the port may not speak TLS (api-ssl is 8729), "
        "api-ssl may have no certificate, or the address may not be allowed in /ip/service"
    )


def _certificate_words(error: ssl.SSLCertVerificationError, address: str) -> str:
    if error.verify_code == _EXPIRED:
        return "the certificate has expired: renew it on the router, or pin its fingerprint"
    if error.verify_code == _NOT_YET_VALID:
        return "the certificate is not valid yet: compare the clocks of the router and of this machine"
    if error.verify_code in _UNKNOWN:
        return "the certificate is signed by an unknown authority: give its CA file, or pin its fingerprint"
    if error.verify_code in _WRONG_NAME:
        return f"the certificate is not for {address}: give the name it bears as server name, or pin its fingerprint"
    return f"the certificate was not accepted: {error.verify_message}"


def _refusal(message: str) -> RouterUnreachable:
    return RouterUnreachable(message, reason=UnreachableReason.TLS)
