"""Small homes that look as Headrace leaves them, with ages."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from tasks.retention.policy import RetentionPolicy
from tasks.retention.survey import Survey, survey

NOW = time.time()
DAY = 86_400.0
OLD = 40.0


def digest(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


class Home:
    """Writes things, each named by its path below the home, referring to others by their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def content(self, kind: str, name: object, refers: Iterable[str] = (), days: float = OLD) -> str:
        """Write a folder that is named by its digest."""
        path = f"{kind}/{digest(name)}"
        self._write(f"{path}/manifest.json", {"of": _names(refers)})
        self._write(f"{path}/part/data", "x" * 100)
        return self.age(path, days)

    def record(self, name: object, refers: Iterable[str], days: float = OLD) -> str:
        """Write what Prefect keeps of a finished task."""
        places = [{"path": str(self.folder / path), "digest": path[-64:]} for path in refers]
        self._write(f"results/{digest(name)}", {"metadata": {}, "result": json.dumps(places)})
        return self.age(f"results/{digest(name)}", days)

    def training(self, name: object, refers: Iterable[str] = (), days: float = OLD, logs: bool = False) -> str:
        """Write what a training leaves to go on from."""
        path = f"training/{digest(name)}"
        self._write(f"{path}/work/round-000001.ckpt", "x" * 1000)
        self._write(f"{path}/job.json", {"of": _names(refers)})
        if logs:
            self._write(f"{path}/work/training.csv", "step,name,value")
        return self.age(path, days)

    def version(self, number: object, refers: Iterable[str] = (), days: float = OLD, model: str = "m") -> str:
        """Write a version; nothing of it is read but its proofs."""
        path = f"models/{model}/{number}"
        self._write(f"{path}/bundle.json", {"digest": digest(path), "proofs": {"of": _names(refers)}})
        self._write(f"{path}/model.onnx", "x" * 500)
        return self.age(path, days)

    def point(self, champion: object, *history: object, model: str = "m") -> None:
        """Make a version the champion of a model."""
        known = [{"version": str(each), "digest": digest(f"models/{model}/{each}")} for each in (*history, champion)]
        self._write(f"models/{model}/champion", {**known[-1], "history": known[:-1]})

    def plan(self, **plan: object) -> None:
        """Write the traffic plan of the model."""
        self._write("models/m/traffic", plan)

    def watched(self, name: str, refers: Iterable[str] = (), days: float = OLD) -> str:
        """Write what a drift watch found, `<pipeline>/<id>`."""
        self._write(f"drift/{name}/report.json", {"of": _names(refers)})
        self._write(f"drift/{name.split('/', maxsplit=1)[0]}/memory.json", {"version": "1"})
        return self.age(f"drift/{name}", days)

    def run(
        self,
        name: str,
        refers: Iterable[str] = (),
        days: float = OLD,
        *,
        version: str | None = None,
        config: object = "same",
    ) -> str:
        """Write a run `<pipeline>/<id>`; without a version it did not come to its end."""
        path = f"runs/{name}"
        self._write(f"{path}/config.json", {"config": config})
        if version is not None:
            model, number = version.split("/")[1:]
            self._write(f"{path}/references.json", {str(n): {"digest": d} for n, d in enumerate(_names(refers))})
            self._write(f"{path}/summary.json", {"model": model, "version": number, "digest": digest(version)})
        return self.age(path, days)

    def age(self, path: str, days: float) -> str:
        """Make a thing look as if it was last written so many days ago."""
        top = self.folder / path
        for each in [top, *top.rglob("*")]:
            os.utime(each, (NOW - days * DAY, NOW - days * DAY))
        return path

    def files(self) -> dict[str, bytes]:
        """Return every file with its content."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}

    def survey(self, **policy: object) -> Survey:
        """Survey it; a policy that keeps little but what must stay, unless said otherwise."""
        little = {"keep_runs": 0, "keep_versions": 1} | policy
        return survey(self.folder, RetentionPolicy.model_validate(little), NOW)

    def goes(self, **policy: object) -> set[str]:
        """Return the paths of what goes."""
        return {verdict.item.path for verdict in self.survey(**policy).goes}

    def why(self, path: str, **policy: object) -> str:
        """Return why a thing stays."""
        return next(verdict.why for verdict in self.survey(**policy).stays if verdict.item.path == path)

    def _write(self, path: str, value: object) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value if isinstance(value, str) else json.dumps(value))


def _names(paths: Iterable[str]) -> list[str]:
    return [path.rpartition("/")[2] for path in paths]
