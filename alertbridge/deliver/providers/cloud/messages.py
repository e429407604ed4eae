"""The bodies that the Cloud API wants (pure)."""

from alertbridge.deliver.providers.base import Outgoing
from alertbridge.deliver.providers.cloud.config import TemplateSection
from alertbridge.deliver.providers.parameters import parameters_of


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
        texts = parameters_of(message, template.parameters, template.text_limit)
        parameters = [{"type": "text", "text": text} for text in texts]
        content["components"] = [{"type": "body", "parameters": parameters}]
    return _body(message, to, "template", content)


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
