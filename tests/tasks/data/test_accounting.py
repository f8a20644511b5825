import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.data.accounting import RowAccounting
from tasks.errors import IntegrityError

counts = st.integers(0, 1000)


@given(
    kept=counts,
    rules=st.dictionaries(st.text(min_size=1, max_size=5), counts, max_size=4),
    duplicates=counts,
    dropped=counts,
    lost=counts,
)
def test_only_totals_that_add_up_reconcile(kept, rules, duplicates, dropped, lost):
    total = kept + sum(rules.values()) + duplicates + dropped
    accounting = RowAccounting(
        rows_in=total, kept=kept, quarantined=rules, duplicates=duplicates, dropped_nulls=dropped
    )
    assert accounting.reconciled() is accounting
    if lost:
        with pytest.raises(IntegrityError, match=rf"{total + lost} rows came in, but .*= {total}\n  do: "):
            accounting.model_copy(update={"rows_in": total + lost}).reconciled()


def test_splits_must_hold_what_was_kept():
    accounting = RowAccounting(
        rows_in=10,
        kept=10,
        quarantined={},
        duplicates=0,
        without_target=2,
        splits={"train": 5, "validation": 2, "test": 1},
    )
    accounting.reconciled()
    with pytest.raises(IntegrityError, match=r"10 rows were kept, but .* hold 9"):
        accounting.model_copy(update={"without_target": 1}).reconciled()


def test_parts_of_the_quarantine_cannot_exceed_it():
    with pytest.raises(IntegrityError, match="more than the 1 rows in quarantine"):
        RowAccounting(
            rows_in=1, kept=0, quarantined={"a": 1}, duplicates=0, broken_csv_rows=1, key_conflicts=1
        ).reconciled()
    with pytest.raises(ValidationError):
        RowAccounting(rows_in=-1, kept=0, quarantined={}, duplicates=-1)
