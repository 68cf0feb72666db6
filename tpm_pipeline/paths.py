"""Where the project's files are. Imports nothing of ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
FORMS = ROOT / "forms"
LISTS = FORMS / "lists"
WAREHOUSE = ROOT / "warehouse"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target` that takes its place when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        draft.touch(exist_ok=False)
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_atomically(target: Path, content: bytes | str) -> None:
    """Write a whole file, or leave the old one untouched."""
    data = content.encode() if isinstance(content, str) else content
    with replacing(target) as draft:
        draft.write_bytes(data)
