"""Certificates: until when they hold."""

from exporter.collectors.table import Collector, Facts, Label, Record, Table, gauge, info, switch
from routeros.values import parse_date, parse_duration

_CERTIFICATES = Table(
    name="certificates",
    path="/certificate",
    labels=(Label("certificate", "name"),),
    also=("expires-after", "invalid-after"),
    rows=(
        gauge(
            "mikrotik_certificate_expiry_timestamp_seconds",
            "When the certificate runs out.",
            "@expires-at",
            source="/certificate expires-after, invalid-after",
        ),
        switch("mikrotik_certificate_expired", "1 if the certificate has run out.", "expired"),
        switch("mikrotik_certificate_revoked", "1 if the certificate was revoked.", "revoked"),
        switch("mikrotik_certificate_trusted", "1 if the router trusts the certificate.", "trusted"),
        info(
            "mikrotik_certificate_info",
            "Subject, issuer and kind of key of a certificate.",
            Label("common_name"),
            Label("issuer"),
            Label("key_type"),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    for row in replies.get("certificates", ()):
        if (expires_at_s := _expires_at_s(row, facts)) is not None:
            row["@expires-at"] = str(round(expires_at_s))


def _expires_at_s(row: Record, facts: Facts) -> float | None:
    """From the time that is left, which needs no time zone; one that has run out has only its date."""
    try:
        left_s = parse_duration(row.get("expires-after", ""))
        if left_s is not None:
            return facts.now_s + left_s
        return parse_date(row.get("invalid-after", ""), facts.gmt_offset_s)
    except ValueError:
        return None


CERTIFICATE = Collector(
    name="certificate",
    help="Expiry, trust and revocation of certificates.",
    ttl_s=300,
    tables=(_CERTIFICATES,),
    derive=_derive,
    on_by_default=False,
)
