"""WhatsApp bot, database and the machine they run on."""

from typing import Final

from grafana.source import links, variables, words
from grafana.source.annotations import of_services
from grafana.source.boards.services_database import DATABASES, HOST, SERVERS
from grafana.source.colours import CRITICAL, RECEIVED, SENT, WARNING
from grafana.source.layout import Board, Row
from grafana.source.limits import above, falling, plain, rising
from grafana.source.overrides import coloured
from grafana.source.panels import Text, graph, number, tiles, timeline
from grafana.source.queries import Query
from grafana.source.recurring import MESSAGING
from grafana.source.tables import Column, Label, Order, table
from grafana.source.units import Unit
from grafana.source.variables import BOT_IS, DATABASE_IS
from grafana.source.words import SESSION, numbered, state_number


def _bot(metric: str) -> str:
    return f"{metric}{{{BOT_IS}}}"


def _rate(metric: str) -> str:
    return f"60 * sum by (bot) (rate({_bot(metric)}[$__rate_interval]))"


_STATE: Final = state_number("whatsapp_bot_session_state", BOT_IS, "bot", SESSION)

_ANSWER: Final = (
    tiles(
        "Sessions",
        Text(
            "State of each bot's WhatsApp session. Half dead calls itself open, and proof is missing: restart "
            "it. Wants a "
            "scan or logged out: only the phone helps.",
            "Status sesi WhatsApp tiap bot. Logged out atau Wants a scan: harus dipindai ulang dari HP.",
        ),
        Unit.NONE,
        [Query(_STATE, "{{bot}}")],
        words=numbered(SESSION),
        width=6,
        height=4,
    ),
    tiles(
        "Databases",
        Text("Whether each database can be opened and read.", "Apakah database bisa dibaca."),
        Unit.NONE,
        [Query(f"tikwatch_database_up{{{DATABASE_IS}}}", "{{database}}")],
        words=words.UP,
        width=6,
        height=4,
    ),
    number(
        "Messages that fail",
        "Of the worst bot, over five minutes; coloured as BotMessagesFailing decides.",
        Unit.RATIO,
        f"max({_bot('bot:messages_failed:ratio_rate5m')})",
        limits=rising("bot_failed"),
        height=4,
    ),
    number(
        "Oldest in queue",
        Text("How long the oldest message waits.", "Lama pesan tertua menunggu di antrian."),
        Unit.SECONDS,
        f"max({_bot('whatsapp_bot_queue_oldest_seconds')})",
        limits=rising(critical="bot_queue_oldest_seconds"),
        height=4,
    ),
    number(
        "Newest backup",
        "Of the database with the oldest one.",
        Unit.SECONDS,
        f"max(database:backup_age_seconds:max{{{DATABASE_IS}}})",
        limits=rising("backup", unit="seconds"),
        height=4,
    ),
)

_BOT: Final = (
    timeline(
        "Session",
        "What WhatsApp's session went through.",
        numbered(SESSION),
        Query(_STATE, "{{bot}}"),
        width=16,
        height=6,
    ),
    number(
        "Connected, 24 h",
        "Part of the last 24 hours in which the session was open and alive.",
        Unit.RATIO,
        f"min({_bot('bot:connected:avg24h')})",
        limits=falling(warning="availability"),
        height=6,
        decimals=2,
    ),
    tiles(
        "Last proof",
        "Since when the session proved that it lives: frames come every half minute, acks with messages.",
        Unit.SECONDS,
        [
            Query(f"time() - max({_bot('whatsapp_bot_last_frame_timestamp_seconds')})", "Frame"),
            Query(f"time() - max({_bot('whatsapp_bot_last_ack_timestamp_seconds')})", "Ack"),
            Query(f"time() - max({_bot('whatsapp_bot_last_sent_timestamp_seconds')})", "Sent"),
        ],
        width=4,
        height=6,
        upright=True,
        filled=False,
        limits=plain("text"),
    ),
    graph(
        "Messages",
        Text("Per minute, as the bot counts.", "Jumlah pesan per menit."),
        Unit.PER_MIN,
        Query(_rate("whatsapp_bot_messages_sent_total"), "{{bot}} sent"),
        Query(_rate("whatsapp_bot_messages_received_total"), "{{bot}} received"),
        Query(_rate("whatsapp_bot_messages_failed_total"), "{{bot}} failed"),
        looks=[coloured("sent$", SENT), coloured("received$", RECEIVED), coloured("failed$", CRITICAL)],
        low=0,
        width=8,
    ),
    graph(
        "Failing messages",
        "Part of the messages that fail; the lines are those of BotMessagesFailing.",
        Unit.RATIO,
        Query(_bot("bot:messages_failed:ratio_rate5m"), "{{bot}}"),
        limits=rising("bot_failed"),
        low=0,
        high=1,
        width=8,
    ),
    graph(
        "Queue",
        "Messages that wait, by queue. Growing beyond the line is an alert.",
        Unit.COUNT,
        Query(_bot("whatsapp_bot_queue_length"), "{{bot}} {{queue}}"),
        limits=rising(warning="bot_queue_length"),
        low=0,
        width=8,
    ),
    graph(
        "Answering",
        "Time that the bot takes to tell its state, and for a message to itself and back.",
        Unit.SECONDS,
        Query(_bot("whatsapp_bot_response_seconds"), "{{bot}} state"),
        Query(_bot("whatsapp_bot_self_probe_round_trip_seconds"), "{{bot}} message to itself"),
        low=0,
        width=8,
    ),
    graph(
        "Process memory",
        "RAM of the bot's process. Steady growth ends in a restart by the kernel.",
        Unit.BYTES,
        Query(_bot("whatsapp_bot_process_resident_memory_bytes"), "{{bot}}"),
        low=0,
        width=8,
    ),
    graph(
        "Process CPU",
        "Processors that the bot's process uses: 100 % is one of them.",
        Unit.RATIO,
        Query(f"rate({_bot('whatsapp_bot_process_cpu_seconds_total')}[$__rate_interval])", "{{bot}}"),
        low=0,
        width=8,
    ),
    table(
        "Bots",
        "What each bot tells of itself; reconnects and restarts are those of 24 hours. A disconnect "
        "code of 401 is a logout, 402, 403 and 406 are bans.",
        [
            Label("bot", "Bot"),
            Label("kind", "Kind"),
            Label("version", "Version"),
            Label("library_version", "Library"),
            Label("whatsapp_version", "WhatsApp"),
        ],
        [
            Column(
                "State",
                f"{_bot('whatsapp_bot_info')} * on (bot) group_left () ({_STATE})",
                Unit.NONE,
                words=numbered(SESSION),
            ),
            Column("Process", _bot("whatsapp_bot_process_running"), Unit.NONE, words=words.UP),
            Column(
                "Connected",
                f"1000 * {_bot('whatsapp_bot_connected_since_timestamp_seconds')}",
                Unit.AGO,
            ),
            Column(
                "Reconnects",
                f"increase({_bot('whatsapp_bot_reconnects_total')}[24h])",
                Unit.COUNT,
                decimals=0,
            ),
            Column(
                "Restarts",
                f"increase({_bot('whatsapp_bot_process_restarts_total')}[24h])",
                Unit.COUNT,
                limits=above(1, WARNING),
                decimals=0,
            ),
            Column("Last code", _bot("whatsapp_bot_last_disconnect_code"), Unit.NONE),
        ],
        order=Order("Bot"),
        height=5,
    ),
)

BOARD: Final = Board(
    uid=links.SERVICES,
    title="WhatsApp bot and database",
    folder=MESSAGING,
    about="The bot that alerts go out by, the databases, and the machine they run on.",
    tags=["messaging"],
    variables=[variables.datasource(), variables.bots(), variables.databases()],
    annotations=of_services(),
    ways=[links.way("Fleet", links.FLEET), links.way("Alerts and recovery", links.ALERTS)],
    rows=[
        Row("", _ANSWER),
        Row("WhatsApp bot", _BOT),
        Row("Database", DATABASES),
        Row("Database servers: PostgreSQL, MySQL", SERVERS, closed=True),
        Row("Machine", HOST),
    ],
)
