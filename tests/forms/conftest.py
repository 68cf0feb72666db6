"""Forms written as Markdown tables: a sheet's name, then its table."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

Write = Callable[..., Path]
Share = Callable[..., None]

SETTINGS = """
settings
| form_id | version |
| essai   | 1       |
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an XLSForm in a folder of its own; settings are added when the tables have none."""

    def _write(tables: str, form_id: str = "essai") -> Path:
        path = tmp_path / form_id / f"{form_id}.xlsx"
        path.parent.mkdir(exist_ok=True)
        book = openpyxl.Workbook()
        book.remove(book.active)  # type: ignore[arg-type]
        for line in _lines(tables if "settings" in tables else tables + SETTINGS.replace("essai  ", form_id)):
            if line.startswith("|"):
                book.worksheets[-1].append([cell.strip() or None for cell in line.strip("|").split("|")])
            else:
                book.create_sheet(line)
        book.save(path)
        return path

    return _write


@pytest.fixture
def share(tmp_path: Path) -> Share:
    """Write the lists that the forms share: a line for each choice."""

    def _share(*choices: str) -> None:
        lists = tmp_path / "lists"
        lists.mkdir()
        header = "list_name,name,label::Français (fr),label::العربية (ar)"
        (lists / "choix.csv").write_text("\n".join([header, *choices, ""]), encoding="utf-8")

    return _share


def _lines(tables: str) -> list[str]:
    return [line.strip() for line in tables.splitlines() if line.strip()]
