"""What is served of a model, for people: the page, the log and whoever asks the process."""

from __future__ import annotations

from typing import TypedDict

from serving.models.lineup import Lineup, Role


class LoadedVersion(TypedDict):
    """One loaded version of a model."""

    version: str
    role: Role
    digest: str


class ModelOverview(TypedDict):
    """What is served of a model.

    `refused` gives the reason by the version; under `champion` for whatever the champion pointer names.
    """

    model: str
    retired: bool
    champion: str | None
    versions: list[LoadedVersion]
    canary_percent: float
    shadow_percent: float
    refused: dict[str, str]


def overview_of(model: str, lineup: Lineup | None, refused: str | None, *, retired: bool) -> ModelOverview:
    """Return what is served of a model.

    Args:
        model: Its name.
        lineup: What is served of it; None for nothing.
        refused: Why its current champion is not served; None where it is.
        retired: Whether its plan takes it out of service.
    """
    roles = {} if lineup is None else lineup.roles
    return ModelOverview(
        model=model,
        retired=retired,
        champion=lineup.champion.model.version if lineup else None,
        versions=[
            LoadedVersion(version=version, role=role, digest=lineup.versions[version].model.manifest.digest)
            for version, role in roles.items()
            if lineup is not None
        ],
        canary_percent=lineup.percent if lineup and lineup.canary else 0.0,
        shadow_percent=lineup.shadow.percent if lineup and lineup.shadow else 0.0,
        refused=({} if refused is None else {"champion": refused}) | dict(lineup.refused if lineup else {}),
    )


def summary(lineup: Lineup) -> str:
    """Return one line on the loaded versions, such as `2, 3 (canary, 10%), 1 (kept)`."""
    shares = {
        "canary": f", {lineup.percent:g}%",
        "shadow": f", {lineup.shadow.percent:g}%" if lineup.shadow else "",
    }
    beside = [f"{version} ({role}{shares.get(role, '')})" for version, role in lineup.roles.items()][1:]
    return ", ".join([lineup.champion.model.version, *beside])
