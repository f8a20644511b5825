"""Names and options that a config gives, and whether what was chosen has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from data_contracts.yaml_lines import nearest
from tasks.errors import ConfigError


def require_known(key: str, name: object, known: Collection[str]) -> None:
    """Check a name.

    Raises:
        ConfigError: It is unknown; the message gives the nearest.
    """
    if not isinstance(name, str) or name not in known:
        close = nearest(str(name), known)
        raise ConfigError(
            f"{key}: expected one of {', '.join(known)}, got {name!r}\n  do: "
            + (f"write `{close}`" if close else "write one of them")
        )


def with_defaults(
    key: str, given: Mapping[str, Any], name: str, options: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Fill in the options that the chosen one has, and refuse those that only others have.

    Args:
        key: The section, such as `train.optimizer`.
        given: What the config says; None counts as not said.
        name: What was chosen.
        options: The options that each choice has, and their defaults.

    Returns:
        `given`, completed.

    Raises:
        ConfigError: An option belongs to other choices.
    """
    has = options[name]
    for option in sorted({each for others in options.values() for each in others} - set(has)):
        if given.get(option) is not None:
            owners = [other for other, theirs in options.items() if option in theirs]
            raise ConfigError(
                f"{key}.{option}: `{name}` has no such option; it belongs to {', '.join(owners)}\n"
                f"  do: remove it, or choose another name; `{name}` has {', '.join(has) or 'no options'}"
            )
    return {**given, **{option: value for option, value in has.items() if given.get(option) is None}}
