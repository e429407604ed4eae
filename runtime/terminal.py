"""The terminal: what may reach it, and a reader that goes away early."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def visible(text: str) -> str:
    """`text` on one line, with each character that a terminal would obey instead of show written as its escape.

    Names and comments come from routers and from the devices behind them: a control sequence in one must not
    move the cursor, nor a right-to-left mark turn the line around.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


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
