"""What becomes of waiting notices, without a store: properties of the plan, and of storms' pauses."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alertbridge.alerts import Severity
from alertbridge.deliver.composing import (
    Plan,
    Sent,
    Situation,
    open_elsewhere,
    plan,
    storm_pause_s,
    waiting_here,
)
from alertbridge.deliver.deliveryconfig import FoldingSection
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import Kind, MessageKind, NoticeState
from alertbridge.deliver.outbox.rows import Head

FOLDING = FoldingSection()
NOW_S = 1_700_000_000.0


def head(number: int, kind: Kind = Kind.FIRING, *, episode: int | None = None, **changes: object) -> Head:
    """A waiting notice."""
    made = Head(
        id=number,
        kind=kind,
        severity=Severity.WARNING,
        state=NoticeState.PENDING,
        way=0,
        why="",
        reason="",
        episode_id=number if episode is None else episode,
        fingerprint=f"f{number if episode is None else episode}",
        group_key="",
        created_at_s=NOW_S - 10,
        deadline_at_s=NOW_S + 600,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # fields of Head


def situation(*waiting: Head, age_s: float = 10.0, **changes: object) -> Situation:
    """A quiet lane."""
    made = Situation(now_s=NOW_S, ages_s={one.id: age_s for one in waiting}, told={})
    return replace(made, **changes)  # type: ignore[arg-type] # fields of Situation


def planned(*waiting: Head, **changes: object) -> Plan:
    """The plan for a lane in which these wait."""
    return plan(waiting, situation(*waiting, **changes), FOLDING)  # type: ignore[arg-type]


def test_nothing_waits() -> None:
    """An empty lane does nothing."""
    assert planned() == Plan()


def test_a_notice_waits_a_moment_for_others() -> None:
    """A second is given to what comes together."""
    assert planned(head(1), age_s=0.2).wait_s == 0.8


def test_critical_singles_come_before_the_digest() -> None:
    """A few critical ones among many are told by themselves first."""
    waiting = [head(number) for number in range(1, 8)]
    urgent = head(8, severity=Severity.CRITICAL)
    draft = planned(*waiting, urgent).draft
    assert draft is not None
    assert (draft.kind, draft.heads, draft.room) == (MessageKind.SINGLE, (urgent,), Room.CRITICAL)


def test_critical_folds_when_its_room_is_full() -> None:
    """Without room for singles they are folded, and the digest has the room of what is critical."""
    waiting = [head(number) for number in range(1, 8)]
    urgent = head(8, severity=Severity.CRITICAL)
    draft = planned(*waiting, urgent, waited=True).draft
    assert draft is not None
    assert (draft.kind, len(draft.heads), draft.room) == (MessageKind.DIGEST, 8, Room.CRITICAL)


def test_an_end_of_which_no_beginning_is_known_is_told() -> None:
    """A beginning whose notice retention has deleted was told; its end is."""
    draft = planned(head(5, Kind.RESOLVED, episode=1)).draft
    assert draft is not None


def test_a_reminder_is_dropped_when_the_end_is_there() -> None:
    """Nobody needs to hear that it still fires, and then that it is over."""
    reminder, end = head(4, Kind.REPEAT, episode=1), head(5, Kind.RESOLVED, episode=1)
    found = planned(reminder, end, told={1: True})
    assert found.expired == ((reminder, "over"),)


def test_what_a_storm_held_up_goes_together() -> None:
    """Two critical groups that waited out a pause are one message; without the pause each is one."""
    urgent = [head(number, severity=Severity.CRITICAL) for number in (1, 2)]
    storm = [Sent(39.0, 500, critical=True)]
    draft = planned(*urgent, age_s=30.0, recent=storm).draft
    assert draft is not None
    assert (draft.kind, draft.heads) == (MessageKind.DIGEST, tuple(urgent))
    draft = planned(*urgent, age_s=2.0, recent=storm).draft
    assert draft is not None
    assert draft.kind is MessageKind.SINGLE


def test_criticals_whose_time_was_over_elsewhere_go_together() -> None:
    """One by one, the second would wait for room and be too late."""
    urgent = [head(number, severity=Severity.CRITICAL, way=1, why="deadline") for number in (1, 2)]
    draft = planned(*urgent, age_s=42.0).draft
    assert draft is not None
    assert (draft.kind, draft.heads) == (MessageKind.DIGEST, tuple(urgent))


def test_what_is_over_counts_for_a_summary() -> None:
    """Three that wait and thirty that ended unheard are an outage, not three late messages."""
    waiting = [head(number, group_key="one") for number in (1, 2, 3)]
    for over, kind in ((0, MessageKind.GROUP), (30, MessageKind.SUMMARY)):
        draft = planned(*waiting, age_s=700.0, over=over).draft
        assert draft is not None
        assert draft.kind is kind


def test_storm_pauses_grow_and_end() -> None:
    """Each digest of a storm waits longer than the one before; after a while there is no storm any more."""
    small = [storm_pause_s([Sent(0.0, 5)] * count, FOLDING, critical=False) for count in range(1, 8)]
    assert small == [8.0, 20.0, 60.0, 120.0, 300.0, 300.0, 300.0]
    assert storm_pause_s([Sent(0.0, 500)], FOLDING, critical=True) == 4.0
    assert storm_pause_s([Sent(0.0, 500, critical=True)], FOLDING, critical=True) == 38.0
    assert storm_pause_s([Sent(451.0, 500)], FOLDING, critical=False) == 0.0
    assert storm_pause_s([Sent(0.0, 1)] * 5, FOLDING, critical=False) == 0.0


KINDS = st.sampled_from([Kind.FIRING, Kind.RESOLVED, Kind.REPEAT, Kind.FLAPPING, Kind.CALM])


@st.composite
def lanes(draw: st.DrawFn) -> tuple[list[Head], Situation]:
    """A lane with a few alerts in all stages, on two ways, some held."""
    heads = [
        head(
            number,
            draw(KINDS),
            episode=draw(st.integers(1, 5)),
            severity=draw(st.sampled_from(list(Severity))),
            group_key=draw(st.sampled_from(["", "a", "b", "c", "d", "e"])),
            way=draw(st.sampled_from([0, 0, 0, 1])),
            not_before_s=draw(st.sampled_from([None, None, NOW_S + 60, NOW_S - 60])),
        )
        for number in range(1, draw(st.integers(1, 14)) + 1)
    ]
    told = draw(st.dictionaries(st.integers(1, 5), st.booleans()))
    begun = {one.episode_id for one in heads if one.kind in (Kind.FIRING, Kind.REPEAT, Kind.FLAPPING)}
    known = {episode: told.get(episode, False) for episode in {*told, *begun} if episode is not None}
    ages_s = {one.id: draw(st.sampled_from([0.1, 5.0, 700.0])) for one in heads}
    found = Situation(
        now_s=NOW_S,
        ages_s=ages_s,
        told=known,
        elsewhere=open_elsewhere(heads, 0),
        recent=[
            Sent(draw(st.floats(0, 500)), draw(st.integers(1, 50))) for _ in range(draw(st.integers(0, 2)))
        ],
        waited=draw(st.booleans()),
        full=draw(st.sets(st.sampled_from(list(Room)))),
    )
    return waiting_here(heads, 0), found


@given(lanes())
def test_no_notice_is_in_two_places_and_nothing_overtakes(lane: tuple[list[Head], Situation]) -> None:
    """Each notice expires, follows, is told or stays, exactly one of them; of one alert the told ones are the first."""
    waiting, found = lane
    result = plan(waiting, found, FOLDING)
    expired = [one.id for one, _ in result.expired]
    following = [one.id for one, _ in result.following]
    told = [] if result.draft is None else [one.id for one in result.draft.heads]
    together = [*expired, *following, *told]
    assert len(together) == len(set(together))
    assert set(together) <= {one.id for one in waiting}
    for one in waiting:
        if one.id in told:
            before = [
                other.id for other in waiting if other.fingerprint == one.fingerprint and other.id < one.id
            ]
            assert set(before) <= {*told, *expired}


@given(lanes())
def test_an_end_is_only_swallowed_when_nobody_knows_of_the_beginning(
    lane: tuple[list[Head], Situation],
) -> None:
    """An end expires only if its beginning was not told, and takes the beginning with it."""
    waiting, found = lane
    result = plan(waiting, found, FOLDING)
    for one, reason in result.expired:
        assert one.kind is not Kind.FLAPPING
        if one.kind is Kind.RESOLVED:
            assert reason == "resolved_before_told"
            assert one.episode_id is not None
            assert found.told.get(one.episode_id) is not True
            gone = {other.id for other, _ in result.expired}
            same = [other for other in waiting if other.episode_id == one.episode_id]
            assert all(other.id in gone for other in same if other.kind in (Kind.FIRING, Kind.REPEAT))


@given(lanes())
def test_a_lane_with_something_due_and_room_is_never_stuck(lane: tuple[list[Head], Situation]) -> None:
    """Worked off step by step while time passes, every notice comes to its end."""
    waiting, found = lane
    waiting = [replace(one, not_before_s=None) for one in waiting]
    found = replace(found, full=(), elsewhere=(), recent=())
    for _ in range(40):
        found = replace(found, ages_s={one: age_s + 5 for one, age_s in found.ages_s.items()})
        result = plan(waiting, found, FOLDING)
        gone = {one.id for one, _ in result.expired}
        if result.draft is not None:
            gone |= {one.id for one in result.draft.heads}
            told = {one.episode_id: True for one in result.draft.heads if one.kind is not Kind.RESOLVED}
            found = replace(found, told={**found.told, **{key: True for key in told if key is not None}})
        waiting = [one for one in waiting if one.id not in gone]
    assert waiting == []
