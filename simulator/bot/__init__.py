"""A WhatsApp bot to try things on: the minimal Baileys health contract, a queue, a log, faults on demand."""

from .faults import FAULTS, BotFaults
from .session import Event, SessionState
from .state import SimulatedBot

__all__ = ["FAULTS", "BotFaults", "Event", "SessionState", "SimulatedBot"]
