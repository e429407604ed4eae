"""What a human is told of a channel that stopped, paused, does not come back, or is back. In words, id and en."""

from dataclasses import dataclass

from alertbridge.deliver.channel.standing import ChannelState

_PAIR = {"logged_out", "needs_pairing", "broken_or_logged_out"}

_TEXTS = {
    "en": {
        "stopped": "Channel {channel} has stopped: {why}. Nothing is sent through it; the fallbacks are in use.",
        "paused": "Channel {channel} is paused: {why}. Nothing is sent through it; the fallbacks are in use.",
        "reconnecting": "Channel {channel} does not come back: {why}. It is tried further; the fallbacks are in use.",
        "ok": "Channel {channel} works again.",
        "pair": "It must be paired again with the phone.",
        "pair_at": "Pair it again here: {url}",
        "pair_if": "Should it have to be paired again: {url}",
        "resume": "It comes back by itself when its session works; after other repairs an operator resumes it.",
    },
    "id": {
        "stopped": "Kanal {channel} berhenti: {why}. Tidak ada pesan lewat kanal ini; kanal cadangan dipakai.",
        "paused": "Kanal {channel} dijeda: {why}. Tidak ada pesan lewat kanal ini; kanal cadangan dipakai.",
        "reconnecting": "Kanal {channel} belum pulih: {why}. Masih terus dicoba; kanal cadangan dipakai.",
        "ok": "Kanal {channel} berfungsi kembali.",
        "pair": "Kanal harus dipasangkan ulang dengan ponsel.",
        "pair_at": "Pasangkan ulang di sini: {url}",
        "pair_if": "Bila harus dipasangkan ulang: {url}",
        "resume": "Kanal pulih sendiri bila sesinya jalan lagi; setelah perbaikan lain, operator mengaktifkannya.",
    },
}

_WHY = {
    "logged_out": ("the device was logged out", "perangkat dikeluarkan (logout)"),
    "needs_pairing": ("it is not paired with a phone", "belum dipasangkan dengan ponsel"),
    "banned": ("the number is banned", "nomor diblokir (banned)"),
    "timelocked": ("WhatsApp has locked the number for a time", "WhatsApp mengunci nomor untuk sementara"),
    "reachout_timelock": (
        "WhatsApp has locked the number for a time",
        "WhatsApp mengunci nomor untuk sementara",
    ),
    "unauthorized": ("its key is refused", "kunci ditolak"),
    "misconfigured": ("its keys or names are refused", "kunci atau nama ditolak"),
    "broken_or_logged_out": (
        "the session is broken or logged out, and a restart did not help",
        "sesi rusak atau keluar (logout), dan restart tidak membantu",
    ),
    "silent": (
        "the session says that it works, but nothing arrives",
        "sesi tampak terhubung, tetapi tidak ada pesan yang sampai",
    ),
    "unreachable": ("its gateway does not answer", "gateway tidak menjawab"),
    "disconnected": ("the session is disconnected", "sesi terputus"),
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """Goes to the recipients of `channel`, each over its fallbacks; `ok` says that the trouble is over.

    `detail` is what the provider said of it, without secrets. `since_s` and `told_at_s` tell which standing it is of.
    """

    channel: str
    state: ChannelState
    reason: str
    detail: str = ""
    pairing_url: str = ""
    since_s: float = 0.0
    told_at_s: float | None = None

    @property
    def over_fallback(self) -> bool:
        """Whether the channel itself cannot carry it."""
        return self.state is not ChannelState.OK

    def text(self, language: str) -> str:
        """The whole message in `language` (id or en; others get en), plain."""
        words = _TEXTS.get(language, _TEXTS["en"])
        sentences = [words[self.state.value].format(channel=self.channel, why=self._why(language))]
        if self.state is ChannelState.STOPPED and self.reason not in _PAIR:
            sentences.append(words["resume"])
        if self.over_fallback and (self.pairing_url or self.reason in _PAIR):
            key = ("pair_at" if self.reason in _PAIR else "pair_if") if self.pairing_url else "pair"
            sentences.append(words[key].format(url=self.pairing_url))
        return " ".join(sentences)

    def _why(self, language: str) -> str:
        english, indonesian = _WHY.get(self.reason, (self.reason.replace("_", " "),) * 2)
        why = indonesian if language == "id" else english
        return f"{why} ({self.detail})" if self.detail else why
