"""The terminal: what may reach it, and how wide it is."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console


def visible(text: str) -> str:
    """`text` on one line, with each character that a terminal would obey instead of show written as its escape.

    Names and comments come from routers and from the devices behind them: a control sequence in one must not
    move the cursor, nor a right-to-left mark turn the line around.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def console_on(stream: TextIO) -> Console:
    """A console that takes text as it is: no markup, no emoji names, no guessing of what to colour."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")  # a locale that lacks a character is no reason to fail
    return Console(file=stream, markup=False, emoji=False, highlight=False, soft_wrap=False)


def width_of(console: Console) -> int | None:
    """Columns of the terminal; None where nothing is a terminal and lines may be as long as they are."""
    return console.width if console.is_terminal else None


@contextmanager
def quiet_pipe() -> Iterator[None]:
    """A reader who has seen enough (``| head``) is no error; nothing more is written then."""
    try:
        yield
        sys.stdout.flush()
    except* BrokenPipeError:  # alone, or as what ended a group of tasks
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # so that the interpreter's own flush at its end finds a reader
        os.close(nowhere)
