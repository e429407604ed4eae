"""The terminal: what may reach it, and how wide it is."""

from typing import TextIO

from rich.console import Console

from runtime.terminal import quiet_pipe, visible

__all__ = ["console_on", "quiet_pipe", "visible", "width_of"]


def console_on(stream: TextIO) -> Console:
    """A console that takes text as it is: no markup, no emoji names, no guessing of what to colour."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")  # a locale that lacks a character is no reason to fail
    return Console(file=stream, markup=False, emoji=False, highlight=False, soft_wrap=False)


def width_of(console: Console) -> int | None:
    """Columns of the terminal; None where nothing is a terminal and lines may be as long as they are."""
    return console.width if console.is_terminal else None
