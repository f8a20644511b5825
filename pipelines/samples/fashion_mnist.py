"""The Fashion-MNIST sample: 70,000 grey images of 28 x 28 pixels in 10 classes of clothing.

The files are those of Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms" (2017), as Debian's package `dataset-fashion-mnist` installs them.
"""

from __future__ import annotations

from pathlib import Path

from tasks.errors import DataError
from tasks.storage import write_atomic

INSTALLED = Path("/usr/share/datasets/fashion-mnist")
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def write_fashion_mnist(folder: Path) -> None:
    """Copy the four IDX files: images and labels of `train` (60,000) and `t10k` (10,000).

    Args:
        folder: Where to write; it is made if it is missing, and files of the same names are replaced.

    Raises:
        DataError: The package `dataset-fashion-mnist` is not installed.
    """
    missing = [name for name in FILES if not (INSTALLED / name).is_file()]
    if missing:
        raise DataError(
            f"sample fashion-mnist: {INSTALLED} lacks {', '.join(missing)}\n"
            "  do: install Debian's package dataset-fashion-mnist (`apt-get install dataset-fashion-mnist`)"
        )
    for name in FILES:
        write_atomic(folder / name, (INSTALLED / name).read_bytes())
