"""Certificate files -> contexts, or a sentence that says which file is of no use and why."""

import ssl
from pathlib import Path
from typing import NoReturn


class CertificateUnusable(ValueError):
    """A certificate, key or authority file cannot be used; the message names it and what is wrong with it."""


def server_context(cert_file: Path, key_file: Path, client_ca_file: Path | None = None) -> ssl.SSLContext:
    """A context that serves TLS 1.2 and newer; with `client_ca_file`, clients without a certificate are refused.

    Raises CertificateUnusable.
    """

    def no_passphrase() -> NoReturn:  # without it, ssl would ask at the terminal and wait
        raise CertificateUnusable(f"{key_file} has a passphrase; store the key without one")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # what the default is differs between builds of Python
    try:
        context.load_cert_chain(cert_file, key_file, password=no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CertificateUnusable(
                f"the key in {key_file} is not that of the certificate in {cert_file}"
            ) from error
        raise CertificateUnusable(
            f"{cert_file} and {key_file} do not hold a certificate and its key as PEM"
        ) from error
    except OSError as error:
        raise CertificateUnusable(f"{cert_file} or {key_file} cannot be read: {error.strerror}") from error
    if client_ca_file is not None:
        load_authorities(context, client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_authorities(context: ssl.SSLContext, ca_file: Path) -> None:
    """Makes `context` trust the authorities in `ca_file`. Raises CertificateUnusable."""
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as error:
        raise CertificateUnusable(f"{ca_file} holds no certificate of an authority as PEM") from error
    except OSError as error:
        raise CertificateUnusable(f"{ca_file} cannot be read: {error.strerror}") from error


def check_authorities(ca_file: Path) -> Path:
    """`ca_file`, when it can be used. Raises CertificateUnusable."""
    load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca_file)
    return ca_file
