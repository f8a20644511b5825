from functools import reduce
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.split import SPLITS
from tasks.leakage.judge import judge
from tasks.leakage.occurrences import ALL
from tasks.leakage.plan import LeakageConfig
from tasks.leakage.survey import Scope, survey
from tasks.leakage.words import row_words, sampled, value_words
from tests.tasks.leakage.leaky import codes_of, honest_table, plan_of

ROWS = 600
SCOPE = Scope(share=0.9, below=ALL, test_begins=None)


@settings(max_examples=15)
@given(st.integers(0, 5), st.lists(st.integers(1, ROWS - 1), max_size=6, unique=True), st.randoms())
def test_partitions_merge_in_any_order_to_the_same_findings(seed, cuts, random):
    table = honest_table(seed, ROWS)
    table = table.append_column("told", table["late"].cast(pa.int64())).append_column("group", table["code"])
    codes = codes_of(ROWS, seed)
    plan = plan_of(table, LeakageConfig(groups=("group",), duplicates=0.0))
    drawn = sampled(0, ROWS, SCOPE.share)
    edges = [0, *sorted(cuts), ROWS]
    pieces = [slice(*edge) for edge in pairwise(edges)]
    rows = dict(zip(SPLITS, np.bincount(codes).tolist(), strict=True))
    whole = judge(survey(table, codes, drawn, plan, SCOPE), plan, rows)
    assert {finding.name for finding in whole[0]} == {"target-in-disguise:told", "group-overlap:group"}
    random.shuffle(pieces)
    parts = [survey(table.slice(p.start, p.stop - p.start), codes[p], drawn[p], plan, SCOPE) for p in pieces]
    assert judge(reduce(lambda first, second: first.merge(second), parts), plan, rows) == whole


@settings(max_examples=30)
@given(st.lists(st.none() | st.text(max_size=12), max_size=30))
def test_texts_hash_alike_however_they_are_encoded(texts):
    plain = pa.array(texts, pa.string())
    words = value_words(plain)
    assert words.tolist() == value_words(plain.dictionary_encode()).tolist()
    assert len(set(words.tolist())) == len(set(texts))


def test_rows_are_equal_where_all_their_values_are():
    one, other = value_words(pa.array([1, 1, 2, None])), value_words(pa.array(["a", "a", "a", None]))
    rows = row_words([one, other]).tolist()
    assert rows[0] == rows[1]
    assert len(set(rows)) == 3
    assert row_words([other, one]).tolist() != rows


def test_the_sample_does_not_depend_on_the_partitions():
    whole = sampled(0, 10_000, 0.3)
    assert np.concatenate([sampled(first, 2_500, 0.3) for first in range(0, 10_000, 2_500)]).tolist() == whole.tolist()
    assert abs(whole.mean() - 0.3) < 0.02
    assert sampled(5, 3, 1.5).all()
