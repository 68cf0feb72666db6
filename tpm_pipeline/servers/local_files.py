"""The files of the local server's submissions, read from its folder."""

from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import Path

from tpm_pipeline.records import AttachmentName, Instance, StoredFile
from tpm_pipeline.servers import files
from tpm_pipeline.servers.local_store import Store

_CHUNK = 1 << 20


def names(store: Store, instance: Instance) -> list[AttachmentName]:
    """The files that came with an instance so far."""
    with store.reading() as db:
        found = db.execute(
            "select name from attachment where form_id = ? and instance_id = ? order by name",
            (instance.form_id, instance.instance_id),
        ).fetchall()
    return [AttachmentName(name, is_there=True) for (name,) in found]


def save(store: Store, instance: Instance, name: str, target: Path, known: StoredFile | None) -> StoredFile | None:
    """Copy one of these files to `target`, or nothing when it still is the `known` one; None when it is not there."""
    with store.reading() as db:
        found = db.execute(
            "select digest from attachment where form_id = ? and instance_id = ? and name = ?",
            (instance.form_id, instance.instance_id, name),
        ).fetchone()
    if found is None:
        return None
    digest = str(found[0])
    if known and known.digest == digest:
        return known
    media_type = guess_type(name)[0] or ""
    return files.save("local", _read(store.attachment(digest)), target, media_type=media_type, digest=digest)


def _read(path: Path) -> Iterator[bytes]:
    if not path.exists():
        raise files.damaged("local")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
