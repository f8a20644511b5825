"""The traffic plan in a bucket."""

from __future__ import annotations

from serving.bundle.places import RemotePath
from serving.bundle.store import ModelStore
from serving.bundle.traffic import Share, TrafficPlan
from serving.models.served import ServedModels
from tests.serving.bundles import promote, small_model, write_bundle


def test_the_endpoint_follows_a_plan_in_a_bucket(bucket: RemotePath) -> None:
    store, served = ModelStore(bucket), ServedModels(ModelStore(bucket), max_batch=10)
    promote(bucket, bias=1.0)
    store.register("small", lambda folder: write_bundle(folder, small_model(2.0)))
    plan = TrafficPlan(canary=Share(version="2", percent=20))
    store.set_traffic("small", lambda _: plan)
    served.refresh()
    assert dict(served.lineup("small").roles) == {"1": "champion", "2": "canary"}
    store.set_champion("small", "2")
    served.refresh()
    assert store.traffic("small") == TrafficPlan()
    assert dict(served.lineup("small").roles) == {"2": "champion", "1": "kept"}
    store.set_traffic("small", lambda old: old.model_copy(update={"retired": True}))
    served.refresh()
    assert served.lineups == {}
