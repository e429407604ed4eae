"""Everything that can be made to go wrong with a router.

A fault overrides the few hooks where it differs from a healthy router; nobody else asks which are on.
"""

from .base import Fault, FaultError, Parameter
from .board import FAULTS, FaultBoard

__all__ = ["FAULTS", "Fault", "FaultBoard", "FaultError", "Parameter"]
