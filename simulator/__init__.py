"""A network of simulated RouterOS devices that speak the real API protocol.

Shows how to start one: `async with Network([RouterSpec("core")]) as net: net["core"].port`.
"""

from .device import Device, Received
from .faults import FAULTS, FaultError
from .network import Network
from .profiles import PROFILES
from .spec import Account, RouterSpec, SpecError, TlsFiles
from .traffic import Rate

__all__ = [
    "FAULTS",
    "PROFILES",
    "Account",
    "Device",
    "FaultError",
    "Network",
    "Rate",
    "Received",
    "RouterSpec",
    "SpecError",
    "TlsFiles",
]
