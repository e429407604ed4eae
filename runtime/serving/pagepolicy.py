"""What a page is sent with. Nothing on a page comes from elsewhere: style and script stand in it, allowed by hash."""

import base64
import hashlib
from collections.abc import Sequence


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def headers(*, styles: Sequence[str], scripts: Sequence[str]) -> dict[str, str]:
    """What a page with exactly these styles and scripts in it is sent with."""
    policy = (
        "default-src 'none'",
        f"style-src {' '.join(map(_hash, styles))}",
        f"script-src {' '.join(map(_hash, scripts))}",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
