"""The RouterOS commands that give the exporter what it needs, and nothing more."""

from dataclasses import dataclass

GROUP = "monitoring"
POLICIES = ("read", "api", "test")
PLACEHOLDER = "CHANGE-ME"
"""Where the password goes: no command here ever holds a real one."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who is to log in, over which service. `source` is where the router sees the exporter come from, if known."""

    username: str = "monitor"
    tls: bool = False
    source: str = ""


def setup_commands(access: Access) -> list[str]:
    """Commands for the router's terminal, with comments that it ignores."""
    user = quoted(access.username or "monitor")
    source = access.source or "192.0.2.10"
    here = "this machine" if access.source else "put in yours"
    service = "api-ssl disabled=no certificate=NAME" if access.tls else "api disabled=no"
    return [
        "# A group that can read, and nothing else: the built-in `read` can do more.",
        f"/user group add name={GROUP} policy={','.join(POLICIES)}",
        f"# The user; address= is where the exporter comes from ({here}).",
        f'/user add name={user} group={GROUP} password="{PLACEHOLDER}" address={source}',
        "# Or, where there is such a user already:",
        f"/user set [find name={user}] group={GROUP}",
        "# The service; NAME is its certificate, see /certificate print." if access.tls else "# The service.",
        f"/ip service set {service}",
    ]


def quoted(text: str) -> str:
    """`text` as RouterOS reads it between quotes."""
    escaped = "".join(_escape(character) for character in text)
    return f'"{escaped}"'


def _escape(character: str) -> str:
    if character in '"\\$?':
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:02X}" for byte in character.encode("utf-8", "replace"))
