"""How far work has come and how fast it is, in words."""

from __future__ import annotations


def how_far(done: int, total: int, unit: str, seconds: float, *, ended: bool = False) -> str:
    """Say how far work has come, how fast it is, and how long what is left will take at that rate.

    Args:
        done: How many units are done.
        total: Of how many.
        unit: In the plural.
        seconds: How long that took; more than 0.
        ended: There will be no more.
    """
    rate = done / seconds
    said = f"{done:,} of {total:,} {unit}, {rate:.3g} a second"
    if ended:
        return f"{said}, done in {_duration(seconds)}"
    return said if not rate or done >= total else f"{said}, {_duration((total - done) / rate)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
