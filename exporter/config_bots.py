"""The `bots:` list: where each WhatsApp bot is asked for its health, and by what its process is known."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints
from pydantic_core import InitErrorDetails

from exporter.bots.presets import PRESETS, Login
from exporter.config_probes import ProbeSection, Url
from exporter.pointers import parse_pointer
from runtime.sections import SecretSection, Section, Surroundings, fault
from runtime.tls import check_authorities
from runtime.web import ExistingFile

BotKind = Literal["http", "waha", "evolution", "gowa", "wppconnect", "baileys"]
StateWord = Literal["open", "half_dead", "connecting", "needs_qr", "close", "logged_out", "banned", "failed"]
FieldName = Literal[
    "state",
    "connected",
    "logged_in",
    "needs_qr",
    "messages_sent",
    "messages_received",
    "messages_failed",
    "reconnects",
    "queue_length",
    "queue_oldest_s",
    "last_received_at",
    "last_sent_at",
    "last_frame_at",
    "last_ack_at",
    "oldest_unacked_at",
    "last_self_probe_at",
    "self_probe_ok",
    "self_probe_rtt_ms",
    "connected_since",
    "disconnect_code",
    "sending_barred_until",
    "version",
    "library_version",
    "whatsapp_version",
    "engine",
]
"""The words of the tables of presets, states and fields, which a Literal must spell out; a test compares them."""

_SELECTORS = ("pid_file", "name", "cmdline", "port")
_HTTP_ONLY = ("api_key_header", "fields", "states", "queues")


def _checked_pointer(text: str) -> str:
    parse_pointer(text)
    return text


PointerText = Annotated[str, AfterValidator(_checked_pointer)]
QueueName = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class ProcessSection(Section):
    """By what the bot's process on this machine is known; exactly one of these."""

    pid_file: str | None = Field(
        default=None, min_length=1, description="File with the process's number; it need not be there."
    )
    name: str | None = Field(default=None, min_length=1, description="Name of the program, in full.")
    cmdline: str | None = Field(
        default=None,
        min_length=3,
        description="Part of the command line, its words joined by spaces, such as `bot/index.js`.",
    )
    port: int | None = Field(
        default=None, ge=1, le=65535, description="TCP port that the process listens on."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        chosen = [key for key in _SELECTORS if key in given]
        if given.keys() <= cls.model_fields.keys() and len(chosen) != 1:
            found = f"; found {' and '.join(chosen)}" if chosen else ""
            faults.append(fault(f"give exactly one of {', '.join(_SELECTORS)}{found}"))
        if isinstance(path := given.get("pid_file"), str):
            given = {**given, "pid_file": str(around.folder / path)}
        return given


class ProofSection(Section):
    """After how many seconds without proof a session that calls itself open is `half_dead`."""

    frame_s: float | None = Field(
        default=180.0,
        gt=0,
        le=86_400,
        description="Since the last frame from WhatsApp; a living connection has one every 30 s.",
    )
    ack_s: float | None = Field(
        default=None,
        gt=0,
        le=604_800,
        description="Since the last server ack; only for bots that send something that often.",
    )
    unacked_s: float | None = Field(
        default=120.0,
        gt=0,
        le=86_400,
        description="Since the oldest message that the server has not acknowledged was sent.",
    )


class BotSection(SecretSection, ProbeSection):
    """One WhatsApp bot."""

    secret_name: ClassVar[str] = "api_key"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = False

    kind: BotKind = Field(description="Which program it is; `http` is any health endpoint that speaks JSON.")
    url: Url = Field(
        description="Where it is: the address of the program, or of the health endpoint itself for `http`."
    )
    session: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Name of the session (WAHA, wppconnect-server), instance (Evolution API) or device (GOWA).",
    )
    username: str | None = Field(
        default=None,
        min_length=1,
        description="User for HTTP Basic (GOWA, `http`); `api_key` is the password.",
    )
    api_key: SecretStr | None = Field(default=None, min_length=1, description="The key or token itself.")
    api_key_file: str | None = Field(default=None, description="File that holds the key.")
    api_key_env: str | None = Field(default=None, description="Environment variable that holds the key.")
    api_key_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = Field(
        default=None,
        description="For `http`: header that carries the key as it is, such as `Token`; a bearer token when left out.",
    )
    tls_verify: bool = Field(default=True, description="Check the certificate of an https address at all.")
    ca_file: Annotated[ExistingFile, AfterValidator(check_authorities)] | None = Field(
        default=None, description="PEM file with the authority that signed the certificate."
    )
    fields: dict[FieldName, PointerText] = Field(
        default={},
        description=(
            "For `http`: where in the JSON each field stands, as a JSON pointer, such as "
            "`messages_sent: /stats/sent`."
        ),
    )
    states: dict[str, StateWord] = Field(
        default={},
        description="For `http`: what the bot's own words for its state mean, such as `ready: open`.",
    )
    queues: dict[QueueName, PointerText] = Field(
        default={}, description="For `http`: where the length of each queue stands, by the queue's name."
    )
    proof: ProofSection = Field(
        default=ProofSection(), description="When a session that calls itself open is half dead."
    )
    process: ProcessSection | None = Field(
        default=None, description="The bot's process, when it runs on this machine."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        kind = given.get("kind")
        if not isinstance(kind, str) or kind not in PRESETS:
            return given
        preset = PRESETS[kind]
        if preset.needs_session and "session" not in given and given.keys() <= cls.model_fields.keys():
            faults.append(fault(f"{preset.title} needs the name of its session; add session"))
        if kind != "http":
            faults.extend(
                fault(f"only for kind http; {preset.title} is known", key)
                for key in _HTTP_ONLY
                if given.get(key)
            )
            if isinstance(url := given.get("url"), str) and "?" in url:
                faults.append(fault(f"must be the address of {preset.title} alone, without a query", "url"))
        elif not given.get("fields") and given.keys() <= cls.model_fields.keys():
            faults.append(fault("needs fields: where in the JSON the state, the counters ... stand"))
        if "username" in given and "api_key_header" in given:
            faults.append(fault("does not go with username, which makes it HTTP Basic", "api_key_header"))
        if "username" in given and kind != "http" and preset.login is not Login.BASIC:
            faults.append(fault(f"{preset.title} takes no user name, only api_key", "username"))
        faults.extend(_key_faults(given))
        return given


def _key_faults(given: Mapping[str, Any]) -> list[InitErrorDetails]:
    """A key that no header can carry; the message never quotes it."""
    key = given.get("api_key")
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    if isinstance(text, str) and not (text.isascii() and text.isprintable()) and "username" not in given:
        return [fault("must be made of printable ASCII characters, since it is sent in a header", "api_key")]
    return []
