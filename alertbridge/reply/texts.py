"""The sentences of answers: one table, every entry in every language. What is put into them is escaped."""

from collections.abc import Mapping
from typing import NamedTuple

from alertbridge.deliver.render.text import escape

VALUE_CHARS = 80


class Markup(str):
    """Text that may hold WhatsApp's marks, since we made it."""

    __slots__ = ()


class Phrase(NamedTuple):
    """A sentence in each language."""

    id: str
    en: str


def say(language: str, name: str, /, **values: object) -> Markup:
    """The sentence `name`; every value that is not Markup is escaped and cut to one short line."""
    phrase = TEXTS[name]
    shown = {
        key: value if isinstance(value, Markup | int | float) else short(str(value))
        for key, value in values.items()
    }
    return Markup((phrase.en if language == "en" else phrase.id).format(**shown))


def short(value: str, limit: int = VALUE_CHARS) -> Markup:
    """`value` on one line, harmless, at most `limit` characters of it."""
    return Markup(escape(value if len(value) <= limit else f"{value[: limit - 1]}\u2026"))


def join(lines: list[Markup]) -> Markup:
    """The lines below each other; empty ones are left out."""
    return Markup("\n".join(line for line in lines if line))


TEXTS: Mapping[str, Phrase] = {
    # -- whatever was asked
    "not_understood": Phrase(
        'Perintah "{word}" tidak dikenal. Ketik *bantuan*.', 'I do not know "{word}". Write *help*.'
    ),
    "did_you_mean": Phrase(
        'Perintah "{word}" tidak dikenal. Maksud Anda *{meant}*? Tulis lengkap, ini tidak ditebak.',
        'I do not know "{word}". Do you mean *{meant}*? Write it out; this is not guessed.',
    ),
    "usage": Phrase("Cara pakai: *{usage}*", "Usage: *{usage}*"),
    "surplus": Phrase(
        'Kata "{words}" tidak dimengerti. Cara pakai: *{usage}*',
        'I do not understand "{words}". Usage: *{usage}*',
    ),
    "forbidden": Phrase(
        "*{command}* perlu peran {needed}; peran Anda {role}.",
        "*{command}* needs the role {needed}; yours is {role}.",
    ),
    "too_many": Phrase(
        "Terlalu banyak pesan. Tunggu satu menit.", "Too many messages. Please wait a minute."
    ),
    "forwarded": Phrase(
        "Pesan yang diteruskan tidak dijalankan. Tulis sendiri perintahnya.",
        "A forwarded message is no command. Write it yourself.",
    ),
    "edited": Phrase(
        "Pesan yang diubah tidak dijalankan. Kirim perintahnya sebagai pesan baru.",
        "An edited message is no command. Send it as a new one.",
    ),
    "away": Phrase(
        "{source} tidak menjawab, jadi saya tidak tahu. Coba lagi sebentar lagi.",
        "{source} does not answer, so I cannot tell. Try again in a moment.",
    ),
    "away_changed": Phrase(
        "{source} tidak menjawab. Anggap *belum* dilakukan; coba lagi sebentar lagi.",
        "{source} does not answer. Take it as *not* done; try again in a moment.",
    ),
    "not_configured": Phrase(
        "{source} tidak ada dalam konfigurasi alertbridge.", "{source} is not in the bridge's configuration."
    ),
    "refused": Phrase("{source} menolak: {why}", "{source} refuses: {why}"),
    "too_slow": Phrase(
        "Jawabannya tidak ketemu pada waktunya. Coba lagi sebentar lagi.",
        "It takes too long to find the answer. Try again in a moment.",
    ),
    "failed": Phrase(
        "Ada kesalahan di alertbridge; lihat log-nya.", "Something went wrong in the bridge; see its log."
    ),
    # -- help
    "help_head": Phrase("*Perintah untuk {name}* ({role})", "*Commands for {name}* ({role})"),
    "help_line": Phrase("- *{usage}*: {does}", "- *{usage}*: {does}"),
    "help_foot": Phrase(
        "Balas (kutip) pesan alert dengan *ack* untuk menanganinya.",
        "Reply to an alert (quote it) with *ack* to take it in hand.",
    ),
    # -- status
    "status_head": Phrase("*Status jaringan*", "*State of the network*"),
    "routers_up": Phrase("Router: {up} dari {total} hidup", "Routers: {up} of {total} up"),
    "routers_down": Phrase("Mati: {names}", "Down: {names}"),
    "more_names": Phrase("{names} dan {more} lagi", "{names} and {more} more"),
    "no_routers": Phrase("Prometheus tidak punya data router.", "Prometheus has no data of routers."),
    "alerts_count": Phrase("Alert aktif: {counts}", "Alerts firing: {counts}"),
    "no_alerts": Phrase("Tidak ada alert aktif.", "No alert is firing."),
    "subscribers": Phrase("Pelanggan aktif: {count}", "Active subscribers: {count}"),
    "throughput": Phrase("Trafik: turun {down}, naik {up}", "Traffic: {down} in, {up} out"),
    "channels": Phrase("Kanal: {states}", "Channels: {states}"),
    "recovery_on": Phrase(
        "Pemulihan otomatis: jalan ({running} berlangsung)", "Recovery: on ({running} under way)"
    ),
    "recovery_paused": Phrase("Pemulihan otomatis: dijeda oleh {by}", "Recovery: paused by {by}"),
    "away_line": Phrase("({source} tidak menjawab)", "({source} does not answer)"),
    "router_head": Phrase("*{router}*: {state}", "*{router}*: {state}"),
    "up": Phrase("hidup", "up"),
    "down": Phrase("MATI", "DOWN"),
    "unknown": Phrase("tidak diketahui", "not known"),
    "router_uptime": Phrase("Menyala {time}", "Running for {time}"),
    "router_available": Phrase("Ketersediaan 24 jam: {ratio}", "Available in 24 h: {ratio}"),
    "router_load": Phrase("CPU {cpu}, memori {memory}", "CPU {cpu}, memory {memory}"),
    "router_temperature": Phrase("Suhu {degrees} \u00b0C", "Temperature {degrees} \u00b0C"),
    "no_such_router": Phrase(
        'Tidak ada router "{name}". Yang ada: {known}', 'There is no router "{name}". Known: {known}'
    ),
    "several_routers": Phrase(
        '"{name}" bisa berarti {known}. Tulis lengkap.', '"{name}" can be {known}. Write it in full.'
    ),
    # -- alerts
    "alerts_head": Phrase("*Alert aktif: {count}*", "*Alerts firing: {count}*"),
    "alert_line": Phrase(
        "{symbol} #{id} {name}{place}, sejak {time}{handled}",
        "{symbol} #{id} {name}{place}, since {time}{handled}",
    ),
    "handled": Phrase(" (ditangani {by})", " (in hand: {by})"),
    "alerts_more": Phrase("... dan {more} lagi", "... and {more} more"),
    "alerts_foot": Phrase("*ack NOMOR* untuk menangani.", "*ack NUMBER* to take one in hand."),
    "no_alerts_like": Phrase('Tidak ada alert aktif dengan "{words}".', 'No alert with "{words}" is firing.'),
    # -- ack and silence
    "which_alert": Phrase(
        "Alert yang mana? Tulis nomornya (*{usage}*), atau balas pesan alert-nya.",
        "Which alert? Write its number (*{usage}*), or reply to its message.",
    ),
    "which_of_quoted": Phrase(
        "Pesan itu tentang beberapa alert: {ids}. Tulis nomornya, atau *{command} semua*.",
        "That message tells of several alerts: {ids}. Write the number, or *{command} all*.",
    ),
    "no_such_alert": Phrase("Tidak ada alert #{id}.", "There is no alert #{id}."),
    "alert_over": Phrase("Alert #{id} {name} sudah selesai.", "Alert #{id} {name} is over already."),
    "acked": Phrase(
        "\u2713 #{id} {name} {place} ditangani {by}. Diam selama masih aktif; selesainya akan dikabari.",
        "\u2713 #{id} {name} {place} is in {by}'s hands. Silent while it fires; its end will be told.",
    ),
    "unacked": Phrase(
        "\u2713 Dilepas: {ids}. Alert-nya akan berbunyi lagi.", "\u2713 Let go: {ids}. It will be told again."
    ),
    "nothing_acked": Phrase(
        "Tidak ada yang sedang ditangani di situ.", "Nothing there is in anybody's hands."
    ),
    "which_duration": Phrase("Untuk berapa jam? Misalnya *{usage}*.", "For how long? Such as *{usage}*."),
    "too_long": Phrase(
        "Terlalu panjang; maksimal {longest}. Tidak ada yang didiamkan.",
        "Too long; {longest} at most. Nothing was silenced.",
    ),
    "too_short": Phrase("Paling sebentar {least}.", "{least} at least."),
    "silenced": Phrase(
        "\u2713 #{id} {name} {place} didiamkan {time}, sampai {until}.",
        "\u2713 #{id} {name} {place} is silenced for {time}, until {until}.",
    ),
    "unsilenced": Phrase("\u2713 Tidak didiamkan lagi: {ids}.", "\u2713 Silenced no more: {ids}."),
    "nothing_silenced": Phrase("Tidak ada yang didiamkan di situ.", "Nothing there is silenced."),
    # -- subscribers
    "top_head": Phrase("*Pelanggan dengan trafik terbesar sekarang*", "*Busiest subscribers now*"),
    "top_line": Phrase(
        "{rank}. {user} ({router}): turun {down}, naik {up}",
        "{rank}. {user} ({router}): {down} down, {up} up",
    ),
    "no_top": Phrase("Tidak ada data pelanggan.", "There is no data of subscribers."),
    "user_head": Phrase("*{user}* di {router}", "*{user}* at {router}"),
    "user_session": Phrase(
        "{service}, alamat {address}, dari {caller}", "{service}, address {address}, from {caller}"
    ),
    "user_since": Phrase("Tersambung {time}", "Connected for {time}"),
    "user_rate": Phrase("Sekarang: turun {down}, naik {up}", "Now: {down} down, {up} up"),
    "user_today": Phrase("Hari ini: turun {down}, naik {up}", "Today: {down} down, {up} up"),
    "user_today_unknown": Phrase("Trafik hari ini tidak diketahui.", "The traffic of today is not known."),
    "user_offline": Phrase('"{user}" tidak punya sesi sekarang.', '"{user}" has no session now.'),
    "user_like": Phrase(
        'Tidak ada sesi "{user}". Yang mirip: {known}', 'There is no session of "{user}". Similar: {known}'
    ),
    "users_more": Phrase("... dan {more} sesi lagi", "... and {more} more sessions"),
    # -- traffic
    "traffic_head": Phrase("*Trafik {place}*, {time} terakhir", "*Traffic of {place}*, last {time}"),
    "traffic_line": Phrase(
        "{direction}: rata-rata {mean}, tertinggi {peak} ({at}), 95% di bawah {p95}",
        "{direction}: mean {mean}, peak {peak} ({at}), 95% below {p95}",
    ),
    "received": Phrase("Diterima", "Received"),
    "sent": Phrase("Dikirim", "Sent"),
    "no_traffic": Phrase(
        "Prometheus tidak punya data trafik {place} untuk {time} terakhir.",
        "Prometheus has no traffic of {place} in the last {time}.",
    ),
    "too_long_traffic": Phrase("Maksimal {longest}.", "{longest} at most."),
    "gaps": Phrase("Data ada untuk {ratio} waktu itu.", "There is data for {ratio} of that time."),
    "no_chart": Phrase("(tanpa gambar)", "(without a picture)"),
    "no_such_interface": Phrase(
        '{router} tidak punya interface "{name}". Yang ada: {known}',
        '{router} has no interface "{name}". Known: {known}',
    ),
    "several_interfaces": Phrase(
        '"{name}" di {router} bisa berarti {known}. Tulis lengkap.',
        '"{name}" at {router} can be {known}. Write it in full.',
    ),
    # -- recovery and reports
    "actions_head": Phrase("*Aksi yang bisa dijalankan*", "*Actions that can be run*"),
    "action_line": Phrase("- *{name}*: {does}{marks}", "- *{name}*: {does}{marks}"),
    "action_admin": Phrase(" [admin]", " [admin]"),
    "action_dry": Phrase(" [uji coba]", " [dry run]"),
    "no_actions": Phrase("Tidak ada aksi yang bisa dijalankan.", "There is no action that can be run."),
    "no_such_action": Phrase(
        'Tidak ada aksi "{name}". Ketik *aksi*.', 'There is no action "{name}". Write *actions*.'
    ),
    "confirm": Phrase(
        "*{name}*: {does}\nKalau benar, balas *ya {code}* dalam {time}. Hanya dari Anda, hanya sekali.",
        "*{name}*: {does}\nIf you mean it, answer *yes {code}* within {time}. Only you can, and only once.",
    ),
    "confirm_undo": Phrase(
        "*Batalkan run {run}*: {does}\nKalau benar, balas *ya {code}* dalam {time}. Hanya dari Anda, hanya sekali.",
        "*Take run {run} back*: {does}\nIf you mean it, answer *yes {code}* within {time}. Only you can, only once.",
    ),
    "undo_no_such_run": Phrase("Tidak ada run {run}.", "There is no run {run}."),
    "undo_under_way": Phrase(
        "Run {run} masih berlangsung; tunggu selesai, atau *jeda*.",
        "Run {run} is still under way; wait for its end, or *pause*.",
    ),
    "undo_no_change": Phrase(
        "Run {run} tidak mengubah apa pun, jadi tidak ada yang dibatalkan.",
        "Run {run} changed nothing, so there is nothing to take back.",
    ),
    "undo_undone": Phrase("Run {run} sudah dibatalkan.", "Run {run} was taken back already."),
    "undo_unknown": Phrase(
        "Run {run} mungkin sudah dibatalkan: pembatalannya terputus dan hasilnya tidak diketahui. Periksa dulu; "
        "untuk mengulang pakai *recovery undo {run} --again* di server.",
        "Run {run} was perhaps taken back already: that was cut off, and nobody knows how far it came. Look first; to "
        "do it again use *recovery undo {run} --again* on the server.",
    ),
    "undo_not_undoable": Phrase(
        "Yang dilakukan run {run} tidak bisa dibatalkan.", "What run {run} did cannot be taken back."
    ),
    "undo_is_undo": Phrase(
        "Run {run} sendiri sebuah pembatalan; tidak bisa dibatalkan.",
        "Run {run} takes another one back; that cannot be taken back itself.",
    ),
    "undo_busy": Phrase(
        "Target run {run} sedang dipakai run {other}; tunggu selesai.",
        "Run {other} has the target of run {run} now; wait for its end.",
    ),
    "action_refused": Phrase("*{name}* tidak dijalankan: {why}", "*{name}* is not run: {why}"),
    "action_admin_only": Phrase(
        "*{name}* hanya boleh dijalankan admin.", "*{name}* can be run by an admin only."
    ),
    "approved": Phrase(
        "\u2713 Disetujui. Hasilnya akan dikabari.", "\u2713 Approved. Its outcome will be told."
    ),
    "rejected": Phrase("\u2713 Dibatalkan; tidak ada yang dilakukan.", "\u2713 Called off; nothing is done."),
    "code_wrong": Phrase("Kode itu tidak cocok.", "That code does not fit."),
    "code_expired": Phrase(
        "Kode itu sudah tidak berlaku. Minta lagi.", "That code is good no more. Ask again."
    ),
    "code_used": Phrase("Kode itu sudah dipakai.", "That code was used already."),
    "code_for_admins": Phrase(
        "Yang menunggu kode itu hanya boleh disetujui admin.",
        "What waits for that code needs an admin's yes.",
    ),
    "paused": Phrase(
        "\u2713 Pemulihan otomatis dijeda. Langkah berikutnya tidak dimulai sampai *lanjutkan*.",
        "\u2713 Recovery is paused. No further step begins until *resume*.",
    ),
    "resumed": Phrase("\u2713 Pemulihan otomatis jalan lagi.", "\u2713 Recovery goes on."),
    "paused_already": Phrase("Sudah dijeda oleh {by}.", "It is paused already, by {by}."),
    "not_paused": Phrase("Tidak sedang dijeda.", "It is not paused."),
}
