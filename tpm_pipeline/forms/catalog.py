"""The folder is the registry: which forms there are, and where."""

from pathlib import Path

from tpm_pipeline.errors import FormError
from tpm_pipeline.paths import FORMS


def form_ids(folder: Path = FORMS) -> list[str]:
    """Return the forms of a folder, by name."""
    return sorted(path.stem for path in folder.glob("*/*.xlsx") if path.stem == path.parent.name)


def path_of(form_id: str, folder: Path = FORMS) -> Path:
    """Return where a form's XLSForm is."""
    path = folder / form_id / f"{form_id}.xlsx"
    if not path.is_file():
        known = ", ".join(form_ids(folder)) or "none"
        raise FormError("FORM-014", place(path), f"There is no form «{form_id}».", f"The forms are: {known}.")
    return path


def place(path: Path, sheet: str = "", *rows: int) -> str:
    """Say where in a form, as people would: `forms/x/x.xlsx, survey row 14`."""
    file = "/".join(path.parts[-3:])
    if not sheet:
        return file
    if not rows:
        return f"{file}, {sheet} sheet"
    return f"{file}, {sheet} {'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows))}"
