"""The version of all the code that makes a bundle."""

from __future__ import annotations

from pipelines import bindings
from tasks.storage import digest_of


def code_of_pipelines() -> str:
    """Return a digest of the code version of every task function; see `pipelines.code_version`."""
    bound = {name: each for name, each in vars(bindings).items() if isinstance(each, bindings.Binding)}
    return digest_of({name: binding.key() for name, binding in bound.items()})
