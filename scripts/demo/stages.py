"""The stages from a fault to its end, in the order in which one expects them."""

from dataclasses import dataclass
from enum import Enum


class Stage(Enum):
    """What has happened; the value is the word on the screen and in JSON."""

    FAULT = "fault"
    SEEN = "seen"  # Prometheus has it from the exporter
    PENDING = "pending"  # the alert's expression holds
    FIRING = "firing"
    ALERTMANAGER = "alertmanager"
    MESSAGE = "message"  # on the operator's phone
    ASKED = "asked"  # the operator is asked for a yes
    ACTION = "action"
    CRASHED = "crashed"  # the bridge was killed and started again
    VERIFIED = "verified"  # the target itself says that it is well
    ESCALATED = "escalated"  # a person must act; told over the fallback
    MENDED = "mended"  # by us, as a person would
    RESOLVED = "resolved"  # its message


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a stage was reached (Unix seconds), and what was seen."""

    stage: Stage
    at_s: float
    detail: str = ""
