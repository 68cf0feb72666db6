"""A large synthetic population: the demo's, with its visits and follow-ups copied under new identifiers."""

from pathlib import Path

from tpm_pipeline import jobs
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw

COPIED = ("tpm_visite", "tpm_suivi")
_UUID = "[0-9a-f]{8}((-[0-9a-f]{4}){3}-[0-9a-f]{12})"


def demo(place: Path, visits: int = 2000) -> Path:
    """Send the demo's population to a local server of its own; return the server's folder."""
    own = jobs.demo_settings(Settings(data=place))
    jobs.demo(own, seed=1, visits=visits)
    return own.local_store


def fill(connection: db.Connection, server: LocalServer, folder: Path, visits: int) -> int:
    """Put every form of the demo into raw, visits and follow-ups as often as wanted; return how many those are."""
    raw.create(connection)
    for form_id in jobs.form_ids():
        raw.store_versions(connection, server.name, server.versions(form_id))
        raw.store(connection, server.name, form_id, server.dialect, server.pull(form_id, None, folder))
    held = db.scalar(connection, "select count(*) from raw.current where form_id = 'tpm_visite'")
    for form_id in COPIED:
        _copy(connection, form_id, round(visits / held))
    copied = f"select count(*) from raw.submission where form_id in {COPIED}"
    return int(db.scalar(connection, copied))


def _copy(connection: db.Connection, form_id: str, times: int) -> None:
    """Copy a form's answers, every visit, person and follow-up under an identifier of its round; dates stay."""
    identifiers = ("submission_id", "instance_id", "payload")
    renamed = ", ".join(
        f"regexp_replace({name}, '{_UUID}', printf('%08x', turn) || '\\1', 'g') as {name}" for name in identifiers
    )
    connection.execute(f"""
        insert into raw.submission
        select original.* replace ({renamed})
        from raw.submission as original, range(1, {times}) as turns(turn)
        where form_id = '{form_id}'
    """)
