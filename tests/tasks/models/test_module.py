from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tasks.errors import ConfigError, IntegrityError
from tasks.models.checkpoint import load_predictor, read_description
from tasks.models.config import BlendConfig
from tasks.models.module import ModuleConfig, build_module, require_module
from tasks.models.spec import CategoricalInput, FeatureSpec, NumericInput, TabularNetwork
from tasks.storage import digest_file
from tasks.training.train import TrainConfig, run_train
from tests.tasks.training.fixtures import TINY, write_problem

SPEC = FeatureSpec(
    numeric=(NumericInput(name="a"), NumericInput(name="b")),
    categorical=(CategoricalInput(name="k", cardinality=4),),
    outputs=2,
)
OWN = "tests.tasks.models.own_networks"
DOCS = Path(__file__).parents[3] / "docs" / "own-network.md"
PLAIN = """
from torch import nn
class Net(nn.Module):
    def __init__(self, spec):
        super().__init__()
        self.out = nn.Linear(len(spec.numeric), spec.outputs)
    def forward(self, numeric, categorical):
        return self.out(numeric)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A config's folder; afterwards nothing can be imported from it, and nothing is left imported."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("net", "wide_and_deep", "package")):
            del sys.modules[name]


def _config(path: str, folder: Path | None = None, **settings: Any) -> ModuleConfig:
    given = {"name": "module", "path": path, "settings": settings}
    return ModuleConfig.model_validate(given, context=None if folder is None else {"folder": folder})


def test_the_example_of_the_docs_is_trained_and_loaded(folder: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (folder / "wide_and_deep.py").write_text(code)
    given = {"name": "module", "path": "wide_and_deep:WideAndDeep", "settings": {"width": 8}}
    config = TrainConfig.model_validate({**TINY.model_dump(), "model": given}, context={"folder": folder})
    problem = write_problem(folder)
    ref = run_train(problem.features, problem.preprocessing, config, folder / "home", folder / "work")
    model = read_description(ref).model
    assert isinstance(model, ModuleConfig)
    assert model.digest == digest_file(folder / "wide_and_deep.py")
    assert str(folder) not in (ref.folder / "model.json").read_text()
    scores = load_predictor(ref).scores(np.zeros((4, 3), np.float32), np.ones((4, 1), np.int64))
    assert scores.shape == (4, 2)
    (folder / "wide_and_deep.py").write_text(code + "\n")
    with pytest.raises(IntegrityError, match=r"wide_and_deep\.py: holds other code .*\n  do: bring the old file back"):
        load_predictor(ref)
    assert read_description(ref).model == model


def test_another_file_is_another_model_also_in_the_same_process(folder: Path) -> None:
    (folder / "net.py").write_text(PLAIN)
    first = _config("net:Net", folder)
    old = build_module(first, SPEC)
    (folder / "net.py").write_text(PLAIN.replace("self.out(numeric)", "self.out(-numeric)"))
    second = _config("net:Net", folder)
    assert second.digest != first.digest
    new = build_module(second, SPEC)
    new.load_state_dict(old.state_dict())
    numeric, categorical = torch.ones(1, 2), torch.zeros(1, 1, dtype=torch.int64)
    torch.testing.assert_close(new(-numeric, categorical), old(numeric, categorical))


def test_a_file_beside_the_config_hides_no_library(folder: Path) -> None:
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / "net.py").write_text("import numpy\nnumpy.zeros(1)" + PLAIN)
    require_module(_config("net:Net", folder))
    assert sys.path[-1] == str(folder)


def test_a_module_of_a_package_may_import_its_neighbours(folder: Path) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    (folder / "package" / "layers.py").write_text("from torch.nn import Linear")
    (folder / "package" / "net.py").write_text("from .layers import Linear" + PLAIN.replace("nn.Linear", "Linear"))
    assert build_module(_config("package.net:Net", folder), SPEC).training


@pytest.mark.parametrize("text", ["import no_such_library", "1 / 0"])
def test_a_package_that_cannot_be_imported_is_refused(folder: Path, text: str) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text(text)
    (folder / "package" / "net.py").write_text(PLAIN)
    with pytest.raises(
        ValidationError, match=r"importing the package of `package\.net` fails: \w+Error: .*\n  do: mend"
    ):
        _config("package.net:Net", folder)


def test_building_draws_nothing_but_the_first_weights() -> None:
    config = _config(f"{OWN}:TwoLayers", width=3)
    torch.manual_seed(0)
    first = build_module(config, SPEC)
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(
        build_module(config, SPEC).state_dict()["module.out.weight"], first.state_dict()["module.out.weight"]
    )
    assert torch.equal(torch.rand(1), after)


def test_a_network_of_ours_keeps_its_members(folder: Path) -> None:
    text = PLAIN.replace("from torch import nn", "from torch import nn\nfrom tasks.models.spec import TabularNetwork")
    members = "\n    def training_scores(self, *inputs):\n        return self(*inputs)[:, None].expand(-1, 5, -1)\n"
    (folder / "net.py").write_text(text.replace("(nn.Module)", "(TabularNetwork)") + members)
    network = build_module(_config("net:Net", folder), SPEC)
    assert isinstance(network, TabularNetwork)
    assert network.training_scores(torch.zeros(3, 2), torch.zeros(3, 1).long()).shape == (3, 5, 2)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("net", r"train\.model\.path: expected `package\.module:Class`, got 'net'"),
        ("a-b:Net", "expected `package.module:Class`, got 'a-b:Net'"),
        ("../net:Net", "expected `package.module:Class`"),
        ("net_that_is_not:Net", "there is no module `net_that_is_not` beside the config or on the Python path"),
        ("no_package.net:Net", "there is no module `no_package.net`"),
        ("tasks.models:Net", r"__init__\.py; expected a module of one Python file"),
        ("math:Net", "`math` is "),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_with_the_config(path: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _config(path)
    with pytest.raises(ValidationError, match="path"):
        ModuleConfig.model_validate({"name": "module"})


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("TwoLayer", {}, r"expected a class `TwoLayer`, .*, found nothing of that name\n  do: write `TwoLayers`"),
        ("count", {}, "found a int that is no such class"),
        ("NoNetwork", {}, r"found the class .*\.NoNetwork\n"),
        ("FeatureSpec", {}, r"found the class tasks\.models\.spec\.FeatureSpec\n"),
        ("TwoLayers", {"widht": 3}, r"got an unexpected keyword argument 'widht'\n.*the settings it takes: width"),
        ("OneInput", {}, r"OneInput\.forward\(numeric, categorical\) cannot be called: too many positional"),
    ],
)
def test_a_class_that_cannot_serve_is_refused_by_the_check(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        require_module(_config(f"{OWN}:{name}", **settings))
    assert "own_networks.py" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("import no_such_library" + PLAIN, 1, "ModuleNotFoundError: No module named 'no_such_library'"),
        (PLAIN + "\nclass Net(\n", 10, "SyntaxError"),
        (PLAIN + "\n1 / 0", 10, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_cannot_be_imported_says_where(folder: Path, text: str, line: int, message: str) -> None:
    (folder / "net.py").write_text(text)
    config = _config("net:Net", folder)
    for _ in range(2):
        with pytest.raises(ConfigError, match=rf"net\.py:{line}: importing it fails: {message}"):
            require_module(config)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "Squeezed",
            r"forward of 1 rows .* must return a float32 tensor of shape \[1, 2\], got float32 of shape \[2\]",
        ),
        ("Doubled", r"got float64 of shape \[3, 2\]"),
        ("Paired", "got a tuple"),
        ("Halved", r"must return a float32 tensor of shape \[3, 2\], got float32 of shape \[3, 1\]"),
        ("Centred", r"the same scores alone and beside others; got \["),
        ("Clearing", r"forward changes its inputs"),
        ("Deciding", r"cannot be exported with a dynamic batch: .*own_networks\.py"),
        ("Tied", r"`module\.out\.weight` and `module\.again` share their memory|`module\.again` and `module\.out"),
        ("Remembering", r"the state `module\._extra_state` is a dict"),
        ("Narrow", r"fails on 3 rows of zeros with 2 numbers, 1 categories and 2 outputs: .*own_networks\.py:.*Error"),
        ("Demanding", r"cannot be built .*own_networks\.py:\d+: LookupError: no column `age` among \['a', 'b'\]"),
    ],
)
def test_a_network_that_does_not_meet_its_contract_is_refused_before_training(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_module(_config(f"{OWN}:{name}"), SPEC)


def test_trying_a_network_leaves_its_statistics_alone() -> None:
    network = build_module(_config(f"{OWN}:Normalized"), SPEC)
    assert float(network.state_dict()["module.normal.running_mean"].abs().sum()) == 0.0


def test_a_digest_in_the_config_pins_the_code(folder: Path) -> None:
    (folder / "net.py").write_text(PLAIN)
    pinned = ModuleConfig.model_validate(
        {"name": "module", "path": "net:Net", "digest": "0" * 64}, context={"folder": folder}
    )
    with pytest.raises(IntegrityError, match="expected SHA-256 000000000000"):
        require_module(pinned)


def test_reading_a_config_again_imports_nothing(folder: Path) -> None:
    (folder / "net.py").write_text("raise SystemExit")
    config = _config("net:Net", folder)
    (folder / "net.py").unlink()
    assert ModuleConfig.model_validate_json(config.model_dump_json()) == config


def test_every_kind_of_section_takes_it() -> None:
    given = {"name": "blend", "members": [{"name": "module", "path": f"{OWN}:TwoLayers"}, "linear"]}
    model = TrainConfig.model_validate({"model": given}).model
    assert isinstance(model, BlendConfig)
    assert isinstance(model.members[0], ModuleConfig)
