"""Names of time zones."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from data_contracts.yaml_lines import nearest


def known_timezone(name: str) -> str:
    """Return the name of a time zone that this machine knows.

    Raises:
        ValueError: It does not; the message has the nearest name.
    """
    zones = _names()
    if name in zones:
        return name
    # A city alone is how most people would name a zone.
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(zones)}
    wanted = name.strip().replace(" ", "_")
    close = nearest(wanted, zones) or cities.get(nearest(wanted.casefold(), cities) or "")
    hint = f"write `{close}`" if close else "write a name such as Europe/Vienna, or UTC"
    raise ValueError(f"expected the name of a time zone, got `{name}`\n  do: {hint}")


def zone(name: str) -> ZoneInfo:
    """Return a zone by a name that was checked."""
    return ZoneInfo(name)


@cache
def _names() -> set[str]:
    """Return all names; the system's files are looked through for them."""
    return available_timezones()
