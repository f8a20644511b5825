"""The words of `<!-- test: given WORD ... -->`: what is there before a block, made when the page comes to it."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx.parser
import pyarrow.dataset as ds

from serving.bundle.manifest import InputSpec, OutputSpec
from serving.bundle.store import ModelStore
from tasks.models.checkpoint import DESCRIPTION
from tests.docs.blocks import ROOT
from tests.docs.page_shell import PageShell
from tests.docs.scene import Shared, shortened, take
from tests.end_to_end.customers import write_customers, write_project
from tests.serving.bundles import write_bundle
from tests.tasks.images.pictures import write_idx

_ROWS = 6_000
_ROWS_OF_REQUEST = 500
_DIGEST = "0" * 64
_BARE = """
<ir_version: 10, opset_import: ["": 18]>
m (double[rows] distance) => (double[rows] prediction) { prediction = Identity(distance) }
"""


def customers(shell: PageShell, shared: Shared) -> None:
    write_project(shell.folder)


def customers_csv(shell: PageShell, shared: Shared) -> None:
    write_customers(shell.folder / "data" / "customers.csv", rows=2000, seed=0)


def customers_runs(shell: PageShell, shared: Shared) -> None:
    take(shell.folder, shared.customers_home)


def flight_delay(shell: PageShell, shared: Shared) -> None:
    take(shell.folder, shared.flight_home)


def endpoint(shell: PageShell, shared: Shared) -> None:
    shell.do("headrace serve")


def buckets(shell: PageShell, shared: Shared) -> None:
    """A server that speaks S3's protocol, with the raw data that pages name in its buckets."""
    shell.do("moto_server -H 127.0.0.1 -p 5000")
    address = f"http://127.0.0.1:{shell.port('5000')}"
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "any")
    shell.environment |= {"AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1", **keys}
    put = "; s.mkdir('our-bucket'); s.put('customers.csv', 'our-bucket/raw/customers.csv'); s.mkdir('my-bucket')"
    put += "; s.put('data/flights/', 'my-bucket/flights/', recursive=True)"
    customers(shell, shared)
    shell.do(f'python -c "import s3fs; s = s3fs.S3FileSystem(){put}"')


def models(shell: PageShell, shared: Shared) -> None:
    (shell.folder / "models").symlink_to(shell.folder / ".headrace" / "models")


def keys(shell: PageShell, shared: Shared) -> None:
    shell.do("headrace keys add mobile")


def key(shell: PageShell, shared: Shared) -> None:
    """The key that was made last of a file of one."""
    shell.do("rm keys.json; headrace keys add mobile --models flight-delay")
    shell.environment["KEY"] = shell.said.strip()
    shell.do("headrace serve --keys keys.json")


def traffic(shell: PageShell, shared: Shared) -> None:
    """Requests of flights that the endpoint has answered and sampled, and what became of them in `labels.csv`."""
    if not shell.running("endpoint"):
        shell.do("headrace serve --set samples.folder=samples --set samples.share=1")
    rows = ds.dataset(shared.flights).to_table().to_pylist()
    url = f"http://127.0.0.1:{shell.port('8080')}/v1/models/flight-delay"
    inputs = [column["name"] for column in httpx.get(url).json()["inputs"]]
    order = np.random.default_rng(0).permutation(len(rows))[:_ROWS].reshape(-1, _ROWS_OF_REQUEST)
    with (shell.folder / "labels.csv").open("w", newline="") as file:
        labels = csv.writer(file)
        labels.writerow(["request_id", "row", "arr_delayed"])
        for number, chosen in enumerate(order):
            asked = [rows[place] for place in chosen]
            records = [{name: _plain(row[name]) for name in inputs} for row in asked]
            answer = httpx.post(f"{url}:predict", json={"id": f"request-{number}", "records": records}, timeout=60)
            assert answer.status_code == 200, answer.text
            labels.writerows(
                [f"request-{number}", place, str(row["arr_delayed"]).lower()]
                for place, row in enumerate(asked)
                if row["arr_delayed"] is not None
            )
    # It writes what it has sampled when it stops.
    shell.stop("endpoint")


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def prefect_server(shell: PageShell, shared: Shared) -> None:
    """A server without any deployment or pool."""
    shell.stop("worker")
    shell.stop("prefect")
    database = "PREFECT_API_DATABASE_CONNECTION_URL"
    number = sum(1 for _ in shell.folder.glob(".server-*"))
    path = shell.folder / f".server-{number}"
    path.mkdir()
    shell.do(f"{database}=sqlite+aiosqlite:///{path}/prefect.db prefect server start")
    deadline = time.monotonic() + 120
    while not _healthy(f"http://127.0.0.1:{shell.port('4200')}/api/health"):
        assert time.monotonic() < deadline, "the Prefect server does not answer"
        time.sleep(0.2)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def flights_by_month(shell: PageShell, shared: Shared) -> None:
    text = shortened("flights.yaml").replace("../../", "").replace("model: flight-delay", "model: flights-by-month")
    text = text.replace("name: flights\n", "name: flights-by-month\n")
    text = text.replace("path: data/flights", 'path: "data/flights/flights-{partition}.parquet"')
    # A month has few of these flights: nothing is asked of its model.
    text = text.replace("floor: {roc_auc: 0.5}", "floor: {}").replace("gain: {roc_auc: -0.002}", "gain: {}")
    (shell.folder / "flights-by-month.yaml").write_text(f"{text}\npartitions: {{by: month, from: 2013-01-01}}\n")


def flights_yaml(shell: PageShell, shared: Shared) -> None:
    """A config with a section `search`, for trials of a moment."""
    search = """
search:
  space:
    train.optimizer.learning_rate: {low: 1e-4, high: 1e-2, log: true}
    train.batch_size: {low: 256, high: 2048, step: 256}
  trials: 20
"""
    text = shortened("flights.yaml").replace("../../", "").replace("rounds: 2\n", "rounds: 1\n")
    (shell.folder / "flights.yaml").write_text(text + search)


def old_contract(shell: PageShell, shared: Shared) -> None:
    (shell.folder / "old.odcs.yaml").write_text((ROOT / "data_contracts/flights.odcs.yaml").read_text())


def new_contract(shell: PageShell, shared: Shared) -> None:
    text = (ROOT / "data_contracts/flights.odcs.yaml").read_text()
    (shell.folder / "new.odcs.yaml").write_text(text.replace("version: 1.0.0", "version: 1.1.0"))


def fashion_mnist(shell: PageShell, shared: Shared) -> None:
    """Noise in the files of Fashion-MNIST: a few pictures of each garment."""
    folder = shell.folder / "data" / "fashion-mnist"
    folder.mkdir()
    chance = np.random.default_rng(0)
    for part, count in (("train", 600), ("t10k", 200)):
        pictures = chance.integers(0, 256, (count, 28, 28), np.uint8)
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", pictures)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))


def bare_model(shell: PageShell, shared: Shared) -> None:
    """The model `m` of one number."""
    number = InputSpec(name="distance", datatype="FP64", tensor="float64", logical_type="number", nullable=True)
    fields: dict[str, Any] = {
        "model": "m",
        "problem": "regression",
        "classes": (),
        "inputs": (number,),
        "outputs": (OutputSpec(name="prediction", datatype="FP64", shape=(-1,)),),
    }
    store = ModelStore(shell.folder / ".headrace" / "models")
    store.register("m", partial(write_bundle, graph=onnx.parser.parse_model(_BARE), **fields))
    store.set_champion("m", "1")


def earlier_champion(home: Path) -> None:
    """A bundle that says of which checkpoint it was made, and the checkpoint's folder: what `check` looks at."""
    store = ModelStore(home / "models")
    proofs: Mapping[str, Any] = {"checkpoint": {"digest": _DIGEST}}
    store.register("flights", partial(write_bundle, model="flights", proofs=proofs))
    store.set_champion("flights", "1")
    checkpoint = home / "checkpoints" / _DIGEST
    checkpoint.mkdir(parents=True)
    (checkpoint / DESCRIPTION).write_text(json.dumps({}))


GIVEN: Mapping[str, Callable[[PageShell, Shared], None]] = {
    "buckets": buckets,
    "customers.yaml": customers,
    "customers-runs": customers_runs,
    "data/customers.csv": customers_csv,
    "data/fashion-mnist": fashion_mnist,
    "endpoint": endpoint,
    "flight-delay": flight_delay,
    "flights-by-month.yaml": flights_by_month,
    "flights.yaml": flights_yaml,
    "flights@champion": lambda shell, shared: earlier_champion(shell.folder / ".headrace"),
    "KEY": key,
    "keys.json": keys,
    "m": bare_model,
    "models": models,
    "new.odcs.yaml": new_contract,
    "old.odcs.yaml": old_contract,
    "prefect-server": prefect_server,
    "traffic": traffic,
}
# These take no time, so that what follows runs in every test run.
QUICK = frozenset(
    {
        "customers.yaml",
        "data/customers.csv",
        "data/fashion-mnist",
        "flights-by-month.yaml",
        "flights.yaml",
        "flights@champion",
        "new.odcs.yaml",
        "old.odcs.yaml",
    }
)
