"""Whether a service can be sent requests: starting, serving, stopping."""

from enum import Enum

from aiohttp import web


class Phase(Enum):
    """Where in its life a process is."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"


_NEXT = {
    Phase.STARTING: {Phase.SERVING, Phase.STOPPING},
    Phase.SERVING: {Phase.STOPPING},
    Phase.STOPPING: set(),
}


class Life:
    """The phase of this process; it only ever moves on."""

    def __init__(self) -> None:
        self._phase = Phase.STARTING

    def __repr__(self) -> str:
        return f"<Life {self._phase.value}>"

    @property
    def phase(self) -> Phase:
        return self._phase

    def move_to(self, phase: Phase) -> None:
        """The only place that assigns the phase; a step back is not taken."""
        if phase in _NEXT[self._phase]:
            self._phase = phase


LIFE = web.AppKey("life", Life)
"""Where handlers find it."""
