"""`X-Twilio-Signature`: HMAC-SHA1 over the public address and what was posted."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, urlsplit, urlunsplit

from alertbridge.deliver.providers.base import InboundRequest, WebhookRefused
from alertbridge.deliver.providers.signatures import header, same_text

_NAME = "X-Twilio-Signature"
_PORTS = {"https": 443, "http": 80}


def check_signature(
    request: InboundRequest, token: bytes, urls: Iterable[str], fields: Sequence[tuple[str, str]]
) -> None:
    """The signature fits one of the addresses by which Twilio may have called. Raises WebhookRefused."""
    given = header(request, _NAME)
    if not token or not given:
        raise WebhookRefused(f"there is no {_NAME}" if token else "no secret for webhooks is configured")
    posted = "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    for url in (spelt for told in urls if told for spelt in _with_and_without_port(told)):
        hashes = parse_qs(urlsplit(url).query).get("bodySHA256", [])
        if hashes:  # JSON: the body is signed by way of the address
            digest = hashlib.sha256(request.body).hexdigest()
            fits = same_text(hashes[0].lower(), digest) and same_text(given, sign(token, url))
        else:
            fits = same_text(given, sign(token, url + posted))
        if fits:
            return
    raise WebhookRefused(f"the {_NAME} is wrong")


def sign(token: bytes, text: str) -> str:
    """The signature of `text`."""
    return base64.b64encode(hmac.new(token, text.encode("utf-8", "replace"), "sha1").digest()).decode()


def _with_and_without_port(url: str) -> list[str]:
    """Twilio signs the usual port sometimes, whether or not it stands in the address."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return [url]
    usual = _PORTS.get(parts.scheme)
    host = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    if usual is None or port not in (None, usual):
        return [url]
    return [urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{usual}")]
