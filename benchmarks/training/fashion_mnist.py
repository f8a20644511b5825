"""The shipped Fashion-MNIST pipeline: test accuracy, and the CPU seconds of its training.

headrace samples fashion-mnist data/fashion-mnist
python -m benchmarks.training.fashion_mnist --set train.seed=1
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipelines.check import open_pipeline
from pipelines.image_config import ImagePipelineConfig
from tasks.evaluation.evaluate import score
from tasks.images.duplicates import run_deduplicate_images
from tasks.images.features import run_transform_images
from tasks.images.fit import run_fit_images
from tasks.images.ingest import run_ingest_images
from tasks.images.split import run_split_images
from tasks.models.checkpoint import load_predictor, read_history
from tasks.references import DatasetRef, PreprocessingRef
from tasks.training.splits import read_split
from tasks.training.train import run_train

CONFIG = Path("pipelines/configs/fashion_mnist.yaml")


def prepare(config: ImagePipelineConfig, home: Path) -> tuple[DatasetRef, PreprocessingRef]:
    asked, where = config.images, (home, config.dask)
    images = run_deduplicate_images(run_ingest_images(asked.source, asked.image, *where), asked.duplicates, *where)
    split = run_split_images(images, asked.split, *where)
    fitted = run_fit_images(images, split, *where)
    return run_transform_images(images, split, fitted, *where), fitted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override the config")
    arguments = parser.parse_args()
    config, _ = open_pipeline(arguments.config, arguments.set)
    assert isinstance(config, ImagePipelineConfig), "this benchmark is about images"
    with TemporaryDirectory() as folder:
        home = Path(folder)
        learned = prepare(config, home)
        wall, cpu = time.perf_counter(), time.process_time()
        checkpoint = run_train(*learned, config.train, home, home / "work", config.augment)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        for record in read_history(checkpoint):
            print(" ".join(f"{name} {value:.4g}" for name, value in record.items()))
        test = read_split(*learned, "test")
        best = score(load_predictor(checkpoint), test, threads=1).argmax(axis=1)
    right = float(np.mean(best == test.target.numpy()))
    deviation = (right * (1 - right) / len(test)) ** 0.5
    print(f"test accuracy {right:.4f} ± {deviation:.4f}, training {cpu:.0f} CPU s, {wall:.0f} s of wall time")


if __name__ == "__main__":
    main()
