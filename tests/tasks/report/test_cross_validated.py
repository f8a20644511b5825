from __future__ import annotations

from tasks.report.inputs import CrossValidated
from tasks.report.report import render
from tests.tasks.report.example import example_inputs

FOUND = CrossValidated(said="3 folds (by <day>).", metrics={"log_loss": (0.5, 0.01, (0.49, 0.51, 0.5))})


def test_the_section_is_there_when_folds_were_made() -> None:
    page = render(example_inputs(cross_validated=FOUND))
    assert 'id="cross-validation"' in page
    assert "3 folds (by &lt;day&gt;)." in page
    section = page.split('<div class="part" id="cross-validation">')[1].split("</table>")[0]
    assert "log loss (lower is better)" in section
    assert [figure in section for figure in ("0.5000", "0.0100", "0.4900", "0.5100")] == [True] * 4
