"""Three sets of values for pool, breaker and retry that operators know by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from routeros.settings import BreakerSettings, PoolSettings, RetrySettings

PresetName = Literal["default", "production", "development"]


@dataclass(frozen=True, slots=True)
class Preset:
    """What `pool`, `breaker` and `retry` start from."""

    pool: PoolSettings
    breaker: BreakerSettings
    retry: RetrySettings


PRESETS: Mapping[PresetName, Preset] = MappingProxyType(
    {
        "default": Preset(
            PoolSettings(
                min_size=1,
                max_size=5,
                acquire_timeout_s=10.0,
                idle_timeout_s=300.0,
                health_check_interval_s=30.0,
                connect_timeout_s=15.0,
                command_timeout_s=30.0,
            ),
            BreakerSettings(failure_limit=5, cooldown_s=60.0),
            RetrySettings(attempts=3, min_wait_s=1.0, max_wait_s=10.0),
        ),
        "production": Preset(
            PoolSettings(min_size=3, max_size=8, acquire_timeout_s=8.0, health_check_interval_s=20.0),
            BreakerSettings(failure_limit=3),
            RetrySettings(attempts=5),
        ),
        "development": Preset(
            PoolSettings(min_size=1, max_size=3, acquire_timeout_s=15.0, health_check_interval_s=60.0),
            BreakerSettings(),
            RetrySettings(),
        ),
    }
)
