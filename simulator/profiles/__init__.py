"""The kinds of routers there are: boards, sizes, versions."""

from .boards import Board, Profile, Sensor
from .catalogue import ALIASES, PROFILES

__all__ = ["ALIASES", "PROFILES", "Board", "Profile", "Sensor"]
