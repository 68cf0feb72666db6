"""The mark on an XForm that tells whether a deployment of ours made it, or somebody's hand since."""

import hashlib
import re
from dataclasses import replace
from typing import Final
from xml.sax.saxutils import quoteattr

from tpm_pipeline.records import CompiledForm

_SEAL: Final = re.compile(rb"\n<!-- tpm ([0-9a-f]{64}) -->\Z")
# What a server that encrypts what phones send adds: its key, and to the version a suffix that is never twice the same.
_KEY: Final = re.compile(rb'<submission base64RsaPublicKey="[^"]*"/>| base64RsaPublicKey="[^"]*"')
_SUFFIX: Final = re.compile(r"\[encrypted:[\w+/]+\]\Z")
_VERSION: Final = re.compile(rb"(<instance>\s*<[^<>]*?\sversion=)(?:\"([^\"]*)\"|'[^']*')")


def sealed(xform: bytes) -> bytes:
    """The XForm with a last line that follows from all of it: a comment, which no client shows or sends."""
    bare = _SEAL.sub(b"", xform)
    return bare + f"\n<!-- tpm {hashlib.sha256(bare).hexdigest()} -->".encode()


def is_ours(xform: bytes) -> bool:
    """Tell whether nothing was changed since it was sealed, the version included."""
    return bool(_SEAL.search(xform)) and sealed(xform) == xform


def plain(xform: bytes) -> bytes:
    """The XForm as it was before a server made it one that encrypts."""
    found = _VERSION.search(xform)
    if not found or not _SUFFIX.search((found[2] or b"").decode()):
        return xform
    version = plain_version(found[2].decode()).encode()
    return _KEY.sub(b"", xform[: found.start(2)] + version + xform[found.end(2) :], count=1)


def plain_version(version: str) -> str:
    """The version of a form before a server made it one that encrypts."""
    return _SUFFIX.sub("", version)


def revised(form: CompiledForm, version: str) -> CompiledForm:
    """The same form under another version: a server publishes a version once."""
    if version == form.version:
        return form
    attribute = quoteattr(version).encode()
    xform, found = _VERSION.subn(lambda match: match[1] + attribute, form.xform, count=1)
    assert found, form.form_id  # noqa: S101 - a compiled form has a version
    return replace(form, version=version, xform=sealed(xform))
