from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from tasks.models.ft_transformer import Attention, FtTransformerConfig, build_ft_transformer
from tests.tasks.models.test_models import MIXED, _batch

SMALL = FtTransformerConfig(width=8, heads=2, blocks=2)


def test_attention_is_torchs_own() -> None:
    torch.manual_seed(0)
    attention, tokens = Attention(8, 2, dropout=0.0), torch.randn(3, 5, 8)
    parts = (attention.query(tokens), attention.key(tokens), attention.value(tokens))
    heads = (part.view(3, 5, 2, 4).transpose(1, 2) for part in parts)
    expected = attention.out(functional.scaled_dot_product_attention(*heads).transpose(1, 2).reshape(3, 5, 8))
    torch.testing.assert_close(attention(tokens, tokens), expected)
    torch.testing.assert_close(attention(tokens[:, :1], tokens), expected[:, :1])


@pytest.mark.parametrize("numbers", ["piecewise", "linear"])
def test_every_feature_is_read(numbers: str) -> None:
    torch.manual_seed(0)
    network = build_ft_transformer(SMALL.model_copy(update={"numbers": numbers}), MIXED).eval()
    numeric, categorical = _batch(MIXED, 4)
    plain = network(numeric, categorical)
    for column in range(3):
        moved = numeric.clone()
        moved[:, column] += 0.5
        assert not torch.allclose(network(moved, categorical), plain, atol=1e-7)
    for column, item in enumerate(MIXED.categorical):
        other = categorical.clone()
        other[:, column] = (other[:, column] + 1) % item.cardinality
        assert not torch.allclose(network(numeric, other), plain, atol=1e-7)


def test_columns_have_their_own_categories() -> None:
    network = build_ft_transformer(SMALL, MIXED)
    assert network.categories is not None
    tokens = network.categories(torch.tensor([[6, 0], [0, 2]]))
    table = network.categories.table.weight
    torch.testing.assert_close(tokens, torch.stack([table[[6, 7]], table[[0, 9]]]))


def test_heads_share_the_width() -> None:
    with pytest.raises(ValidationError, match="got width 10 and heads 4\n  do: write a width such as 12"):
        FtTransformerConfig(width=10, heads=4)
