"""Secrets: which keys hold one, and one in a file: its text, or a sentence that says why not."""

import os
import re
import stat
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

SECRET_LIMIT_BYTES = 64 * 1024
"""A longer file is not a password but a mistake in the path."""

_SECRET_WORDS = re.compile(
    r"pass(?:word|phrase|wd)|token|secret|authorization|api_?key|cookie", re.IGNORECASE
)
_REFERENCES = ("_file", "_env", "_name")


def names_a_secret(key: str) -> bool:
    """Whether what stands under `key` must not be shown: it names a secret, not only where one is to be found."""
    return _SECRET_WORDS.search(key) is not None and not key.lower().endswith(_REFERENCES)


class SecretUnreadable(ValueError):
    """A secret cannot be had from where the configuration points; the message names only the place."""


def read_secret_file(path: Path) -> str:
    """The content of `path` without its trailing newline.

    Warns in the log when every user of the machine may read the file. Raises SecretUnreadable when the file
    is missing, unreadable, not a file, too long, not UTF-8, or empty.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(SECRET_LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise SecretUnreadable(f"no such file: {path}") from error
    except IsADirectoryError as error:
        raise SecretUnreadable(f"is a folder, not a file: {path}") from error
    except PermissionError as error:
        raise SecretUnreadable(f"this user may not read the file: {path}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise SecretUnreadable(f"cannot be read ({reason}): {str(path)!r}") from error
    if len(content) > SECRET_LIMIT_BYTES:
        raise SecretUnreadable(f"holds more than {SECRET_LIMIT_BYTES} bytes, too much for a secret: {path}")
    try:
        secret = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # without the cause: its text would carry the bytes of the secret
        raise SecretUnreadable(f"the file is not UTF-8 text: {path}") from None
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretUnreadable(f"the file is empty: {path}")
    if mode & stat.S_IROTH:
        log.warning(
            "secret_file.readable_by_everyone", file=str(path), mode=f"{mode:04o}", remedy=f"chmod 600 {path}"
        )
    return secret
