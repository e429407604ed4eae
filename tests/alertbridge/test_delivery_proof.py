"""Taken is not delivered: proof, deadlines and fallbacks; on both kinds of store."""

import pytest

from alertbridge.alerts import Severity
from alertbridge.config import Config
from alertbridge.deliver.limit.limits import Policy
from alertbridge.deliver.model import Body, Kind, MessageState
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Receipt, StatusEvent, Traits
from alertbridge.store.database import Database
from runtime.loading import ConfigError, parse
from tests.fakes.delivery_bench import Bench, JumpingClock

CRITICAL = Severity.CRITICAL


@pytest.fixture
def clock() -> JumpingClock:
    """A clock that the bench drives."""
    return JumpingClock()


@pytest.fixture
def bench(database: Database, clock: JumpingClock) -> Bench:
    """A delivery on a bench."""
    return Bench(database, clock)


async def test_critical_without_ack_goes_to_the_fallback_in_time(bench: Bench, clock: JumpingClock) -> None:
    """What the gateway took and nobody acknowledged is out by another way within 45 s, and says why."""
    bench.acking = False
    accepted_s = clock.time()
    await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(60)
    [leaving] = bench.sms.sent
    assert leaving.at_s - accepted_s <= 45
    assert leaving.text == "[By sms: wa did not confirm delivery]\nfiring CoreDown"
    assert bench.wa.texts == ["firing CoreDown"]
    assert await bench.notice_states() == {"delivered:fallback": 1}
    assert bench.counted.fallen_back == 1


@pytest.mark.parametrize("held_up_by", ["no_ack", "no_answer", "channel", "unknown"])
async def test_the_fallback_has_ten_seconds_of_its_own(
    bench: Bench, clock: JumpingClock, held_up_by: str
) -> None:
    """Whatever holds a critical message up, another way begins early enough to be slow itself and yet in time."""
    bench.acking = False
    if held_up_by == "channel":
        bench.channels.hold["wa"] = "reconnecting"
    elif held_up_by != "no_ack":
        bench.wa.default = OutcomeClass.RETRY if held_up_by == "no_answer" else OutcomeClass.UNKNOWN
    accepted_s = clock.time()
    await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(60)
    assert 25 <= bench.sms.sent[0].at_s - accepted_s <= 37


@pytest.mark.parametrize("acked", [True, False])
async def test_what_waited_for_its_turn_is_tried_before_the_fallback(bench: Bench, *, acked: bool) -> None:
    """A critical message that a pause held up for 38 s leaves by its channel; only if nothing proves it, the fallback
    tells it within the 45 s."""
    bench.acking = False
    accepted_s = bench.clock.time()
    bench.policies = {"channel": Policy(spacing_s=38.0)}
    await bench.firing("Earlier", recipient="boss")
    await bench.run(1)
    await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(38.5)
    assert bench.wa.texts[-1] == "firing CoreDown"
    bench.acking = acked
    await bench.run(20)
    told = [leaving.at_s - accepted_s for leaving in bench.sms.sent if "CoreDown" in leaving.text]
    assert not told if acked else (told and told[0] <= 46)


async def test_warning_without_ack_goes_to_the_fallback_after_a_minute(
    bench: Bench, clock: JumpingClock
) -> None:
    """Others than critical wait for 60 s."""
    bench.acking = False
    await bench.firing("Warn")
    await bench.run(55)
    assert bench.sms.sent == []
    await bench.run(20)
    assert len(bench.sms.sent) == 1


async def test_a_phone_that_is_off_is_no_dead_channel(bench: Bench) -> None:
    """The server's ack is enough; delivered and read come when they come."""
    await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(200, stride_s=5)
    assert bench.sms.sent == []
    [message] = await bench.all_messages()
    event = StatusEvent("e", message.provider_id, Receipt.READ, at_s=bench.clock.time())
    await bench.delivery.apply_receipt("wa", event)
    [message] = await bench.all_messages()
    assert message.read_at_s is not None
    assert message.delivered_at_s is not None
    assert message.acked_at_s is not None
    assert message.acked_at_s < message.read_at_s


@pytest.mark.parametrize("trouble", ["off", "hold", "retry", "full"])
async def test_critical_is_out_within_its_deadline_whatever_holds_it_up(
    database: Database, clock: JumpingClock, trouble: str
) -> None:
    """Channel stopped, channel being mended, provider down, limits full: the fallback tells it within 45 s."""
    bench = Bench(database, clock)
    match trouble:
        case "off":
            bench.channels.off["wa"] = "stopped"
        case "hold":
            bench.channels.hold["wa"] = "reconnecting"
        case "retry":
            bench.wa.default = OutcomeClass.RETRY
        case "full":
            bench.policies = {}
            held = Outcome(OutcomeClass.RETRY, "rate_limited", retry_after_s=300.0)
            bench.wa.will(held)
            await bench.firing("Earlier")
            await bench.run(3)
    accepted_s = clock.time()
    await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(60)
    told = [leaving for leaving in bench.sms.sent if "CoreDown" in leaving.text]
    assert len(told) == 1
    assert told[0].at_s - accepted_s <= 45
    bench.channels.off.clear()
    bench.channels.hold.clear()
    bench.wa.default = OutcomeClass.ACCEPTED
    await bench.run(1200, stride_s=10)
    assert not any("CoreDown" in text for text in bench.wa.texts)
    assert (await bench.notice_states())["delivered:fallback"] == 1


async def test_a_stopped_channel_sends_everything_the_other_way_at_once(bench: Bench) -> None:
    """A verdict on the channel is no reason to wait for anybody's deadline."""
    bench.channels.off["wa"] = "stopped"
    await bench.firing("Warn")
    await bench.run(5)
    assert bench.sms.texts == ["[By sms: wa cannot be used (it has stopped)]\nfiring Warn"]


async def test_a_late_ack_is_written_down(bench: Bench) -> None:
    """The ack of the original comes after the fallback told it: both are in the record."""
    bench.acking = False
    await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(60)
    bench.acking = True
    await bench.run(5)
    by_channel = {message.channel: message for message in await bench.all_messages()}
    assert by_channel["wa"].state is MessageState.ACKED
    assert by_channel["sms"].state is MessageState.ACKED
    assert len(bench.wa.sent) == 1


async def test_an_ack_that_was_only_late_in_telling_is_asked_for(bench: Bench) -> None:
    """Before the fallback is used the provider is asked, where it can be."""
    bench.acking = False
    await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(5)
    [message] = await bench.all_messages()
    bench.wa.statuses[message.provider_id] = Receipt.DELIVERED
    await bench.run(60)
    assert bench.sms.sent == []
    assert await bench.notice_states() == {"delivered": 1}


async def test_a_receipt_before_the_answer_is_not_lost(bench: Bench) -> None:
    """A webhook that is faster than the store finds its message a moment later."""
    await bench.delivery.apply_receipt("wa", StatusEvent("e", "EARLY", Receipt.DELIVERED))
    bench.acking = False
    bench.wa.will(Outcome(OutcomeClass.ACCEPTED, provider_id="EARLY"))
    await bench.firing("LinkDown")
    await bench.run(5)
    assert await bench.notice_states() == {"delivered": 1}


async def test_what_is_refused_goes_the_other_way(bench: Bench) -> None:
    """A number that the provider refuses for good is told by the fallback."""
    bench.wa.will(Outcome(OutcomeClass.PERMANENT, "bad_number"))
    await bench.firing("Warn")
    await bench.run(5)
    assert bench.sms.texts == ["[By sms: wa cannot be used (bad number)]\nfiring Warn"]
    assert len(bench.wa.sent) == 1


async def test_what_every_way_refuses_is_a_dead_letter(bench: Bench) -> None:
    """All ways failed: the notice is dead, and counted."""
    bench.wa.will(Outcome(OutcomeClass.PERMANENT, "bad_number"))
    bench.sms.will(Outcome(OutcomeClass.PERMANENT, "no_credit"))
    await bench.firing("Warn")
    await bench.run(5)
    assert await bench.notice_states() == {"dead:no_credit": 1}
    assert bench.counted.dead_notices == 1
    assert await bench.bundles_of(MessageState.DEAD) == 1


async def test_failed_after_sent_goes_the_other_way(bench: Bench) -> None:
    """A provider that takes a message and later says that it failed does not have the last word."""
    await bench.firing("Warn")
    await bench.run(5)
    [message] = await bench.all_messages()
    outcome = Outcome(OutcomeClass.PERMANENT, "not_on_whatsapp")
    failed = StatusEvent("e", message.provider_id, Receipt.FAILED, outcome=outcome)
    await bench.delivery.apply_receipt("wa", failed)
    await bench.run(5)
    assert len(bench.sms.sent) == 1
    assert await bench.notice_states() == {"delivered:fallback": 1}


async def test_a_failure_after_delivery_takes_nothing_back(bench: Bench) -> None:
    """What was delivered stays delivered, whatever order the webhooks come in."""
    await bench.firing("Warn")
    await bench.run(5)
    [message] = await bench.all_messages()
    for receipt in (Receipt.DELIVERED, Receipt.FAILED, Receipt.ACKED):
        await bench.delivery.apply_receipt("wa", StatusEvent("e", message.provider_id, receipt))
    await bench.run(5)
    assert bench.sms.sent == []
    assert await bench.notice_states() == {"delivered": 1}


async def test_switch_by_webhook_goes_as_a_template(database: Database, clock: JumpingClock) -> None:
    """A window that turns out to be closed later is met with the template, once."""
    bench = Bench(database, clock, wa=Traits(text_limit=4096, tells_acks=True, has_templates=True))
    bench.acking = False
    await bench.firing("Warn")
    await bench.run(3)
    [message] = await bench.all_messages()
    failed = StatusEvent(
        "e", message.provider_id, Receipt.FAILED, outcome=Outcome(OutcomeClass.SWITCH, "window_closed")
    )
    await bench.delivery.apply_receipt("wa", failed)
    await bench.run(5)
    assert [leaving.message.as_template for leaving in bench.wa.sent] == [False, True]


async def test_unproven_without_another_way_is_a_dead_letter_until_the_ack_comes(bench: Bench) -> None:
    """Nobody can tell whether it arrived: that is said; an ack that comes later is believed."""
    bench.acking = False
    await bench.firing("Warn", recipient="boss")
    await bench.run(700, stride_s=5)
    assert await bench.notice_states() == {"dead:no_ack": 1}
    assert len(bench.wa.sent) == 1
    bench.acking = True
    await bench.run(3)
    assert await bench.notice_states() == {"delivered": 1}


async def test_an_end_follows_its_beginning_to_the_fallback(bench: Bench) -> None:
    """While the beginning still waits for the fallback, its end does not overtake it on the first way."""
    bench.wa.default = OutcomeClass.RETRY
    bench.sms.default = OutcomeClass.RETRY
    episode = await bench.firing("CoreDown", severity=CRITICAL)
    await bench.run(44)
    assert bench.sms.sent
    bench.wa.default = OutcomeClass.ACCEPTED
    await bench.resolve(episode)
    await bench.run(10)
    bench.sms.default = OutcomeClass.ACCEPTED
    await bench.run(120)
    told = [leaving for leaving in (*bench.wa.sent, *bench.sms.sent) if leaving.outcome.provider_id]
    told.sort(key=lambda leaving: leaving.at_s)
    whole = "\n".join(leaving.text for leaving in told)
    assert "resolved" not in whole or whole.index("firing CoreDown") < whole.index("resolved CoreDown")
    states = await bench.notice_states()
    assert sum(states.values()) == 2
    assert not any(state.startswith(("pending", "composed")) for state in states)


async def test_a_system_announcement_takes_the_fallback(bench: Bench) -> None:
    """A channel that stopped is told over another one."""
    bench.channels.off["wa"] = "stopped"
    await bench.delivery.enqueue(Kind.SYSTEM, "noc", Body("channel wa has stopped"), severity=CRITICAL)
    await bench.run(5)
    assert len(bench.sms.sent) == 1
    assert "channel wa has stopped" in bench.sms.texts[0]


async def test_a_reply_is_not_told_by_sms_and_expires(bench: Bench) -> None:
    """An answer that cannot be given in time is dropped, not given an hour later."""
    bench.channels.hold["wa"] = "reconnecting"
    await bench.delivery.enqueue(Kind.REPLY, "noc", Body("hello"), deadline_s=60)
    await bench.run(200, stride_s=2)
    bench.channels.hold.clear()
    await bench.run(10)
    assert bench.wa.sent == []
    assert bench.sms.sent == []
    assert await bench.notice_states() == {"expired:too_late": 1}


def test_a_lead_that_leaves_no_time_is_refused() -> None:
    """Whatever is critical would take the fallback before the channel could be tried."""
    ways = "channels: [{name: wa, kind: console}]\nrecipients: [{name: noc, channel: wa, to: noc}]\n"
    assert parse(ways, Config).sending.lead_s == 10
    with pytest.raises(ConfigError, match=r"lead_s: must be shorter than .* critical_s, which is 8"):
        parse(f"{ways}accept: {{deadlines: {{critical_s: 8}}}}", Config)
