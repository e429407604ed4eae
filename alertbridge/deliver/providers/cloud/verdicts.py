"""Meta's error codes, and what each means. The HTTP status differs between versions: the code decides."""

from collections.abc import Mapping

from alertbridge.deliver.providers.verdicts import (
    Verdict,
    by_status,
    config,
    pause,
    permanent,
    retry,
    switch,
    unknown,
)

PAIR_RATE = 131056
"""Too much to one person: wait 4^n s, everybody else goes on."""
WINDOW_CLOSED = 131047

CODES: Mapping[int, Verdict] = {
    0: config("unauthorized"),
    190: config("unauthorized"),
    3: config("forbidden"),
    10: config("forbidden"),
    131005: config("forbidden"),
    33: config("number_deleted"),
    1: retry("unavailable"),
    2: retry("unavailable"),
    131000: retry("unavailable"),
    131016: retry("unavailable"),
    133004: retry("unavailable"),
    131057: retry("maintenance", 60.0),
    4: retry("rate_limited", 300.0),
    80007: retry("rate_limited", 300.0),
    130429: retry("rate_limited", 10.0),
    PAIR_RATE: retry("pair_rate"),
    131208: retry("rate_limited", 60.0),
    131048: pause("spam_limit"),
    131049: permanent("not_delivered_by_choice"),
    130472: permanent("not_delivered_by_choice"),
    WINDOW_CLOSED: switch("window_closed"),
    131026: permanent("undeliverable"),
    131021: permanent("own_number"),
    131008: permanent("bad_request"),
    131009: permanent("bad_request"),
    100: permanent("bad_request"),
    131051: permanent("bad_request"),
    131042: config("billing"),
    131031: config("account_locked"),
    368: config("account_locked"),
    131045: config("not_registered"),
    133010: config("not_registered"),
    131052: retry("media"),
    131053: retry("media"),
    132000: permanent("template"),
    132001: permanent("template"),
    132005: permanent("template"),
    132007: permanent("template"),
    132012: permanent("template"),
    132018: permanent("template"),
    132015: permanent("template_paused"),
    132016: permanent("template_paused"),
    133000: config("registration"),
    133005: config("registration"),
    133006: config("registration"),
    133016: config("registration"),
    131020: permanent("group"),
    131041: permanent("group"),
    131207: config("group_suspended"),
}
STATUSES: Mapping[int, Verdict] = {
    500: retry("unavailable"),
    502: retry("unavailable"),
    503: retry("unavailable"),
    504: unknown("timeout"),
}
"""Without an error of Meta's in the body."""
TEMPLATE_FAULTS = frozenset({"template", "template_paused"})
"""The template is at fault, not the message: another may do."""
MEDIA_FAULT = "media"


def verdict_of(code: int | None, status: int) -> Verdict:
    """What an error means, by its code and else by the status."""
    if code is not None:
        if (known := CODES.get(code)) is not None:
            return known
        if 200 <= code <= 299:
            return config("forbidden")
    if 500 <= status <= 599:
        return STATUSES.get(status, retry("unavailable"))
    return by_status(status)
