"""The fake Central's managed keys: it holds the private half, and opens submissions in an export alone."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl
from zipfile import ZipFile

from lxml import etree
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.encryptor import key_pair
from tests.servers.fake_central_rows import XForm, name, read_xform
from tests.servers.fake_central_state import FORM, PROJECT, Form, Project, State, Submission, Table
from tests.servers.fake_central_submissions import selected
from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers import encryption

MANAGED = key_pair(77)
KEY_ID = 7
_POINT = ("Latitude", "Longitude", "Altitude", "Accuracy")
_FILES = ("AttachmentsPresent", "AttachmentsExpected")
_SYSTEM = ("KEY", "SubmitterID", "SubmitterName", *_FILES, "Status", "ReviewState", "DeviceID", "Edits", "FormVersion")
_LOG = ["event", "node", "start", "end", "latitude", "longitude", "accuracy"]
_LOG += ["old-value", "new-value", "user", "change-reason"]
_VERSION = re.compile(rb'(<data [^>]*version="[^"]*)"')
_PUBLIC = re.compile(rb'base64RsaPublicKey="([^"]*)"')
Path = tuple[str, ...]
Tables = dict[Path, list[dict[Any, str]]]


class Keys(State):
    def key_routes(self) -> Table:
        return [
            ("POST", PROJECT + "/key", self.enable_encryption),
            ("GET", FORM + "/submissions/keys", self.list_keys),
            ("POST", FORM + "/submissions.csv.zip", self.export),
        ]

    def enable_encryption(self, body: bytes, project: Project) -> Any:
        project.passphrase = json.loads(body)["passphrase"]
        for form in project.forms.values():
            xml = self.encrypting(form.versions[-1][1])
            if xml != form.versions[-1][1]:
                form.versions.append((read_xform(xml), xml))
        return {"success": True}

    def encrypting(self, xform: bytes) -> bytes:
        """The form with the project's key, unless it has its own."""
        if _PUBLIC.search(xform):
            return xform
        key = f'<submission base64RsaPublicKey="{MANAGED.public}"/>'.encode()
        version = _VERSION.sub(rb'\1[encrypted:AaIi+%d]"' % self.new_actor(), xform)
        return version.replace(b"<instance>", key + b"<instance>", 1)

    def list_keys(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        rows = [row for row in form.rows.values() if not row.deleted and _is_encrypted(row.versions[-1][1])]
        found = {_key_of(form, row.versions[-1][1]) for row in rows}
        numbers = {key: KEY_ID if key == MANAGED.public else KEY_ID + 1 for key in found}
        return [{"id": n, "public": key, "managed": n == KEY_ID or None, "hint": None} for key, n in numbers.items()]

    def export(self, body: bytes, project: Project, form: Form, request: Request) -> Any:
        given = {int(number): text for number, text in parse_qsl(body.decode())}
        etag = {"ETag": f'W/"eventhash:{"0" * 32}"'}
        if given.get(KEY_ID, project.passphrase) != project.passphrase:
            said = "Could not perform decryption. Double check your passphrase and your data …"
            return JSONResponse({"message": said, "code": 400.12}, 400, headers=etag)
        asked = request.query_params
        writer = _Writer(form, self, media=asked.get("attachments") != "false")
        for root, row in selected(form, asked.get("$filter")):
            xml = row.versions[-1][1]
            if not given or not _is_encrypted(xml) or (_key_of(form, xml) == MANAGED.public and KEY_ID in given):
                try:
                    writer.add(root, row, opens=bool(given))
                except ServerError:
                    if writer.broke_off_late:
                        return Response(b"PK\3\4", headers=etag, media_type="application/zip")
                    return Response("<html>502 Bad Gateway</html>", 502, media_type="text/html")
        return Response(writer.zipped(), headers=etag, media_type="application/zip")


class _Writer:
    """Writes the export as the real one: the fields of all versions, a table for each repeat, and files."""

    def __init__(self, form: Form, state: State, *, media: bool) -> None:
        self._form, self._state, self._media = form, state, media
        self._repeats = {path for xform, _ in form.versions for path in map(_path, xform.repeats)}
        self._types = {_path(path): kind for xform, _ in form.versions for path, kind in xform.types.items()}
        newest_first = [xform for xform, _ in reversed(form.versions)]
        self._leaves = [*dict.fromkeys(leaf for xform in newest_first for leaf in _leaves(xform))]
        self._tables: Tables = {(): [], **{path: [] for path in sorted(self._repeats)}}
        self._members: list[tuple[str, bytes]] = []
        self._log: list[list[str]] = []
        self.broke_off_late = False

    def add(self, root: str, row: Submission, *, opens: bool) -> None:
        instance, xml = row.versions[-1]
        counts = self._state.counted(row)
        record: dict[Any, str] = {"SubmissionDate": row.created, "KEY": root, "Edits": str(len(row.versions) - 1)}
        record |= {"FormVersion": row.version, "ReviewState": row.review or ""}
        record |= {key[0].upper() + key[1:]: str(counts[key]) for key in ("attachmentsPresent", "attachmentsExpected")}
        self._tables[()].append(record)
        files = {known: content for known, content in self._state.files.get(instance, {}).items() if content}
        sent = encryption.envelope(xml)
        if sent is None:
            self._write(etree.fromstring(xml), (), root, root, record)
            self._members += [(f"media/{known}", content) for known, content in files.items() if self._media]
        elif "submission.xml.enc" not in files:
            record["Status"] = "missing encrypted form data"
        elif not opens:
            record["Status"] = "not decrypted"
        elif len(row.versions) > 1:
            # The real one uses the identifier of the first instance: an empty line, and files that begin with noise.
            self._members += [(f"media/{_plain(known)}", b"\0" * 16 + content[16:]) for known, content in files.items()]
        else:
            opener = encryption.open_envelope(sent, encryption.read_key(MANAGED.private_pem))
            self.broke_off_late = True
            self._write(etree.fromstring(opener.submission(files["submission.xml.enc"])), (), root, root, record)
            self.broke_off_late = False
            self._add_files(root, {known: opener.media(known, files[known]) for known in sent.media if known in files})

    def _add_files(self, root: str, media: dict[str, bytes]) -> None:
        for known, content in media.items() if self._media else ():
            if known == "audit.csv.enc":
                events = csv.DictReader(io.StringIO(content.decode()))
                self._log += [[root, *(event.get(column) or "" for column in _LOG)] for event in events]
            else:
                self._members.append((f"media/{_plain(known)}", content))

    def _write(self, node: etree._Element, path: Path, parent: str, key: str, record: dict[Any, str]) -> None:
        counts: dict[str, int] = {}
        for child in node:
            here = (*path, name(child))
            if here in self._repeats:
                counts[name(child)] = n = counts.get(name(child), 0) + 1
                iteration: dict[Any, str] = {"PARENT_KEY": parent, "KEY": f"{key}/{name(child)}[{n}]"}
                self._tables[here].append(iteration)
                self._write(child, here, iteration["KEY"], iteration["KEY"], iteration)
            elif len(child):
                self._write(child, here, parent, f"{key}/{name(child)}", record)
            else:
                record[here] = child.text or ""

    def zipped(self) -> bytes:
        file = io.BytesIO()
        with ZipFile(file, "w") as archive:
            for path, records in self._tables.items():
                end = ("PARENT_KEY", "KEY") if path else _SYSTEM
                suffix = f"-{path[-1]}" if path else ""
                archive.writestr(f"form{suffix}{'~' * len(path)}.csv", self._table(path, records, end))
            for member, content in self._members:
                archive.writestr(member, content)
            if self._log:
                archive.writestr("form - audit.csv", _csv([["instance ID", *_LOG], *self._log]))
        return file.getvalue()

    def _table(self, path: Path, records: list[dict[Any, str]], end: tuple[str, ...]) -> str:
        leaves = [leaf for leaf in self._leaves if _table_of(leaf, self._repeats) == path]
        columns = [column for leaf in leaves for column in self._columns(leaf, "-".join(leaf[len(path) :]))]
        begin = () if path else ("SubmissionDate",)
        lines = [[*begin, *columns, *end]]
        for record in records:
            cells = [cell for leaf in leaves for cell in self._cells(leaf, record.get(leaf, ""))]
            lines.append([*(record[b] for b in begin), *cells, *(record.get(e, "") for e in end)])
        return _csv(lines)

    def _columns(self, leaf: Path, column: str) -> list[str]:
        return [f"{column}-{part}" for part in _POINT] if self._types.get(leaf) == "geopoint" else [column]

    def _cells(self, leaf: Path, text: str) -> list[str]:
        return [*text.split(), *[""] * 4][:4] if self._types.get(leaf) == "geopoint" else [text]


def _csv(lines: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _leaves(xform: XForm) -> Iterator[Path]:
    def below(node: etree._Element, path: Path) -> Iterator[Path]:
        for child in node:
            here = (*path, name(child))
            yield from below(child, here) if len(child) else [here]

    return below(xform.data, ())


def _table_of(leaf: Path, repeats: set[Path]) -> Path:
    return max((leaf[:n] for n in range(len(leaf)) if leaf[:n] in repeats), default=(), key=len)


def _path(nodeset: str) -> Path:
    return tuple(nodeset.split("/")[2:])


def _plain(known: str) -> str:
    return re.sub(r'[/?<>\\:*|"]', "", known.removesuffix(".enc"))


def _is_encrypted(xml: bytes) -> bool:
    return b'encrypted="yes"' in xml


def _key_of(form: Form, xml: bytes) -> str:
    """The public key of the version a submission was made with."""
    version = etree.fromstring(xml).get("version", "")
    found = _PUBLIC.search(next(known for xform, known in form.versions if xform.version == version))
    return found[1].decode() if found else ""
