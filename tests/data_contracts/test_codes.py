from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.codes import code_type, dictionary_of, joined_codes, masked, there

WORDS = st.lists(st.none() | st.sampled_from(["", "a", "b", "bb", "é"]), max_size=12)


@pytest.mark.parametrize(
    ("values", "kind"), [(0, np.int8), (127, np.int8), (128, np.int16), (32_767, np.int16), (32_768, np.int32)]
)
def test_the_smallest_type_has_room_for_one_index_more(values, kind):
    assert code_type(values) is kind
    assert kind(values) == values


@pytest.mark.parametrize("start", [0, 1, 8, 11])
@pytest.mark.parametrize("kind", [pa.string(), pa.float64(), pa.bool_(), pa.null(), pa.timestamp("us")])
def test_where_values_are_there(kind, start):
    array = pa.array([None] * 20, kind)
    for each in (array, pa.concat_arrays([pa.array([0] * 9).cast(pa.string()), array.cast(pa.string())])):
        found = there(each.slice(start))
        assert found.dtype == np.bool_
        assert found.tolist() == each.slice(start).is_valid().to_pylist()
    assert there(pa.array([1, 2])).tolist() == [True, True]
    assert there(pa.array(["a", None]).dictionary_encode()).tolist() == [True, False]


def test_values_under_a_mask_are_null():
    held = np.array([True, False, True] * 7)
    array = masked(np.where(held, np.arange(21), 0), held, pa.int64())
    array.validate(full=True)
    assert array.to_pylist() == [value if each else None for value, each in enumerate(held)]
    assert masked(np.arange(3), np.ones(3, np.bool_), pa.int64()).buffers()[0] is None


def test_negative_codes_are_null_and_nothing_stands_under_them():
    array = dictionary_of(np.array([1, -1, 0], np.int8), pa.array(["a", "b"]))
    array.validate(full=True)
    assert array.to_pylist() == ["b", None, "a"]
    assert np.frombuffer(array.indices.buffers()[1], np.int8)[:3].tolist() == [1, 0, 0]


@settings(max_examples=80, deadline=None)
@given(chunks=st.lists(WORDS, min_size=1, max_size=4), start=st.integers(0, 3))
def test_chunks_are_joined_as_their_texts_are(chunks, start):
    arrays = [pa.array(chunk, pa.string()).dictionary_encode().slice(start) for chunk in chunks]
    # What a dictionary's entries mean may be null, or the same for two of them.
    meant = {"": None, "bb": "b"}
    words = [pa.array([meant.get(w, w) for w in each.dictionary.to_pylist()], pa.string()) for each in arrays]
    joined = joined_codes(arrays, words)
    joined.validate(full=True)
    assert joined.to_pylist() == [meant.get(word, word) for chunk in chunks for word in chunk[start:]]
    assert joined.dictionary.null_count == 0
    assert len(joined.dictionary.unique()) == len(joined.dictionary)


def test_more_words_than_a_byte_counts():
    texts = pa.array([f"w{number}" for number in range(300)]).dictionary_encode()
    joined = joined_codes([texts, texts], [texts.dictionary, texts.dictionary])
    assert joined.type == pa.dictionary(pa.int16(), pa.string())
    assert joined.to_pylist() == texts.to_pylist() * 2


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.int64()])
def test_indices_may_have_no_room_for_another(index):
    words = pa.array([f"w{number}" for number in range(128)])
    chunk = pa.DictionaryArray.from_arrays(pa.array([127, None, 0], index), words)
    assert joined_codes([chunk], [words]).to_pylist() == ["w127", None, "w0"]
