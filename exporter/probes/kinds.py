"""The kinds of probe there are. A new one is a module of its own and a line here."""

from exporter.probes.bot import BOTS
from exporter.probes.registry import STATUS_FAMILIES, ProbeKind
from exporter.samples import Family

KINDS: tuple[ProbeKind, ...] = (BOTS,)

FAMILIES: tuple[Family, ...] = (*STATUS_FAMILIES, *(family for kind in KINDS for family in kind.families))
"""Every family that probes tell, in the order of the page."""
