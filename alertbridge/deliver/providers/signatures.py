"""Proofs that a webhook is the provider's, each compared in constant time; without a secret none is believed."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping

from alertbridge.deliver.providers.base import InboundRequest, WebhookRefused

JWT_LEEWAY_S = 60.0
"""How far the clocks of the two machines may be apart."""


def header(request: InboundRequest, name: str) -> str:
    """A header whatever its case; empty when there is none."""
    wanted = name.lower()
    return next((value for key, value in request.headers.items() if key.lower() == wanted), "")


def check_hmac(
    request: InboundRequest, key: bytes, *, header_name: str, algorithm: str, prefix: str = ""
) -> None:
    """The header is `prefix` and the hex HMAC of the raw body. Raises WebhookRefused."""
    _need(key)
    given = header(request, header_name)
    if not given:
        raise WebhookRefused(f"there is no {header_name}")
    expected = prefix + hmac.new(key, request.body, algorithm).hexdigest()
    _same(given.strip().lower(), expected, header_name)


def check_token(given: str, key: bytes, where: str) -> None:
    """`given`, which stood at `where`, is the secret. Raises WebhookRefused."""
    _need(key)
    if not given:
        raise WebhookRefused(f"there is no {where}")
    _same(given, key.decode("utf-8", "replace"), where)


def check_jwt(request: InboundRequest, key: bytes, *, now_s: float) -> None:
    """`Authorization` bears a JWT signed with HS256 that has not expired. Raises WebhookRefused."""
    _need(key)
    scheme, _, token = header(request, "Authorization").partition(" ")
    parts = token.strip().split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        raise WebhookRefused("there is no JWT in Authorization")
    signed, signature = f"{parts[0]}.{parts[1]}", parts[2]
    expected = hmac.new(key, signed.encode("utf-8", "replace"), hashlib.sha256).digest()
    _same(signature.rstrip("="), base64.urlsafe_b64encode(expected).decode().rstrip("="), "JWT")
    if _part(parts[0]).get("alg") != "HS256":
        raise WebhookRefused("the JWT is not signed with HS256")
    claims = _part(parts[1])
    expires_s, begins_s = claims.get("exp"), claims.get("nbf")
    if not isinstance(expires_s, int | float) or isinstance(expires_s, bool):
        raise WebhookRefused("the JWT has no end")
    if expires_s + JWT_LEEWAY_S < now_s:
        raise WebhookRefused("the JWT has expired")
    if isinstance(begins_s, int | float) and begins_s - JWT_LEEWAY_S > now_s:
        raise WebhookRefused("the JWT is not valid yet")


def _part(text: str) -> Mapping[str, object]:
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise WebhookRefused("the JWT cannot be read") from None
    if not isinstance(value, dict):
        raise WebhookRefused("the JWT cannot be read")
    return value


def same_text(given: str, expected: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
    )


def _need(key: bytes) -> None:
    if not key:
        raise WebhookRefused("no secret for webhooks is configured")


def _same(given: str, expected: str, where: str) -> None:
    if not same_text(given, expected):
        raise WebhookRefused(f"the {where} is wrong")
