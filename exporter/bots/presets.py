"""How each kind of bot is asked for its health, as tables: endpoints, headers, fields, words for states.

A row of `fields` names the places at which a field may stand, the best one first. An endpoint that is not
`required` adds what it has; without it, or when it fails, the rest is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporter.bots.fields import Field
from exporter.pointers import Pointer, parse_pointer


class Session(StrEnum):
    """States of a session, whatever a provider calls them."""

    OPEN = "open"
    HALF_DEAD = "half_dead"
    CONNECTING = "connecting"
    NEEDS_QR = "needs_qr"
    CLOSE = "close"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    FAILED = "failed"


class Login(StrEnum):
    """How a key is shown to a bot."""

    NONE = "none"
    X_API_KEY = "X-Api-Key"
    APIKEY = "apikey"
    BEARER = "bearer"
    BASIC = "basic"


Fields = Mapping[Field, tuple[Pointer, ...]]


def fields(**places: str | tuple[str, ...]) -> Fields:
    """Fields by name with the JSON pointers at which they may stand."""
    return {
        Field(name): tuple(map(parse_pointer, (place,) if isinstance(place, str) else place))
        for name, place in places.items()
    }


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One GET: `path` below the address, with ``{session}`` filled in; what its answer holds."""

    path: str
    fields: Fields
    accepts: frozenset[int] = frozenset({200})
    required: bool = True


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of bot. `session` is the name of the session when the configuration names none; None if it must."""

    title: str
    endpoints: tuple[Endpoint, ...]
    states: Mapping[str, Session]
    login: Login
    headers: Mapping[str, str] = field(default_factory=dict)
    session: str | None = ""
    queues: Pointer | None = None
    """A mapping from a queue's name to its length, or to an object with it."""

    @property
    def needs_session(self) -> bool:
        """Whether the configuration must name a session."""
        return self.session is None


_CANNOT_SEND = frozenset({200, 503})

HTTP = Preset("any JSON", (Endpoint("", {}, _CANNOT_SEND),), {}, Login.BEARER)
"""Fields, states and queues come from the configuration."""

WAHA = Preset(
    "WAHA",
    (
        Endpoint("/api/sessions/{session}", fields(state="/status", engine=("/engine/engine",))),
        Endpoint("/api/version", fields(version="/version", engine="/engine"), required=False),
    ),
    {
        "WORKING": Session.OPEN,
        "STARTING": Session.CONNECTING,
        "SCAN_QR_CODE": Session.NEEDS_QR,
        "STOPPED": Session.CLOSE,
        "FAILED": Session.FAILED,
    },
    Login.X_API_KEY,
    session="default",
)

EVOLUTION = Preset(
    "Evolution API",
    (
        Endpoint("/instance/connectionState/{session}", fields(state="/instance/state")),
        Endpoint(
            "/instance/fetchInstances?instanceName={session}",
            fields(disconnect_code="/0/disconnectionReasonCode", engine="/0/integration"),
            required=False,
        ),
        Endpoint("/", fields(version="/version"), required=False),
    ),
    {
        "open": Session.OPEN,
        "connecting": Session.CONNECTING,
        "close": Session.CLOSE,
        "refused": Session.NEEDS_QR,  # the limit of QR codes is reached
    },
    Login.APIKEY,
    session=None,
)

GOWA = Preset(
    "GOWA (go-whatsapp-web-multidevice)",
    (Endpoint("/app/status", fields(connected="/results/is_connected", logged_in="/results/is_logged_in")),),
    {},
    Login.BASIC,
    headers={"X-Device-Id": "{session}"},
)

WPPCONNECT = Preset(
    "wppconnect-server",
    (
        Endpoint("/api/{session}/status-session", fields(state="/status", version="/version")),
        # the flag alone proves nothing: it is true whenever the page in the browser answers at all
        Endpoint("/api/{session}/check-connection-session", fields(connected="/status"), required=False),
    ),
    {
        "CONNECTED": Session.OPEN,
        "INITIALIZING": Session.CONNECTING,
        "QRCODE": Session.NEEDS_QR,
        "PHONECODE": Session.NEEDS_QR,
        "notLogged": Session.NEEDS_QR,
        "CLOSED": Session.CLOSE,
        "DISCONNECTED": Session.CLOSE,
        "desconnectedMobile": Session.LOGGED_OUT,
        "deleteToken": Session.LOGGED_OUT,
    },
    Login.BEARER,
    session=None,
)

BAILEYS = Preset(
    "a bot on Baileys",
    (
        Endpoint(
            "/health",
            fields(
                state=("/status", "/connection"),
                connected="/connection",
                logged_in="/logged_in",
                needs_qr="/needs_qr",
                connected_since="/since",
                last_frame_at="/last_frame_at",
                last_received_at="/last_inbound_at",
                last_sent_at="/last_outbound_at",
                last_ack_at="/last_ack_at",
                oldest_unacked_at="/oldest_unacked_at",
                last_self_probe_at="/last_probe/at",
                self_probe_ok="/last_probe/ok",
                self_probe_rtt_ms="/last_probe/rtt_ms",
                disconnect_code="/last_disconnect/code",
                sending_barred_until="/reachout_timelock_until",
                queue_length="/queue/pending",
                queue_oldest_s="/queue/oldest_s",
                messages_sent="/messages/sent",
                messages_received="/messages/received",
                messages_failed=("/messages/failed", "/queue/failed"),
                reconnects="/reconnects",
                version="/versions/bot",
                library_version="/versions/baileys",
                whatsapp_version="/versions/wa",
            ),
            _CANNOT_SEND,
        ),
    ),
    {
        "ok": Session.OPEN,
        "open": Session.OPEN,
        "degraded": Session.HALF_DEAD,
        "connecting": Session.CONNECTING,
        "needs_qr": Session.NEEDS_QR,
        "logged_out": Session.LOGGED_OUT,
        "banned": Session.BANNED,
        "down": Session.CLOSE,
        "close": Session.CLOSE,
    },
    Login.BEARER,
    queues=parse_pointer("/queues"),
)

PRESETS: Mapping[str, Preset] = {
    "http": HTTP,
    "waha": WAHA,
    "evolution": EVOLUTION,
    "gowa": GOWA,
    "wppconnect": WPPCONNECT,
    "baileys": BAILEYS,
}
