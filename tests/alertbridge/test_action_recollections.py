"""What a deed saw is there for the object that verifies it, and only for that run."""

from alertbridge.recover.actions.base import Verdict
from alertbridge.recover.actions.recollections import Recollections
from tests.fakes.acting import acting


def test_what_is_kept_belongs_to_a_run_and_a_target() -> None:
    """Another run, another target, another name or another kind of value is not known."""
    kept = Recollections()
    kept.keep("7", "router:a", bytes=4, ended=("x", "y"))
    assert kept.number("7", "router:a", "bytes") == 4
    assert kept.words("7", "router:a", "ended") == {"x", "y"}
    assert kept.number("8", "router:a", "bytes") is None
    assert kept.number("7", "router:b", "bytes") is None
    assert kept.number("7", "router:a", "ended") is None
    assert kept.words("7", "router:a", "bytes") == frozenset()
    kept.keep("7", "router:a", bytes=5)
    assert kept.words("7", "router:a", "ended") == frozenset()


def test_it_does_not_grow_for_ever() -> None:
    """The oldest is forgotten first."""
    kept = Recollections()
    for number in range(1500):
        kept.keep(str(number), "router:a", at=number)
    assert kept.number("499", "router:a", "at") is None
    assert kept.number("500", "router:a", "at") == 500
    assert repr(kept) == "<Recollections 1000>"


async def test_a_new_object_of_the_same_run_verifies() -> None:
    """The engine makes one for the deed and one for the verification; one of another run knows nothing."""
    async with acting(profile="isp") as bench:
        name = bench.rows("/ppp/active")[0].values["name"]
        assert (await bench.make("ppp_kick", user=name).run()).changed
        assert await bench.make("ppp_kick", user=name).verify() is Verdict.HOLDS
        assert await bench.make("ppp_kick", user=name, run_id="run-8").verify() is Verdict.UNKNOWN
        queue = bench.rows("/queue/simple", dynamic="true")[0].values["name"]
        await bench.make("queue_reset_counters", queue=queue).run()
        assert await bench.make("queue_reset_counters", queue=queue).verify() is Verdict.HOLDS
        await bench.make("router_reboot").run()
        await bench.until(lambda: not bench.device.connections)
        assert await bench.make("router_reboot").verify() is Verdict.UNKNOWN
