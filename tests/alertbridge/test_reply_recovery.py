"""Running an action by message with the real engine: codes, roles, replays, the switch. Time is virtual."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from alertbridge.deliver.model import Body
from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.recover import audit
from alertbridge.recover.engine import Engine
from alertbridge.recover.model import RunState
from alertbridge.recover.undoing import Refusal
from alertbridge.reply.config import RepliesSection
from alertbridge.reply.hands import Hands
from alertbridge.reply.replies import Neighbours, Replies
from alertbridge.reply.texts import TEXTS
from alertbridge.reply.trail import Trail
from tests.fakes.fast_store import FastStore
from tests.fakes.recovery_scene import Scene, section_of
from tests.fakes.recovery_schedules import LoopClock
from tests.fakes.replying import ADMIN, JAKARTA, OPERATOR, SECTION, VIEWER, Counts, Ear, Intake
from tests.fakes.scripted_action import ScriptedMaker
from tests.fakes.virtual_loop import VirtualLoop

RULES = """
tell: noc
rules:
  - name: mend
    match: {labels: 'alertname="Broken"'}
    dry_run: false
    steps:
      - action: mend
        with: {target: "{{ labels.thing }}"}
        tries: 1
        verify: {target_s: 3, stable_s: 0, settle_s: 60, deadline_s: 90}
  - name: big-hammer
    match: {labels: 'alertname="Worse"'}
    dry_run: false
    steps:
      - action: mend_asked
        with: {target: "{{ labels.thing }}"}
        tries: 1
        verify: {target_s: 3, stable_s: 0, settle_s: 60, deadline_s: 90}
  - name: ask-first
    match: {labels: 'alertname="Asked"'}
    approval: ask
    dry_run: false
    steps:
      - action: mend
        with: {target: "{{ labels.thing }}"}
        tries: 1
        verify: {target_s: 3, stable_s: 0, settle_s: 60, deadline_s: 90}
  - name: off
    match: {labels: 'alertname="Other"'}
    approval: "off"
    steps: [{action: mend, with: {target: a}}]
"""
CODE = re.compile(r"\*(?:yes|ya) ([0-9A-Z]{6})\*")


class Story:
    """An engine, the things `a` and `b` that are broken, and people who write."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.clock = LoopClock(loop)
        store = FastStore()
        self.maker = ScriptedMaker(self.clock, "a", "b")
        self.scene = Scene(store.database, self.clock, self.maker, section_of(RULES))
        self.engine: Engine = self.scene.engine()
        self.ear = Ear()
        self.counts = Counts()
        self.replies = Replies(
            RepliesSection.model_validate(SECTION),
            Neighbours(
                store.database,
                self.ear,
                Intake(),
                Trail(store.database, self.clock),
                self.counts,
                JAKARTA,
                "id",
                recovery=Hands(self.engine, self.scene.settings),
            ),
            self.clock,
        )
        self._sent = 0

    async def write(self, text: str, number: str = OPERATOR, **more: Any) -> str:
        """The answer."""
        self._sent += 1
        known = {
            "event_id": f"{self._sent}",
            "provider_id": f"{self._sent}",
            "chat": number,
            "number": number,
        }
        event = MessageEvent(**{**known, "lid": "", "text": text, "at_s": self.clock.time(), **more})
        await self.replies.message("wa", event)
        body: Body = self.ear.told[-1].body
        return body.text

    async def code(self, text: str, number: str = OPERATOR) -> str:
        """The code that is asked for."""
        found = CODE.search(await self.write(text, number))
        assert found is not None, self.ear.told[-1]
        return found[1]

    def asked(self, rule: str = "") -> str:
        """The code of the question that the engine put to people about `rule`."""
        (text,) = (text for text in self.scene.ear.texts("\U0001f510") if rule in text)
        found = re.search("(?:yes|ya) ([0-9A-Z]{6})", text)
        assert found is not None, text
        return found[1]

    def acts(self, name: str = "a") -> int:
        return len(self.maker.targets[name].acts)


def told(tell: Callable[[Story], Awaitable[None]]) -> None:
    """Plays a story; what it leaves running is ended."""
    loop = VirtualLoop()

    async def play() -> None:
        story = Story(loop)
        await story.engine.start()
        await tell(story)
        await story.engine.stop()

    try:
        loop.run_until_complete(play())
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
    finally:
        loop.close()


def test_an_action_runs_once_for_its_code() -> None:
    """Nothing before the code comes back, once when it does, and never again for the same code."""

    async def tell(story: Story) -> None:
        code = await story.code("run mend thing=a")
        await asyncio.sleep(5)
        assert story.acts() == 0
        assert "tidak cocok" in await story.write(f"ya {code}", ADMIN)
        assert "needs the role" in await story.write(f"yes {code}", VIEWER)
        assert story.acts() == 0
        assert "Approved" in await story.write(f"yes {code.lower()}")
        await asyncio.sleep(30)
        assert story.acts() == 1
        assert (await story.scene.runs())[-1].state is RunState.CURED
        for _ in range(3):
            assert "used already" in await story.write(f"yes {code}")
        await asyncio.sleep(30)
        assert story.acts() == 1

    told(tell)


def test_a_code_expires() -> None:
    """After two minutes it is good for nothing, and the run is off."""

    async def tell(story: Story) -> None:
        code = await story.code("run mend thing=a")
        await asyncio.sleep(125)
        assert re.search("good no more|used already", await story.write(f"yes {code}"))
        await asyncio.sleep(30)
        assert story.acts() == 0

    told(tell)


def test_a_no_calls_it_off() -> None:
    """The same code cannot be used for a yes afterwards."""

    async def tell(story: Story) -> None:
        code = await story.code("run mend thing=a")
        assert "nothing is done" in await story.write(f"no {code}")
        await story.write(f"yes {code}")
        await asyncio.sleep(30)
        assert story.acts() == 0

    told(tell)


def test_what_always_asks_is_for_admins() -> None:
    """An operator can neither ask for it nor say yes to it; an admin can."""

    async def tell(story: Story) -> None:
        assert "big-hammer*: mend_asked [admin]" in (offers := await story.write("actions"))
        assert "off" not in offers
        assert "admin only" in await story.write("run big-hammer thing=b")
        code = await story.code("jalankan big-hammer thing=b", ADMIN)
        assert "does not fit" in await story.write(f"yes {code}")
        assert story.acts("b") == 0
        await story.write(f"ya {code}", ADMIN)
        await asyncio.sleep(30)
        assert story.acts("b") == 1

    told(tell)


def test_an_automatic_run_that_needs_an_admin() -> None:
    """A rule asks whoever it tells; an operator's yes is not enough, and does not use the code up."""

    async def tell(story: Story) -> None:
        story.engine.episode_changed(await story.scene.fires("Worse", thing="b"))
        await asyncio.sleep(5)
        code = story.asked()
        assert "needs an admin" in await story.write(f"yes {code}")
        assert "does not fit" in await story.write("yes AAAAAA")
        assert story.acts("b") == 0
        await story.write(f"ya {code}", ADMIN)
        await asyncio.sleep(30)
        assert story.acts("b") == 1

    told(tell)


def test_operators_say_yes_while_an_admin_is_asked_something_else() -> None:
    """Each code is about its own run: one that waits for an admin is in nobody's way."""

    async def tell(story: Story) -> None:
        story.engine.episode_changed(await story.scene.fires("Worse", thing="b"))
        story.engine.episode_changed(await story.scene.fires("Asked", thing="a"))
        await asyncio.sleep(5)
        assert "Approved" in await story.write(f"yes {story.asked('ask-first')}")
        await asyncio.sleep(30)
        assert (story.acts("a"), story.acts("b")) == (1, 0)

    told(tell)


def test_limits_hold_for_people() -> None:
    """A cooldown, a target that is not there and an action that nobody knows are said, not run."""

    async def tell(story: Story) -> None:
        code = await story.code("run mend thing=a")
        await story.write(f"yes {code}")
        await asyncio.sleep(30)
        story.maker.targets["a"].well = False
        assert "cooldown" in await story.write("run mend thing=a")
        assert "not configured" in await story.write("run mend thing=nowhere")
        assert "no action" in await story.write("run off thing=a")
        assert story.acts() == 1

    told(tell)


def test_pause_and_resume_reach_the_engine() -> None:
    """Paused, nothing can be run; the audit has who did it, and its chain holds."""

    async def tell(story: Story) -> None:
        assert "dijeda" in await story.write("jeda", ADMIN)
        assert "paused by Ayu" in await story.write("status")
        assert "paused" in await story.write("run mend thing=a")
        assert "jalan lagi" in await story.write("lanjutkan", ADMIN)
        assert await story.code("run mend thing=a")
        proof = await audit.verify(story.scene.database)
        assert proof.holds
        entries = [line async for line in audit.export(story.scene.database)]
        assert any('"actor":"operator:Ayu"' in line and '"event":"reply.pause"' in line for line in entries)
        assert any('"event":"paused"' in line for line in entries)

    told(tell)


def test_an_admin_takes_a_run_back() -> None:
    """Asked for by its number, done for its code, refused to others and a second time."""

    async def tell(story: Story) -> None:
        await story.write(f"yes {await story.code('run mend thing=a')}")
        await asyncio.sleep(30)
        assert "needs the role" in await story.write("undo 1")
        assert "batalkan NOMOR-RUN" in await story.write("undo", ADMIN)
        assert "Tidak ada run 9" in await story.write("batalkan 9", ADMIN)
        code = await story.code("batalkan 1", ADMIN)
        assert "mend thing:a" in story.ear.told[-1].body.text
        assert "does not fit" in await story.write(f"yes {code}")
        assert story.maker.targets["a"].undos == []
        await story.write(f"ya {code}", ADMIN)
        await asyncio.sleep(10)
        assert len(story.maker.targets["a"].undos) == 1
        assert "sudah dibatalkan" in await story.write("undo #1", ADMIN)
        entries = [line async for line in audit.export(story.scene.database)]
        assert any('"event":"reply.undo"' in line for line in entries)

    told(tell)


def test_every_refusal_has_its_sentence() -> None:
    """Whatever recovery says to a wish, there is a text for it in both languages."""
    assert all(f"undo_{one.name.lower()}" in TEXTS for one in Refusal)
