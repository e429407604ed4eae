"""The example of the documentation is a program: what it serves is what the exporter asks for."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.config_bots import BotSection
from exporter.probes.bot import Bot
from tests.fakes.exporter_process import free_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "bot-health.md"
PLAY = """
import { EventEmitter } from "node:events";
const sock = { ev: new EventEmitter(), ws: new EventEmitter() };
watch(sock);
const steps = {
  open: () => { sock.ws.emit("frame"); sock.ev.emit("connection.update", { connection: "open" }); },
  send: () => sent("m1"),
  ack: () => sock.ev.emit("messages.update", [{ key: { id: "m1" }, update: { status: 2 } }]),
  receive: () => sock.ev.emit("messages.upsert", { messages: [{ key: { fromMe: false } }, { key: { fromMe: true } }] }),
  logout: () => sock.ev.emit("connection.update",
    { connection: "close", lastDisconnect: { error: { output: { statusCode: 401 } } } }),
  qr: () => sock.ev.emit("connection.update", { qr: "2@x" }),
};
process.stdin.on("data", (line) => { steps[line.toString().trim()](); console.log("done"); });
console.log("ready");
"""


class Example:
    """The program, fed with events as Baileys has them."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._process = process
        section = BotSection.model_validate(
            {"name": "noc", "kind": "baileys", "url": f"http://127.0.0.1:{port}"}
        )
        self._bot = Bot(section)
        self._read("ready")

    def _read(self, wanted: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == wanted

    def step(self, name: str) -> dict[str, float]:
        """What is measured after an event; of sets, the ones that hold."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        self._read("done")
        return {
            one.labels.get("state", one.family.name.removeprefix("whatsapp_bot_")): one.value
            for one in self._bot.measure()
            if one.value or "state" not in one.labels
        }


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Example]:
    found = re.search(r"```js\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    port = free_port()
    assert "listen(3000," in found[1]
    program = tmp_path / "bot.mjs"
    program.write_text(found[1].replace("listen(3000,", f"listen({port},") + PLAY, encoding="utf-8")
    process = subprocess.Popen(
        ["node", str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Example(process, port)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.mark.system("node")
def test_the_example_tells_what_happens_to_it(example: Example) -> None:
    """Opened, a message sent, acknowledged, one received, logged out: each is seen."""
    found = example.step("open")
    assert (found["up"], found["connected"], found["open"]) == (1, 1, 1)
    assert found["reconnects_total"] == 0
    assert found["last_frame_timestamp_seconds"] > 1.7e9
    found = example.step("send")
    assert (found["messages_sent_total"], "oldest_unacked_timestamp_seconds" in found) == (1, True)
    found = example.step("ack")
    assert ("last_ack_timestamp_seconds" in found, "oldest_unacked_timestamp_seconds" in found) == (
        True,
        False,
    )
    found = example.step("receive")
    assert found["messages_received_total"] == 1
    found = example.step("logout")
    assert (found["connected"], found["logged_out"], found["last_disconnect_code"]) == (0, 1, 401)
    found = example.step("open")
    assert (found["connected"], found["reconnects_total"]) == (1, 1)
    found = example.step("qr")
    assert found["needs_qr"] == 1
