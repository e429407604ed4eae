"""Which way comes next, and what a message says that comes by another way than usual. Pure."""

from collections.abc import Callable, Collection

from alertbridge.deliver.addressbook import Recipient

UNKNOWN_OUTCOME = "unknown_outcome"
NO_ACK = "no_ack"
DEADLINE = "deadline"
AGAIN = "again"  # every other way was tried, none is known to work

_PREFACES = {
    "id": {
        NO_ACK: "[Lewat {way}: {first} tidak memastikan pesan sampai]",
        UNKNOWN_OUTCOME: "[Lewat {way}: tidak jelas apakah {first} mengirimnya; mungkin dobel]",
        DEADLINE: "[Lewat {way}: {first} tidak sempat mengirim tepat waktu]",
        "": "[Lewat {way}: {first} tidak bisa dipakai ({why})]",
    },
    "en": {
        NO_ACK: "[By {way}: {first} did not confirm delivery]",
        UNKNOWN_OUTCOME: "[By {way}: whether {first} sent it is unknown; perhaps a duplicate]",
        DEADLINE: "[By {way}: {first} did not send it in time]",
        "": "[By {way}: {first} cannot be used ({why})]",
    },
}


def preface(language: str, *, way: str, first: str, why: str) -> str:
    """The line before a text that comes through the channel `way` instead of `first`, because of `why`."""
    table = _PREFACES.get(language, _PREFACES["en"])
    return table.get(why, table[""]).format(way=way, first=first, why=why.replace("_", " ") or "-")


def next_way(
    recipient: Recipient, way: int, usable: Callable[[str], bool], *, refused: Collection[int] = ()
) -> int | None:
    """The way to take after `way` failed: the next one whose channel is `usable`, else simply the next one, after
    the last one the first. None when there is no other, or every other one `refused` for good."""
    count = len(recipient.ways)
    order = [(way + step) % count for step in range(1, count)]
    open_ways = [one for one in order if one not in refused]
    for one in open_ways:
        if usable(recipient.ways[one].channel):
            return one
    return open_ways[0] if open_ways else None
