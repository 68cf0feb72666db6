"""The secret behind pseudonyms, kept outside every database."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.settings import Settings

_BLOCK = 64


def pads(settings: Settings) -> tuple[bytes, bytes]:
    """The inner and outer pads of HMAC-SHA256 (RFC 2104) for the installation's key."""
    key = settings.pseudonym_key.get_secret_value().encode() or _kept_key(settings.private / "pseudonym.key")
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def _kept_key(path: Path) -> bytes:
    if not path.exists():
        _make_key(path)
    key = path.read_bytes().strip()
    if not key:
        raise SettingsError(
            "SET-002",
            path.name,
            "The pseudonym key's file is empty.",
            "Restore it from a backup; delete it only if no pseudonym was ever published.",
        )
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(32))
    # A link fails where the key exists already: two first runs at once agree on one key.
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
