"""The words of each language that templates and numbers are made of: one table, every entry in every language."""

from collections.abc import Mapping
from dataclasses import dataclass

from alertbridge.alerts import Severity

LANGUAGES = ("id", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `units` by name: the full word, then the short one."""

    severities: Mapping[Severity, str]
    units: Mapping[str, tuple[str, str]]
    plural: str  # what the full word gets from two on
    months: tuple[str, ...]
    decimal: str
    now: str  # a duration of nothing
    late: str
    repeated: str
    more_lines: str
    more_lines_one: str
    template_failed: str
    resolved: str
    counted_severities: Mapping[Severity, tuple[str, str]]  # for one, and for several


WORDS: Mapping[str, Words] = {
    "id": Words(
        severities={
            Severity.CRITICAL: "KRITIS",
            Severity.WARNING: "PERINGATAN",
            Severity.INFO: "INFO",
            Severity.NONE: "CATATAN",
        },
        units={
            "day": ("hari", "hr"),
            "hour": ("jam", "jam"),
            "minute": ("menit", "mnt"),
            "second": ("detik", "dtk"),
        },
        plural="",
        months=("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
        decimal=",",
        now="baru saja",
        late="terlambat {0}",
        repeated="ulang",
        more_lines="... dan {0} baris lagi",
        more_lines_one="... dan 1 baris lagi",
        template_failed="(template {0} gagal; ini template bawaan)",
        resolved="SELESAI",
        counted_severities={
            Severity.CRITICAL: ("kritis", "kritis"),
            Severity.WARNING: ("peringatan", "peringatan"),
            Severity.INFO: ("info", "info"),
            Severity.NONE: ("catatan", "catatan"),
        },
    ),
    "en": Words(
        severities={
            Severity.CRITICAL: "CRITICAL",
            Severity.WARNING: "WARNING",
            Severity.INFO: "INFO",
            Severity.NONE: "NOTE",
        },
        units={
            "day": ("day", "d"),
            "hour": ("hour", "h"),
            "minute": ("minute", "min"),
            "second": ("second", "s"),
        },
        plural="s",
        months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        decimal=".",
        now="just now",
        late="sent {0} late",
        repeated="repeat",
        more_lines="... and {0} more lines",
        more_lines_one="... and 1 more line",
        template_failed="(template {0} failed; this is the built-in one)",
        resolved="RESOLVED",
        counted_severities={
            Severity.CRITICAL: ("critical alert", "critical alerts"),
            Severity.WARNING: ("warning", "warnings"),
            Severity.INFO: ("info alert", "info alerts"),
            Severity.NONE: ("note", "notes"),
        },
    ),
}

SYMBOLS: Mapping[Severity, str] = {
    Severity.CRITICAL: "\N{LARGE RED CIRCLE}",
    Severity.WARNING: "\N{LARGE ORANGE CIRCLE}",
    Severity.INFO: "\N{LARGE BLUE CIRCLE}",
    Severity.NONE: "\N{MEDIUM WHITE CIRCLE}",
}


RESOLVED_SYMBOL = "\N{WHITE HEAVY CHECK MARK}"


def words(language: str) -> Words:
    """The words of `language`; of Indonesian for one that is not known."""
    return WORDS.get(language, WORDS["id"])
