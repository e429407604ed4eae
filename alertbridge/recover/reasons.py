"""Why, in words that people read: every stable word for a reason, as part of a sentence in each language.

What exactly happened stands beside it, in English, in the audit and on the command line.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """Part of a sentence in each language, without a full stop."""

    id: str
    en: str


def reason_words(reason: str, language: str) -> str:
    """What `reason` means; a word that is not known, such as a provider's own, as it is."""
    found = REASONS.get(reason)
    if found is None:
        return reason.replace("_", " ")
    return found.id if language == "id" else found.en


_DECISIONS: Mapping[str, Words] = {
    "act": Words("dijalankan", "it acts"),
    "disabled": Words("aturan atau interface dimatikan", "the rule or the interface is switched off"),
    "own_alert": Words("alert milik alertbridge sendiri", "the alert is the bridge's own"),
    "resolved_already": Words("alert sudah selesai", "the alert is over"),
    "target_well": Words("target sudah baik", "the target says that all is well"),
    "flapping": Words("alert hilang-timbul", "the alert comes and goes"),
    "exhausted": Words("aturan sudah menyerah untuk alert ini", "the rule gave up on this alert"),
    "paused": Words("pemulihan dijeda", "recovery is paused"),
    "outside_window": Words("di luar jam yang diizinkan", "it is outside the window"),
    "dependency": Words("ada gangguan lain", "another alert forbids it"),
    "no_target": Words("target tidak ditemukan", "the target is not configured"),
    "busy_target": Words("target sedang ditangani run lain", "another run has the target"),
    "awaiting_approval": Words("tidak ada yang menyetujui pada waktunya", "nobody said yes in time"),
    "declined": Words("ditolak petugas", "a person said no"),
    "cooldown": Words("masih masa jeda", "its cooldown is not over"),
    "hourly_cap": Words("batas per jam tercapai", "the cap of the hour is reached"),
    "daily_cap": Words("batas harian tercapai", "the cap of the day is reached"),
    "precondition": Words("syarat tidak terpenuhi", "its condition does not hold"),
    "dry_run": Words("hanya uji coba", "it is a dry run"),
}
_RUNS: Mapping[str, Words] = {
    "done": Words("selesai dijalankan", "it was done"),
    "undone": Words("sudah dibatalkan", "it was taken back"),
    "not_cured": Words("belum pulih", "it did not help"),
    "unknown": Words("hasilnya tidak diketahui", "nobody can tell"),
    "not_repeatable": Words("tidak boleh diulang begitu saja", "it must not be repeated blindly"),
    "restart": Words("terputus karena alertbridge mati", "the bridge ended in the middle"),
    "fault": Words("ada kesalahan di alertbridge", "there is a fault in the bridge"),
    "timeout": Words("tidak selesai pada waktunya", "it did not end in time"),
    "target": Words("menurut target sendiri", "the target says so"),
    "promql": Words("menurut metrik", "a metric says so"),
    "alert": Words("menurut alert-nya", "the alert says so"),
    "not_undoable": Words("tidak bisa dibatalkan", "it cannot be taken back"),
}
_REACH: Mapping[str, Words] = {
    "unreachable": Words("tidak terjangkau", "it cannot be reached"),
    "no_answer": Words("tidak ada jawaban", "no answer came"),
    "connection_lost": Words("koneksi terputus di tengah jalan", "the connection was lost in the middle"),
    "deadline": Words("jawaban tidak datang pada waktunya", "the answer did not come in time"),
    "login_refused": Words("router menolak login", "the router refuses the login"),
    "permission": Words("hak akses kurang", "a right is missing"),
    "no_permission": Words("hak akses kurang", "a right is missing"),
    "unauthorised": Words("token atau kata sandi ditolak", "the token or password is refused"),
    "failed": Words("router menolak perintahnya", "the router refuses the command"),
    "refused": Words("permintaan ditolak", "the request is refused"),
    "unsupported": Words("tidak didukung di sana", "it is not supported there"),
    "protocol": Words("jawaban router tidak bisa dibaca", "the router's answer cannot be read"),
    "malformed": Words("jawabannya tidak bisa dibaca", "the answer cannot be read"),
    "breaker_open": Words("router baru saja gagal berulang kali", "the router failed too often just now"),
    "pool_exhausted": Words("semua koneksi ke router terpakai", "every connection to the router is in use"),
    "pool_closed": Words("koneksi ke router sudah ditutup", "the connections to the router are closed"),
    "not_attempted": Words("perintahnya tidak sempat dikirim", "the command was not sent"),
    "cancelled": Words("dibatalkan di tengah jalan", "it was cut short"),
    "internal": Words("ada kesalahan di alertbridge", "there is a fault in the bridge"),
    "conflict": Words("sedang dipakai pihak lain", "something else is at it"),
}
_BOTS: Mapping[str, Words] = {
    "logged_out": Words(
        "bot logout; nomornya harus dipasangkan lagi", "the bot is logged out and must be paired"
    ),
    "banned": Words("nomornya diblokir WhatsApp", "WhatsApp has banned the number"),
    "timelocked": Words(
        "nomornya dibatasi sementara oleh WhatsApp", "WhatsApp has locked the number for a while"
    ),
    "needs_pairing": Words("nomornya belum dipasangkan", "the number is not paired"),
    "misconfigured": Words("konfigurasi kanal ditolak", "the channel's configuration is refused"),
    "starting": Words("bot sedang tersambung sendiri", "the bot is connecting by itself"),
    "not_listed": Words("bot tidak menampilkan isi antreannya", "the bot does not list its queue"),
    "too_many": Words("terlalu banyak untuk ditangani otomatis", "there are too many for a rule"),
    "removed_more": Words("bot menghapus lebih dari yang disimpan", "the bot removed more than was kept"),
    "cannot_keep": Words("salinannya tidak bisa disimpan", "the copy cannot be written"),
}
_ROUTERS: Mapping[str, Words] = {
    "no_such_item": Words("barisnya sudah tidak ada di router", "the row is gone from the router"),
    "no_such_interface": Words("interface tidak ada", "there is no such interface"),
    "dynamic_interface": Words(
        "interface itu datang dan pergi sendiri", "the interface comes and goes by itself"
    ),
    "own_interface": Words(
        "interface itu membawa sesi kami sendiri", "the interface carries our own session"
    ),
    "own_interface_unknown": Words(
        "tidak diketahui lewat interface mana router dijangkau",
        "nobody knows which interface our session uses",
    ),
    "still_disabled": Words("interface masih mati", "the interface is still disabled"),
    "left_to_dead_man": Words(
        "interface akan dihidupkan router sendiri sebentar lagi",
        "the router itself enables the interface soon",
    ),
    "no_dead_man": Words("pengaman di router tidak bisa dipasang", "no dead man could be set on the router"),
    "no_poe": Words("port itu tidak memberi daya", "the port gives no power"),
    "poe_off": Words("daya di port itu dimatikan", "power is switched off on the port"),
    "no_such_lease": Words("lease DHCP tidak ada", "there is no such lease"),
    "static_lease": Words("lease DHCP itu statis", "the lease is static"),
    "no_such_queue": Words("queue tidak ada", "there is no such queue"),
    "no_such_script": Words("script tidak ada di router", "there is no such script on the router"),
    "invalid_script": Words("script di router tidak sah", "the script on the router is invalid"),
    "script_failed": Words("script di router gagal", "the script on the router failed"),
    "not_allowed": Words("tidak ada dalam daftar yang diizinkan", "it is not on the list of what is allowed"),
    "just_booted": Words("router baru saja menyala", "the router has only just booted"),
    "no_uptime": Words("router tidak menyebut lama menyalanya", "the router does not tell its uptime"),
}
_SERVICES: Mapping[str, Words] = {
    "program_refused": Words("programnya tidak aman dijalankan", "the program is not safe to run"),
    "cannot_start": Words("programnya tidak bisa dijalankan", "the program cannot be started"),
    "command_failed": Words("perintahnya gagal", "the command failed"),
    "command_refused": Words(
        "perintahnya gagal dan tidak mengubah apa pun", "the command failed and changed nothing"
    ),
    "secret_unreadable": Words("berkas rahasianya tidak terbaca", "the file of a secret cannot be read"),
    "not_configured": Words("belum dikonfigurasi", "it is not configured"),
    "no_daemon": Words("daemon PM2 tidak berjalan", "the daemon of PM2 does not run"),
    "no_pm2": Words("PM2 tidak ada", "there is no PM2"),
    "no_engine": Words("Docker tidak berjalan", "Docker does not run"),
    "no_systemctl": Words("systemctl tidak ada", "there is no systemctl"),
    "no_such_service": Words("layanannya tidak ada", "there is no such service"),
    "no_process": Words("prosesnya tidak berjalan", "the process does not run"),
    "within_limits": Words("pemakaiannya masih wajar", "it is within its limits"),
    "still_running": Words("layanannya belum berhenti", "the service has not stopped"),
}
_DATABASES: Mapping[str, Words] = {
    "busy": Words("basis data sedang terkunci", "the database is locked"),
    "busy_backup": Words("pencadangan lain sedang berjalan", "another backup is at work"),
    "corrupt": Words("basis data rusak", "the database is corrupt"),
    "not_corrupt": Words("basis data tidak rusak", "the database is not corrupt"),
    "database_error": Words("basis data memberi kesalahan", "the database gives an error"),
    "disk_full": Words("disk penuh", "the disk is full"),
    "no_space": Words("ruang disk tidak cukup", "there is not enough space on the disk"),
    "io_error": Words("disk tidak bisa dibaca atau ditulis", "the disk cannot be read or written"),
    "does_not_end": Words(
        "proses pengunci tidak mau berhenti", "the process that holds the lock does not end"
    ),
    "holder_not_allowed": Words(
        "proses pengunci tidak boleh dihentikan", "the process that holds the lock must not be ended"
    ),
    "holder_unknown": Words("proses pengunci tidak diketahui", "nobody knows which process holds the lock"),
    "no_good_backup": Words("tidak ada cadangan yang baik", "there is no good backup"),
    "no_such_file": Words("berkas basis data tidak ada", "there is no such file"),
    "none_idle": Words("tidak ada sesi yang menganggur terlalu lama", "no session has idled for too long"),
    "not_locked": Words("basis data tidak terkunci", "the database is not locked"),
    "not_wal": Words("basis data tidak memakai WAL", "the database does not use a WAL"),
    "restore_test": Words("cadangannya gagal diuji", "the copy failed its test"),
    "still_open": Words("basis data masih dibuka proses lain", "another process still has the database open"),
}
REASONS: Mapping[str, Words] = {
    **_DECISIONS, **_RUNS, **_REACH, **_BOTS, **_ROUTERS, **_SERVICES, **_DATABASES
}  # fmt: skip
"""Every word that rules, runs and actions give. Those of providers, which are theirs, may be others."""
