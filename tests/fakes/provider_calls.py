"""How each simulated provider is asked to send a text."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.phone_world import PERSON, PhoneWorld

CLOUD = "/cloud/v25.0/106540352242922/messages"
TWILIO = "/twilio/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json"


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@dataclass(frozen=True)
class Call:
    """How one provider is asked to send a text, and where its answer has the id."""

    path: str
    headers: dict[str, str]
    body: Callable[[str, str], dict[str, Any]]
    status: int
    id: Callable[[Any], str]
    form: bool = False

    async def send(self, world: PhoneWorld, text: str = "BotDown", to: str = PERSON) -> tuple[int, Any]:
        """Status and body; None for a body that is no JSON."""
        body = self.body(to, text)
        options: dict[str, Any] = {"data": body} if self.form else {"json": body}
        async with world.client.post(world.url + self.path, headers=self.headers, **options) as answer:
            try:
                return answer.status, json.loads(await answer.text())
            except ValueError:
                return answer.status, None


CALLS = {
    "cloud": Call(
        CLOUD,
        {"Authorization": "Bearer EAAcloudtoken0123456789"},
        lambda to, text: {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": text}},
        200,
        lambda body: str(body["messages"][0]["id"]),
    ),
    "waha": Call(
        "/waha/api/sendText",
        {"X-Api-Key": "waha-key"},
        lambda to, text: {"session": "default", "chatId": f"{to}@c.us", "text": text},
        201,
        lambda body: str(body["key"]["id"]),
    ),
    "evolution": Call(
        "/evolution/message/sendText/noc",
        {"apikey": "evolution-key"},
        lambda to, text: {"number": to, "text": text},
        201,
        lambda body: str(body["key"]["id"]),
    ),
    "gowa": Call(
        "/gowa/send/message",
        basic("noc", "gowa-password"),
        lambda to, text: {"phone": f"{to}@s.whatsapp.net", "message": text},
        200,
        lambda body: str(body["results"]["message_id"]),
    ),
    "wuzapi": Call(
        "/wuzapi/chat/send/text",
        {"Token": "wuzapi-token"},
        lambda to, text: {"Phone": to, "Body": text},
        200,
        lambda body: str(body["data"]["Id"]),
    ),
    "twilio": Call(
        TWILIO,
        basic("AC0123456789abcdef0123456789abcdef", "89abcdef0123456789abcdef01234567"),
        lambda to, text: {"To": f"whatsapp:+{to}", "From": "whatsapp:+6281200000001", "Body": text},
        201,
        lambda body: str(body["sid"]),
        form=True,
    ),
    "generic": Call(
        "/generic/api/send",
        {"Authorization": "Bearer generic-token"},
        lambda to, text: {"to": to, "message": text},
        200,
        lambda body: str(body["messageId"]),
    ),
    "sms": Call(
        "/sms/send",
        basic("noc", "sms-password"),
        lambda to, text: {"to": to, "text": text},
        202,
        lambda body: str(body["id"]),
    ),
}
