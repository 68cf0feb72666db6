"""The files that come with a form on KoboToolbox: the same name twice is refused, so a new content replaces the old."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.kobo_api import NOT_FOUND, KoboApi, address


@dataclass(frozen=True)
class Held:
    """A file the server has. `md5` is its content's."""

    uid: str
    md5: str


def held(api: KoboApi, asset: str) -> dict[str, Held]:
    """The files of an asset, by name; phones get what was there when it was last deployed."""
    rows = api.all(address("assets", asset, "files"), {"file_type": "form_media"})
    return {
        row["metadata"]["filename"]: Held(row["uid"], str(row["metadata"].get("hash", "")).removeprefix("md5:"))
        for row in rows
    }


def replace(api: KoboApi, asset: str, file: MediaFile, old: Held | None) -> None:
    """Upload a file in the place of another."""
    if old:
        remove(api, asset, old)
    said = {"file_type": "form_media", "description": "default"}
    # Without the metadata it fails with a page of HTML.
    said["metadata"] = orjson.dumps({"filename": file.name}).decode()
    api.upload(address("assets", asset, "files"), said, "content", file.name, file.content)


def remove(api: KoboApi, asset: str, file: Held) -> None:
    """Take a file away, or find it gone."""
    api.delete(address("assets", asset, "files", file.uid), tolerate=(NOT_FOUND,))


def md5(content: bytes) -> str:
    """The digest by which the server tells files apart."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def differing(wanted: Mapping[str, bytes], there: Mapping[str, Held], marked: Mapping[str, str]) -> list[str]:
    """The names of files that the server, or the phones, do not have as wanted."""
    digests = {name: md5(content) for name, content in wanted.items()}
    return [
        name
        for name, digest in digests.items()
        if name not in there or there[name].md5 != digest or marked.get(name) != digest
    ]
