"""A real browser, driven over the DevTools protocol: headless Chromium without any outside traffic of its own."""

import asyncio
import base64
import itertools
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",  # there is none for root; only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
POLL_S = 0.05
_SERIOUS = frozenset({"error", "warning"})


class BrowserFailed(Exception):
    """The browser did not start, or refused a command."""


class Page:
    """One tab. `complaints` collects what its console says, policy violations and failed requests included."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser = browser
        self._session = session
        self.complaints: list[str] = []
        self.requests: list[str] = []

    async def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command to this tab. Raises BrowserFailed."""
        return await self._browser.send(method, self._session, **parameters)

    def hear(self, method: str, about: dict[str, Any]) -> None:
        """An event of this tab."""
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and about["type"] in _SERIOUS:
            self.complaints.append(" ".join(str(argument.get("value")) for argument in about["args"]))
        elif method == "Log.entryAdded" and about["entry"]["level"] in _SERIOUS:
            entry = about["entry"]
            self.complaints.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])

    async def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression. Raises BrowserFailed if it throws."""
        found = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise BrowserFailed(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    async def until(self, condition: str, *, timeout_s: float = 60.0) -> None:
        """Returns as soon as the expression is true. Raises BrowserFailed with the page's text at the deadline."""
        deadline_s = asyncio.get_running_loop().time() + timeout_s
        while not await self.evaluate(condition):
            if asyncio.get_running_loop().time() > deadline_s:
                text = await self.evaluate("document.body.innerText")
                raise BrowserFailed(f"not within {timeout_s:g} s: {condition}\n{self.complaints}\n{text}")
            await asyncio.sleep(POLL_S)

    async def look_like(self, *, width: int, height: int, dark: bool = False) -> None:
        """Take the size of a screen, and its user's taste."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def screenshot(self) -> bytes:
        """What is to be seen, as PNG."""
        found = await self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])


class Browser:
    """A running Chromium; `start` makes one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    @classmethod
    @asynccontextmanager
    async def start(cls, command: str = "chromium") -> AsyncIterator["Browser"]:
        """A browser with a profile of its own, ended with everything it started. Raises BrowserFailed."""
        with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
            process = await asyncio.create_subprocess_exec(
                command,
                *FLAGS,
                f"--user-data-dir={folder}",
                "about:blank",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": "disabled:"},
            )
            try:
                address = await _address(Path(folder) / "DevToolsActivePort", process)
                async with (
                    aiohttp.ClientSession() as session,
                    session.ws_connect(address, max_msg_size=0) as socket,
                ):
                    browser = cls(socket)
                    reader = asyncio.create_task(browser._read())
                    try:
                        yield browser
                    finally:
                        reader.cancel()
                        await asyncio.wait([reader])
            finally:
                await _end(process)

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                future = self._waiting.pop(told["id"], None)
                if future is not None and not future.done():
                    future.set_result(told)
            elif (page := self._pages.get(told.get("sessionId", ""))) is not None:
                page.hear(told["method"], told["params"])

    async def send(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """One command. Raises BrowserFailed."""
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        command: dict[str, object] = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(command | ({"sessionId": session} if session else {}))
        told = await asyncio.wait_for(future, START_TIMEOUT_S)
        if "error" in told:
            raise BrowserFailed(f"{method}: {told['error']}")
        result: dict[str, Any] = told["result"]
        return result

    async def open(self, url: str, *, scripts: bool = True) -> Page:
        """A new tab at `url`, loaded; without `scripts` as in a browser that runs none."""
        target = await self.send("Target.createTarget", url="about:blank")
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = self._pages[attached["sessionId"]] = Page(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.send(f"{domain}.enable")
        if not scripts:
            await page.send("Emulation.setScriptExecutionDisabled", value=True)
        await page.send("Page.navigate", url=url)
        await page.until("location.href !== 'about:blank' && document.readyState === 'complete'")
        return page


async def _address(told: Path, process: asyncio.subprocess.Process) -> str:
    """Where the browser listens, from the file that it writes when it does."""
    deadline_s = asyncio.get_running_loop().time() + START_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline_s:
        if process.returncode is not None:
            raise BrowserFailed(f"it ended with code {process.returncode} before it listened")
        if (address := _written(told)) is not None:
            return address
        await asyncio.sleep(POLL_S)
    raise BrowserFailed(f"it does not listen after {START_TIMEOUT_S:g} s")


def _written(told: Path) -> str | None:
    try:
        port, _, path = told.read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        return None
    return f"ws://127.0.0.1:{port}{path.strip()}" if path else None


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it; its helpers end with it."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
