"""Which way comes next, and what a message says that comes by another way than usual. Pure."""

from collections.abc import Callable, Collection

from alertbridge.deliver.route.addressbook import Recipient

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

_WHY = {
    "channel_stopped": ("it has stopped", "kanal berhenti"),
    "channel_paused": ("it is paused", "kanal dijeda"),
    "channel_reconnecting": ("it is reconnecting", "sedang menyambung ulang"),
    "channel_trial": ("it has just come back", "baru pulih"),
    "reachout_timelock": (
        "WhatsApp has locked the number for a time",
        "WhatsApp mengunci nomor untuk sementara",
    ),
    "not_on_whatsapp": ("the number is not on WhatsApp", "nomor tidak ada di WhatsApp"),
    "refused_by_server": ("WhatsApp refused it", "ditolak WhatsApp"),
}


def preface(language: str, *, way: str, first: str, why: str) -> str:
    """The line before a text that comes through the channel `way` instead of `first`, because of `why`."""
    table = _PREFACES.get(language, _PREFACES["en"])
    english, indonesian = _WHY.get(why, (why.replace("_", " ") or "-",) * 2)
    told = indonesian if language == "id" else english
    return table.get(why, table[""]).format(way=way, first=first, why=told)


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
