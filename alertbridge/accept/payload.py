"""The body of Alertmanager's webhook, version 4, read alert by alert: an odd one does not silence its neighbours.

Needed is only what Alertmanager 0.25 sends; what newer ones add is kept in the models and otherwise not minded.
A body is refused as a whole (NotANotification) only when sending it again can never help.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, from_json

from alertbridge.accept.times import unix_seconds
from alertbridge.accept.trimming import TextLimits, Trimmer, storable
from alertbridge.alerts import Alert, AlertStatus, Group

VERSION = "4"
FINGERPRINT_CHARS = 64
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class NotANotification(ValueError):
    """A body that can never be taken, whoever sends it again; the message is a sentence for its sender."""


class Fault(Enum):
    """Why something of a notification was not taken, as a word for metrics."""

    MISSING = "missing"
    TYPE = "type"
    STATUS = "status"
    TIME = "time"
    FINGERPRINT = "fingerprint"
    TRUNCATED = "truncated"  # Alertmanager left it out itself, by its max_alerts


@dataclass(frozen=True, slots=True)
class Rejected:
    """What was not taken: `path` as in `alerts[17].startsAt`, `reason` for people, and how many alerts that is."""

    path: str
    reason: str
    fault: Fault = Fault.TYPE
    count: int = 1


@dataclass(frozen=True, slots=True)
class Received:
    """A notification as far as it could be read. `cut` counts values that were longer than the limits."""

    group: Group
    rejected: tuple[Rejected, ...] = ()
    cut: int = 0


def _time(given: object) -> float | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise ValueError("must be a time, as a text")  # noqa: TRY004  pydantic takes a ValueError for its own
    return unix_seconds(given)


def _start(given: object) -> float:
    seconds = _time(given)
    if seconds is None:
        raise ValueError("is the zero time: nothing began")
    return seconds


def _fingerprint(given: object) -> object:
    if isinstance(given, str):
        given = storable(given)
        if not given or len(given) > FINGERPRINT_CHARS:
            raise ValueError(f"must have 1 to {FINGERPRINT_CHARS} characters")
    return given


def _or_nothing(given: object) -> object:
    """Go writes null for what is empty."""
    return {} if given is None else given


def _text_or_nothing(given: object) -> object:
    return given if isinstance(given, str) else ""


def _count_or_zero(given: object) -> object:
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else 0


OptionalText = Annotated[str, BeforeValidator(_text_or_nothing)]
"""Nothing depends on it: what is no text counts as none."""


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel, hide_input_in_errors=True)


class WebhookAlert(_Tolerant):
    """One alert of the list."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: Annotated[dict[str, str], BeforeValidator(_or_nothing)] = {}
    starts_at: Annotated[float, BeforeValidator(_start)]
    ends_at: Annotated[float | None, BeforeValidator(_time)] = None
    generator_url: OptionalText = Field(default="", alias="generatorURL")
    fingerprint: Annotated[str, BeforeValidator(_fingerprint)]


class Webhook(_Tolerant):
    """The body; each of `alerts` is read by itself."""

    version: Literal["4"]
    alerts: list[Any]
    group_key: OptionalText = ""
    receiver: OptionalText = ""
    external_url: OptionalText = Field(default="", alias="externalURL")
    notification_reason: OptionalText = Field(default="", alias="notification_reason")
    truncated_alerts: Annotated[int, BeforeValidator(_count_or_zero)] = 0


def read_notification(body: bytes, limits: TextLimits | None = None) -> Received:
    """The notification in `body`, and what of it could not be read.

    Alerts come most urgent first, otherwise in their order. Takes about 20 µs an alert, and does not wait.
    Raises NotANotification.
    """
    webhook = _webhook(_object(body))
    trimmer = Trimmer(limits or TextLimits())
    alerts: list[Alert] = []
    rejected: list[Rejected] = []
    for index, given in enumerate(webhook.alerts):
        try:
            found = WebhookAlert.model_validate(given)
        except ValidationError as error:
            rejected.append(_rejected(index, error.errors(include_url=False, include_input=False)[0]))
        else:
            alerts.append(_alert(found, trimmer))
    if webhook.truncated_alerts:
        reason = (
            f"Alertmanager left out {webhook.truncated_alerts} alerts (max_alerts) and will not send them"
        )
        rejected.append(Rejected("truncatedAlerts", reason, Fault.TRUNCATED, webhook.truncated_alerts))
    alerts.sort(key=lambda alert: alert.severity.rank)
    group = Group(
        key=trimmer.text(webhook.group_key),
        receiver=trimmer.text(_ESCAPED.sub(r"\1", webhook.receiver)),  # sent as a regular expression
        external_url=trimmer.text(webhook.external_url),
        alerts=tuple(alerts),
        truncated=webhook.truncated_alerts,
        reason=webhook.notification_reason,
    )
    return Received(group, tuple(rejected), trimmer.cut)


def _alert(found: WebhookAlert, trimmer: Trimmer) -> Alert:
    status = AlertStatus(found.status)
    return Alert(
        fingerprint=found.fingerprint,
        status=status,
        labels=trimmer.labels(found.labels),
        annotations=trimmer.annotations(found.annotations),
        starts_at_s=found.starts_at,
        ends_at_s=found.ends_at if status is AlertStatus.RESOLVED else None,
        generator_url=trimmer.text(found.generator_url),
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError:
        found = _patiently(body)
    if not isinstance(found, dict):
        raise NotANotification("the body is not a JSON object")
    return found


def _patiently(body: bytes) -> object:
    """What the quick reader refused: half a surrogate pair and deeper nesting, which are no reason to lose an
    alert, and what is really wrong, to be told in words."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise NotANotification(f"the body is not UTF-8 (at byte {error.start})") from error
    except RecursionError as error:
        raise NotANotification("the body is nested too deep") from error
    except json.JSONDecodeError as error:
        raise NotANotification(f"the body is not JSON: {error}") from error
    except ValueError as error:
        raise NotANotification("the body is not JSON: it has a number that cannot be read") from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _webhook(given: Mapping[str, Any]) -> Webhook:
    if given.get("version") != VERSION:
        told = "has no version" if "version" not in given else "is of another version"
        raise NotANotification(
            f'the body {told}: this takes Alertmanager\'s webhook with version "{VERSION}";'
            " if the receiver has a payload: of its own in alertmanager.yml, remove it"
        )
    if not isinstance(given.get("alerts"), list):
        raise NotANotification("the body has no list of alerts")
    return Webhook.model_validate(given)


_WORDS = {
    "startsAt": Fault.TIME,
    "endsAt": Fault.TIME,
    "fingerprint": Fault.FINGERPRINT,
    "status": Fault.STATUS,
}
_SENTENCES = {
    "missing": "is missing",
    "string_type": "must be a text",
    "dict_type": "must be an object of texts",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": 'must be "firing" or "resolved"',
}


def _rejected(index: int, error: ErrorDetails) -> Rejected:
    place, kind = error["loc"], error["type"]
    path = f"alerts[{index}]" + "".join(_step(step) for step in place if step != "[key]")
    fault = Fault.MISSING if kind == "missing" else Fault.TYPE
    if kind in ("value_error", "literal_error"):
        fault = _WORDS.get(str(place[0]), Fault.TYPE)
    reason = str(error["ctx"]["error"]) if kind == "value_error" else _SENTENCES.get(kind, error["msg"])
    return Rejected(path, reason, fault)


def _step(step: str | int) -> str:
    text = storable(str(step))[:100]
    return f".{text}" if _PLAIN_NAME.fullmatch(text) else f"[{json.dumps(text)}]"
