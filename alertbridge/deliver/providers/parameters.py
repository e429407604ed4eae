"""Texts that fit into an approved template (pure)."""

import re
from collections.abc import Sequence

from alertbridge.deliver.providers.base import Outgoing

_EMPTY = "-"
"""Meta refuses a parameter without text."""


def parameters_of(message: Outgoing, names: Sequence[str], limit: int) -> list[str]:
    """The fields in `names`, each on one line, at most `limit` characters together: the text gives way first."""
    fields = {"text": message.text, **message.template_fields}
    flat = {name: flatten(fields.get(name, "")) or _EMPTY for name in names}
    for name in sorted(flat, key=lambda one: one != "text"):
        excess = sum(len(flat[one]) for one in names) - limit
        if excess > 0:
            kept = max(1, len(flat[name]) - excess - 1)
            flat[name] = f"{flat[name][:kept].rstrip()}…"
    return [flat[name] for name in names]


def flatten(text: str) -> str:
    """`text` on one line: Meta refuses line ends, tabs and more than four spaces in a row."""
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    return " · ".join(line for line in lines if line)
