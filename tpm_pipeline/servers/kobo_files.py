"""The files of KoboToolbox's submissions: those of the current version, told by the row itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tpm_pipeline.records import AttachmentName, Instance, StoredFile
from tpm_pipeline.servers import files
from tpm_pipeline.servers.http import expect
from tpm_pipeline.servers.kobo_api import NOT_FOUND, KoboApi, address
from tpm_pipeline.servers.kobo_assets import Asset
from tpm_pipeline.servers.kobo_rows import FILES, INSTANCE

_OK, _PAGE = 200, "text/html"


@dataclass(frozen=True)
class File:
    """Where a file is; `is_page` tells whether it is a page itself, not one that stands in its place."""

    path: str
    is_page: bool


class Files:
    """The files of one submission after another: what was said of the last one is remembered."""

    def __init__(self, api: KoboApi) -> None:
        self._api = api
        self._last: tuple[Instance | None, Mapping[str, File]] = (None, {})

    def names(self, instance: Instance, assets: Sequence[Asset]) -> list[AttachmentName] | None:
        """The files that are there; None when the submission was edited or deleted since."""
        found = self._there(instance, assets)
        return None if found is None else [AttachmentName(name, True, file.path) for name, file in found.items()]

    def save(
        self, instance: Instance, name: str, assets: Sequence[Asset], target: Path, known: StoredFile | None
    ) -> StoredFile | None:
        """Write one of these files to `target`; None when it is not there. A known content takes no other place."""
        there = self._last[1] if self._last[0] == instance else self._there(instance, assets)
        if not there or name not in there:
            return None
        with self._api.stream(there[name].path, tolerate=(NOT_FOUND,)) as answer:
            if answer.status != _OK:
                return None
            if answer.media_type == _PAGE and not there[name].is_page:
                expect(answer.where, answer.media_type, "a file")
            found = files.save(answer.where, answer.chunks, target, media_type=answer.media_type)
        return known if known and known.digest == found.digest else found

    def row(self, asset: Asset, submission_id: str) -> Any:
        """A submission as it is now; None when it is not there."""
        return self._api.get(asset.path.rstrip("/") + address("data", submission_id), tolerate=(NOT_FOUND,))

    def _there(self, instance: Instance, assets: Sequence[Asset]) -> Mapping[str, File] | None:
        """The files that are there, by name."""
        for asset in assets:
            row = self.row(asset, instance.submission_id)
            if row is not None and row[INSTANCE] == instance.instance_id:
                self._last = (instance, dict(_listed(asset, row)))
                return self._last[1]
        return None


def _listed(asset: Asset, row: Mapping[str, Any]) -> Iterator[tuple[str, File]]:
    for file in row.get(FILES, ()):
        if not file["is_deleted"]:
            place = address("assets", asset.uid, "data", row["_id"], "attachments", file["uid"])
            name = str(file["media_file_basename"])
            yield name, File(place, file["mimetype"] == _PAGE or name.lower().endswith((".html", ".htm")))
