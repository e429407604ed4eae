"""WhatsApp providers to try things on: their real HTTP shapes, limits and errors, and one phone behind them all."""

from .app import SimulatorApp
from .phone import Message, Phone, State
from .world import Timing, World

__all__ = ["Message", "Phone", "SimulatorApp", "State", "Timing", "World"]
