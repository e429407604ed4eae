"""Twilio's error codes, in answers and in status callbacks."""

from collections.abc import Mapping

from alertbridge.deliver.providers.verdicts import Verdict, config, pause, permanent, retry, switch, unknown

PHONE_OFF = 30003
"""Once more, and then no longer."""
WINDOW_CLOSED = 63016

CODES: Mapping[int, Verdict] = {
    20003: config("unauthorized"),
    20404: config("not_found"),
    20429: retry("rate_limited"),
    63017: retry("rate_limited"),
    63119: retry("rate_limited"),
    63018: retry("rate_limited", 600.0),
    63038: pause("daily_limit"),
    WINDOW_CLOSED: switch("window_closed"),
    63003: permanent("bad_recipient"),
    63024: permanent("bad_recipient"),
    21211: permanent("bad_recipient"),
    21614: permanent("bad_recipient"),
    21610: permanent("unsubscribed"),
    21617: permanent("too_long"),
    21658: permanent("too_long"),
    21408: config("country_not_enabled"),
    63012: retry("unavailable"),
    30001: retry("unavailable"),
    30008: retry("unavailable"),
    PHONE_OFF: retry("phone_off", 120.0),
    30005: permanent("bad_recipient"),
    30006: permanent("bad_recipient"),
    30004: permanent("blocked"),
    30007: permanent("blocked"),
    63013: permanent("blocked"),
    63112: config("account_locked"),
}
STATUSES: Mapping[int, Verdict] = {
    500: retry("unavailable"),
    502: retry("unavailable"),
    503: retry("unavailable"),
    504: unknown("timeout"),
}
