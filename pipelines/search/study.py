"""The trials of a search, in a database that survives whatever happens to who tries."""

from __future__ import annotations

import fcntl
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import psutil  # type: ignore[import-untyped]
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pipelines.search.config import SearchConfig
from pipelines.search.sampling import NumberedSampler, build_pruner, distributions
from tasks.errors import ConfigError
from tasks.metrics.table import direction
from tasks.storage import is_remote

# Why a trial has no value: what the config or the training said of its settings.
REFUSED = "refused"
_OWNER = "owner"

# Seconds that a process waits for another's write to SQLite.
_PATIENCE = 60
# A trial without an owner is one whose process was killed as it began, unless it has only just begun.
_JUST_BEGUN = timedelta(seconds=60)


@dataclass(frozen=True)
class Place:
    """Where a search's trials are kept.

    Attributes:
        url: Of the database.
        study: The name of the search in it.
        lock: A file of this machine.
    """

    url: str
    study: str
    lock: Path

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)


def place_of(search: SearchConfig, study: str, folder: Path, file: str) -> Place:
    """Return where trials are kept.

    Args:
        search: The section.
        study: The search's name.
        folder: Where Headrace keeps searches.
        file: The name of SQLite's file there, without suffix.

    Raises:
        ConfigError: The default is a file, and Headrace's home is in an object store.
    """
    if search.storage is None and is_remote(folder):
        raise ConfigError(
            f"search.storage: trials are kept in a file of SQLite, which cannot be in {folder}\n"
            "  do: give the URL of a database, such as postgresql+psycopg2://..., or a HEADRACE_HOME on a disk"
        )
    if search.storage is None:
        return Place(f"sqlite:///{folder / file}.db", study, folder / f"{file}.lock")
    locks = Path.home() / ".cache" / "headrace" if is_remote(folder) else folder
    return Place(search.storage, study, locks / f"{file}.lock")


class Trials:
    """The trials of one search.

    Attributes:
        place: Where they are kept.
        search: What is searched.
        study: Optuna's own object.
    """

    def __init__(self, place: Place, search: SearchConfig, metric: str) -> None:
        """Open the database, and begin the search where it is not there yet.

        Raises:
            ConfigError: The database cannot be used.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.place = place
        self.search = search
        place.lock.parent.mkdir(parents=True, exist_ok=True)
        with self._alone(), _naming_database(place):
            local = make_url(place.url).get_backend_name() == "sqlite"
            arguments: dict[str, Any] = {"connect_args": {"timeout": _PATIENCE}} if local else {}
            self.study = optuna.create_study(
                storage=RDBStorage(place.url, engine_kwargs=arguments),
                study_name=place.study,
                direction="maximize" if direction(metric) > 0 else "minimize",
                sampler=NumberedSampler(search.sampler, search.seed),
                pruner=build_pruner(search),
                load_if_exists=True,
            )

    def claim(self) -> optuna.trial.Trial | None:
        """Begin the next trial; None where there are enough.

        Those under way count, so that processes of one machine together begin no more than are wanted.
        """
        with self._alone():
            wanted = self.search.trials
            if wanted is not None and len(self.counted()) + len(self.in_state(TrialState.RUNNING)) >= wanted:
                return None
            trial = self.study.ask(dict(distributions(self.search)))
            trial.set_user_attr(_OWNER, _owner())
            return trial

    def counted(self) -> list[FrozenTrial]:
        """Return the trials that have ended, but for those that were killed."""
        ended = self.in_state(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        return [trial for trial in ended if trial.state != TrialState.FAIL or REFUSED in trial.user_attrs]

    def in_state(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials in one of these states, by number."""
        return self.study.get_trials(deepcopy=False, states=states)

    def put_back(self, number: int) -> None:
        """End a trial that was killed, and have its values tried again."""
        trial = next(each for each in self.in_state(TrialState.RUNNING) if each.number == number)
        waiting = [each.system_attrs.get("fixed_params") for each in self.in_state(TrialState.WAITING)]
        # In this order: after a kill between the two, the values are in the queue, and are not put there twice.
        if trial.params and trial.params not in waiting:
            self.study.enqueue_trial(trial.params)
        self.study.tell(number, state=TrialState.FAIL)

    def put_back_killed(self) -> int:
        """Put every trial back whose process is gone; return how many.

        What runs on other machines is left alone.
        """
        killed = [trial for trial in self.in_state(TrialState.RUNNING) if _is_gone(trial)]
        for trial in killed:
            self.put_back(trial.number)
        return len(killed)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self.place.lock.open("a") as file:
            # The system lets go of it when the process ends, however it does.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def settings_of(trial: FrozenTrial | optuna.trial.Trial, search: SearchConfig) -> dict[str, Any]:
    """Return a trial's values by key, as the config takes them."""
    values: Mapping[str, Any] = trial.params
    choices = {key for key, each in search.space.items() if hasattr(each, "choices")}
    return {key: json.loads(value) if key in choices else value for key, value in values.items()}


def _owner() -> dict[str, Any]:
    process = psutil.Process()
    return {"host": socket.gethostname(), "pid": process.pid, "started": process.create_time()}


def _is_gone(trial: FrozenTrial) -> bool:
    owner = trial.user_attrs.get(_OWNER)
    if owner is None:
        began = trial.datetime_start
        return began is not None and datetime.fromtimestamp(time.time()) - began > _JUST_BEGUN  # noqa: DTZ006
    if owner["host"] != socket.gethostname():
        return False
    try:
        return bool(psutil.Process(owner["pid"]).create_time() != owner["started"])
    except psutil.NoSuchProcess:
        return True


@contextmanager
def _naming_database(place: Place) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, ImportError) as error:
        shown = "the URL" if isinstance(error, ArgumentError) else place.shown
        raise ConfigError(
            f"search.storage: {shown} cannot be used as a database: {str(error).splitlines()[0]}\n"
            "  do: give the URL of a database that answers, such as sqlite:///searches.db, and install its driver"
        ) from error
