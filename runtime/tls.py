"""The certificate of a service -> the context that serves HTTPS."""

import ssl
from typing import NoReturn

from runtime.web import ServerTls


class CertificateUnusable(ValueError):
    """The files of a `tls:` section cannot serve; the message names the file and what is wrong with it."""


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """A context for TLS 1.2 and newer; with `client_ca_file`, clients without a certificate are refused.

    Raises CertificateUnusable.
    """

    def no_passphrase() -> NoReturn:  # without it, ssl would ask at the terminal and wait
        raise CertificateUnusable(f"{tls.key_file} has a passphrase; store the key without one")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(tls.cert_file, tls.key_file, password=no_passphrase)
    except ssl.SSLError as error:
        raise CertificateUnusable(f"{tls.cert_file} and {tls.key_file}: {_reason(error)}") from error
    except OSError as error:
        raise CertificateUnusable(
            f"{tls.cert_file} or {tls.key_file} cannot be read: {error.strerror}"
        ) from error
    if tls.client_ca_file is not None:
        try:
            context.load_verify_locations(cafile=tls.client_ca_file)
        except ssl.SSLError as error:
            raise CertificateUnusable(f"{tls.client_ca_file}: {_reason(error)}") from error
        except OSError as error:
            raise CertificateUnusable(f"{tls.client_ca_file} cannot be read: {error.strerror}") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _reason(error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key does not belong to the certificate"
    return "no usable PEM data" + (f" ({error.reason.lower().replace('_', ' ')})" if error.reason else "")
