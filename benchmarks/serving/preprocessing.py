"""What raw records cost inside the graph: whole models beside the bare ones, which take finished features.

    headrace samples flights data/flights
    OMP_NUM_THREADS=1 python -m benchmarks.serving.preprocessing
    OMP_NUM_THREADS=1 python -m benchmarks.serving.preprocessing .headrace/models/flight-delay/1 --home .headrace

Without bundles, preprocessing is fitted on the flights, networks have random weights and trees grow on random classes.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import lightgbm
import numpy as np
import onnx
import pyarrow as pa
import spox
import torch
from onnx import helper
from pydantic import TypeAdapter
from spox import Tensor

from data_contracts.contract import Contract
from data_contracts.generate import generate_records
from data_contracts.loader import load_contract
from pipelines.config import load_config
from serving.bundle.manifest import MODEL
from serving.bundle.read import open_bundle
from serving.bundle.session import load_session
from tasks.data.clean import run_clean
from tasks.data.ingest import run_ingest
from tasks.data.split import run_split
from tasks.data.validate import run_validate
from tasks.export.bundle import CONTRACT, PREPROCESSING
from tasks.export.model import assemble, build_model, serialize
from tasks.export.preprocessing_graph import BATCH
from tasks.export.raw_columns import feed, input_specs
from tasks.export.scores import export_scores
from tasks.models.checkpoint import load_predictor, read_description
from tasks.models.predictor import NetworkPredictor, Predictor
from tasks.models.registry import NetworkConfig, build_network
from tasks.models.spec import FeatureSpec
from tasks.models.tree_arrays import from_lightgbm
from tasks.models.trees import TreesPredictor, feature_table
from tasks.prediction.decision import DECISION, Decision
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing, run_fit
from tasks.preprocessing.transform import transform
from tasks.references import CheckpointRef

CONFIG = Path("pipelines/configs/flights.yaml")
BATCHES = (1, 256)
SECONDS = 2.0
FEWEST = 21
TREES = 400

Feed = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A model twice: from raw records, and from finished features."""

    name: str
    whole: bytes
    bare: bytes
    contract: Contract
    constants: Preprocessing


def from_bundle(folder: Path, home: Path) -> Case:
    """Take a bundle's own graph, and the bare one of the checkpoint that it was exported from."""
    manifest = open_bundle(folder)
    constants = Preprocessing.model_validate_json((folder / PREPROCESSING).read_bytes())
    digest = manifest.proofs["checkpoint"]["digest"]
    checkpoint = CheckpointRef(path=str(home / "checkpoints" / digest), digest=digest)
    decision = Decision.model_validate_json((folder / DECISION).read_bytes())
    return Case(
        name=f"{folder.name}: {read_description(checkpoint).model.name}",
        whole=(folder / MODEL).read_bytes(),
        bare=serialize(bare_model(load_predictor(checkpoint), constants, decision)),
        contract=load_contract(folder / CONTRACT),
        constants=constants,
    )


def from_flights() -> Iterator[Case]:
    """Fit the flights' preprocessing, and build the shipped network and some others without training them."""
    config = load_config(CONFIG, [])
    contract = load_contract(config.contract)
    with TemporaryDirectory() as folder:
        home = Path(folder)
        raw = run_ingest(config.source, contract, home, config.dask)
        validation = run_validate(raw, contract, config.validation, home, config.dask)
        clean = run_clean(raw, validation, contract, config.clean, home, config.dask)
        split = run_split(clean, contract, config.split, home, config.dask)
        constants = read_preprocessing(run_fit(clean, split, contract, config.preprocess, home, config.dask))
    spec = FeatureSpec.of(constants)
    predictors: dict[str, Predictor] = {}
    for settings in (config.train.model, *({"name": name} for name in ("mlp", "linear"))):
        torch.manual_seed(0)
        network = TypeAdapter[NetworkConfig](NetworkConfig).validate_python(settings)
        predictors[network.name] = NetworkPredictor(build_network(network, spec).eval())
    predictors["trees"] = grown(constants, generate_records(contract, constants.columns, 5_000, 0))
    inputs = input_specs(contract, constants)
    for name, predictor in predictors.items():
        scores = export_scores(predictor, len(constants.numeric), len(constants.categorical))
        whole = serialize(build_model(constants, inputs, scores, Decision(), {}))
        yield Case(name, whole, serialize(bare_model(predictor, constants, Decision())), contract, constants)


def grown(constants: Preprocessing, rows: pa.Table) -> TreesPredictor:
    """Grow trees on random classes: of their usual size, whatever they say."""
    features = transform(rows, constants)
    table = feature_table(features.numeric, features.categorical)
    data = lightgbm.Dataset(table, np.random.default_rng(0).integers(0, 2, len(table)))
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "use_missing": False}
    forest = lightgbm.train(settings, data, TREES).dump_model()["tree_info"]
    trees = from_lightgbm((1, tree["tree_structure"]) for tree in forest)
    return TreesPredictor(trees, features=table.shape[1], outputs=2)


def bare_model(predictor: Predictor, constants: Preprocessing, decision: Decision) -> onnx.ModelProto:
    """Build the model from finished features to the answer."""
    network = export_scores(predictor, len(constants.numeric), len(constants.categorical))
    matrices = {
        "numeric": spox.argument(Tensor(np.float32, (BATCH, len(constants.numeric)))),
        "categorical": spox.argument(Tensor(np.int64, (BATCH, len(constants.categorical)))),
    }
    used = {value.name: matrices[value.name] for value in network.graph.input}
    (scores,) = spox.inline(network)(**used).values()
    return assemble(used, scores, constants.target, decision, {})


def idle_model(model: bytes) -> bytes:
    """Build a model of the same inputs that does nothing: what is left is the cost of handing them over."""
    inputs = onnx.load_from_string(model).graph.input
    node = helper.make_node("Identity", [inputs[0].name], ["same"])
    output = onnx.ValueInfoProto(name="same", type=inputs[0].type)
    graph = helper.make_graph([node], "idle", inputs, [output])
    return serialize(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))


class Timed:
    """A loaded model and what it is asked."""

    def __init__(self, model: bytes, feed_of: Feed) -> None:
        self.session = load_session(model)
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.feed = {value.name: feed_of[value.name] for value in self.session.get_inputs()}

    def microseconds(self, runs: int) -> float:
        """Return the processor time of a run, which a busy machine lengthens less than the clock's."""
        started = time.process_time()
        for _ in range(runs):
            self.session.run(self.outputs, self.feed)
        return 1e6 * (time.process_time() - started) / runs


def medians(case: Case, rows: int, at_once: int) -> np.ndarray:
    """Time the whole model, the bare one, and handing over the inputs of each, in turns: microseconds of a run.

    Args:
        case: The model.
        rows: Of a batch.
        at_once: How often a model runs before it is the next one's turn. Of many in a row, all but the first find the
            model in the processor's caches, as a server with other work to do will not.
    """
    inputs = input_specs(case.contract, case.constants)
    table = generate_records(case.contract, [spec.name for spec in inputs], rows, 0)
    features = transform(table, case.constants)
    given = feed(table, inputs) | {"numeric": features.numeric, "categorical": features.categorical}
    models = [case.whole, case.bare, idle_model(case.whole), idle_model(case.bare)]
    timed = [Timed(model, given) for model in models]
    whole, bare = (each.session.run(each.outputs, each.feed) for each in timed[:2])
    for one, other in zip(whole, bare, strict=True):
        np.testing.assert_array_equal(one, other)
    gc.collect()
    gc.freeze()
    round_takes = sum(each.microseconds(10) for each in timed) * at_once / 1e6
    rounds = [[each.microseconds(at_once) for each in timed] for _ in range(max(FEWEST, int(SECONDS / round_takes)))]
    return np.asarray(np.median(rounds, axis=0))


def table_of(cases: Sequence[Case], at_once: int) -> Iterator[str]:
    """Yield a table's lines, microseconds of a run; `inputs` is handing them over, to the whole and to the bare one."""
    yield f"{'model':20} {'rows':>4} {'whole':>8} {'bare':>8} {'ratio':>6} {'inputs':>14}"
    for case in cases:
        for rows in BATCHES:
            whole, bare, raw, finished = medians(case, rows, at_once)
            yield f"{case.name:20} {rows:4} {whole:8.1f} {bare:8.1f} {whole / bare:6.2f} {raw:6.1f} {finished:7.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", type=Path, help="folders of versions in a model store")
    parser.add_argument("--home", type=Path, default=Path(".headrace"), help="where their checkpoints are")
    parser.add_argument("--in-a-row", type=int, default=1, help="runs of one model before it is the next one's turn")
    arguments = parser.parse_args()
    cases = [from_bundle(folder, arguments.home) for folder in arguments.bundles] or list(from_flights())
    for line in table_of(cases, arguments.in_a_row):
        print(line, flush=True)


if __name__ == "__main__":
    main()
