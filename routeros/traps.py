"""What a `!trap` means: decided by the words, since the category is often missing."""

from __future__ import annotations

from collections.abc import Sequence

from routeros.errors import CommandFailed, CommandUnsupported, PermissionDenied
from routeros.protocol import Trap

_UNSUPPORTED = ("no such command", "bad command name", "unknown command")
_DENIED = ("not enough permissions", "permission denied")
# The policy that the last part of a command most likely needs, where it is not `read`.
_POLICIES = {
    **dict.fromkeys(("set", "add", "remove", "enable", "disable", "move", "unset", "comment"), "write"),
    **dict.fromkeys(("reset-counters", "reset-counters-all", "check-for-updates", "run"), "write"),
    **dict.fromkeys(("reboot", "shutdown"), "reboot"),
    **dict.fromkeys(
        ("ping", "traceroute", "bandwidth-test", "profile", "cable-test", "scan", "info"), "test"
    ),
    **dict.fromkeys(("torch", "quick"), "sniff"),
    **dict.fromkeys(("monitor", "monitor-traffic", "monitor-once"), "test"),
}


def trap_error(path: str, traps: Sequence[Trap], *, router: str = "") -> CommandFailed:
    """The error that tells of these traps, at least one; several messages are joined."""
    message = "; ".join(dict.fromkeys(trap.message for trap in traps))
    category = next((trap.category for trap in traps if trap.category is not None), None)
    said = message.casefold()
    text = f"{path}: {message}"
    if any(words in said for words in _DENIED):
        policy = policy_for(path)
        hint = f'{text}; the user\'s group needs the policy "{policy}"'
        return PermissionDenied(hint, path=path, policy=policy, category=category, router=router)
    if said.startswith(_UNSUPPORTED):
        return CommandUnsupported(text, path=path, category=category, router=router)
    return CommandFailed(text, path=path, category=category, router=router)


def policy_for(command: str) -> str:
    """The policy that this command most likely needs."""
    return _POLICIES.get(command.rpartition("/")[2], "read")
