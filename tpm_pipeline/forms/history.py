"""Forms from elsewhere: a file, or the folder as it was at a git revision; the files here are not touched."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import catalog, schema, sheets
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.paths import LISTS, ROOT


def xforms(source: str, root: Path = ROOT) -> dict[str, bytes]:
    """The XForms, by form, of a compiled `.xml`, of an `.xlsx`, or of every form at a git revision."""
    path = Path(source)
    if not path.is_file():
        with at(source, root) as folder:
            return {form_id: _compiled(catalog.path_of(form_id, folder)) for form_id in catalog.form_ids(folder)}
    if path.suffix == ".xml":
        return {schema.read(path.read_bytes()).form_id: path.read_bytes()}
    rows = sheets.read(path)["settings"].rows
    form_id = rows[0].cells.get("form_id", path.stem) if rows else path.stem
    with tempfile.TemporaryDirectory() as folder:
        own = path.resolve().parent.parent / "lists"
        shutil.copytree(own if own.is_dir() else LISTS, Path(folder) / "lists")
        place = Path(folder) / form_id / f"{form_id}.xlsx"
        place.parent.mkdir()
        shutil.copy(path, place)
        return {form_id: _compiled(place)}


def _compiled(path: Path) -> bytes:
    return compile_form(path, "central", validate=False)[0].xform


@contextmanager
def at(revision: str, root: Path = ROOT) -> Iterator[Path]:
    """Give a temporary folder that holds `forms/` as it was at a git revision."""
    command = ["git", "archive", "--format=tar", "--end-of-options", revision, "forms"]
    try:
        packed = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout  # noqa: S603 - a fixed program
    except (OSError, subprocess.CalledProcessError):
        raise FormError(
            "FORM-030",
            revision,
            "This is no file, and no git revision that holds forms.",
            "Give an .xlsx, an .xml, a revision such as HEAD~3, or server.",
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder) / "forms"
