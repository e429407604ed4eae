"""What an answer means, as rows of tables: a status or a provider's code to one of the nine outcome classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from alertbridge.deliver.providers.base import Outcome, OutcomeClass

LOCK_PAUSE_S = 24 * 3600.0
"""How long a channel rests that WhatsApp has locked without saying until when; the first locks last a day."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the sender must do, and the stable word for why."""

    kind: OutcomeClass
    reason: str
    retry_after_s: float | None = None
    logged_out: bool = False
    may_be_out: bool = False

    def outcome(
        self, detail: str = "", *, provider_id: str = "", retry_after_s: float | None = None
    ) -> Outcome:
        """This verdict on one attempt; a `retry_after_s` that the provider told goes before the table's."""
        return Outcome(
            self.kind,
            self.reason,
            detail,
            provider_id=provider_id,
            retry_after_s=self.retry_after_s if retry_after_s is None else retry_after_s,
            logged_out=self.logged_out,
            may_be_out=self.may_be_out,
        )


def accept(reason: str = "") -> Verdict:
    return Verdict(OutcomeClass.ACCEPTED, reason)


def retry(reason: str, after_s: float | None = None, *, may_be_out: bool = False) -> Verdict:
    return Verdict(OutcomeClass.RETRY, reason, after_s, may_be_out=may_be_out)


def unknown(reason: str) -> Verdict:
    return Verdict(OutcomeClass.UNKNOWN, reason)


def reconnect(reason: str) -> Verdict:
    return Verdict(OutcomeClass.RECONNECT, reason)


def switch(reason: str) -> Verdict:
    return Verdict(OutcomeClass.SWITCH, reason)


def pause(reason: str, after_s: float | None = LOCK_PAUSE_S) -> Verdict:
    return Verdict(OutcomeClass.PAUSE, reason, after_s)


def config(reason: str, *, logged_out: bool = False) -> Verdict:
    return Verdict(OutcomeClass.CONFIG, reason, logged_out=logged_out)


def permanent(reason: str) -> Verdict:
    return Verdict(OutcomeClass.PERMANENT, reason)


MALFORMED = unknown("malformed")
"""Success by its status, and yet no answer of this provider: the message may be out."""
NOTHING_TO_MEND = permanent("nothing_to_mend")

HTTP: Mapping[int, Verdict] = {
    HTTPStatus.UNAUTHORIZED: config("unauthorized"),
    HTTPStatus.FORBIDDEN: config("forbidden"),
    HTTPStatus.NOT_FOUND: config("not_found"),
    HTTPStatus.METHOD_NOT_ALLOWED: config("not_found"),
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: config("unauthorized"),
    HTTPStatus.REQUEST_TIMEOUT: unknown("timeout"),
    HTTPStatus.CONFLICT: retry("busy"),
    HTTPStatus.TOO_EARLY: retry("busy"),
    HTTPStatus.TOO_MANY_REQUESTS: retry("rate_limited"),
    HTTPStatus.BAD_GATEWAY: unknown("server_error"),
    HTTPStatus.SERVICE_UNAVAILABLE: retry("unavailable"),
    HTTPStatus.GATEWAY_TIMEOUT: unknown("timeout"),
}
"""What a status means where a provider's own table does not say otherwise."""


def by_status(status: int, own: Mapping[int, Verdict] | None = None) -> Verdict:
    """The verdict on a status: by the provider's table, else by the usual one, else by its class."""
    for table in (own or {}, HTTP):
        if (found := table.get(status)) is not None:
            return found
    if 200 <= status < 300:
        return MALFORMED
    if 300 <= status < 400:
        return config("redirected")  # where to, is for the configuration to say: a login page, or https
    return permanent("refused") if 400 <= status < 500 else unknown("server_error")
