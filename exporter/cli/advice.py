"""What is wrong with a connection and what to do about it, in words for whoever runs the router."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exporter.cli.portprobe import Found, Speech
from exporter.cli.terminal import visible
from routeros import (
    LoginRefused,
    ProtocolViolation,
    RouterError,
    RouterUnreachable,
    Target,
    UnreachableReason,
)


@dataclass(frozen=True, slots=True)
class Advice:
    """`what` is wrong, and the `remedy`.

    `needs_setup`: the commands that set a router up may mend it. `fingerprint_sha256`: 64 digits of the
    certificate that was shown, where pinning it is a way out.
    """

    what: str
    remedy: str
    needs_setup: bool = False
    fingerprint_sha256: str = ""


def worth_probing(error: RouterError) -> bool:
    """Whether it helps to find out what answers on the port."""
    if isinstance(error, RouterUnreachable):
        return error.reason in _PROBED
    return isinstance(error, ProtocolViolation)


def advise(error: RouterError, target: Target, found: Found | None = None) -> Advice:
    """Words for a connection that failed. `found` is what answers on the port, if that was asked."""
    if isinstance(error, LoginRefused):
        return _login_refused(error, target)
    if found is not None and (advice := _wrong_language(target, found)) is not None:
        return advice
    if isinstance(error, RouterUnreachable):
        if error.reason is UnreachableReason.TLS:
            return _certificate(error, target, found)
        if error.reason in _UNREACHABLE:
            return _UNREACHABLE[error.reason](error, target)
    if isinstance(error, ProtocolViolation):
        where = f"{target.address}:{target.effective_port}"
        return Advice(
            f"what answers on {where} does not speak the RouterOS API: {visible(error.message)}",
            "correct `address` or `port`: the API is on 8728, api-ssl on 8729, unless /ip service print says otherwise",
        )
    return Advice(visible(error.message), "look at the router's own log")


def _service(target: Target) -> str:
    return "api" if target.tls is None else "api-ssl"


def _login_refused(error: LoginRefused, target: Target) -> Advice:
    reason = visible(error.message.removeprefix("login refused: "))
    return Advice(
        f'the router refused the login of user "{visible(target.username)}": {reason}',
        "RouterOS does not say which of these it is: a wrong password, no such user, a user whose `address` does "
        "not list this machine, a group without the policy api. The router's log may: /log print",
        needs_setup=True,
    )


def _wrong_language(target: Target, found: Found) -> Advice | None:
    port = target.effective_port
    if target.tls is None and found.speech is Speech.TLS:
        return Advice(
            f"port {port} speaks TLS, but the configuration asks for the plain API",
            "add `tls: true` (or a fingerprint) to the router, or give the port of the service api, usually 8728",
        )
    if target.tls is not None and found.speech is Speech.API:
        return Advice(
            f"port {port} speaks the plain API, but the configuration asks for TLS",
            "give the port of the service api-ssl, usually 8729, or leave `tls` out",
            needs_setup=True,
        )
    return None


def _certificate(error: RouterUnreachable, target: Target, found: Found | None) -> Advice:
    what = visible(error.message)
    if found is None or found.speech is not Speech.TLS:
        return Advice(what, "check that api-ssl is on and has a certificate: /ip service print", True)
    if found.is_anonymous:
        return Advice(
            "the router offers TLS without a certificate, so nobody can tell who answers",
            "make one and assign it: /ip service set api-ssl certificate=NAME",
            needs_setup=True,
        )
    shown = found.fingerprint_sha256 or ""
    if target.tls is not None and target.tls.fingerprint_sha256 is not None:
        return Advice(
            "the router showed another certificate than the pinned one",
            "if it was renewed on purpose, compare the fingerprint below with /certificate print detail on the "
            "router and pin it; if not, somebody may stand in between",
            fingerprint_sha256=shown,
        )
    return Advice(
        what,
        "the keys for that are `ca_file`, `server_name` and `fingerprint_sha256` of the router's `tls`; compare the "
        "fingerprint below with /certificate print detail on the router before you pin it",
        fingerprint_sha256=shown,
    )


def _name(error: RouterUnreachable, target: Target) -> Advice:
    return Advice(
        f'the name "{visible(target.address)}" could not be turned into an address',
        "check its spelling and the DNS of this machine, or give the address itself",
    )


def _refused(error: RouterUnreachable, target: Target) -> Advice:
    return Advice(
        f"{target.address} is there, but nothing listens on port {target.effective_port}",
        f"switch the service {_service(target)} on, or correct `port`: /ip service print",
        needs_setup=True,
    )


def _no_route(error: RouterUnreachable, target: Target) -> Advice:
    return Advice(
        f"this machine has no way to {target.address}: {visible(error.message)}",
        "check the address, the cable, the VPN, the routes",
    )


def _closed(error: RouterUnreachable, target: Target) -> Advice:
    service = _service(target)
    if error.sent:
        return Advice(
            f"the login was accepted, but then the connection broke off in mid answer: {visible(error.message)}",
            "the router may be restarting, or something on the way cuts connections: try again in a minute; "
            "the router's log tells more: /log print",
        )
    return Advice(
        f"the router closed the connection before the login was through: {visible(error.message)}",
        f"the service {service} may not list this machine (/ip service set {service} address=...), "
        "or all its sessions are taken (max-sessions, see /user active print)",
        needs_setup=True,
    )


def _deadline(error: RouterUnreachable, target: Target) -> Advice:
    return Advice(
        f"no answer from {target.address}:{target.effective_port}: {visible(error.message)}",
        "is the router on, and is the address right? A firewall on the way, the router's own included, may drop "
        "the packets; a router at its limit may need a longer connect_timeout_s",
    )


_UNREACHABLE: Mapping[UnreachableReason, Callable[[RouterUnreachable, Target], Advice]] = {
    UnreachableReason.NAME: _name,
    UnreachableReason.REFUSED: _refused,
    UnreachableReason.NO_ROUTE: _no_route,
    UnreachableReason.CLOSED: _closed,
    UnreachableReason.RESET: _closed,
    UnreachableReason.DEADLINE: _deadline,
}

_PROBED = (
    UnreachableReason.TLS,
    UnreachableReason.CLOSED,
    UnreachableReason.RESET,
    UnreachableReason.DEADLINE,
)
