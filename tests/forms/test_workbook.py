import io

import openpyxl
import pytest

from tests.servers.kobo_content import sheets_from_xlsx
from tpm_pipeline.forms import catalog, sheets
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.forms.workbook import as_xlsx


@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_a_form_is_read_back_as_it_was_written(form_id: str) -> None:
    form, _ = compile_form(catalog.path_of(form_id), "kobo", validate=False)

    book = as_xlsx(form.sheets)

    assert sheets_from_xlsx(book) == form.sheets
    assert {*form.sheets} <= {*sheets.NAMES} - {"entities"}


def test_a_cell_is_text_whatever_it_looks_like() -> None:
    texts = ("=1+1", "#N/A", "007", "1.50", "TRUE", "2026-01-02", "une\nligne", "@x", "'x")
    rows = tuple({"name": text} for text in texts)

    book = openpyxl.load_workbook(io.BytesIO(as_xlsx({"choices": rows})))

    assert [cell.value for (cell,) in book["choices"].iter_rows(min_row=2)] == [*texts]
    assert {cell.data_type for (cell,) in book["choices"].iter_rows()} == {"s"}


def test_a_row_without_a_cell_leaves_it_empty() -> None:
    rows = ({"type": "text", "name": "a"}, {"type": "note", "label": "B"})

    book = openpyxl.load_workbook(io.BytesIO(as_xlsx({"survey": rows})))

    assert [*book["survey"].values] == [("type", "name", "label"), ("text", "a", None), ("note", None, "B")]
