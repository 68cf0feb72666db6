"""Rows of Central whose answers were encrypted on the phone, opened with the keys there are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers import central_export as export
from tpm_pipeline.servers.central_api import address
from tpm_pipeline.servers.central_complete import FormPlace, Row, rewritten, shape_of
from tpm_pipeline.servers.central_export import Export
from tpm_pipeline.servers.central_versions import Shapes
from tpm_pipeline.servers.encryption import Envelope, Opener, PrivateKey, envelope, open_envelope, read_key
from tpm_pipeline.servers.files import DAMAGED

_PEM = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_SETTING = "TPM_CENTRAL_PRIVATE_KEY"
_ALL_THERE = "notDecrypted"
_TOGETHER = 40


@dataclass(frozen=True)
class Keys:
    """What opens encrypted submissions: private keys, and the passphrase of those that Central manages."""

    private: tuple[PrivateKey, ...] = ()
    passphrase: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.private or self.passphrase)

    def opener(self, sent: Envelope) -> Opener | None:
        """Open an envelope; None when no private key fits."""
        for key in self.private:
            with suppress(ServerError):
                return open_envelope(sent, key)
        return None

    @property
    def public(self) -> set[str]:
        """The public keys of the private ones, as forms have them."""
        return {key.public for key in self.private}


NO_KEYS = Keys()


def read_keys(path: Path | None, passphrase: str) -> Keys:
    """Read the private keys of a PEM file, which the passphrase opens if they are protected."""
    if path is None:
        return Keys((), passphrase)
    try:
        content = path.read_bytes()
    except OSError as error:
        cause = f"{path} cannot be read: {error.strerror}."
        raise ServerError("SRV-035", _SETTING, cause, "Correct the path, or let this account read it.") from None
    found = [match[0] for match in _PEM.finditer(content)] or [content]
    return Keys(tuple(read_key(pem, passphrase.encode() or None, _SETTING) for pem in found), passphrase)


class Unsealer:
    """Opens the encrypted rows of one form; what cannot be opened stays as Central shows it, until the next sweep."""

    def __init__(self, place: FormPlace, shapes: Shapes, keys: Keys) -> None:
        self._place, self._shapes, self._keys = place, shapes, keys

    def __call__(self, rows: list[Row]) -> list[Row]:
        """Return the rows, with the answers of those that could be opened."""
        ready = [row for row in rows if row["__system"]["status"] == _ALL_THERE] if self._keys else []
        if not ready:
            return rows
        self._refuse_strange_keys(ready)
        opened = {row["__id"]: row for row in self._with_private_keys(ready)}
        opened |= {row["__id"]: row for row in self._with_managed_keys(ready)}
        return [opened.get(row["__id"], row) for row in rows]

    def _with_private_keys(self, rows: Sequence[Row]) -> Iterator[Row]:
        for row in rows if self._keys.private else ():
            # An edit may be made in a version with another key.
            if row["__system"]["edits"] or self._public_key(row) in self._keys.public:
                try:
                    opened = self._opened(row)
                except ServerError as error:
                    if error.code not in DAMAGED:
                        raise
                else:
                    yield from opened

    def _opened(self, row: Row) -> list[Row]:
        """The row with the answers of its XML; none when it is another key's, or was deleted in the meantime."""
        root = str(row["__id"])
        xml = self._place.submission_xml(root, "" if row["__system"]["edits"] else address("versions", root))
        sent = envelope(xml) if xml else None
        opener = self._keys.opener(sent) if sent else None
        content = file_of(self._place, root, sent, sent.submission) if sent and opener else None
        if sent is None or opener is None or content is None:
            return []
        repeats = shape_of(self._place, self._shapes, sent.version or "").repeats
        return [_unsealed(rewritten(row, opener.submission(content), lambda _: repeats))]

    def _with_managed_keys(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Of an edited submission Central makes nothing that could be read: it stays sealed."""
        if not self._keys.passphrase:
            return
        ready = {row["__id"]: row for row in rows if not row["__system"]["edits"] and export.can_be_named(row["__id"])}
        wanted = [one for one, row in ready.items() if self._public_key(row) in self._managed]
        for start in range(0, len(wanted), _TOGETHER):
            for found in self._exports(wanted[start : start + _TOGETHER]):
                yield from self._from_export(found, ready)

    def _exports(self, ids: Sequence[str]) -> Iterator[Export]:
        """Yield what Central opens of these; where it breaks off over one of several, each by itself."""
        found = export.ask(self._place, [*self._managed.values()], self._keys.passphrase, ids)
        if found is not None:
            yield found
        elif len(ids) > 1:
            for one in ids:
                yield from self._exports([one])

    def _from_export(self, found: Export, rows: Mapping[str, Row]) -> Iterator[Row]:
        for root, record in found.submissions.items():
            row = rows.get(root)
            version = dict(record)["FormVersion"]
            shape = shape_of(self._place, self._shapes, version)
            answers = None if row is None or dict(record)["Status"] else found.answers(root, shape)
            # What did not decrypt well is an empty line: no instanceID, no answers.
            if row and answers and (answers.get("meta") or {}).get("instanceID") == root:
                yield _unsealed({**answers, "__id": root, "__system": {**row["__system"], "formVersion": version}})

    def _refuse_strange_keys(self, rows: Sequence[Row]) -> None:
        """Refuse private keys of which none belongs to the form, when there is a row that needs one."""
        versions = {shape.public_key for (form_id, _), shape in self._shapes.items() if form_id == self._place.form_id}
        if not self._keys.private or versions & self._keys.public:
            return
        if any(key and key not in self._managed for key in map(self._public_key, rows)):
            cause = f"None of its keys belongs to the form «{self._place.form_id}», which has encrypted submissions."
            remedy = "Add the private key of that form to the file; it may hold several."
            raise ServerError("SRV-036", _SETTING, cause, remedy)

    def _public_key(self, row: Row) -> str:
        return shape_of(self._place, self._shapes, str(row["__system"]["formVersion"] or "")).public_key

    @cached_property
    def _managed(self) -> Mapping[str, int]:
        return export.managed_keys(self._place)


def file_of(place: FormPlace, root: str, sent: Envelope, name: str) -> bytes | None:
    """A file of exactly the version that an envelope is of, as it was sent; None when it is not there."""
    here = place.path + address("submissions", root, "versions", sent.instance_id, "attachments", name)
    with place.api.stream(here, tolerate=("404.1",)) as answer:
        return answer.read().body if answer.status == 200 else None  # noqa: PLR2004


def _unsealed(row: Row) -> Row:
    """The row as if it had been sent in plain text: the answers are no file beside it."""
    system = row["__system"]
    files = {name: system[name] - 1 for name in ("attachmentsPresent", "attachmentsExpected")}
    return {**row, "__system": {**system, **files, "status": None}}
