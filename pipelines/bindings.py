"""Task functions bound to Prefect: retries, cache keys and names. The only place where the two meet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar, cast

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.futures import PrefectFuture

from pipelines.caching import cache_key, drop_unusable, fetch_record, share_record
from pipelines.environment import results_folder
from serving.bundle.errors import RemoteAccessError, RemoteError
from tasks.augmentation.augment import run_augment
from tasks.augmentation.label_noise import run_label_noise
from tasks.cleaning.ordered import run_ordered
from tasks.data.clean import run_clean
from tasks.data.document import run_document
from tasks.data.ingest import run_ingest
from tasks.data.split import run_split
from tasks.data.validate import run_validate
from tasks.evaluation.evaluate import run_evaluate
from tasks.export.export import run_export
from tasks.export.verify import run_verify
from tasks.leakage.check import run_leakage
from tasks.preprocessing.fit import run_fit
from tasks.preprocessing.transform import run_transform
from tasks.promotion.promote import run_promote
from tasks.storage import headrace_home
from tasks.training.train import run_train

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_CACHED = "Cached"


class Started(Generic[Result]):
    """A task that runs beside the flow."""

    def __init__(self, future: PrefectFuture[Result]) -> None:
        self._future = future

    def result(self) -> Result:
        """Wait for its end and return its result, or raise its error."""
        return self._future.result()


class Binding(Generic[Arguments, Result]):
    """One task function as a Prefect task.

    Calling it runs the task inside the current flow and returns the function's result, or raises its error.

    Args:
        function: The plain task function.
        name: The task's name in the Prefect UI.
        cached: Reuse the result of an earlier run with the same key (`pipelines.caching`). Left off where the work
            looks at the outside world.
    """

    def __init__(self, function: Callable[Arguments, Result], name: str, *, cached: bool = True) -> None:
        self.name = name
        self._function = function
        self._task: Task[..., Any] = Task(
            function,
            name=name,
            retries=2,
            retry_delay_seconds=[2, 10],
            retry_condition_fn=_worth_retrying,
            persist_result=cached,
            cache_key_fn=partial(_usable_key, function) if cached else None,
        )

    def __call__(self, *arguments: Arguments.args, **named: Arguments.kwargs) -> tuple[Result, bool]:
        """Run the task.

        Returns:
            The function's result, and whether it was reused from an earlier run.
        """
        state = cast("State[Result]", self._task(*arguments, **named, return_state=True))
        result, reused = state.result(), state.name == _CACHED
        if self._task.persist_result and not reused:
            record: Any = state.data
            share_record(results_folder() / record.metadata.storage_key, headrace_home())
        return result, reused

    def start(self, *arguments: Arguments.args, **named: Arguments.kwargs) -> Started[Result]:
        """Begin the task in a thread of its own, for what nothing waits for but the end of the run."""
        return Started(self._task.submit(*arguments, **named))

    def key(self, **parameters: Any) -> str:
        """Return a digest of what the result of a call with these arguments depends on."""
        return cache_key(self._function, parameters)


def _usable_key(function: Callable[..., Any], context: TaskRunContext, parameters: dict[str, Any]) -> str:  # noqa: ARG001
    key = cache_key(function, parameters)
    fetch_record(results_folder() / key, headrace_home())
    drop_unusable(results_folder() / key)
    return key


def _worth_retrying(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Retry what another try may mend (a full disk, a lost connection), never a `ValueError`: that is the user's."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, RemoteError):
        return not isinstance(error, RemoteAccessError)
    return isinstance(error, OSError) and not isinstance(error, ValueError)


# Ingest looks at the source's files each time: only their content says whether anything changed.
ingest = Binding(run_ingest, "ingest", cached=False)
validate = Binding(run_validate, "validate")
document = Binding(run_document, "document")
clean = Binding(run_clean, "clean")
order = Binding(run_ordered, "order")
split = Binding(run_split, "split")
leakage = Binding(run_leakage, "leakage")
fit = Binding(run_fit, "fit")
transform = Binding(run_transform, "transform")
label_noise = Binding(run_label_noise, "label-noise")
augment = Binding(run_augment, "augment")
train = Binding(run_train, "train")
evaluate = Binding(run_evaluate, "evaluate")
export = Binding(run_export, "export")
verify = Binding(run_verify, "verify")
# Promotion depends on the champion of the moment.
promote = Binding(run_promote, "promote", cached=False)
