"""Brings a view to the terminal, to a pipe or to a program: once, or again and again."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rich.live import Live
from rich.text import Text

from exporter.cli.columns import View
from exporter.cli.exitcodes import ExitCode
from exporter.cli.feed import Feed
from exporter.cli.page import Frame, compose, document, is_failure
from exporter.cli.sheet import Choice
from exporter.cli.terminal import console_on, width_of
from runtime.wording import counted

_SETTLE_S = 0.2
"""Readings that come this close together are shown as one change of the screen."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be shown, and how."""

    view: View
    choice: Choice
    interval_s: float
    watch: bool
    json: bool

    @property
    def rates(self) -> bool:
        """Whether there is more than one reading to measure between."""
        return self.watch or self.interval_s > 0


class Show:
    """One run of `print`: the feeds of the chosen routers and where they are shown."""

    def __init__(self, request: Request, feeds: Sequence[Feed], changed: asyncio.Event) -> None:
        self._request = request
        self._feeds = feeds
        self._changed = changed
        self._console = console_on(sys.stdout)

    def __repr__(self) -> str:
        return f"<Show {self._request.view.name} of {len(self._feeds)} routers watch={self._request.watch}>"

    async def once(self) -> ExitCode:
        """Read what is needed, show it, and tell how it went."""
        waiting = console_on(sys.stderr)
        with ExitStack() as stack:
            if waiting.is_terminal:
                stack.enter_context(waiting.status(f"reading {counted(len(self._feeds), 'router')}"))
            turns = 2 if self._request.rates else 1
            await asyncio.gather(*[feed.run(turns) for feed in self._feeds])
        self._write()
        return self._verdict()

    async def forever(self) -> ExitCode:
        """Read and show until cancelled."""
        async with asyncio.TaskGroup() as group:
            for feed in self._feeds:
                group.create_task(feed.run(None))
            if self._console.is_terminal and not self._request.json:
                await self._live()
            else:
                await self._lines()
        return ExitCode.OK

    async def _live(self) -> None:
        """Renew the screen when readings come in."""
        with Live(console=self._console, auto_refresh=False, transient=False) as live:
            while True:
                await self._changed.wait()
                await asyncio.sleep(_SETTLE_S)
                self._changed.clear()
                frame = Frame(self._console.width, self._console.height, rates=True)
                live.update(self._page(frame, above=self._banner()), refresh=True)

    def _banner(self) -> str:
        now = time.strftime("%H:%M:%S")
        routers = counted(len(self._feeds), "router")
        return f"{self._request.view.name} of {routers} at {now}, every {self._request.interval_s:g} s; Ctrl-C ends"

    async def _lines(self) -> None:
        """Write the tables one below the other, the first when every router has told two readings or failed."""
        while not all(feed.before is not None or feed.cause is not None for feed in self._feeds):
            self._changed.clear()
            await self._changed.wait()
        while True:
            self._write()
            if not self._request.json:
                sys.stdout.write("\n")
            sys.stdout.flush()
            await asyncio.sleep(self._request.interval_s)

    def _write(self) -> None:
        if self._request.json:
            found = document(self._request.view, self._feeds, self._request.choice, rates=self._request.rates)
            indent = None if self._request.watch else 2
            sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=indent) + "\n")
            return
        page = self._page(Frame(width_of(self._console), None, rates=self._request.rates))
        if self._console.is_terminal:
            self._console.print(page)
        else:
            sys.stdout.write(page.plain + "\n")

    def _page(self, frame: Frame, *, above: str = "") -> Text:
        return compose(self._request.view, self._feeds, self._request.choice, frame, above=above)

    def _verdict(self) -> ExitCode:
        """None reachable only where no router could be: one that refuses the login is there."""
        failed = [feed for feed in self._feeds if is_failure(feed)]
        if not failed:
            return ExitCode.OK
        dead = [feed for feed in failed if feed.is_dead]
        return ExitCode.NONE_REACHABLE if len(dead) == len(self._feeds) else ExitCode.SOME_FAILED
