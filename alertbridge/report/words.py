"""The words that reports are written in: one table, every entry in every language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alertbridge.report.model import Missing, Part
from alertbridge.report.schedule import Kind


@dataclass(frozen=True, slots=True)
class ReportWords:
    """One language. Braces are filled by name."""

    titles: Mapping[Kind, str]
    headings: Mapping[Part, str]
    missing: Mapping[Missing, str]
    span: str
    unreachable: str  # a note above all, in place of saying it in each section
    late: str
    missed: str  # several before this one
    missed_one: str
    given_up: str  # instead of a report
    no_charts: str
    no_chart: str
    and_more: str
    seen: str  # how much of the period was measured
    estimate: str
    all_routers: str
    of_routers: str
    down_for: str
    total: str
    peak: str
    peak_at: str
    peak_users: str
    busiest: str
    no_alerts: str
    still_open: str
    none_open: str
    frequent: str
    kept_since: str
    no_recoveries: str
    recoveries: str
    recovered_in: str
    not_cured: str
    bridge_messages: str
    bridge_failed: str
    bot_messages: str
    bot_failed: str
    connected: str
    reachable: str
    backup_old: str
    no_backup: str
    damaged: str
    attention: Mapping[str, str]
    attention_names: Mapping[str, str]  # short, for those that nobody measures
    nothing_wrong: str
    not_measured: str
    runs_out: str
    ran_out: str
    chart_traffic: str
    chart_users: str


ID: Final = ReportWords(
    titles={
        Kind.DAILY: "Laporan harian",
        Kind.WEEKLY: "Laporan mingguan",
        Kind.MONTHLY: "Laporan bulanan",
    },
    headings={
        Part.AVAILABILITY: "Ketersediaan router",
        Part.TRAFFIC: "Lalu lintas",
        Part.SUBSCRIBERS: "Pelanggan",
        Part.ALERTS: "Alert",
        Part.RECOVERY: "Pemulihan otomatis",
        Part.MESSAGES: "Pesan",
        Part.DATABASES: "Basis data",
        Part.ATTENTION: "Perlu perhatian",
    },
    missing={
        Missing.NO_DATA: "tidak ada data",
        Missing.NOT_CONFIGURED: "tidak ada data: Prometheus tidak dikonfigurasi",
        Missing.UNREACHABLE: "tidak ada data: Prometheus tidak menjawab",
        Missing.REFUSED: "tidak ada data: Prometheus menolak pertanyaan ini",
        Missing.LATE: "tidak ada data: Prometheus terlalu lambat",
    },
    span="{0} s.d. {1}",
    unreachable="Prometheus tidak menjawab. Yang hanya ia ketahui tidak ada dalam laporan ini.",
    late="Terlambat {0}: bridge atau Prometheus tidak berjalan pada waktunya.",
    missed="{0} laporan sebelum ini tidak terkirim: bridge tidak berjalan.",
    missed_one="Laporan {0} tidak terkirim: bridge tidak berjalan.",
    given_up="{title} {when} tidak dikirim: bridge baru berjalan {late} sesudahnya.",
    no_charts="Tanpa grafik: paket tambahan charts belum dipasang.",
    no_chart="Tanpa grafik: tidak ada data.",
    and_more="... dan {0} lagi",
    seen="data {0}",
    estimate="perkiraan",
    all_routers="Semua router",
    of_routers="{0} dari {1} router 100%",
    down_for="mati {0}",
    total="Total diterima {0}",
    peak="puncak {0}",
    peak_at="puncak {0} pada {1}",
    peak_users="Terbanyak aktif: {0} pada {1}",
    busiest="Pemakaian terbesar:",
    no_alerts="Tidak ada alert baru",
    still_open="Masih menyala sekarang: {0}",
    none_open="Tidak ada yang masih menyala",
    frequent="Tersering: {0}",
    kept_since="Hanya sejak {0}; yang lebih lama sudah dihapus",
    no_recoveries="Tidak ada",
    recoveries="{0} kali, {1} berhasil ({2})",
    recovered_in="Waktu pulih: median {0}, terlama {1}",
    not_cured="Tidak pulih: {0}",
    bridge_messages="Bridge: {0} terkirim",
    bridge_failed="{0} gagal",
    bot_messages="{0}: {1} terkirim",
    bot_failed="{0} gagal",
    connected="tersambung {0}",
    reachable="terjangkau {0}",
    backup_old="cadangan {0} lalu",
    no_backup="cadangan: tidak ada data",
    damaged="RUSAK menurut pemeriksaan",
    attention={
        "pools": "Pool {0} terpakai {1}",
        "router_disks": "Disk {0} tinggal {1}",
        "host_disks": "Disk {0} tinggal {1}",
        "database_disks": "Disk basis data {0} tinggal {1}",
        "backups": "Cadangan {0} sudah {1}",
        "certificates": "Sertifikat {0}: {1}",
        "licences": "Lisensi {0}: {1}",
        "licence_sessions": "Sesi {0} mencapai {1} batas lisensi",
        "temperatures": "Suhu {0} {1}",
        "firmware": "Firmware {0} belum diperbarui",
        "updates": "RouterOS {0} ada versi baru",
    },
    attention_names={
        "pools": "pool",
        "router_disks": "disk router",
        "host_disks": "disk server",
        "database_disks": "disk basis data",
        "backups": "cadangan",
        "certificates": "sertifikat",
        "licences": "lisensi",
        "licence_sessions": "batas sesi",
        "temperatures": "suhu",
        "firmware": "firmware",
        "updates": "versi RouterOS",
    },
    nothing_wrong="Tidak ada",
    not_measured="Tidak ada data: {0}",
    runs_out="habis dalam {0}",
    ran_out="sudah habis {0} lalu",
    chart_traffic="Lalu lintas diterima",
    chart_users="Pelanggan aktif",
)

EN: Final = ReportWords(
    titles={
        Kind.DAILY: "Daily report",
        Kind.WEEKLY: "Weekly report",
        Kind.MONTHLY: "Monthly report",
    },
    headings={
        Part.AVAILABILITY: "Router availability",
        Part.TRAFFIC: "Traffic",
        Part.SUBSCRIBERS: "Subscribers",
        Part.ALERTS: "Alerts",
        Part.RECOVERY: "Automatic recovery",
        Part.MESSAGES: "Messages",
        Part.DATABASES: "Databases",
        Part.ATTENTION: "Needs attention",
    },
    missing={
        Missing.NO_DATA: "no data",
        Missing.NOT_CONFIGURED: "no data: Prometheus is not configured",
        Missing.UNREACHABLE: "no data: Prometheus does not answer",
        Missing.REFUSED: "no data: Prometheus refuses this question",
        Missing.LATE: "no data: Prometheus is too slow",
    },
    span="{0} to {1}",
    unreachable="Prometheus does not answer. What only it knows is not in this report.",
    late="{0} late: the bridge or Prometheus was not running when it was due.",
    missed="{0} reports before this one were not sent: the bridge was not running.",
    missed_one="The report of {0} was not sent: the bridge was not running.",
    given_up="{title} of {when} was not sent: the bridge only ran {late} after it was due.",
    no_charts="No chart: the extra package charts is not installed.",
    no_chart="No chart: there is no data.",
    and_more="... and {0} more",
    seen="data {0}",
    estimate="estimate",
    all_routers="All routers",
    of_routers="{0} of {1} routers 100%",
    down_for="down {0}",
    total="Total received {0}",
    peak="peak {0}",
    peak_at="peak {0} at {1}",
    peak_users="Most active at once: {0} at {1}",
    busiest="Most traffic:",
    no_alerts="No new alerts",
    still_open="Still firing now: {0}",
    none_open="None is firing now",
    frequent="Most often: {0}",
    kept_since="Only since {0}; what was before is deleted already",
    no_recoveries="None",
    recoveries="{0} runs, {1} cured ({2})",
    recovered_in="Time to recover: median {0}, longest {1}",
    not_cured="Not cured: {0}",
    bridge_messages="Bridge: {0} sent",
    bridge_failed="{0} failed",
    bot_messages="{0}: {1} sent",
    bot_failed="{0} failed",
    connected="connected {0}",
    reachable="reachable {0}",
    backup_old="backup {0} ago",
    no_backup="backup: no data",
    damaged="DAMAGED, by its check",
    attention={
        "pools": "Pool {0} is {1} used",
        "router_disks": "Disk of {0} has {1} left",
        "host_disks": "Disk {0} has {1} left",
        "database_disks": "Disk of database {0} has {1} left",
        "backups": "Backup of {0} is {1} old",
        "certificates": "Certificate {0}: {1}",
        "licences": "Licence of {0}: {1}",
        "licence_sessions": "Sessions of {0} are at {1} of the licence",
        "temperatures": "Temperature of {0}: {1}",
        "firmware": "Firmware of {0} is not upgraded yet",
        "updates": "RouterOS of {0} has a new version",
    },
    attention_names={
        "pools": "pools",
        "router_disks": "router disks",
        "host_disks": "server disks",
        "database_disks": "database disks",
        "backups": "backups",
        "certificates": "certificates",
        "licences": "licences",
        "licence_sessions": "session limits",
        "temperatures": "temperatures",
        "firmware": "firmware",
        "updates": "RouterOS versions",
    },
    nothing_wrong="Nothing",
    not_measured="No data on: {0}",
    runs_out="runs out in {0}",
    ran_out="ran out {0} ago",
    chart_traffic="Traffic received",
    chart_users="Active subscribers",
)

WORDS: Final[Mapping[str, ReportWords]] = {"id": ID, "en": EN}


def report_words(language: str) -> ReportWords:
    """The words of `language`; of Indonesian for one that is not known."""
    return WORDS.get(language, ID)
