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
from pipelines.live_progress import shown_live
from pipelines.own_process import in_own_process
from serving.bundle.errors import RemoteAccessError, RemoteError
from tasks.augmentation.augment import run_augment
from tasks.augmentation.label_noise import run_label_noise
from tasks.calibration.calibrate import run_calibrate
from tasks.cleaning.ordered import run_ordered
from tasks.cross_validation.cross_validate import run_cross_validate
from tasks.data.clean import run_clean
from tasks.data.document import run_document
from tasks.data.ingest import run_ingest
from tasks.data.split import run_split
from tasks.data.validate import run_validate
from tasks.evaluation.evaluate import run_evaluate
from tasks.explanation.explain import run_explain
from tasks.export.export import run_export
from tasks.export.verify import run_verify
from tasks.images.augment.materialize import run_augment_images
from tasks.images.duplicates import run_deduplicate_images
from tasks.images.features import run_transform_images
from tasks.images.fit import run_fit_images
from tasks.images.ingest import run_ingest_images
from tasks.images.split import run_split_images
from tasks.leakage.check import run_leakage
from tasks.preprocessing.fit import run_fit
from tasks.preprocessing.transform import run_transform
from tasks.promotion.promote import run_promote
from tasks.slices.slices import run_slices
from tasks.storage import headrace_home
from tasks.training.train import run_train

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_CACHED = "Cached"


class Started(Generic[Result]):
    """A task that runs beside the flow."""

    def __init__(self, future: PrefectFuture[Result], share: Callable[[State[Result]], None]) -> None:
        self._future = future
        self._share = share

    def result(self) -> Result:
        """Wait for its end and return its result, or raise its error."""
        result = self._future.result()
        self._share(self._future.state)
        return result


class Binding(Generic[Arguments, Result]):
    """One task function as a Prefect task.

    Calling it runs the task inside the current flow and returns the function's result, or raises its error.

    Args:
        function: The plain task function.
        name: The task's name in the Prefect UI.
        cached: Reuse the result of an earlier run with the same key (`pipelines.caching`). Left off where the work
            looks at the outside world.
        shown_as: The name of its runs there, where that is to say more: a format string over the arguments.
        apart: Call the function in a process of its own, as one must that is begun by `start` and imports libraries.
    """

    def __init__(
        self,
        function: Callable[Arguments, Result],
        name: str,
        *,
        cached: bool = True,
        shown_as: str | None = None,
        apart: bool = False,
    ) -> None:
        self.name = name
        self._function = function
        self._task: Task[..., Any] = Task(
            shown_live(in_own_process(function) if apart else function),
            name=name,
            task_run_name=shown_as or name,
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
        result = state.result()
        self._share(state)
        return result, state.name == _CACHED

    def start(self, *arguments: Arguments.args, **named: Arguments.kwargs) -> Started[Result]:
        """Begin the task beside the flow, for what nothing waits for but the end of the run."""
        return Started(self._task.submit(*arguments, **named), self._share)

    def _share(self, state: State[Result]) -> None:
        """Leave the record of a result that is new where other machines look, if there is such a place."""
        if self._task.persist_result and state.name != _CACHED:
            record: Any = state.data
            share_record(results_folder() / record.metadata.storage_key, headrace_home())

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
document = Binding(run_document, "document", apart=True)
clean = Binding(run_clean, "clean")
order = Binding(run_ordered, "order")
split = Binding(run_split, "split")
leakage = Binding(run_leakage, "leakage")
fit = Binding(run_fit, "fit")
transform = Binding(run_transform, "transform")
ingest_images = Binding(run_ingest_images, "ingest", cached=False)
deduplicate_images = Binding(run_deduplicate_images, "clean")
split_images = Binding(run_split_images, "split")
fit_images = Binding(run_fit_images, "fit")
transform_images = Binding(run_transform_images, "transform")
augment_images = Binding(run_augment_images, "augment")
label_noise = Binding(run_label_noise, "label-noise")
augment = Binding(run_augment, "augment")
train = Binding(run_train, "train", shown_as="train {config.model.name}")
cross_validate = Binding(run_cross_validate, "cross-validate")
calibrate = Binding(run_calibrate, "calibrate")
evaluate = Binding(run_evaluate, "evaluate")
slices = Binding(run_slices, "slices")
explain = Binding(run_explain, "explain")
export = Binding(run_export, "export")
verify = Binding(run_verify, "verify")
# Promotion depends on the champion of the moment.
promote = Binding(run_promote, "promote", cached=False)
