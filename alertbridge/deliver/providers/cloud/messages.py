"""The bodies that the Cloud API wants (pure)."""

import re

from alertbridge.deliver.providers.base import Outgoing
from alertbridge.deliver.providers.cloud.config import TemplateSection

_EMPTY = "-"
"""Meta refuses a parameter without text."""


def text_body(message: Outgoing, to: str) -> dict[str, object]:
    """A free text, which only somebody gets who has written within 24 hours."""
    return _body(message, to, "text", {"preview_url": False, "body": message.text})


def image_body(message: Outgoing, to: str, media_id: str) -> dict[str, object]:
    """An uploaded picture with the text below it."""
    image: dict[str, object] = {"id": media_id}
    return _body(message, to, "image", image | ({"caption": message.text} if message.text else {}))


def template_body(message: Outgoing, to: str, template: TemplateSection) -> dict[str, object]:
    """An approved template with its parameters."""
    content: dict[str, object] = {"name": template.name, "language": {"code": template.language}}
    if template.parameters:
        parameters = [{"type": "text", "text": text} for text in parameters_of(message, template)]
        content["components"] = [{"type": "body", "parameters": parameters}]
    return _body(message, to, "template", content)


def parameters_of(message: Outgoing, template: TemplateSection) -> list[str]:
    """The parameters, each on one line; the long text gives way when they are too long together."""
    fields = {"text": message.text, **message.template_fields}
    flat = {name: flatten(fields.get(name, "")) or _EMPTY for name in template.parameters}
    for name in sorted(flat, key=lambda one: one != "text"):  # the text first
        excess = sum(len(flat[one]) for one in template.parameters) - template.text_limit
        if excess > 0:
            kept = max(1, len(flat[name]) - excess - 1)
            flat[name] = f"{flat[name][:kept].rstrip()}…"
    return [flat[name] for name in template.parameters]


def flatten(text: str) -> str:
    """`text` on one line: Meta refuses line ends, tabs and more than four spaces in a row."""
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    return " · ".join(line for line in lines if line)


def _body(message: Outgoing, to: str, kind: str, content: dict[str, object]) -> dict[str, object]:
    body: dict[str, object] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": kind,
        kind: content,
        "biz_opaque_callback_data": message.id,  # comes back with each status
    }
    if message.quote_id:
        body["context"] = {"message_id": message.quote_id}
    return body
