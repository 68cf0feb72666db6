"""What hangs on Central's submissions: the files of each version, and what reviewers wrote."""

import re
from pathlib import Path

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import AttachmentName, Comment, Instance, StoredFile
from tpm_pipeline.servers import files
from tpm_pipeline.servers.central_api import NOT_MODIFIED, CentralApi, address
from tpm_pipeline.servers.central_sealed_files import SealedFiles
from tpm_pipeline.servers.http import Stream

# What is not there: a file still to come, or a submission that was deleted since it was listed.
_MISSING = "404.1"
_OK = 200
_MD5 = re.compile(r'"([0-9a-f]{32})"')


class Files:
    """The files and comments of a project's submissions."""

    def __init__(self, api: CentralApi, project: int, sealed: SealedFiles) -> None:
        self._api, self._project, self._sealed = api, project, sealed

    def names(self, instance: Instance) -> list[AttachmentName] | None:
        """The files that belong to a version; None when the submission was deleted."""
        found = self._api.get(self._attachments(instance), tolerate=(_MISSING,))
        if found is None:
            return None
        listed = [AttachmentName(file["name"], is_there=file["exists"]) for file in found]
        return self._sealed.names(self._project, instance, listed)

    def save(self, instance: Instance, name: str, target: Path, known: StoredFile | None) -> StoredFile | None:
        """Write one of these files to `target`, or nothing when it still is the `known` one; None when it is gone."""
        if self._sealed.has(instance):
            return self._sealed.save(name, target, known)
        # Compressed on the way it would come without the ETag that is the MD5 of the file.
        headers = {"Accept-Encoding": "identity"}
        if known:
            headers["If-None-Match"] = f'"{known.md5}"'
        here = self._attachments(instance) + address(name)
        with self._api.stream(here, headers=headers, tolerate=(_MISSING,)) as answer:
            if answer.status == NOT_MODIFIED:
                return known
            return _save(answer, target) if answer.status == _OK else None

    def comments(self, form_id: str, submission_id: str) -> list[Comment]:
        """What reviewers wrote, oldest first; none when the submission was deleted."""
        here = self._submission(form_id, submission_id) + "/comments"
        with self._api.stream(here, headers={"X-Extended-Metadata": "true"}, tolerate=(_MISSING,)) as answer:
            found = answer.read().json() if answer.status == _OK else []
        return [Comment(one["body"], one["actor"]["displayName"], one["createdAt"]) for one in reversed(found)]

    def _attachments(self, instance: Instance) -> str:
        # Of a version, not of the submission: that one may be edited between two requests.
        submission = self._submission(instance.form_id, instance.submission_id)
        return submission + address("versions", instance.instance_id, "attachments")

    def _submission(self, form_id: str, submission_id: str) -> str:
        return address("projects", self._project, "forms", form_id, "submissions", submission_id)


def _save(answer: Stream, target: Path) -> StoredFile:
    announced = _MD5.fullmatch(answer.etag or "")
    if announced is None:
        cause = "It sends a file without the ETag that Central gives it: its content cannot be verified."
        raise ServerError("SRV-051", answer.where, cause, "Let the proxy before it leave answers as they are.")
    return files.save(answer.where, answer.chunks, target, media_type=answer.media_type, md5=announced[1])
