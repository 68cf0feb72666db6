"""Forms of the local server: every version ever deployed, the last one published."""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Change, CompiledForm, FormVersion
from tpm_pipeline.servers import local_entities as entities
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.payload import Shape, shape


@dataclass(frozen=True)
class Published:
    """The version of a form that clients should fill now."""

    form_id: str
    version: str
    title: str
    xform: bytes


@dataclass(frozen=True)
class FormFile:
    """A file of a published form; `is_list` when it is an entity list as it stands."""

    name: str
    content: bytes
    is_list: bool


def plan(store: Store, forms: Sequence[CompiledForm], retired: Sequence[str] = ()) -> list[Change]:
    """Say what `deploy` would do."""
    with store.reading() as db:
        active = [form for form in forms if form.form_id not in retired]
        return [_change(db, form) for form in active] + [_retirement(db, form_id) for form_id in retired]


def deploy(store: Store, forms: Sequence[CompiledForm], retired: Sequence[str] = ()) -> list[Change]:
    """Publish these forms but those that are retired, all of them or none."""
    with store.writing() as db:
        active = [form for form in forms if form.form_id not in retired]
        changes = [_change(db, form) for form in active]
        for form, change in zip(active, changes, strict=True):
            if change.action != "none":
                _publish(db, form)
        changes += [_retirement(db, form_id) for form_id in retired]
        db.executemany("insert or ignore into retired values (?)", [(form_id,) for form_id in retired])
    return changes


def versions(store: Store, form_id: str) -> list[FormVersion]:
    """Every version of a form, the first deployed first."""
    with store.reading() as db:
        found = db.execute("select version, xform from form_version where form_id = ? order by rowid", (form_id,))
        return [FormVersion(form_id, *row) for row in found]


def offered(store: Store) -> list[Published]:
    """The forms clients should fill, by id: a retired one is given to nobody, what they hold of it is taken."""
    with store.reading() as db:
        retired = {form_id for (form_id,) in db.execute("select form_id from retired")}
    return [form for form in published(store) if form.form_id not in retired]


def published(store: Store) -> list[Published]:
    """The last published version of every form, by id."""
    with store.reading() as db:
        found = db.execute(
            "select form_id, version, title, xform, max(published) from form_version group by form_id order by form_id"
        )
        return [Published(*row[:4]) for row in found]


def xform(store: Store, form_id: str, version: str) -> bytes:
    """The XForm of one version."""
    with store.reading() as db:
        found = db.execute("select version, xform from form_version where form_id = ?", (form_id,)).fetchall()
    if not found:
        raise unknown_form(form_id)
    content: bytes | None = dict(found).get(version)
    if content is None:
        raise ServerError("SRV-105", form_id, f"Version «{version}» was never deployed.", "Download the form again.")
    return content


def shape_of(store: Store, form_id: str, version: str) -> Shape:
    """What reading submissions of one version needs."""
    return shape(xform(store, form_id, version))


def files(store: Store, form_id: str) -> list[FormFile]:
    """The files the published version needs beside it, entity lists as they are now."""
    with store.reading() as db:
        current = db.execute(
            "select version, xform from form_version where form_id = ? order by published desc limit 1", (form_id,)
        ).fetchone()
        if current is None:
            raise unknown_form(form_id)
        version, content = current
        media = dict(
            db.execute(
                "select name, content from media where form_id = ? and version = ?", (form_id, version)
            ).fetchall()
        )
        lists = {name for name in shape(content).reads if entities.is_list(db, name.removesuffix(".csv"))}
        media |= {name: entities.as_csv(db, name.removesuffix(".csv"), media.get(name, b"")) for name in lists}
    return [FormFile(name, media[name], name in lists) for name in sorted(media)]


def unknown_form(form_id: str) -> ServerError:
    """The error for a form nobody deployed."""
    return ServerError("SRV-104", form_id, "The local server has no such form.", "Deploy it first (tpm deploy).")


def _change(db: sqlite3.Connection, form: CompiledForm) -> Change:
    found = dict(
        db.execute(
            "select version, digest from form_version where form_id = ? order by published", (form.form_id,)
        ).fetchall()
    )
    what = f"{form.form_id} {form.version}"
    if form.version not in found:
        return Change("update" if found else "create", what)
    if found[form.version] != _digest(form):
        cause = f"Version {form.version} is already deployed with another content."
        raise ServerError("SRV-110", form.form_id, cause, "Give the form another version.")
    current = form.version == list(found)[-1] and not _is_retired(db, form.form_id)
    return Change("none" if current else "update", what)


def _retirement(db: sqlite3.Connection, form_id: str) -> Change:
    if _is_retired(db, form_id):
        return Change("none", f"{form_id} is retired")
    return Change("update", f"{form_id} is retired: phones get it no more, what they hold can still be sent")


def _is_retired(db: sqlite3.Connection, form_id: str) -> bool:
    return db.execute("select 1 from retired where form_id = ?", (form_id,)).fetchone() is not None


def _publish(db: sqlite3.Connection, form: CompiledForm) -> None:
    order = db.execute("select coalesce(max(published), 0) + 1 from form_version").fetchone()[0]
    now = datetime.now(UTC).isoformat()
    db.execute(
        "insert into form_version values (?, ?, ?, ?, ?, ?, ?)"
        " on conflict do update set published = excluded.published",
        (form.form_id, form.version, form.title, form.xform, _digest(form), now, order),
    )
    db.execute("delete from retired where form_id = ?", (form.form_id,))
    rows = [(form.form_id, form.version, media.name, media.content) for media in form.media]
    db.executemany("insert or ignore into media values (?, ?, ?, ?)", rows)
    form_shape = shape(form.xform)
    entities.declare(db, form_shape)
    entities.seed(db, form_shape, {media.name: media.content for media in form.media})


def _digest(form: CompiledForm) -> str:
    parts = [
        form.xform,
        *(part for media in sorted(form.media, key=lambda m: m.name) for part in (media.name.encode(), media.content)),
    ]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
