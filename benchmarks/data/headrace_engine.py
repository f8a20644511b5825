"""The reference job by Headrace's task functions, ingest to transform. Arguments: IN OUT [MORE [DOCUMENTS]].

MORE is `parquet`, for features as the other engines write them in place of Arrow files, or a file of expectations:
these join the contract, and every row is validated by them too. With `documents` behind it, the suite, its result and
their pages are made as well, which in a pipeline is a piece of work that nothing waits for.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

from data_contracts.contract import Contract
from data_contracts.loader import load_contract
from data_contracts.yaml_lines import read_yaml
from tasks.data.clean import CleanConfig, run_clean
from tasks.data.document import run_document
from tasks.data.ingest import SourceConfig, run_ingest
from tasks.data.outcomes import require_kept
from tasks.data.split import SplitConfig, run_split
from tasks.data.validate import ValidateConfig, run_validate
from tasks.engine import DaskConfig
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.fit import run_fit
from tasks.preprocessing.transform import run_transform

CONFIG = Path(__file__).with_name("dirty_flights.yaml")


def main(source: str, out: str, more: str | None = None, documents: str | None = None) -> None:
    # As the command line does once a command is imported.
    gc.freeze()
    # The sections of the data half alone: reading the whole config imports the libraries of training, seconds of them.
    config = read_yaml(CONFIG).value
    expectations = None if more == "parquet" else more
    contract = _contract(CONFIG.parent / config["contract"], expectations)
    target = {"target": config["target"]}
    judging = ValidateConfig.model_validate(config["validate"])
    splitting = SplitConfig.model_validate(config["split"] | target)
    files = {"format": "parquet" if more == "parquet" else "arrow"}
    preprocess = PreprocessConfig.model_validate(config["preprocess"] | target | files)
    home = Path(out).absolute()
    dask = DaskConfig()
    raw = run_ingest(SourceConfig(path=source), contract, home, dask)
    validation = run_validate(raw, contract, judging, home, dask)
    require_kept(validation, contract, judging)
    clean = run_clean(raw, validation, contract, CleanConfig(), home, dask)
    split = run_split(clean, contract, splitting, home, dask)
    preprocessing = run_fit(clean, split, contract, preprocess, home, dask)
    features = run_transform(clean, split, preprocessing, home, dask)
    if documents is not None:
        run_document(validation, contract, home)
    made = {"validation": validation, "clean": clean, "preprocessing": preprocessing, "features": features}
    (home / "made.json").write_text(json.dumps({name: ref.path for name, ref in made.items()}))


def _contract(path: Path, expectations: str | None) -> Contract:
    if expectations is None:
        return load_contract(path)
    document = read_yaml(path).value
    rules = YAML(typ="safe").load(Path(expectations))
    document["schema"][0]["quality"] = [
        {"name": f"expectation_{number}", "type": "custom", "engine": "greatExpectations", "implementation": rule}
        for number, rule in enumerate(rules)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".odcs.yaml") as file:
        YAML(typ="safe").dump(document, file)
        file.flush()
        return load_contract(file.name)


if __name__ == "__main__":
    main(*sys.argv[1:5])
