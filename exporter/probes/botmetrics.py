"""What a bot told, as measurements: the families of WhatsApp bots and the rows that fill them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.bots.fields import Field, Values
from exporter.bots.presets import Session
from exporter.probes.base import Measured, counter, gauge, info, state_set, states
from exporter.probes.fetch import Failure
from exporter.probes.processes import ProcessFamilies
from exporter.samples import Family

UP = gauge("whatsapp_bot_up", "1 if the bot answered as a bot does; 0 if not, see whatsapp_bot_failure.")
CONNECTED = gauge(
    "whatsapp_bot_connected",
    "1 if the session is open and nothing says that it is half dead; 0 otherwise, also while the bot is not up.",
)
STATE = state_set(
    "whatsapp_bot_session_state",
    "State of the session: 1 for the one that holds; absent while it is not known. half_dead: it calls itself "
    "open, and proof is missing.",
)
FAILURE = gauge("whatsapp_bot_failure", "1 for the reason why the bot is not up, 0 for the others.", "reason")
RESPONSE = gauge("whatsapp_bot_response_seconds", "Time from asking for the bot's state to its whole answer.")
QUEUE = gauge("whatsapp_bot_queue_length", "Messages that wait to be sent, by queue.", "queue")
INFO = info(
    "whatsapp_bot_info",
    "Versions that the bot tells.",
    "kind",
    "version",
    "library_version",
    "whatsapp_version",
    "engine",
)
PROCESS = ProcessFamilies.of("whatsapp_bot_process", "the bot")


@dataclass(frozen=True, slots=True)
class Row:
    """A family that one field fills; `per_unit` of the field's units make one of the metric's."""

    field: Field
    family: Family
    per_unit: int = 1


def _when(field: Field, name: str, help_text: str) -> Row:
    return Row(field, gauge(f"whatsapp_bot_{name}_timestamp_seconds", help_text))


ROWS = (
    Row(Field.MESSAGES_SENT, counter("whatsapp_bot_messages_sent_total", "Messages sent.")),
    Row(Field.MESSAGES_RECEIVED, counter("whatsapp_bot_messages_received_total", "Messages received.")),
    Row(
        Field.MESSAGES_FAILED,
        counter("whatsapp_bot_messages_failed_total", "Messages that could not be sent, as the bot counts."),
    ),
    Row(
        Field.RECONNECTS,
        counter("whatsapp_bot_reconnects_total", "Times the session was connected again, as the bot counts."),
    ),
    Row(
        Field.QUEUE_OLDEST_S,
        gauge("whatsapp_bot_queue_oldest_seconds", "How long the oldest message in the queue has waited."),
    ),
    _when(Field.LAST_RECEIVED_AT, "last_received", "When the last message came in."),
    _when(Field.LAST_SENT_AT, "last_sent", "When the last message went out."),
    _when(Field.LAST_FRAME_AT, "last_frame", "When anything at all last came from WhatsApp."),
    _when(Field.LAST_ACK_AT, "last_ack", "When the server last acknowledged a message of the bot."),
    _when(
        Field.OLDEST_UNACKED_AT,
        "oldest_unacked",
        "When the oldest message that the server has not acknowledged was sent; absent while there is none.",
    ),
    _when(Field.LAST_SELF_PROBE_AT, "last_self_probe", "When the bot last wrote to itself as a test."),
    Row(
        Field.SELF_PROBE_OK,
        gauge("whatsapp_bot_self_probe_success", "1 if the server acknowledged that message, 0 if not."),
    ),
    Row(
        Field.SELF_PROBE_RTT_MS,
        gauge("whatsapp_bot_self_probe_round_trip_seconds", "How long that took."),
        1000,
    ),
    _when(Field.CONNECTED_SINCE, "connected_since", "When the session was opened."),
    Row(
        Field.DISCONNECT_CODE,
        gauge(
            "whatsapp_bot_last_disconnect_code",
            "Code of the last disconnect: 401 logged out, 402, 403 and 406 banned, 440 replaced.",
        ),
    ),
    _when(
        Field.SENDING_BARRED_UNTIL,
        "sending_barred_until",
        "Until when WhatsApp lets the account open no new chats; absent while it does.",
    ),
)

FAMILIES: tuple[Family, ...] = (
    UP,
    CONNECTED,
    STATE,
    FAILURE,
    RESPONSE,
    QUEUE,
    *(row.family for row in ROWS),
    INFO,
    *PROCESS.all,
)

_VERSIONS = (Field.VERSION, Field.LIBRARY_VERSION, Field.WHATSAPP_VERSION, Field.ENGINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a bot that is up told; `queues` are lengths by name."""

    values: Values
    queues: Mapping[str, float]
    session: str | None
    response_s: float


def of_answer(kind: str, answer: Answer) -> Iterator[Measured]:
    """The measurements of a bot that is up."""
    yield Measured(UP, 1)
    yield Measured(CONNECTED, int(answer.session == Session.OPEN))
    if answer.session is not None:
        yield from states(STATE, answer.session, Session)
    yield from failures(None)
    yield Measured(RESPONSE, answer.response_s)
    for queue, length in answer.queues.items():
        yield Measured(QUEUE, length, {"queue": queue})
    for row in ROWS:
        value = answer.values.get(row.field)
        if isinstance(value, int | float):
            yield Measured(row.family, value / row.per_unit)
    told = {field.value: str(answer.values[field]) for field in _VERSIONS if field in answer.values}
    yield Measured(INFO, 1, {"kind": kind, **told})


def of_failure(failure: Failure) -> Iterator[Measured]:
    """The measurements of a bot that is not up."""
    yield Measured(UP, 0)
    yield Measured(CONNECTED, 0)
    yield from failures(failure)


def failures(current: Failure | None) -> Iterator[Measured]:
    """1 for the `current` reason, 0 for each other."""
    return (Measured(FAILURE, int(reason is current), {"reason": reason.value}) for reason in Failure)
