"""A 200 says that the alert is on the disk: seen in the system calls of the real program."""

from pathlib import Path

import pytest

from benchmarks import fsync

WRITTEN = '7 10:00:00.1 pwrite64(9</d/b.db-wal>, "..Down..", 4096, 0) = 4096'
SYNCED = "7 10:00:00.2 fdatasync(9</d/b.db-wal>) = 0"
BEGUN = "7 10:00:00.2 fdatasync(9</d/b.db-wal> <unfinished ...>"
ENDED = "7 10:00:00.4 <... fdatasync resumed>)   = 0"
FAILED = "7 10:00:00.4 <... fdatasync resumed>)   = -1 EIO (Input/output error)"
ANSWERED = r'5 10:00:00.3 sendto(8<socket:[1]>, "HTTP/1.1 200 OK\r\n\r\n{\"accepted\":1}", 90) = 90'


@pytest.mark.system("strace")
@pytest.mark.timeout(300)
def test_an_alert_is_synced_before_its_200(tmp_path: Path) -> None:
    """The bridge writes it, syncs it, and only then answers."""
    assert fsync.watch(tmp_path).is_durable


@pytest.mark.parametrize(
    ("trace", "durable"),
    [
        ([WRITTEN, SYNCED, ANSWERED], True),
        ([WRITTEN, BEGUN, ENDED, ANSWERED], True),
        ([WRITTEN, BEGUN, ANSWERED, ENDED], False),
        ([WRITTEN, BEGUN, FAILED, ANSWERED], False),
        ([SYNCED, WRITTEN, ANSWERED], False),
        ([WRITTEN, SYNCED, WRITTEN, ANSWERED], False),
        ([WRITTEN, ANSWERED, SYNCED], False),
        ([ANSWERED], False),
        ([WRITTEN, SYNCED], False),
    ],
)
def test_what_a_trace_must_show(trace: list[str], durable: bool) -> None:
    """Only a sync that began after the last write and ended well before the answer counts."""
    assert fsync.read(trace, "Down").is_durable is durable
