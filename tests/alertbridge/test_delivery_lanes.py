"""What a lane sends, when, and in which order; on both kinds of store."""

import pytest

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body, Kind, MessageState
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Traits
from alertbridge.store.database import Database
from tests.fakes.delivery_bench import Bench, JumpingClock


@pytest.fixture
def clock() -> JumpingClock:
    """A clock that the bench drives."""
    return JumpingClock()


@pytest.fixture
def bench(database: Database, clock: JumpingClock) -> Bench:
    """A delivery on a bench."""
    return Bench(database, clock)


async def test_an_alert_is_told_and_proven(bench: Bench) -> None:
    """One alert is one message, delivered when its ack is there."""
    await bench.firing("LinkDown")
    await bench.run(5)
    assert bench.wa.texts == ["firing LinkDown"]
    assert await bench.notice_states() == {"delivered": 1}
    [message] = await bench.all_messages()
    assert (message.state, message.attempts, message.reason) == (MessageState.ACKED, 1, "")


async def test_alerts_of_a_group_are_one_message(bench: Bench) -> None:
    """What Alertmanager sent together is told together."""
    for name in ("A", "B", "C"):
        await bench.firing(name, group="site-1")
    await bench.run(5)
    assert bench.wa.texts == ["GROUP\nfiring A\nfiring B\nfiring C"]


async def test_many_groups_are_a_digest(bench: Bench) -> None:
    """More groups than a person reads one by one are folded, the worst named first."""
    for number in range(6):
        await bench.firing(f"W{number}", group=f"g{number}")
    await bench.run(5)
    assert [text.splitlines()[0] for text in bench.wa.texts] == ["DIGEST of 6"]
    assert await bench.notice_states() == {"merged": 6}


async def test_critical_goes_first(bench: Bench) -> None:
    """A critical alert passes warnings that waited for longer."""
    await bench.firing("Warn", group="a")
    await bench.firing("Crit", group="b", severity=Severity.CRITICAL)
    await bench.run(5)
    assert bench.wa.texts == ["firing Crit", "firing Warn"]


async def test_an_end_before_its_beginning_was_told_cancels_both(bench: Bench) -> None:
    """What began and ended before there was time to tell it is not told, and the account says why."""
    episode = await bench.firing("Blip")
    await bench.resolve(episode)
    await bench.run(5)
    assert bench.wa.texts == []
    assert await bench.notice_states() == {"expired:resolved_before_told": 2}


async def test_an_end_is_told_when_the_beginning_was(bench: Bench) -> None:
    """An end follows its beginning."""
    episode = await bench.firing("LinkDown")
    await bench.run(5)
    await bench.resolve(episode)
    await bench.run(10)
    assert bench.wa.texts == ["firing LinkDown", "resolved LinkDown"]


@pytest.mark.timeout(600)
async def test_an_end_is_told_when_the_beginning_may_have_been(bench: Bench) -> None:
    """A beginning of which nobody knows whether it arrived is not swallowed together with its end."""
    bench.acking = False
    bench.wa.will(OutcomeClass.UNKNOWN)
    episode = await bench.firing("LinkDown", recipient="boss")
    await bench.run(2)
    await bench.resolve(episode, recipient="boss")
    await bench.run(120)
    assert bench.wa.texts == ["firing LinkDown", "(ulang) firing LinkDown", "resolved LinkDown"]


async def test_what_failed_is_tried_again_in_order(bench: Bench) -> None:
    """Nothing overtakes a message that must be tried again."""
    bench.wa.will(OutcomeClass.RETRY, OutcomeClass.RETRY)
    episode = await bench.firing("LinkDown")
    await bench.run(2)
    await bench.resolve(episode)
    await bench.run(30)
    assert bench.wa.texts == ["firing LinkDown", "resolved LinkDown"]
    assert len(bench.wa.sent) == 4
    assert len({leaving.message.id for leaving in bench.wa.sent}) == 2


async def test_retry_after_is_respected(bench: Bench, clock: JumpingClock) -> None:
    """A provider that asks for 50 s gets them."""
    bench.wa.will(Outcome(OutcomeClass.RETRY, "rate_limited", retry_after_s=50.0))
    await bench.firing("LinkDown", recipient="boss")
    await bench.run(120)
    first, second = bench.wa.sent
    assert 50 <= second.at_s - first.at_s <= 52


async def test_unknown_is_repeated_with_the_same_id_where_that_helps(
    database: Database, clock: JumpingClock
) -> None:
    """A provider that knows our ids gets the same one again, unmarked, and it arrives once."""
    bench = Bench(database, clock, wa=Traits(text_limit=4096, acks_on_accept=True, takes_our_id=True))
    bench.wa.will(OutcomeClass.UNKNOWN)
    await bench.firing("LinkDown")
    await bench.run(20)
    assert bench.wa.texts == ["firing LinkDown"]
    assert len(bench.wa.sent) == 2
    assert len({leaving.message.id for leaving in bench.wa.sent}) == 1


async def test_a_retry_after_what_may_be_out_is_marked(database: Database, clock: JumpingClock) -> None:
    """A server error that says to come again does not say that nothing arrived: the second one is a repeat."""
    bench = Bench(database, clock, wa=Traits(text_limit=4096, acks_on_accept=True))
    bench.wa.will(Outcome(OutcomeClass.RETRY, "server_error", may_be_out=True), OutcomeClass.RETRY)
    await bench.firing("LinkDown", recipient="boss")
    await bench.run(30)
    assert [leaving.text for leaving in bench.wa.sent] == [
        "firing LinkDown",
        "(ulang) firing LinkDown",
        "(ulang) firing LinkDown",
    ]
    assert await bench.notice_states() == {"delivered": 1}


async def test_another_way_says_that_it_may_be_a_duplicate(bench: Bench) -> None:
    """What may be out on the first way is not told over the second one as if it were not."""
    bench.wa.will(*[Outcome(OutcomeClass.RETRY, "server_error", may_be_out=True)] * 40)
    await bench.firing("LinkDown", severity=Severity.CRITICAL)
    await bench.run(45)
    [text] = bench.sms.texts
    assert text.startswith("[By sms: whether wa sent it is unknown; perhaps a duplicate]")


async def test_a_channel_that_answers_switch_gets_a_template(database: Database, clock: JumpingClock) -> None:
    """Outside the window the same message goes as a template, once."""
    bench = Bench(database, clock, wa=Traits(text_limit=4096, acks_on_accept=True, has_templates=True))
    bench.wa.will(OutcomeClass.SWITCH)
    await bench.firing("LinkDown")
    await bench.run(10)
    assert [leaving.message.as_template for leaving in bench.wa.sent] == [False, True]
    assert bench.wa.sent[1].message.template_fields["title"] == "firing LinkDown"
    assert await bench.notice_states() == {"delivered": 1}


async def test_a_long_text_goes_in_parts_and_only_what_failed_again(
    database: Database, clock: JumpingClock
) -> None:
    """Parts are messages of their own: part 1 is not sent twice because part 2 failed."""
    bench = Bench(database, clock, wa=Traits(text_limit=1200, acks_on_accept=True))
    bench.wa.will(OutcomeClass.ACCEPTED, OutcomeClass.RETRY)
    await bench.firing("X" * 1500)
    await bench.run(30)
    assert len(bench.wa.sent) == 3
    assert bench.wa.sent[1].message.id == bench.wa.sent[2].message.id
    assert len(bench.wa.texts) == 2
    assert await bench.notice_states() == {"delivered": 1}


async def test_quiet_hours_hold_and_then_fold(bench: Bench) -> None:
    """What was held overnight is folded in the morning; what ended meanwhile is not told."""
    for number in range(5):
        episode = await bench.firing(f"Held{number}", group=f"g{number}", not_before_in_s=7200)
    await bench.resolve(episode)
    await bench.run(7100, stride_s=600)
    assert bench.wa.texts == []
    await bench.run(200, stride_s=10)
    assert [text.splitlines()[0] for text in bench.wa.texts] == ["DIGEST of 4"]
    assert await bench.notice_states() == {"merged": 4, "expired:resolved_before_told": 2}


async def test_replies_go_before_alerts_and_through_storms(bench: Bench) -> None:
    """An operator's question is answered while alerts wait."""
    for number in range(40):
        await bench.firing(f"W{number}", group=f"g{number}")
    await bench.delivery.enqueue(Kind.REPLY, "noc", Body("all is well"))
    await bench.run(8)
    assert bench.wa.texts[0] == "all is well"
    assert bench.wa.texts[1].startswith("DIGEST of 40")


async def test_a_picture_goes_with_a_finished_text(database: Database, clock: JumpingClock) -> None:
    """A report's picture reaches the provider."""
    bench = Bench(database, clock, wa=Traits(text_limit=4096, acks_on_accept=True, sends_images=True))
    await bench.delivery.enqueue(Kind.REPORT, "noc", Body("yesterday", image_png=b"\x89PNG", quote_id="Q1"))
    await bench.run(3)
    [leaving] = bench.wa.sent
    assert leaving.message.image is not None
    assert leaving.message.image.png == b"\x89PNG"
    assert leaving.message.quote_id == "Q1"


async def test_a_finished_text_about_an_alert_is_told_as_it_is(bench: Bench) -> None:
    """What recovery says of an alert reaches people in its own words."""
    episode = await bench.firing("First")
    await bench.run(2)
    await bench.delivery.enqueue(Kind.SYSTEM, "noc", Body("run it? yes 1234"), episode_id=episode)
    await bench.run(8)
    assert bench.wa.texts == ["firing First", "run it? yes 1234"]


async def test_two_recipients_do_not_wait_for_each_other(bench: Bench) -> None:
    """A lane that must try again holds up nobody else."""
    bench.wa.will(Outcome(OutcomeClass.RETRY, "rate_limited", retry_after_s=40.0))
    await bench.firing("First", recipient="boss")
    await bench.run(2)
    await bench.firing("Second", recipient="noc")
    await bench.run(10)
    assert bench.wa.texts == ["firing Second"]


async def test_recipient_that_is_gone_is_a_dead_letter(bench: Bench) -> None:
    """What waits for somebody whom the configuration no longer knows is reported, not forgotten."""
    await bench.firing("LinkDown", recipient="nobody")
    await bench.run(3)
    assert await bench.notice_states() == {"dead:recipient_gone": 1}
    assert bench.counted.dead_notices == 1
