"""Files of encrypted submissions: opened together, verified together, and written one by one under their own names."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import AttachmentName, Instance, StoredFile
from tpm_pipeline.servers import central_export as export
from tpm_pipeline.servers import files
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_complete import FormPlace
from tpm_pipeline.servers.central_sealed import Keys, file_of
from tpm_pipeline.servers.encryption import Envelope, Opener, envelope, plain_name

_SUFFIX = ".enc"
_BINARY = "application/octet-stream"
Opening = Callable[[], Mapping[str, bytes]]


class SealedFiles:
    """Holds the files of the submission last looked at: in memory, as only all of them together can be verified."""

    def __init__(self, api: CentralApi, keys: Keys) -> None:
        self._api, self._keys = api, keys
        self._instance: Instance | None = None
        self._opening: Opening | None = None
        self._opened: Mapping[str, bytes] | ServerError | None = None

    def names(self, project: int, instance: Instance, listed: Sequence[AttachmentName]) -> list[AttachmentName]:
        """The files as they were before their encryption; they are there when all of them can be opened."""
        self._instance = self._opening = self._opened = None
        if not any(one.name.endswith(_SUFFIX) for one in listed):
            return [*listed]
        place = FormPlace(self._api, project, instance.form_id)
        try:
            sent = _envelope(place, instance)
        except ServerError as error:
            if error.code not in files.DAMAGED:
                raise
            return [AttachmentName(one.name, is_there=False) for one in listed]
        if sent is None:
            return [*listed]
        self._instance = instance
        if {one.name for one in listed if one.is_there} >= {*sent.files}:
            self._opening = self._way(place, instance, sent)
        return [AttachmentName(plain_name(name), is_there=self._opening is not None) for name in sent.media]

    def has(self, instance: Instance) -> bool:
        """Tell whether this is the encrypted submission last looked at."""
        return self._instance == instance

    def save(self, name: str, target: Path, known: StoredFile | None) -> StoredFile | None:
        """Write one of its files, unless it still is the `known` one; None when it cannot be opened."""
        content = self._contents().get(name)
        if content is None:
            return None
        if known and known.md5 == hashlib.md5(content, usedforsecurity=False).hexdigest():
            return known
        return files.save(self._api.where, [content], target, media_type=_BINARY)

    def _contents(self) -> Mapping[str, bytes]:
        if self._opened is None:
            try:
                self._opened = self._opening() if self._opening else {}
            except ServerError as error:
                if error.code not in files.DAMAGED:
                    raise
                # What is wrong is asked for once, and told for each file.
                self._opened = error
        if isinstance(self._opened, ServerError):
            raise self._opened
        return self._opened

    def _way(self, place: FormPlace, instance: Instance, sent: Envelope) -> Opening | None:
        opener = self._keys.opener(sent)
        if opener:
            return lambda: _opened(place, instance, opener)
        # Of an edited submission Central makes nothing that could be read.
        if self._keys.passphrase and instance.instance_id == instance.submission_id:
            return lambda: self._exported(place, instance, sent)
        return None

    def _exported(self, place: FormPlace, instance: Instance, sent: Envelope) -> Mapping[str, bytes]:
        """What Central opens: each file's checksum is its own, the phone's signature cannot be verified."""
        root, keys = instance.submission_id, [*export.managed_keys(place).values()]
        if not (keys and export.can_be_named(root) and _is_current(place, instance)):
            return {}
        found = export.ask(place, keys, self._keys.passphrase, [root], media=True)
        if found is None:
            cause = "Central breaks off when it opens its files: one of them is damaged."
            raise ServerError("SRV-038", sent.where, cause, "Ask for the submission to be sent again.")
        contents = {plain_name(name): found.file(root, plain_name(name)) for name in sent.media}
        return {name: content for name, content in contents.items() if content is not None}


def _envelope(place: FormPlace, instance: Instance) -> Envelope | None:
    xml = place.submission_xml(instance.submission_id, address("versions", instance.instance_id))
    return envelope(xml) if xml else None


def _is_current(place: FormPlace, instance: Instance) -> bool:
    """Tell whether a version was not edited since: Central exports the last one only."""
    found = place.api.get(place.path + address("submissions", instance.submission_id), tolerate=("404.1",))
    return bool(found) and found["currentVersion"]["instanceId"] == instance.instance_id


def _opened(place: FormPlace, instance: Instance, opener: Opener) -> Mapping[str, bytes]:
    """Every file, once the signature says that these are what the phone sent; nothing when one is gone."""
    sent = opener.envelope
    contents: dict[str, bytes] = {}
    for name in sent.files:
        content = file_of(place, instance.submission_id, sent, name)
        if content is None:
            return {}
        contents[name] = opener.submission(content) if name == sent.submission else opener.media(name, content)
    opener.verify(contents)
    return {plain_name(name): contents[name] for name in sent.media}
