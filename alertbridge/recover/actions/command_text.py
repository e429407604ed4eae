"""What programs say, made fit for the audit: text, short, without control characters and without secrets."""

import re
from collections.abc import Callable

from runtime.logs import MASK

Redact = Callable[[str], str]

EVIDENCE_CHARS = 4000
"""The audit keeps it for good, and a person reads it on a phone."""

_SECRETS = (
    re.compile(r"(?i)\b(?P<kept>[\w-]*(?:password|passwd|passphrase|secret|token|api_?key|cookie)[\w-]*[\"']?\s*[=:]\s*)"
               r"(?P<hidden>\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"),
    re.compile(r"(?i)(?P<kept>\bauthorization[\"']?\s*[=:]\s*)(?P<hidden>[^\r\n\"']+)"),
    re.compile(r"(?i)(?P<kept>\b(?:bearer|basic)\s+)(?P<hidden>[\w.~+/=-]{8,})"),
    re.compile(r"(?P<kept>://[^\s:/@]*:)(?P<hidden>[^\s/@]+)(?=@)"),
)  # fmt: skip
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(raw: bytes | str, redact: Redact = str, *, limit: int = EVIDENCE_CHARS) -> str:
    """The end of `raw`, at most `limit` characters; what looks like a secret, and what `redact` knows, is masked."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    text = _CONTROL.sub("", text.replace("\r\n", "\n")).strip()
    text = redact(text)
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<kept>{MASK}", text)
    return text if len(text) <= limit else "…" + text[-limit:].lstrip()
