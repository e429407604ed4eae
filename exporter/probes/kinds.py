"""The kinds of probe there are. A new one is a module of its own and a line here."""

from exporter.probes import database_kinds
from exporter.probes.bot import BOTS
from exporter.probes.drift import Secrets
from exporter.probes.host import HOST
from exporter.probes.registry import STATUS_FAMILIES, ProbeKind
from exporter.probes.secrets import no_secrets
from exporter.samples import Family


def kinds(secrets: Secrets) -> tuple[ProbeKind, ...]:
    """Every kind, in the order of the page; `secrets` reads the PPP secrets of routers."""
    return (BOTS, *database_kinds.kinds(secrets), HOST)


KINDS: tuple[ProbeKind, ...] = kinds(no_secrets)
"""The same where no router is asked: for their names, help and families."""

FAMILIES: tuple[Family, ...] = (*STATUS_FAMILIES, *(family for kind in KINDS for family in kind.families))
"""Every family that probes tell, in the order of the page."""
