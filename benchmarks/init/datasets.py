"""Ten datasets that ship in Python packages, as raw files: what somebody's own file might look like."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Known:
    """A dataset.

    Attributes:
        package: What ships it.
        file: Its place in the package, or scikit-learn's function that loads it.
        target: What is predicted.
        problem: What `headrace init` must take that for.
    """

    package: str
    file: str
    target: str
    problem: str

    @property
    def name(self) -> str:
        """The name of the raw file, and so of the pipeline."""
        return Path(self.file).stem.lower().replace("-", "_")


DATASETS = (
    Known("sklearn", "datasets/data/iris.csv", "column_5", "multiclass"),
    Known("sklearn", "datasets/data/breast_cancer.csv", "column_31", "binary"),
    Known("sklearn", "load_diabetes", "target", "regression"),
    Known("sklearn", "load_wine", "target", "multiclass"),
    Known("palmerpenguins", "data/penguins.csv", "species", "multiclass"),
    Known("ISLP", "data/Default.csv", "default", "binary"),
    Known("ISLP", "data/Carseats.csv", "Sales", "regression"),
    Known("ISLP", "data/OJ.csv", "Purchase", "binary"),
    Known("vega_datasets", "_data/seattle-weather.csv", "weather", "multiclass"),
    Known("statsmodels", "datasets/fair/fair.csv", "affairs", "regression"),
)


class NotInstalledError(LookupError):
    """The package that ships a dataset is not there."""


def write_raw(known: Known, folder: Path, packages: Path | None = None) -> Path:
    """Write a dataset's raw file into a folder, as its package has it.

    Args:
        known: The dataset.
        folder: Where to.
        packages: A folder of packages beside the installed ones.

    Raises:
        NotInstalledError: The package is in neither place.
    """
    path = folder / f"{known.name}.csv"
    if known.file.startswith("load_"):
        from sklearn import datasets  # noqa: PLC0415

        getattr(datasets, known.file)(as_frame=True).frame.to_csv(path, index=False)
        return path
    shutil.copyfile(_root(known.package, packages) / known.file, path)
    if known.package == "sklearn":
        # The first row of these files counts rows and columns and names the classes, which is no header.
        path.write_text(path.read_text().partition("\n")[2])
    return path


def _root(package: str, packages: Path | None) -> Path:
    if packages is not None and (packages / package).is_dir():
        return packages / package
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise NotInstalledError(f"{package} is not installed in {sys.prefix}")
    return Path(spec.origin).parent
