"""What a lane plans costs no more for each notice when there are many of them."""

import time

from alertbridge.alerts import Severity
from alertbridge.deliver.composing import Situation, plan
from alertbridge.deliver.deliveryconfig import FoldingSection
from alertbridge.deliver.model import Kind, MessageKind, NoticeState
from alertbridge.deliver.outbox.rows import Head

NOW_S = 1_700_000_000.0
FEW, MANY = 400, 3200


def crowd(count: int, kind: Kind) -> list[Head]:
    """Notices of as many alerts, each of a group of its own."""
    return [
        Head(
            id=number,
            kind=kind,
            severity=Severity.WARNING,
            state=NoticeState.PENDING,
            way=0,
            why="",
            reason="",
            episode_id=number,
            fingerprint=f"f{number}",
            group_key=f"g{number}",
            created_at_s=NOW_S - 10,
            deadline_at_s=NOW_S + 600,
        )
        for number in range(count)
    ]


def cost_s(count: int, kind: Kind) -> float:
    """Processor seconds of planning for such a crowd; the least of five."""
    waiting = crowd(count, kind)
    told = dict.fromkeys(range(count), False) if kind is Kind.RESOLVED else {}
    situation = Situation(NOW_S, {head.id: 10.0 for head in waiting}, told)
    found = []
    for _ in range(5):
        began_s = time.process_time()
        planned = plan(waiting, situation, FoldingSection())
        found.append(time.process_time() - began_s)
        if kind is Kind.RESOLVED:
            assert len(planned.expired) == count
        else:
            assert planned.draft is not None
            assert (planned.draft.kind, len(planned.draft.heads)) == (MessageKind.DIGEST, count)
    return min(found)


def test_a_crowd_of_beginnings() -> None:
    """Eight times as many alerts in as many groups take about eight times as long, and not sixty-four times."""
    assert cost_s(MANY, Kind.FIRING) < 25 * cost_s(FEW, Kind.FIRING)


def test_a_crowd_of_ends() -> None:
    """Nor do ends whose beginnings nobody was told of."""
    assert cost_s(MANY, Kind.RESOLVED) < 25 * cost_s(FEW, Kind.RESOLVED)
