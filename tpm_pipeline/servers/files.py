"""Files received from a server: written while their hashes are taken, kept only when they are what was sent."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tpm_pipeline.errors import ServerUnavailableError
from tpm_pipeline.paths import replacing
from tpm_pipeline.records import StoredFile

DAMAGED = frozenset({"SRV-032", "SRV-033", "SRV-034", "SRV-038", "SRV-050"})
"""What is wrong with one submission and keeps no other from coming."""


def save(
    where: str, chunks: Iterable[bytes], target: Path, *, media_type: str, md5: str = "", digest: str = ""
) -> StoredFile:
    """Write a file whole, or nothing of it when it has not the MD5, or the SHA-256, that was announced (SRV-050)."""
    taken, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with replacing(target) as draft, draft.open("wb") as file:
        draft.chmod(0o600)
        for chunk in chunks:
            taken.update(chunk)
            sha256.update(chunk)
            size += file.write(chunk)
        found = StoredFile(sha256.hexdigest(), taken.hexdigest(), size, media_type)
        if found.md5 != (md5 or found.md5) or found.digest != (digest or found.digest):
            raise damaged(where)
    return found


def damaged(where: str) -> ServerUnavailableError:
    """The error for a file that is not the one its server announced."""
    cause = "A file arrived damaged: it is not the one that was announced."
    return ServerUnavailableError("SRV-050", where, cause, "Nothing of it is kept; try again.")
