"""Errors about stored bundles; `tasks` and the endpoint meet the same ones."""

from __future__ import annotations

from pathlib import Path


class BundleError(ValueError):
    """A bundle is missing, torn, altered, or holds a graph that the endpoint refuses to run."""

    @classmethod
    def at(cls, path: Path, what: str, *, do: str = "export and register the bundle again") -> BundleError:
        """Say what is wrong with one file of a bundle.

        Args:
            path: The file or folder.
            what: What is wrong: expected and got.
            do: What the reader should do next.
        """
        return cls(f"{path}: {what}\n  do: {do}")


class StoreError(ValueError):
    """The model store cannot do what was asked: a bad name, an unknown model or version, a corrupt pointer."""
