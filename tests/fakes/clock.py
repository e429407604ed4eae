"""A clock that a test moves."""


class FakeClock:
    """Stands still until `advance` is called; called itself, it tells `monotonic`, where a function is wanted."""

    def __init__(self, monotonic_s: float = 1000.0, time_s: float = 1_700_000_000.0) -> None:
        self._monotonic_s = monotonic_s
        self._time_s = time_s

    def __repr__(self) -> str:
        return f"<FakeClock monotonic={self._monotonic_s:g} time={self._time_s:g}>"

    def __call__(self) -> float:
        return self._monotonic_s

    def monotonic(self) -> float:
        return self._monotonic_s

    def time(self) -> float:
        return self._time_s

    def advance(self, seconds: float) -> None:
        """Moves both times forward."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._monotonic_s += seconds
        self._time_s += seconds
