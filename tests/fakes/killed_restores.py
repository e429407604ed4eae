"""Runs a backup or a restore again and again, each time killed one file operation later than the time before.

Run as a program: VERB TEMPLATE FOLDER. The template is copied to FOLDER/1, FOLDER/2 and so on; the action VERB works
on `bot.db` there with copies in `backups`, in a process that kills itself (KILL, nothing is tidied up) just before its
first, second, ... operation on a file of that folder. It ends when an action came to its end, and prints how many
were killed.
"""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import aiohttp

from alertbridge.recover.actions.config import ActionsSection
from alertbridge.recover.actions.databases_listed import Databases
from alertbridge.recover.actions.registry import ACTIONS, Actions
from alertbridge.recover.actions.resources import Resources, Routers
from runtime.clock import SystemClock

EVENTS = frozenset(
    {"open", "os.rename", "os.remove", "os.link", "os.chmod", "os.chown", "os.mkdir", "sqlite3.connect"}
)


def killed_before(operation: int, folder: Path) -> None:
    """From now on, this process ends before that operation on a file below `folder`."""
    left = operation

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in EVENTS and str(folder) in " ".join(map(str, arguments[:2])):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


async def act(verb: str, folder: Path) -> None:
    """The action, as the engine would run it."""
    listed = {
        "name": "bot", "kind": "sqlite", "path": str(folder / "bot.db"),
        "backup": {"folder": str(folder / "backups"), "keep": 2},
    }  # fmt: skip
    section = ActionsSection.model_validate({"databases": [listed]})
    async with aiohttp.ClientSession() as session:
        resources = Resources(
            routers=Routers(()),
            session=session,
            clock=SystemClock(),
            keep_dir=folder,
            databases=Databases(section.databases),
        )
        await Actions(resources).make(verb, ACTIONS[verb].settings(database="bot")).run()


def main(verb: str, template: Path, folder: Path) -> None:
    """Each operation once."""
    operation = 0
    while True:
        operation += 1
        shutil.copytree(template, folder / str(operation))
        child = os.fork()
        if child == 0:
            killed_before(operation, folder / str(operation))
            asyncio.run(act(verb, folder / str(operation)))
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            break
    sys.stdout.write(f"{operation - 1}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
