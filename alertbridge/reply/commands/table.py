"""Every command: its words, its use, who may, and what runs it. A new one is a line here."""

from alertbridge.reply.commands import (
    alerts,
    recovering,
    reporting,
    silencing,
    status,
    subscribers,
    traffic,
)
from alertbridge.reply.commands.base import Command
from alertbridge.reply.commands.helping import help_of
from alertbridge.reply.model import Role
from alertbridge.reply.parsing import Grammar, Takes
from alertbridge.reply.texts import Phrase

NAMES = frozenset({Takes.NAMES})
EPISODES = frozenset({Takes.EPISODES})
CODE = frozenset({Takes.CODE})

_ROWS: tuple[Command, ...] = (
    Command(
        Grammar("status", ("status", "state", "keadaan", "kondisi"), NAMES),
        Phrase("status [ROUTER]", "status [ROUTER]"),
        Phrase("keadaan jaringan, atau satu router", "the network, or one router"),
        Role.VIEWER,
        status.run,
    ),
    Command(
        Grammar("alerts", ("alerts", "alert", "alarm", "alarms", "gangguan", "peringatan"), NAMES),
        Phrase("alert [KATA]", "alerts [WORD]"),
        Phrase("alert yang aktif", "what fires"),
        Role.VIEWER,
        alerts.run,
    ),
    Command(
        Grammar("ack", ("ack", "acknowledge", "tangani", "terima"), EPISODES, exact=True),
        Phrase("ack NOMOR", "ack NUMBER"),
        Phrase("alert itu Anda tangani; diam selama aktif", "you take it in hand; silent while it fires"),
        Role.OPERATOR,
        silencing.ack,
    ),
    Command(
        Grammar("unack", ("unack", "lepas", "lepaskan"), EPISODES, exact=True),
        Phrase("lepas NOMOR", "unack NUMBER"),
        Phrase("tidak jadi Anda tangani", "you let it go again"),
        Role.OPERATOR,
        silencing.unack,
    ),
    Command(
        Grammar(
            "silence",
            ("silence", "mute", "senyap", "senyapkan", "diamkan", "bisukan"),
            frozenset({Takes.EPISODES, Takes.DURATION}),
            exact=True,
        ),
        Phrase("diamkan NOMOR 2 jam", "silence NUMBER 2h"),
        Phrase("alert itu didiamkan selama itu", "nobody hears of it for that long"),
        Role.OPERATOR,
        silencing.silence,
    ),
    Command(
        Grammar("unsilence", ("unsilence", "unmute", "bunyikan"), EPISODES, exact=True),
        Phrase("bunyikan NOMOR", "unsilence NUMBER"),
        Phrase("tidak didiamkan lagi", "it is heard of again"),
        Role.OPERATOR,
        silencing.unsilence,
    ),
    Command(
        Grammar("top", ("top", "teratas", "terbesar"), NAMES),
        Phrase("top [ROUTER]", "top [ROUTER]"),
        Phrase("pelanggan dengan trafik terbesar sekarang", "the busiest subscribers now"),
        Role.VIEWER,
        subscribers.top,
    ),
    Command(
        Grammar("user", ("user", "pelanggan", "pengguna"), NAMES),
        Phrase("pelanggan NAMA", "user NAME"),
        Phrase("sesi dan trafik hari ini", "session, and traffic of today"),
        Role.VIEWER,
        subscribers.user,
    ),
    Command(
        Grammar(
            "traffic",
            ("traffic", "trafik", "grafik", "graph", "chart"),
            frozenset({Takes.NAMES, Takes.DURATION}),
        ),
        Phrase("trafik ROUTER [INTERFACE] [24 jam]", "traffic ROUTER [INTERFACE] [24h]"),
        Phrase("grafik trafik", "a chart of the traffic"),
        Role.VIEWER,
        traffic.run,
        is_slow=True,
    ),
    Command(
        Grammar("report", ("report", "laporan")),
        Phrase("laporan", "report"),
        Phrase("laporan harian, sekarang", "the daily report, now"),
        Role.VIEWER,
        reporting.run,
        is_slow=True,
    ),
    Command(
        Grammar("actions", ("actions", "aksi", "tindakan")),
        Phrase("aksi", "actions"),
        Phrase("apa yang bisa dijalankan", "what can be run"),
        Role.VIEWER,
        recovering.actions,
    ),
    Command(
        Grammar("run", ("run", "jalankan"), frozenset({Takes.NAMES, Takes.EPISODES}), exact=True),
        Phrase("jalankan AKSI [NOMOR] [LABEL=NILAI]", "run ACTION [NUMBER] [LABEL=VALUE]"),
        Phrase("jalankan aksi; dijawab dengan kode", "runs an action; answered with a code"),
        Role.OPERATOR,
        recovering.run,
    ),
    Command(
        Grammar("undo", ("undo", "batalkan", "urungkan"), EPISODES, exact=True),
        Phrase("batalkan NOMOR-RUN", "undo RUN"),
        Phrase(
            "kembalikan yang diubah sebuah run; dijawab dengan kode",
            "takes back what a run changed; answered with a code",
        ),
        Role.ADMIN,
        recovering.undo,
    ),
    Command(
        Grammar("yes", ("yes", "ya", "confirm", "konfirmasi", "setuju"), CODE, exact=True),
        Phrase("ya KODE", "yes CODE"),
        Phrase("setuju dengan yang menunggu kode itu", "lets what waits for that code begin"),
        Role.OPERATOR,
        recovering.yes,
    ),
    Command(
        Grammar("no", ("no", "tidak", "batal", "reject", "tolak"), CODE, exact=True),
        Phrase("tidak KODE", "no CODE"),
        Phrase("batalkan yang menunggu kode itu", "calls off what waits for that code"),
        Role.OPERATOR,
        recovering.no,
    ),
    Command(
        Grammar("pause", ("pause", "jeda", "hentikan"), exact=True),
        Phrase("jeda", "pause"),
        Phrase("hentikan pemulihan otomatis", "stops recovery"),
        Role.ADMIN,
        recovering.pause,
    ),
    Command(
        Grammar("resume", ("resume", "lanjut", "lanjutkan"), exact=True),
        Phrase("lanjutkan", "resume"),
        Phrase("jalankan lagi pemulihan otomatis", "lets recovery go on"),
        Role.ADMIN,
        recovering.resume,
    ),
)


def _help() -> Command:
    return Command(
        Grammar("help", ("help", "bantuan", "menu", "?")),
        Phrase("bantuan", "help"),
        Phrase("daftar ini", "this list"),
        Role.VIEWER,
        help_of(_ROWS),
    )


COMMANDS: tuple[Command, ...] = (*_ROWS, _help())
BY_NAME = {command.name: command for command in COMMANDS}
GRAMMARS = tuple(command.grammar for command in COMMANDS)
NEED_NAMES = frozenset({"user", "traffic", "run"})
"""Commands that mean nothing without a name."""
