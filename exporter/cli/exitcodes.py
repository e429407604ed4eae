"""What the exit status of each command means: one table for all of them."""

from collections.abc import Mapping
from enum import IntEnum

from runtime.commandline import exit_statuses


class ExitCode(IntEnum):
    """Status with which a command ends."""

    OK = 0
    SOME_FAILED = 1
    CONFIGURATION = 2
    CANNOT_LISTEN = 3
    NONE_REACHABLE = 4
    INTERRUPTED = 130


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.OK: "all is well",
    ExitCode.SOME_FAILED: "some router, collector or table failed",
    ExitCode.CONFIGURATION: "the configuration or the command line cannot be used",
    ExitCode.CANNOT_LISTEN: "the address of web.listen cannot be listened on",
    ExitCode.NONE_REACHABLE: "no router could be reached",
    ExitCode.INTERRUPTED: "ended by Ctrl-C",
}


def epilog(*codes: ExitCode) -> str:
    """The table for `--help`, narrowed to `codes` unless none are given."""
    return exit_statuses(MEANINGS, codes)
