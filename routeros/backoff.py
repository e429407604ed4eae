"""How long to wait before trying again: exponential, with jitter, so that a fleet does not knock in step."""

from __future__ import annotations

from tenacity import wait_exponential, wait_random
from tenacity.wait import wait_base

from routeros.settings import RetrySettings


def backoff(settings: RetrySettings) -> wait_base:
    """`min_wait_s` first, doubled each time up to `max_wait_s`, plus up to half of `min_wait_s` at random."""
    return wait_exponential(multiplier=settings.min_wait_s, max=settings.max_wait_s) + wait_random(
        0, settings.min_wait_s / 2
    )
