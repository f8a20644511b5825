import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest
from distributed.batched import BatchedSend
from distributed.utils import LoopRunner

from tasks import dask_cluster, dask_threads
from tasks.dask_cluster import start_cluster
from tasks.engine import Client, DaskConfig, map_partitions, merge_partitions, open_client
from tasks.errors import ConfigError
from tasks.progress import listening


@pytest.fixture(scope="module")
def cluster():
    """A cluster whose one worker has three threads of this process."""
    with start_cluster(1, 3, processes=False) as client:
        yield client


@pytest.fixture(scope="module", params=["threads", "cluster"])
def client(request: pytest.FixtureRequest):
    if request.param == "cluster":
        yield request.getfixturevalue("cluster")
        return
    with open_client(DaskConfig(threads=3)) as client:
        yield client


def _slow_first(item: int) -> int:
    time.sleep(0.05 if item == 0 else 0.0)
    return item * item


def _named(item: int) -> str:
    return f"{item}"


def _fail_at(item: int, *, bad: int) -> int:
    if item == bad:
        raise ValueError(f"item {item} is bad")
    return item


class _Counted:
    """Counts the pieces that were begun and not yet merged with another; every merge makes one of two."""

    pieces = most = 0
    lock = threading.Lock()

    @classmethod
    def add(cls, pieces: int) -> None:
        with cls.lock:
            cls.pieces += pieces
            cls.most = max(cls.most, cls.pieces)


def _begin(item: int) -> int:
    _Counted.add(1)
    return item


def _merge_slowly(a: int, b: int) -> int:
    time.sleep(0.002)
    _Counted.add(-1)
    return a + b


def test_results_come_in_the_items_order(client: Client):
    assert map_partitions(client, _slow_first, list(range(20)), label="square") == [item * item for item in range(20)]


def test_no_items_give_no_results(client: Client):
    assert map_partitions(client, _slow_first, [], label="nothing") == []


def test_merging_keeps_the_order_and_does_not_depend_on_threads(client: Client):
    def parenthesise(a: str, b: str) -> str:
        return f"({a}{b})"

    merged = merge_partitions(client, _named, list(range(7)), parenthesise, label="merge")
    assert merged == "(((01)(23))((45)6))"


def test_one_item_needs_no_merge(client: Client):
    assert merge_partitions(client, _named, [5], lambda a, b: a + b, label="merge") == "5"


def test_the_first_error_is_raised_and_the_client_stays_usable(client: Client):
    with pytest.raises(ValueError, match="item 3 is bad"):
        map_partitions(client, partial(_fail_at, bad=3), list(range(50)), label="fail")
    assert map_partitions(client, _slow_first, [2], label="again") == [4]


@pytest.mark.parametrize("opened", ["start_cluster(1, 1, processes=False)", "open_client(DaskConfig(threads=1))"])
def test_dask_prints_no_traceback_of_its_own(opened: str):
    code = f"""
from functools import partial
from tasks.dask_cluster import start_cluster
from tasks.engine import DaskConfig, map_partitions, open_client
with {opened} as client:
    try:
        map_partitions(client, partial(divmod, 1), [0], label="work")
    except ZeroDivisionError:
        print("raised")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "raised\n"
    assert "Traceback" not in done.stderr


def test_work_in_flight_is_bounded(client: Client):
    _Counted.pieces = _Counted.most = 0
    assert merge_partitions(client, _begin, list(range(200)), _merge_slowly, label="bounded") == 199 * 100
    # Three for each thread, and as many as the tree has levels.
    assert _Counted.most <= 3 * 3 + 8
    assert _Counted.pieces == 1


def test_progress_is_announced(client: Client):
    seen: list[object] = []

    class Listener:
        def __call__(self, label: str, total: int, unit: str):
            @contextmanager
            def bar():
                seen.append((label, total, unit))
                yield lambda amount=1: seen.append(amount)

            return bar()

    with listening(Listener()):
        map_partitions(client, _named, [1, 2, 3], label="work")
    assert seen == [("work", 3, "partitions"), 1, 1, 1]


def test_items_are_never_taken_for_the_names_of_other_work(client: Client):
    items = [(1, 0), (0, 0), [(0, 0)], "(0, 0)"]
    assert map_partitions(client, str, items, label="name") == [str(item) for item in items]


def test_threads_need_no_cluster_and_import_none():
    code = """
import sys
from tasks.engine import DaskConfig, map_partitions, open_client
with open_client(DaskConfig()) as client:
    assert map_partitions(client, str, [1], label="work") == ["1"]
print(client.address, "distributed" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None False\n"


def test_the_memory_of_a_thread_is_its_share(cluster: dask_cluster.Cluster):
    with open_client(DaskConfig(threads=4)) as client:
        assert client.thread_memory == dask_threads.machine_memory() // 4
    assert cluster.thread_memory is not None
    assert 0 < cluster.thread_memory <= psutil.virtual_memory().total


def test_a_container_may_have_less_memory_than_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = psutil.virtual_memory().total
    for said, expected in (("max\n", whole), (f"{1 << 30}\n", 1 << 30), (f"{1 << 62}\n", whole)):
        (tmp_path / "memory.max").write_text(said)
        monkeypatch.setattr(dask_threads, "_LIMITS", (tmp_path / "gone", tmp_path / "memory.max"))
        assert dask_threads.machine_memory() == expected


def test_a_running_cluster_is_used_by_its_address(cluster: dask_cluster.Cluster):
    with open_client(DaskConfig(scheduler_address=cluster.address)) as other:
        assert map_partitions(other, _named, [1], label="there") == ["1"]
    assert map_partitions(cluster, _named, [2], label="still here") == ["2"]


def test_a_scheduler_that_does_not_answer_is_a_config_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dask_cluster, "_CONNECT_TIMEOUT", "0.3s")
    config = DaskConfig(scheduler_address="tcp://127.0.0.1:9")
    with (
        pytest.raises(ConfigError, match=r"dask.scheduler_address: no scheduler answers at tcp://127.0.0.1:9"),
        open_client(config),
    ):
        pass


def test_nothing_listens_beyond_this_machine():
    before = _listening()
    with start_cluster(1, 1, processes=False):
        assert {ip for ip, _ in _listening() - before} <= {"127.0.0.1"}


def _listening() -> set[tuple[str, int]]:
    return {tuple(each.laddr) for each in psutil.Process().net_connections() if each.status == "LISTEN"}


def test_the_loop_ends_after_the_last_messages(monkeypatch: pytest.MonkeyPatch):
    senders: list[BatchedSend] = []
    waiting: list[float] = []
    start, stop = BatchedSend.start, LoopRunner._real_stop

    def note(sender: BatchedSend, comm: object) -> None:
        senders.append(sender)
        start(sender, comm)

    def look(runner: LoopRunner, timeout: float) -> None:
        running = [each for each in senders if not each.stopped.is_set()]
        waiting.extend(each.next_deadline for each in running if each.next_deadline is not None)
        stop(runner, timeout)

    monkeypatch.setattr(BatchedSend, "start", note)
    monkeypatch.setattr(LoopRunner, "_real_stop", look)
    with start_cluster(1, 1, processes=False) as client:
        map_partitions(client, _named, [1, 2, 3], label="work")
    assert senders
    assert not waiting
