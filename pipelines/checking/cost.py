"""About what a run takes: CPU minutes and memory.

The numbers were measured in CPU seconds (user and system) on 2-core machines without a GPU. `docs/check-and-doctor.md`
says on what. What was not measured is not estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

from data_contracts.contract import Contract
from pipelines.checking.multiplications import Features, of_a_row, of_an_image
from pipelines.checking.pictures import Pictures
from pipelines.checking.training_cost import MOST_BINS, Learned, Spent, bins_of, training_cost
from pipelines.config import PipelineConfig
from pipelines.image_config import ImagePipelineConfig
from pipelines.search.config import SearchConfig
from tasks.images.layout import channels_of
from tasks.models.config import ModelConfig
from tasks.models.images.cnn import CnnConfig
from tasks.models.images.resnet import ResnetConfig
from tasks.preprocessing.plan import Measure, plan_measures
from tasks.preprocessing.problem import require_target

# CPU seconds. Starting Prefect, importing the libraries, writing Data Docs, the trial server: of a run of any size.
_FIXED = (18.0, 48.0)
# Of a column, whatever the rows: its rules, statistics, operators of the graph, its place in documents and report.
_COLUMN = 0.04
# Of a value, which is a row of a column: ingest to transform.
_DATA = 0.2e-6
# Of a row: calibrate, evaluate, slices, explain, verify.
_JUDGED = 40e-6
# Of an image: all pieces of the data half; opening an encoded one; and one of its bytes.
_IMAGE, _OPENED, _BYTE = 40e-6, 200e-6, 40e-9
# Bytes: of the libraries; of a training row's feature; of a value of an image, and of one that a convolution makes.
_LIBRARIES = 0.8e9
_HELD = (27.0, 126.0)
_PIXEL, _MADE = (1.0, 4.0), (4.0, 16.0)
# Of what was measured the estimate is off by less than this factor, either way.
_ROOM = 1.6
# Values of a feature that trees could cut between, where its type says that they are few.
_FEW, _COUNTS = 16, 64

_Range = tuple[float, float]


@dataclass(frozen=True)
class Cost:
    """About what a run takes, each from the least to the most that is likely.

    Attributes:
        cpu_minutes: All processes together; with a free core for each thread the run takes no longer.
        memory_gb: Of the process that trains, in 10^9 bytes.
        rows: Rows of the source that this is for, or images.
        columns: Columns of the contract; None of images.
        training: What is known of training.
        search_cpu_minutes: What `headrace search` takes beside; None without a search.
    """

    cpu_minutes: _Range
    memory_gb: _Range
    rows: int
    columns: int | None
    training: str
    search_cpu_minutes: _Range | None = None

    def __str__(self) -> str:
        """Return it in a sentence."""
        of = f"{self.rows:,} images" if self.columns is None else f"{self.rows:,} rows of {self.columns} columns"
        search = self.search_cpu_minutes
        more = "" if search is None else f"; `headrace search` takes {_shown(search)} CPU minutes"
        return (
            f"about {_shown(self.cpu_minutes)} CPU minutes and {_shown(self.memory_gb)} GB of memory for {of}; "
            f"{self.training}{more} (a range from runs that were measured: docs/check-and-doctor.md)"
        )


def _shown(numbers: _Range) -> str:
    return " to ".join(f"{number:,.0f}" if number >= 10 else f"{number:.1f}" for number in numbers)


def estimate(config: PipelineConfig, contract: Contract, rows: int, classes: int = 2) -> Cost:
    """Return about what a run takes that reuses nothing.

    Args:
        config: The config.
        contract: Its contract.
        rows: Of the source.
        classes: Different values of the target, where it has classes.
    """
    columns = len(contract.columns)
    learned = _learned(config, contract, rows, classes)
    spent = training_cost(config.train, learned, config.cross_validate)
    shared = columns * _COLUMN + rows * (columns * _DATA + _JUDGED)
    values = learned.rows * learned.features
    return Cost(
        cpu_minutes=_minutes(shared, spent),
        memory_gb=((_LIBRARIES + _HELD[0] * values) / 1e9, 1.25 * (_LIBRARIES + _HELD[1] * values) / 1e9),
        rows=rows,
        columns=columns,
        training=spent.said,
        search_cpu_minutes=_searched(config.search, shared, spent),
    )


def estimate_images(config: ImagePipelineConfig, seen: Pictures) -> Cost:
    """Return about what a run over images takes that reuses nothing.

    Args:
        config: The config.
        seen: What was seen of the source.
    """
    image, model, shares = config.images.image, config.train.model, config.images.split.shares
    assert isinstance(model, CnnConfig | ResnetConfig), model.name
    multiplications, made = of_an_image(model, image, len(seen.classes))
    copies = 1 if config.images.copies is None else 1 + config.images.copies.copies
    learned = Learned(
        rows=seen.images * shares[0] * copies,
        validation=seen.images * shares[1],
        features=0,
        bins=0,
        boosters=1,
        multiplications=lambda _: multiplications,
    )
    spent = training_cost(config.train, learned, config.cross_validate)
    opened = _OPENED + seen.encoded_bytes * _BYTE if seen.encoded_bytes else 0.0
    shared = seen.images * (_IMAGE + opened)
    values = seen.images * copies * image.width * image.height * channels_of(image.mode)
    layers = made * min(config.train.batch_size, learned.rows)
    least, most = (_LIBRARIES + values * pixel + layers * layer for pixel, layer in zip(_PIXEL, _MADE, strict=True))
    return Cost(
        cpu_minutes=_minutes(shared, spent),
        memory_gb=(least / 1e9, 1.25 * most / 1e9),
        rows=seen.images,
        columns=None,
        training=spent.said,
        search_cpu_minutes=_searched(config.search, shared, spent),
    )


def _minutes(shared: float, spent: Spent) -> _Range:
    return (_FIXED[0] + (shared + spent.least) / _ROOM) / 60, (_FIXED[1] + (shared + spent.most) * _ROOM) / 60


def _searched(search: SearchConfig | None, shared: float, spent: Spent) -> _Range | None:
    """Return minutes of every trial's training; its data half is most often that of the trial before."""
    if search is None:
        return None
    trials = search.trials or 1
    longest = float("inf") if search.minutes is None else search.minutes * search.parallel
    # Of trials that are pruned some end after a few rounds.
    least, most = _minutes(shared, Spent(spent.least * trials * (0.3 if search.prune else 1), spent.most * trials, ""))
    return min(least, longest), max(min(least, longest), min(most, longest + spent.most / 60))


def _learned(config: PipelineConfig, contract: Contract, rows: int, classes: int) -> Learned:
    measures = [each for each in plan_measures(contract, config.preprocess) if each.role == "feature"]
    categories = sum(each.kind == "category" for each in measures)
    numbers = sum(2 if each.kind == "cyclic" else 1 for each in measures) - categories
    training = rows * config.split.train
    targets = len(config.quantiles or config.targets)
    one = 1 if require_target(contract, config.preprocess) == "number" else classes
    outputs = targets if targets > 1 else one
    features = Features(numbers, categories, config.preprocess.bins, outputs)

    def multiplications(model: ModelConfig) -> float | None:
        return of_a_row(model, features)

    return Learned(
        rows=training,
        validation=rows * config.split.validation,
        features=numbers + categories,
        bins=sum(bins_of(training, _values(each)) for each in measures),
        boosters=1 if outputs == 2 and targets == 1 else outputs,
        multiplications=multiplications,
    )


def _values(measure: Measure) -> int:
    if measure.kind == "category" or measure.column.logical_type == "boolean":
        return _FEW
    return _COUNTS if measure.column.logical_type == "integer" else MOST_BINS
