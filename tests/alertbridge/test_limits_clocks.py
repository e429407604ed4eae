"""Stamps of other boots and machines: never taken for older than they are, and not for ever too young."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertbridge.deliver.limit.bootclock import Reader, Row, boot_name
from alertbridge.deliver.limit.limits import Room, Stamp

N = Room.NORMAL


def times(stamps: tuple[Stamp, ...]) -> list[float]:
    return [stamp.at_s for stamp in stamps]


def test_stamps_of_this_boot_are_true() -> None:
    """A restarted process of the same boot reads what its predecessor wrote."""
    row = Row(2, "here", (Stamp(10.0, N, 1), Stamp(20.0, N, 2)))
    assert times(Reader("here").stamps("b", row, 30.0)) == [10.0, 20.0]


def test_the_newest_foreign_stamp_is_as_young_as_its_first_sight() -> None:
    """Differences stay; time goes on from the first sight, also when the row is read again."""
    reader = Reader("here")
    row = Row(2, "there", (Stamp(9_990.0, N, 1), Stamp(10_000.0, N, 2)))
    assert times(reader.stamps("b", row, 50.0)) == [40.0, 50.0]
    assert times(reader.stamps("b", row, 80.0)) == [40.0, 50.0]


def test_a_stamp_in_the_future_is_foreign() -> None:
    """A time namespace, or a machine set back to a snapshot, shares the boot's name and not its clock."""
    row = Row(2, "here", (Stamp(90.0, N, 1), Stamp(100.0, N, 2)))
    assert times(Reader("here").stamps("b", row, 50.0)) == [40.0, 50.0]


def test_what_was_known_better_is_not_forgotten() -> None:
    """Two machines that send in turn do not make each other's stamps younger each time."""
    reader = Reader("here")
    mine = reader.row("b", None, (Stamp(100.0, N, 1),))
    theirs = Row(mine.generation + 1, "there", (Stamp(7_000.0, N, 1), Stamp(7_001.0, N, 2)))
    assert times(reader.stamps("b", theirs, 3_700.0)) == [100.0, 3_700.0]


def test_a_rolled_back_stamp_is_taken_for_no_other() -> None:
    """What another machine wrote instead, as the same generation, is judged by itself."""
    reader = Reader("here")
    reader.row("b", None, (Stamp(100.0, N, 1),))
    instead = Row(1, "there", (Stamp(5_000.0, N, 99),))
    assert times(reader.stamps("b", instead, 160.0)) == [160.0]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.floats(0.0, 100.0), st.sampled_from(["send", "look", "boot", "crash"])
        ),
        max_size=60,
    )
)
def test_no_stamp_is_ever_taken_for_older_than_it_is(steps: list[tuple[int, float, str]]) -> None:
    """Whoever writes, looks, crashes or boots in whatever order: the reading is never before the truth."""
    now_s, marks = 0.0, 0
    boots = [0, 1, 2]
    offsets = [0.0, 5e5, -3e5]
    readers = [Reader(str(boot)) for boot in boots]
    row: Row | None = None
    truth: dict[int, float] = {}
    for machine, after_s, what in steps:
        now_s += after_s
        if what == "boot":
            boots[machine] += 10
            offsets[machine] = -now_s
        if what in ("boot", "crash"):
            readers[machine] = Reader(str(boots[machine]))
        local_s = now_s + offsets[machine]
        stamps = readers[machine].stamps("b", row, local_s) if row else ()
        read_s = times(stamps)
        assert read_s == sorted(read_s)
        for stamp in stamps:
            assert truth[stamp.mark] - 1e-6 <= stamp.at_s - offsets[machine] <= now_s + 1e-6
        if what == "send":
            marks += 1
            truth[marks] = now_s
            row = readers[machine].row("b", row, (*stamps, Stamp(local_s, N, marks)))


def test_the_boot_is_named_by_the_kernel(tmp_path: Path) -> None:
    """Boot and time namespace; without a boot id a name that no other process has."""
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("6b1c9d2e-0000-4000-8000-000000000000\n")
    namespace = tmp_path / "time"
    namespace.symlink_to("time:[4026531834]")
    assert boot_name(boot_id, namespace) == "6b1c9d2e-0000-4000-8000-000000000000/4026531834"
    assert boot_name(boot_id, tmp_path / "none") == "6b1c9d2e-0000-4000-8000-000000000000"
    assert boot_name(tmp_path / "none") != boot_name(tmp_path / "none")
    assert len(boot_name()) <= 64


@pytest.mark.parametrize("length", [36, 500])
def test_the_name_of_a_boot_fits_its_column(tmp_path: Path, length: int) -> None:
    """However odd the kernel."""
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("a" * length)
    assert len(boot_name(boot_id)) <= 64
