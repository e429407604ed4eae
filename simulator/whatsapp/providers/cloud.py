"""WhatsApp Business Cloud API: text in the 24-hour window, templates, media, health, statuses by signed webhook."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web
from aiohttp.web import FileField

from ..addresses import AddressError, chat_of
from ..faults import Fault
from ..phone import Image, Message, State
from ..webhooks import Hook, Repeats
from ..world import Inbound, World
from . import clouderrors
from .base import Draft, Provider, Refusal, as_json, json_body, object_of, text_of
from .cloudlimits import PairRate, Throughput, Windows

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
TEMPLATE_LIMIT = 1024
OPAQUE_LIMIT = 512
IMAGE_LIMIT = 5 * 1024 * 1024
IMAGE_TYPES = frozenset({"image/jpeg", "image/png"})
_STATUS = {
    State.SERVER_ACK: "sent",
    State.DELIVERED: "delivered",
    State.READ: "read",
    State.FAILED: "failed",
}
_BAD_PARAMETER = re.compile(r"[\n\t]| {5,}")
_FIELDS = ("display_phone_number", "verified_name", "status", "quality_rating", "code_verification_status")


class Cloud(Provider):
    """One business number. Templates are listed in `templates` as NAME:LANGUAGE:PARAMETERS."""

    name = "cloud"
    about = "WhatsApp Business Cloud API: /{version}/{phone_id}/messages"
    own_faults: ClassVar[Mapping[str, Fault]] = {
        "window_closed": Fault(
            "nobody has written for 24 h; told by webhook when `later` is 1", {"later": 0}
        ),
        "pair_rate": Fault("131056 for whoever is written to"),
        "template_paused": Fault("132015 for every template"),
        "error": Fault(
            "this code of Meta's; in the answer, or by webhook when `later` is 1",
            {"code": 131000, "later": 0},
        ),
        "banned": Fault("131031: the account is locked, and health says BLOCKED", {"code": 131031}),
    }
    defaults: ClassVar[Mapping[str, str]] = {
        "token": "EAAcloudtoken0123456789",
        "phone_id": "106540352242922",
        "waba_id": "102290129340398",
        "number": "6281200000001",
        "app_secret": "cloud-app-secret",
        "verify_token": "cloud-verify-token",
        "window": "real",  # or open: nobody needs to have written
        "window_told": "answer",  # or webhook
        "limits": "on",
        "templates": "noc_alert_v2:id:2,noc_alert_v2:en:2,noc_alert:id:3,noc_alert:en:3,hello_world:en_US:0",
    }
    repeats = Repeats(waits_s=(1.0, 2.0, 5.0, 10.0, 30.0, 60.0))

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(world, settings)
        self.windows = Windows()
        self._pairs: defaultdict[str, PairRate] = defaultdict(PairRate)
        self._throughput = Throughput()
        self._media: dict[str, Image] = {}

    def routes(self) -> list[web.RouteDef]:
        """Versions are any; an id that is not ours is an error of Meta's."""
        return [
            web.post("/{version:v\\d+\\.\\d+}/{id}/messages", self._messages),
            web.post("/{version:v\\d+\\.\\d+}/{id}/media", self._upload),
            web.get("/{version:v\\d+\\.\\d+}/{id}", self._about),
        ]

    def authorised(self, request: web.Request) -> bool:
        """Bearer."""
        return request.headers.get("Authorization") == f"Bearer {self.settings['token']}"

    def refusal(self, why: Refusal, draft: Draft | None, status: int) -> web.Response:
        """Meta's error object."""
        if why is Refusal.SERVER_ERROR:
            return clouderrors.answer(131000, status=status)
        code = {Refusal.WRONG_TOKEN: 190, Refusal.RATE_LIMITED: 130429}.get(why, 131026)
        return clouderrors.answer(code)

    # -- sending

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["id"] != self.settings["phone_id"]:
            return clouderrors.answer(100, "unsupported post request: no object with this id", status=400)
        body = await json_body(request)
        if body is None or body.get("messaging_product") != "whatsapp":
            return clouderrors.answer(100, "(#100) The parameter messaging_product is required.")
        if body.get("status") == "read":
            return web.json_response({"success": True})
        draft = self._draft(body)
        if isinstance(draft, web.Response):
            return draft

        def answer(message: Message) -> web.Response:
            sent: dict[str, object] = {"id": message.id}
            if draft.template is not None:
                sent["message_status"] = "accepted"
            contacts = [{"input": text_of(body, "to"), "wa_id": message.chat}]
            return web.json_response(
                {"messaging_product": "whatsapp", "contacts": contacts, "messages": [sent]}
            )

        return await self.send(request, draft, answer)

    def _draft(self, body: Mapping[str, object]) -> Draft | web.Response:
        try:
            chat = chat_of(text_of(body, "to"))
        except AddressError:
            return clouderrors.answer(131009, "to is not a phone number")
        if chat == self.settings["number"]:
            return clouderrors.answer(131021)
        opaque = text_of(body, "biz_opaque_callback_data")
        if len(opaque) > OPAQUE_LIMIT:
            return clouderrors.answer(100, "biz_opaque_callback_data is too long")
        kind = text_of(body, "type") or "text"
        reads = {"text": self._text, "image": self._image, "template": self._template}
        if kind not in reads:
            return clouderrors.answer(131051)
        content = reads[kind](object_of(body, kind))
        if isinstance(content, web.Response):
            return content
        text, image, template = content
        error = self._later_error(chat, template)
        return Draft(
            chat,
            text,
            image=image,
            id=self._wamid(),
            client_id=opaque or None,
            quoted_id=text_of(object_of(body, "context"), "message_id") or None,
            template=template,
            error=error,
        )

    def _wamid(self) -> str:
        return f"wamid.HBgNNjI4MTIwMDAwMDAwMDEVAgARGBI{self.world.new_id()[4:]}AA=="

    def _text(self, text: Mapping[str, object]) -> tuple[str, Image | None, str | None] | web.Response:
        body = text_of(text, "body")
        if not body:
            return clouderrors.answer(100, "The parameter text['body'] is required.")
        if len(body) > TEXT_LIMIT:
            return clouderrors.answer(
                100, f"Param text['body'] must be at most {TEXT_LIMIT} characters long."
            )
        return body, None, None

    def _image(self, image: Mapping[str, object]) -> tuple[str, Image | None, str | None] | web.Response:
        caption = text_of(image, "caption")
        if len(caption) > CAPTION_LIMIT:
            return clouderrors.answer(
                100, f"Param image['caption'] must be at most {CAPTION_LIMIT} characters long."
            )
        if text_of(image, "link"):
            return caption, None, None
        media = self._media.get(text_of(image, "id"))
        return (
            clouderrors.answer(131009, "no media with this id") if media is None else (caption, media, None)
        )

    def _template(
        self, template: Mapping[str, object]
    ) -> tuple[str, Image | None, str | None] | web.Response:
        name, language = text_of(template, "name"), text_of(object_of(template, "language"), "code")
        known = {tuple(one.split(":")[:2]): int(one.split(":")[2]) for one in self._templates()}
        if (name, language) not in known:
            return clouderrors.answer(132001, f"template name ({name}) does not exist in {language}")
        values = _parameters(template)
        if len(values) != known[name, language]:
            return clouderrors.answer(
                132000, f"body: number of localizable_params ({len(values)}) does not match"
            )
        if any(_BAD_PARAMETER.search(value) for value in values):
            return clouderrors.answer(132018)
        if any(not value for value in values):
            return clouderrors.answer(131008, "Parameter of type text is missing text value")
        text = "\n".join(values) or name
        return clouderrors.answer(132005) if len(text) > TEMPLATE_LIMIT else (text, None, name)

    def _templates(self) -> list[str]:
        return [one for one in self.settings["templates"].split(",") if one.count(":") == 2]

    def _window_open(self, chat: str) -> bool:
        if self.faults.look("window_closed", chat) is not None:
            return False
        return self.settings["window"] == "open" or self.windows.is_open(chat, self.world.phone.wall())

    def _told_later(self, chat: str) -> bool:
        fault = self.faults.look("window_closed", chat)
        return bool(fault["later"]) if fault is not None else self.settings["window_told"] == "webhook"

    def _later_error(self, chat: str, template: str | None) -> str | None:
        fault = self.faults.look("error", chat)
        if fault is not None and fault["later"]:
            self.faults.use("error", chat)
            return str(int(fault["code"]))
        if template is None and not self._window_open(chat) and self._told_later(chat):
            self.faults.use("window_closed", chat)
            return "131047"
        return None

    def check(self, draft: Draft) -> web.Response | None:
        """Meta's limits, in its order: account, pace, template, window."""
        faults, chat, now_s = self.faults, draft.chat, self.world.phone.monotonic()
        if "banned" in faults:
            return clouderrors.answer(131031)
        if (fault := faults.look("error", chat)) is not None and not fault["later"]:
            faults.use("error", chat)
            return clouderrors.answer(int(fault["code"]))
        limited = self.settings["limits"] == "on"
        if limited and not self._throughput.take(now_s):
            return clouderrors.answer(130429)
        if faults.use("pair_rate", chat) is not None or (limited and not self._pairs[chat].take(now_s)):
            return clouderrors.answer(131056)
        if draft.template is not None:
            return clouderrors.answer(132015) if faults.use("template_paused", chat) is not None else None
        if draft.error is None and not self._window_open(chat):
            faults.use("window_closed", chat)
            return clouderrors.answer(131047)
        return None

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, FileField):
            return clouderrors.answer(100, "messaging_product and file are required")
        data = file.file.read()
        mimetype = str(form.get("type") or file.content_type)
        if mimetype.startswith("image/") and (mimetype not in IMAGE_TYPES or len(data) > IMAGE_LIMIT):
            return clouderrors.answer(131053)
        media_id = str(1_166_846_181_421_000 + len(self._media))
        self._media[media_id] = Image(data, mimetype)
        return web.json_response({"id": media_id})

    # -- health

    async def _about(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != self.settings["phone_id"]:
            return clouderrors.answer(100, "unsupported get request: no object with this id", status=400)
        banned, unpaid = "banned" in self.faults, "no_ack" in self.faults
        worst = "BLOCKED" if banned else "LIMITED" if unpaid else "AVAILABLE"
        waba: dict[str, object] = {
            "entity_type": "WABA",
            "id": self.settings["waba_id"],
            "can_send_message": worst,
        }
        if worst != "AVAILABLE":
            code, what = (131031, "locked") if banned else (141010, "billing")
            waba["errors"] = [
                {"error_code": code, "error_description": what, "possible_solution": "see the account"}
            ]
        number = {
            "entity_type": "PHONE_NUMBER",
            "id": self.settings["phone_id"],
            "can_send_message": "AVAILABLE",
        }
        known: dict[str, object] = {
            "display_phone_number": f"+{self.settings['number']}",
            "verified_name": "NOC",
            "status": "BANNED" if banned else "CONNECTED",
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "throughput": {"level": "STANDARD"},
            "health_status": {"can_send_message": worst, "entities": [number, waba]},
        }
        asked = request.query.get("fields", ",".join(_FIELDS)).split(",")
        found = {name: known[name] for name in asked if name in known}
        return web.json_response({**found, "id": self.settings["phone_id"]})

    # -- webhooks

    def state_hook(self, message: Message, state: State) -> Hook | None:
        """A status; `failed` with Meta's code."""
        status: dict[str, object] = {
            "id": message.id,
            "status": _STATUS[state],
            "timestamp": str(int(message.states[state])),
            "recipient_id": message.chat,
        }
        if message.client_id is not None:
            status["biz_opaque_callback_data"] = message.client_id
        if state is State.FAILED:
            status["errors"] = [webhook_error(message.error)]
        return self._hook({"statuses": [status]})

    def inbound_hook(self, inbound: Inbound) -> Hook | None:
        """A message; it opens the window."""
        self.windows.wrote_s[inbound.sender] = max(
            inbound.at_s, self.windows.wrote_s.get(inbound.sender, 0.0)
        )
        message: dict[str, object] = {
            "from": inbound.sender,
            "id": inbound.id,
            "timestamp": str(int(inbound.at_s)),
            "type": "text",
            "text": {"body": inbound.text},
        }
        context: dict[str, object] = {}
        if inbound.quoted_id is not None:
            context = {"from": self.settings["number"], "id": inbound.quoted_id}
        if inbound.forwarded:
            context["forwarded"] = True
        if context:
            message["context"] = context
        if inbound.edited:
            message |= {"type": "unsupported", "errors": [clouderrors.webhook_body_of(131051)]}
            message.pop("text")
        contact = {"profile": {"name": inbound.name or inbound.sender}, "wa_id": inbound.sender}
        return self._hook({"contacts": [contact], "messages": [message]})

    def _hook(self, value: Mapping[str, object]) -> Hook:
        metadata = {
            "display_phone_number": self.settings["number"],
            "phone_number_id": self.settings["phone_id"],
        }
        whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        changes = [{"field": "messages", "value": whole}]
        body = as_json(
            {
                "object": "whatsapp_business_account",
                "entry": [{"id": self.settings["waba_id"], "changes": changes}],
            }
        )
        signature = hmac.new(self.secret("app_secret"), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        return Hook(self.settings["webhook"], body, headers)

    async def shake_hands(self) -> bool:
        """Meta's check of a webhook's address; whether the challenge came back."""
        challenge = str(int(self.world.phone.wall()))
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": self.settings["verify_token"],
            "hub.challenge": challenge,
        }
        return await self.world.courier.get(self.settings["webhook"], query) == (200, challenge)


def webhook_error(code: str | None) -> dict[str, object]:
    """The error of a message that failed later; without a code of Meta's it could not be delivered."""
    number = int(code) if code is not None and code.isdigit() else 0
    return clouderrors.webhook_body_of(number or 131026)


def _parameters(template: Mapping[str, object]) -> list[str]:
    components = template.get("components")
    found: list[str] = []
    for component in components if isinstance(components, list) else []:
        if isinstance(component, dict) and str(component.get("type", "")).lower() == "body":
            parameters = component.get("parameters")
            found += [
                text_of(one, "text")
                for one in (parameters if isinstance(parameters, list) else [])
                if isinstance(one, dict)
            ]
    return found
