from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import spox
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.engine import DaskConfig
from tasks.errors import IntegrityError
from tasks.export.standards import IR_VERSION
from tasks.images import layout as layout_module
from tasks.images.split import ImageSplitConfig, run_split_images
from tasks.images.statistics import (
    ChannelStatistics,
    normalize,
    normalize_graph,
    read_channels,
    run_channel_statistics,
)
from tests.tasks.images.pictures import all_pixels, ingest_pixels
from tests.tasks.images.test_split import codes_of, many


def images_of(seed: int, count: int, channels: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 7, channels), dtype=np.uint8)


@settings(max_examples=30)
@given(seed=st.integers(0, 999), cuts=st.tuples(st.integers(0, 9), st.integers(0, 9)), channels=st.sampled_from([1, 3]))
def test_merging_is_exact_associative_and_order_free(seed, cuts, channels):
    pixels = images_of(seed, 9, channels)
    a, b, c = (ChannelStatistics.of(part) for part in np.split(pixels, sorted(cuts)))
    whole = ChannelStatistics.of(pixels)
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == c.merge(a).merge(b) == whole
    np.testing.assert_allclose(whole.mean, pixels.mean(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_allclose(whole.std, pixels.std(axis=(0, 1, 2)), rtol=1e-12)


def test_a_constant_channel_is_only_centred():
    pixels = np.full((3, 4, 4, 1), 200, np.uint8)
    statistics = ChannelStatistics.of(pixels)
    assert (statistics.mean, statistics.std) == ((200.0,), (1.0,))
    assert not normalize(pixels, statistics).any()


def test_only_the_training_split_is_measured(tmp_path: Path, dask: DaskConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layout_module, "PARTITION_IMAGES", 50)
    images = ingest_pixels(many(240), np.zeros(240, np.uint8), tmp_path, dask)
    split = run_split_images(images, ImageSplitConfig(), tmp_path, dask)
    fitted = run_channel_statistics(images, split, tmp_path, dask)
    train = all_pixels(images)[codes_of(images, split) == 0]
    assert read_channels(fitted) == ChannelStatistics.of(train)
    assert run_channel_statistics(images, split, tmp_path / "again", DaskConfig(threads=1)).digest == fitted.digest
    (fitted.folder / "channels.json").unlink()
    with pytest.raises(IntegrityError, match="the statistics of the channels are gone"):
        read_channels(fitted)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_graph_gives_the_very_bits_of_the_transform(channels):
    pixels = np.concatenate([images_of(1, 40, channels), np.zeros((1, 5, 7, channels), np.uint8)])
    statistics = ChannelStatistics.of(pixels)
    given_ = spox.argument(spox.Tensor(np.uint8, ("batch", 5, 7, channels)))
    model = spox.build({"pixels": given_}, {"image": normalize_graph(given_, statistics)})
    model.ir_version = IR_VERSION
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (got,) = session.run(None, {"pixels": pixels})
    expected = normalize(pixels, statistics)
    assert got.shape == (41, channels, 5, 7)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got.view(np.uint32), expected.view(np.uint32))
    np.testing.assert_allclose(expected.mean(axis=(0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(expected.std(axis=(0, 2, 3)), 1, atol=1e-4)
