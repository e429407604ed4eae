"""The RouterOS commands that give the exporter what it needs, and nothing more."""

from dataclasses import dataclass

GROUP = "monitoring"
POLICIES = ("read", "api", "test")
PLACEHOLDER = "CHANGE-ME"
"""Where the password goes: no command here ever holds a real one."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who is to log in where. `source` is the address that the router sees the exporter come from, if known."""

    username: str = "monitor"
    tls: bool = False
    port: int | None = None
    source: str = ""


def setup_commands(access: Access) -> list[str]:
    """Commands for the router's terminal, with comments that it ignores."""
    user, service = quoted(access.username or "monitor"), "api-ssl" if access.tls else "api"
    source = access.source or "192.0.2.10"
    port = f" port={access.port}" if access.port is not None else ""
    lines = [
        "# A group that can read and nothing else; the built-in group `read` holds too much.",
        f"/user group add name={GROUP} policy={','.join(POLICIES)}",
        f"# The user. address= is where the exporter comes from{_seen(access.source)}: nobody else may use it.",
        f'/user add name={user} group={GROUP} password="{PLACEHOLDER}" address={source}',
        "# Or, where there is such a user already:",
        f"/user set [find name={user}] group={GROUP}",
    ]
    if access.tls:
        lines.append("# api-ssl needs a certificate; NAME is one from /certificate print.")
        lines.append(f"/ip service set {service} disabled=no{port} certificate=NAME")
    else:
        lines.append("# The service that the exporter talks to.")
        lines.append(f"/ip service set {service} disabled=no{port}")
    return lines


def _seen(source: str) -> str:
    return " (this machine)" if source else " (put yours)"


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
