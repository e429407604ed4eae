"""The kinds of routers there are: boards, sizes, versions."""

from .boards import Board, Profile, Sensor
from .catalogue import PROFILES

__all__ = ["PROFILES", "Board", "Profile", "Sensor"]
