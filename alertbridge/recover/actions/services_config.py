"""The services that recovery may restart, and the commands that it may run: an allow list, nothing else is touched."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field
from pydantic_core import InitErrorDetails

from runtime.sections import Section, Surroundings, fault

Argument = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")]
Argv = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=100)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

_SHELL_CHARACTERS = re.compile(r"[|&;<>$`\n\r]|^[*?(){}~!]+$")
_SHELLS = frozenset({"ash", "bash", "csh", "dash", "fish", "ksh", "sh", "tcsh", "zsh"})


class ServiceBase(Section):
    """What every entry has."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        description="The name that rules use, and the confirmation in a chat."
    )
    timeout_s: float = Field(
        default=30.0, gt=0, le=600, description="Seconds that one restart, stop, start or command may take."
    )


class SystemdServiceSection(ServiceBase):
    """A unit of systemd."""

    kind: Literal["systemd"] = Field(description="A unit of systemd.")
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:_.@\\-]*$", max_length=255)] = Field(
        description="The unit, such as `bot.service`; `.service` when it has no ending."
    )
    user: bool = Field(
        default=False, description="A unit of the user that the bridge runs as, not the system's."
    )
    systemctl: Path = Field(default=Path("/usr/bin/systemctl"), description="The program.")

    @property
    def full_unit(self) -> str:
        """The unit with its ending."""
        return self.unit if re.search(r"\.[a-z]+$", self.unit) else f"{self.unit}.service"


class DockerServiceSection(ServiceBase):
    """A container."""

    kind: Literal["docker"] = Field(description="A container of Docker, or of what speaks its API.")
    container: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=255)] = Field(
        description="The container's name."
    )
    socket: Path = Field(default=Path("/var/run/docker.sock"), description="The Engine's socket.")
    stop_s: int = Field(
        default=10, ge=0, le=300, description="Seconds that the Engine waits for its end before it kills it."
    )


class Pm2ServiceSection(ServiceBase):
    """A process of PM2."""

    kind: Literal["pm2"] = Field(description="A process that PM2 keeps.")
    process: Annotated[str, Field(pattern=r"^[^\s\x00-\x1f-][^\x00-\x1f]*$", max_length=200)] = Field(
        description="Its name in `pm2 list`; all processes of that name together."
    )
    home: Path = Field(description="PM2_HOME of the daemon, such as `/var/lib/bot/.pm2`.")
    pm2: Path = Field(default=Path("/usr/bin/pm2"), description="The program.")


class CommandServiceSection(ServiceBase):
    """A command: run as it stands, by no shell, in an environment that holds only what is written here."""

    kind: Literal["command"] = Field(description="A command.")
    command: Argv = Field(
        description="Program and arguments, a list; the program with its full path. As a service, its restart."
    )
    check: Argv | None = Field(
        default=None, description="Command that ends with 0 when all is as it should be, to verify with."
    )
    undo: Argv | None = Field(default=None, description="Command that takes it back.")
    unchanged_exit_codes: tuple[Annotated[int, Field(ge=1, le=255)], ...] = Field(
        default=(),
        max_length=100,
        description=(
            "Exit codes by which the entry's commands say that nothing was changed, such as 75. They are known "
            "failures and may be tried again; after any other code but 0 nobody knows what was done, and a run does "
            "not repeat it."
        ),
    )
    stop: Argv | None = Field(default=None, description="As a service: command that stops it.")
    start: Argv | None = Field(default=None, description="As a service: command that starts it.")
    pid_file: Path | None = Field(
        default=None, description="As a service: the file with the number of its process."
    )
    log_file: Path | None = Field(default=None, description="As a service: its log, kept as evidence.")
    cwd: Path = Field(default=Path("/"), description="Folder to run in.")
    environment: dict[VariableName, Argument] = Field(
        default_factory=dict,
        description="Variables beside PATH and LANG. No secrets: see `environment_files`.",
    )
    environment_files: dict[VariableName, Path] = Field(
        default_factory=dict, description="Variables whose value is the content of a file, read for each run."
    )
    literal: bool = Field(
        default=False,
        description="Arguments may hold characters that mean something to a shell; they mean nothing here.",
    )
    output_limit_bytes: int = Field(
        default=8192, ge=0, le=1048576, description="How much of the end of its output is kept as evidence."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        literal = given.get("literal") is True
        for key in ("command", "check", "undo", "stop", "start"):
            faults.extend(_argv_faults(key, given.get(key), literal=literal))
        files = given.get("environment_files")
        both = set(_keys(given.get("environment"))) & set(_keys(files))
        faults.extend(fault("is also under environment", "environment_files", name) for name in sorted(both))
        if isinstance(files, Mapping):
            placed = {name: _placed(path, around) for name, path in files.items()}
            given = {**given, "environment_files": placed}
        return given


ServiceSection = Annotated[
    SystemdServiceSection | DockerServiceSection | Pm2ServiceSection | CommandServiceSection,
    Field(discriminator="kind"),
]


def _keys(value: object) -> tuple[str, ...]:
    return tuple(str(key) for key in value) if isinstance(value, Mapping) else ()


def _placed(path: object, around: Surroundings) -> object:
    return around.folder / path if isinstance(path, str | Path) else path


def _argv_faults(key: str, argv: object, *, literal: bool) -> Iterator[InitErrorDetails]:
    """What is wrong with a command as it was written."""
    if isinstance(argv, str):
        yield fault("must be a list: the program, then each argument; no shell takes a line apart", key)
        return
    if not isinstance(argv, list | tuple) or not argv or not all(isinstance(word, str) for word in argv):
        return  # pydantic says it better
    program = argv[0]
    if complaint := program_complaint(Path(program)):
        yield fault(complaint, key, 0)
    if Path(program).name in _SHELLS and any(re.fullmatch(r"-[a-z]*c", word) for word in argv[1:]):
        yield fault("hands a line to a shell; name the program itself, or put the line into a file", key)
        return
    for index, word in enumerate(argv[1:], start=1):
        if not literal and _SHELL_CHARACTERS.search(word):
            yield fault(
                f"{word!r} holds what only a shell understands, and there is none; "
                "`literal: true` passes it on as it stands",
                key,
                index,
            )


def program_complaint(program: Path) -> str:
    """Why a program must not be run; empty when it may. Anybody who can write to it could have anything run."""
    if not program.is_absolute():
        return f"must be a full path, such as /usr/bin/{program.name or 'program'}"
    try:
        real = program.resolve(strict=True)
        for place in (real, *real.parents):
            mode = place.stat().st_mode
            if mode & stat.S_IWOTH and not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):
                return f"everybody may write to {place}"
    except OSError as error:
        return f"cannot be run: {error.strerror}: {program}"
    except (RuntimeError, ValueError):
        return "is no path of a program"
    if not real.is_file() or not os.access(real, os.X_OK):
        return f"is no program that this user may run: {program}"
    return ""


def duplicate_names(given: Mapping[str, Any], key: str) -> Iterator[InitErrorDetails]:
    """Entries of the list under `key` whose name another one has already."""
    entries = given.get(key)
    seen: set[str] = set()
    for index, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name in seen:
            yield fault(f"there is another one called {name!r}", key, index, "name")
        elif isinstance(name, str):
            seen.add(name)


KINDS = tuple(
    get_args(member.model_fields["kind"].annotation)[0] for member in get_args(get_args(ServiceSection)[0])
)
"""Every kind of entry."""
