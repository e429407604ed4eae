"""What a probe measured, in the shape in which tests ask for it."""

from collections.abc import Iterable

from exporter.probes.base import Measured


def values(measured: Iterable[Measured]) -> dict[str, float]:
    """Values by name, and by name and labels where there are any: ``thing{state=open}``."""
    found: dict[str, float] = {}
    for one in measured:
        labels = ",".join(f"{name}={value}" for name, value in one.labels.items())
        key = f"{one.family.name}{{{labels}}}" if labels else one.family.name
        assert key not in found, f"{key} comes twice"
        assert set(one.labels) <= {*one.family.labels, "state"}
        found[key] = one.value
    return found


def reasons(measured: Iterable[Measured]) -> list[str]:
    """The reasons of failure that hold."""
    return [one.labels["reason"] for one in measured if one.family.name.endswith("_failure") and one.value]
