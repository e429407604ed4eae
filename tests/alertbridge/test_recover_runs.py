"""Runs from an alert to their end: tries, crashes, stops, questions, and what people are told. Time is virtual."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.recover.approvals import Answer
from alertbridge.recover.course import backoff_s
from alertbridge.recover.model import Reason, RunState
from alertbridge.recover.telling import Matter
from tests.fakes.recovery_scene import Ear, Message, Tally
from tests.fakes.recovery_schedules import CODE
from tests.fakes.recovery_story import Story, told


def test_pauses_between_tries_double_up_to_half_a_minute() -> None:
    """1, 2, 4, 8, 16 and then 30 seconds."""
    assert [backoff_s(attempt) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_an_alert_is_cured_and_told() -> None:
    """One action, verified by the target; who is responsible hears what was done and that it helped."""

    async def tell(story: Story) -> None:
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine)
        assert (run.state, run.acted, run.reason) == (RunState.CURED, 1, "target")
        assert [m.recipient for m in story.scene.ear.messages] == ["noc", "noc"]
        assert story.texts("🔧")
        assert story.texts("✅")
        assert story.scene.ear.woken == ["noc", "noc"]
        assert story.scene.tally.outcomes == {"cured": 1}
        await engine.stop()

    told(tell)


def test_why_an_action_is_not_repeated_is_told() -> None:
    """What it said of itself reaches the person who must look, not only that its outcome is unknown."""

    async def tell(story: Story) -> None:
        story.it.script.append("bug")
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine)
        assert run.state is RunState.INTERRUPTED
        assert "a fault in the action" in story.texts("\u2753")[0]
        await engine.stop()

    told(tell, action="mend_once")


def test_indonesians_read_reasons_in_their_language() -> None:
    """A reason that has Indonesian words is told in them; a word that has none stays as it is."""
    matter = Matter("mend", "Broken", Severity.CRITICAL, {}, "mend", "thing:a", reason="cooldown", detail="x")
    assert "masih masa jeda" in matter.text("stays", "id")
    assert "its cooldown is not over; x" in matter.text("stays", "en")
    assert "odd word" in replace(matter, reason="odd_word").text("stays", "id")
    failed = replace(matter, reason="no_permission", detail="the user 'x' needs the policy \"write\"")
    assert "hak akses kurang" in (text := failed.text("exhausted", "id"))
    assert "policy" not in text
    assert "policy" in failed.text("exhausted", "en")


@pytest.mark.parametrize(("language", "told"), [("id", "sampai"), ("en", "until")])
def test_how_long_a_lock_lasts_is_told_in_every_language(language: str, told: str) -> None:
    """Without it nobody knows whether to wait or to act."""
    matter = Matter(
        "mend", "A", Severity.CRITICAL, {}, "mend", "bot:a", detail="no new chats until 2026-11-22T17:05:00Z"
    )
    assert f"{told} 2026-11-22T17:05:00Z" in matter.text("refused", language)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", ["exhausted", "refused", "interrupted"])
def test_the_page_for_pairing_ends_the_message(kind: str, language: str) -> None:
    """Nothing follows the address on its line, so that a phone opens it as it is."""
    matter = Matter(
        "mend", "A", Severity.CRITICAL, {}, "mend", "bot:a", detail="pair it at http://bot.example/qr"
    )
    assert matter.text(kind, language).endswith(" http://bot.example/qr")


def test_who_waits_for_the_runs_of_now_waits_until_they_are_over() -> None:
    """What they act with can be closed then; without any there is nothing to wait for."""

    async def tell(story: Story) -> None:
        story.it.takes_s = 4
        engine = await story.begun()
        await engine.drained()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.acted()
        await engine.drained()
        assert (await story.last()).state is RunState.CURED
        await engine.stop()

    told(tell)


class Stumbling(Tally):
    """Fails the first time that it counts how recovery stands."""

    def __init__(self) -> None:
        super().__init__()
        self.falls = 1

    def recovering(self, running: int, *, paused: bool) -> None:
        super().recovering(running, paused=paused)
        self.falls -= 1
        if self.falls >= 0:
            raise ZeroDivisionError("a fault in a round")


def test_a_fault_in_a_round_is_not_the_end_of_recovery() -> None:
    """What fires is looked at again in the next round all the same."""

    async def tell(story: Story) -> None:
        story.scene.tally = Stumbling()
        engine = await story.begun()
        await asyncio.sleep(1)
        await story.scene.fires(thing="a")  # the engine is told nothing: only a round can find it
        assert (await story.ended(engine)).state is RunState.CURED
        await engine.stop()

    told(tell)


class Hoarse(Ear):
    """Cannot say the first time that something is cured."""

    async def enqueue(self, kind: Kind, recipient: str, body: Body, **more: Any) -> int:
        if body.text.startswith("\u2705") and not self.texts("\u2705"):
            self.messages.append(Message(recipient, body.text, Severity.INFO))
            raise ZeroDivisionError("a fault in telling")
        return await super().enqueue(kind, recipient, body, **more)


def test_a_run_that_a_fault_left_undriven_is_taken_up_again() -> None:
    """At its verification, once its lease is over; its target is not held for good, and nothing is done twice."""

    async def tell(story: Story) -> None:
        story.scene.ear = Hoarse()
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine)
        assert (run.state, run.acted, len(story.it.acts)) == (RunState.CURED, 1, 1)
        await engine.stop()

    told(tell)


@pytest.mark.parametrize("word", ["useless", "fail"])
def test_tries_run_out_and_a_person_is_told(word: str) -> None:
    """Three tries with their pauses, then no more for this alert, and the one above is told as well."""

    async def tell(story: Story) -> None:
        story.it.default = word
        engine = await story.begun()
        change = await story.scene.fires(thing="a")
        engine.episode_changed(change)
        run = await story.ended(engine)
        assert (run.state, run.acted) == (RunState.EXHAUSTED, 3)
        began = [act.began_s for act in story.it.acts]
        assert began[1] - began[0] >= 1
        assert began[2] - began[1] >= 2
        assert [m.recipient for m in story.scene.ear.messages if m.text.startswith("🆘")] == ["noc", "boss"]
        await asyncio.sleep(3000)
        assert len(story.it.acts) == 3
        assert story.scene.tally.gave_up == {"mend": True}
        engine.episode_changed(await story.scene.ends(change))
        await asyncio.sleep(40)
        assert story.scene.tally.gave_up == {"mend": False}
        await engine.stop()

    told(tell)


def test_the_next_step_is_taken_when_one_does_not_help() -> None:
    """Steps in their order; each target is held from the beginning."""

    async def tell(story: Story) -> None:
        section = story.scene.section.model_dump(by_alias=True)
        step = section["rules"][0]["steps"][0]
        section["rules"][0]["steps"] = [step | {"tries": 1}, step | {"tries": 1, "action": "mend_once"}]
        story.scene.section = type(story.scene.section).model_validate(section)
        story.it.script.extend(["useless", "mend"])
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine)
        assert (run.state, [act.action for act in story.it.acts]) == (RunState.CURED, ["mend", "mend_once"])
        await engine.stop()

    told(tell)


@pytest.mark.parametrize("reason", ["logged_out", "banned", "timelocked", "needs_pairing"])
def test_what_only_a_person_can_mend_is_left_alone(reason: str) -> None:
    """Not one action after the verdict, and the person is told at once how to pair again."""

    async def tell(story: Story) -> None:
        story.it.before = reason
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine, 60)
        assert (run.state, run.reason, story.it.acts) == (RunState.REFUSED, reason, [])
        assert any("http://bot.example/qr" in text for text in story.texts("🆘"))
        await asyncio.sleep(3600)
        assert story.it.acts == []
        assert len(await story.scene.runs()) == 1
        await engine.stop()

    told(tell)


def test_nothing_is_done_to_what_is_well() -> None:
    """An alert that lags behind a cure causes no run, and the reason is stored."""

    async def tell(story: Story) -> None:
        story.it.well = True
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await asyncio.sleep(60)
        assert await story.scene.runs() == []
        assert [one.reason for one in await engine.decided()] == [Reason.TARGET_WELL.value]
        assert (await engine.decided())[0].times == 1
        await engine.stop()

    told(tell)


def test_a_cooldown_begins_with_the_action() -> None:
    """The same thing breaks again at once: it waits, and somebody hears that a critical alert stays."""

    async def tell(story: Story) -> None:
        engine = await story.begun()
        first = await story.scene.fires(thing="a")
        engine.episode_changed(first)
        await story.ended(engine)
        story.it.well = False
        await asyncio.sleep(580)
        assert len(story.it.acts) == 1
        assert len(story.texts("⚠️ Broken stays")) == 2
        await asyncio.sleep(60)
        assert len(story.it.acts) == 2
        assert story.texts("⚠️ thing:a was cured 2 times")
        await engine.stop()

    told(tell)


def test_a_pause_takes_effect_before_the_next_try() -> None:
    """What runs is verified; nothing more begins until somebody resumes."""

    async def tell(story: Story) -> None:
        story.it.default = "useless"
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.acted()
        await engine.pause("budi")
        run = await story.ended(engine)
        assert (run.state, run.reason, len(story.it.acts)) == (RunState.CANCELLED, "paused", 1)
        assert (await engine.status()).paused_by == "budi"
        await asyncio.sleep(700)
        assert len(story.it.acts) == 1
        await engine.resume("budi")
        await asyncio.sleep(60)
        assert len(story.it.acts) > 1
        await engine.stop()

    told(tell)


def test_a_crash_in_the_middle_of_an_action_leads_to_verification() -> None:
    """The process dies while it acts, and the action did its work: it is found out, not done again."""

    async def tell(story: Story) -> None:
        story.it.takes_s = 4
        first = story.store.beside(same_process=False)
        engine = await story.begun(first)
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.acted()
        first.dead = True
        for task in [*engine._tasks, *engine._driven.values()]:
            task.cancel()
        await asyncio.sleep(1)
        assert (await story.last()).state is RunState.ACTING
        story.it.well = True
        again = await story.begun(story.store.beside(same_process=False))
        run = await story.ended(again)
        assert (run.state, run.acted, len(story.it.acts)) == (RunState.CURED, 1, 1)
        await again.stop()

    told(tell)


@pytest.mark.parametrize(("action", "acts"), [("mend", 2), ("mend_once", 1)])
def test_after_a_crash_only_what_may_be_repeated_is(action: str, acts: int) -> None:
    """The target says that it still fails: the next try counts the interrupted one, or a person is told."""

    async def tell(story: Story) -> None:
        story.it.takes_s = 4
        first = story.store.beside(same_process=False)
        engine = await story.begun(first)
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.acted()
        first.dead = True
        for task in [*engine._tasks, *engine._driven.values()]:
            task.cancel()
        again = await story.begun(story.store.beside(same_process=False))
        run = await story.ended(again)
        assert len(story.it.acts) == acts
        assert (run.state, run.acted) == (RunState.CURED if acts == 2 else RunState.INTERRUPTED, acts)
        await again.stop()

    told(tell, action=action)


@pytest.mark.parametrize("word", ["hang", "lose", "bug"])
def test_an_action_that_does_not_tell_how_it_ended_is_verified(word: str) -> None:
    """It hangs, its answer is lost, or it has a fault: the target says what is so."""

    async def tell(story: Story) -> None:
        story.it.script.append(word)
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        run = await story.ended(engine)
        assert run.state is RunState.CURED
        assert run.acted == (1 if word == "lose" else 2)
        await engine.stop()

    told(tell)


def test_what_nobody_can_verify_is_told_as_that() -> None:
    """The target is silent and the alert goes: cured. The alert stays silent too: nobody claims anything."""

    async def tell(story: Story) -> None:
        story.it.mute = True
        engine = await story.begun()
        change = await story.scene.fires(thing="a")
        engine.episode_changed(change)
        await asyncio.sleep(20)
        assert (await story.last()).state is RunState.VERIFYING
        await story.scene.ends(change)
        run = await story.ended(engine)
        assert (run.state, run.reason) == (RunState.CURED, "alert")
        await engine.stop()

    told(tell)


def test_a_question_is_answered_once() -> None:
    """No action before the yes; the code is good once, for the run that it was made for."""

    async def tell(story: Story) -> None:
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await asyncio.sleep(5)
        assert story.it.acts == []
        asked = CODE.search(story.texts("🔐")[0])
        assert asked is not None
        assert (await engine.approve("AAAAAA", "budi")).answer is Answer.WRONG
        assert (await engine.approve(asked[1].lower(), "budi")).answer is Answer.TAKEN
        assert (await engine.approve(asked[1], "budi")).answer is Answer.USED
        run = await story.ended(engine)
        assert (run.state, run.approved_by, len(story.it.acts)) == (RunState.CURED, "budi", 1)
        await engine.stop()

    told(tell, extra="approval: ask")


@pytest.mark.parametrize("says_no", [True, False])
def test_a_no_and_a_silence_end_it(says_no: bool) -> None:
    """Nothing is done, the code is void, and the same alert is not asked about again."""

    async def tell(story: Story) -> None:
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await asyncio.sleep(5)
        asked = CODE.search(story.texts("🔐")[0])
        assert asked is not None
        if says_no:
            assert (await engine.reject(asked[1], "budi")).answer is Answer.TAKEN
        run = await story.ended(engine)
        assert run.state is RunState.CANCELLED
        assert (await engine.approve(asked[1], "budi")).answer in (Answer.USED, Answer.EXPIRED)
        await asyncio.sleep(1000)
        assert (len(await story.scene.runs()), story.it.acts) == (1, [])
        await engine.stop()

    told(tell, extra="approval: ask")


def test_an_operator_asks_for_a_run() -> None:
    """It waits for a code that is that operator's alone, and every limit of the rule holds."""

    async def tell(story: Story) -> None:
        engine = await story.begun()
        assert await engine.request("mendd", {}, "budi") is None
        asked = await engine.request("mend", {"thing": "a"}, "budi")
        assert asked is not None
        assert asked.code
        second = await engine.request("mend", {"thing": "a"}, "siti")
        assert second is not None
        assert second.decision.reason is Reason.BUSY_TARGET
        assert (await engine.approve(asked.code, "siti")).answer is Answer.WRONG
        assert (await engine.approve(asked.code, "budi")).answer is Answer.TAKEN
        run = await story.ended(engine)
        assert (run.state, run.requested_by, len(story.it.acts)) == (RunState.CURED, "budi", 1)
        story.it.well = False
        third = await engine.request("mend", {"thing": "a"}, "budi")
        assert third is not None
        assert third.decision.reason is Reason.COOLDOWN
        missing = await engine.request("mend", {"thing": "c"}, "budi")
        assert missing is not None
        assert missing.decision.reason is Reason.NO_TARGET
        await engine.stop()

    told(tell)


def test_a_dry_run_says_once_what_it_would_do() -> None:
    """Nothing is done, however long the alert stays."""

    async def tell(story: Story) -> None:
        section = story.scene.section.model_dump(by_alias=True)
        section["rules"][0]["dry_run"] = True
        story.scene.section = type(story.scene.section).model_validate(section)
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await asyncio.sleep(500)
        assert (len(story.texts("📝")), story.it.acts, await story.scene.runs()) == (1, [], [])
        await engine.stop()

    told(tell)


def test_two_rules_on_one_target_take_turns() -> None:
    """The second is told that the target is busy, then that it cools down: never both at once."""

    async def tell(story: Story) -> None:
        section = story.scene.section.model_dump(by_alias=True)
        section["rules"] = [section["rules"][0], section["rules"][0] | {"name": "other"}]
        story.scene.section = type(story.scene.section).model_validate(section)
        story.it.takes_s = 3
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.ended(engine)
        await asyncio.sleep(60)
        assert (len(story.it.acts), story.it.at_once) == (1, 1)
        await engine.stop()

    told(tell)


def test_a_new_configuration_holds_from_the_next_step_on() -> None:
    """A rule that is taken away ends its run before the next try."""

    async def tell(story: Story) -> None:
        story.it.default = "useless"
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.acted()
        story.scene.section = type(story.scene.section).model_validate({})
        engine.replace(story.scene.settings())
        run = await story.ended(engine)
        assert not run.under_way
        assert len(story.it.acts) == 1
        await engine.stop()

    told(tell)


def test_texts_of_ones_own() -> None:
    """An operator's words with the alert's labels; one that fails at the moment is replaced by ours."""

    async def tell(story: Story) -> None:
        engine = await story.begun()
        engine.episode_changed(await story.scene.fires(thing="a"))
        await story.ended(engine)
        assert story.texts("Beres: a 1x")
        assert story.texts("🔧")
        await engine.stop()

    extra = 'texts: {cured: "Beres: {{ labels.thing }} {{ tries }}x", acted: "{{ labels.missing }}"}'
    told(tell, extra=extra)
