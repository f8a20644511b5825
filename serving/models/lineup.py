"""The versions of one model that are served at one moment, and who of them answers a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from serving.errors import NotFoundError
from serving.models.batching import Batcher
from serving.models.shadow import Shadow
from serving.models.sticky import place

Role = Literal["champion", "canary", "shadow", "also", "kept"]


@dataclass(frozen=True, slots=True)
class Lineup:
    """What is served of one model. Nothing of it changes: another one takes its place, so a request sees one of them.

    Attributes:
        champion: Answers who names no version.
        roles: Of every loaded version, the champion first; a version with several has the one that comes first in
            `Role`.
        versions: The same versions, ready to answer.
        canary: Answers `percent` of the requests that name no version; None where there is none.
        shadow: Gets a copy of what the champion answered; None where there is none.
        refused: Versions that the traffic plan names and that cannot be served, with the reason.
    """

    model: str
    champion: Batcher
    roles: Mapping[str, Role]
    versions: Mapping[str, Batcher]
    canary: Batcher | None = None
    percent: float = 0.0
    shadow: Shadow | None = None
    refused: Mapping[str, str] = field(default_factory=dict)

    def version(self, version: str) -> Batcher:
        """Return a loaded version.

        Raises:
            NotFoundError: It is not loaded.
        """
        found = self.versions.get(version)
        if found is None:
            served = ", ".join(f"{self.model} (version {known})" for known in self.versions)
            raise NotFoundError(f"model {self.model!r:.120} version {version!r:.120} is not served; served: {served}")
        return found

    @property
    def splits(self) -> bool:
        """Whether requests go different ways, so that their names matter."""
        return self.canary is not None or self.shadow is not None

    def pick(self, version: str | None, name: str) -> Batcher:
        """Return the version that answers a request.

        Args:
            version: The one that the request asks for; None if it asks for none.
            name: What sticks to a version, such as the request's id; empty where there is nothing such.

        Raises:
            NotFoundError: The version asked for is not loaded.
        """
        if version is not None:
            return self.version(version)
        if self.canary is not None and place(self.model, name) < self.percent:
            return self.canary
        return self.champion
