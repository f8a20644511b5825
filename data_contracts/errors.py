"""Errors about contracts and about data that breaks them."""

from __future__ import annotations


class ContractError(ValueError):
    """The contract itself is wrong: it cannot be read, is not valid ODCS, or holds a rule nothing can execute."""

    @classmethod
    def at(cls, path: str, line: int | None, what: str, *, do: str = "") -> ContractError:
        """Say what is wrong at a place in a contract file.

        Args:
            path: The contract's file.
            line: The 1-based line, where it is known.
            what: What is wrong: expected and got.
            do: What the reader should do next.
        """
        place = path if line is None else f"{path}:{line}"
        return cls(f"{place}: {what}" + (f"\n  do: {do}" if do else ""))


class ContractBrokenError(ValueError):
    """Data broke its contract beyond the threshold that the pipeline's config allows."""


class SchemaMismatchError(ValueError):
    """A table lacks a column of its contract, or has one of an Arrow type that cannot be read as the contract's."""
