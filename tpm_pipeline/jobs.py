"""The use cases: what the commands and the flows ask for."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tpm_pipeline.errors import SettingsError, TpmError, together
from tpm_pipeline.forms import catalog
from tpm_pipeline.indicators import compute, logframe
from tpm_pipeline.indicators.calendar import today
from tpm_pipeline.paths import FORMS, PACKAGE, ROOT, WAREHOUSE, write_atomically
from tpm_pipeline.pulling import rows, several
from tpm_pipeline.pulling.rows import Wishes
from tpm_pipeline.records import (
    NOBODY,
    Access,
    Brought,
    Change,
    CompiledForm,
    Finding,
    IndicatorLine,
    PullReport,
    RefreshReport,
    Share,
    SharedList,
)
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import build as warehouse_build
from tpm_pipeline.warehouse import checks, client_audit, db, privacy, raw

if TYPE_CHECKING:
    from tpm_pipeline.demo.mess import Mess
    from tpm_pipeline.deploying.plan import Deployment
    from tpm_pipeline.forms.compile import Target
    from tpm_pipeline.indicators.effects import Comparison
    from tpm_pipeline.indicators.explain import Explanation, Fact
    from tpm_pipeline.indicators.trace import TracedLine
    from tpm_pipeline.servers.base import Server
    from tpm_pipeline.settings import Kind

# Compiling, servers, charts and the web are imported where they are used: a refresh that finds nothing takes a moment.

Progress = Callable[[str], None]
_UNFINISHED = "unfinished "


def silent(_message: str) -> None:
    """Report progress to nobody."""


def open_servers(settings: Settings) -> "dict[Kind, Server]":
    """The servers the settings choose, the first one first."""
    from tpm_pipeline.servers import registry

    return registry.open_servers(settings)


def form_ids() -> list[str]:
    """The forms of the project."""
    return catalog.form_ids()


def compile_forms(target: "Target", *, validate: bool = True) -> tuple[list[CompiledForm], list[Finding]]:
    """Compile every form for a kind of server; what should be looked at comes beside."""
    from tpm_pipeline.forms.compile import compile_form

    compiled = [compile_form(catalog.path_of(form_id), target, validate=validate) for form_id in form_ids()]
    return [form for form, _ in compiled], [finding for _, findings in compiled for finding in findings]


def check(*, full: bool = False, root: Path = ROOT) -> list[Finding]:
    """Everything that can be known before deploying: forms, marts and indicators; with ODK Validate when full."""
    from tpm_pipeline.forms import check as form_check
    from tpm_pipeline.indicators import bindings

    folder = root / "forms"
    books, findings = form_check.read(catalog.form_ids(folder), folder)
    schemas, refused = form_check.schemas(books, validate=full)
    findings += form_check.check(books, folder) + refused
    missing = {*catalog.form_ids(folder)} - {schema.form_id for schema in schemas}
    return findings + bindings.findings(schemas, missing, folder / "lists", root / "warehouse")


def forms_diff(settings: Settings, old: str, new: str | None = None, form_id: str | None = None) -> "Comparison":
    """What differs between two versions of the forms, and what that reaches.

    A version is a file, a git revision or `server`; the files here when `new` is left out.
    """
    from tpm_pipeline.indicators import effects

    here = {form.form_id: form.xform for form in compile_forms("central", validate=False)[0]}
    sides = [_xforms(settings, side, here) for side in (old, new)]
    # A file holds one form: the others are not missing from it.
    alone = [{*side} for source, side in zip((old, new), sides, strict=True) if source and Path(source).is_file()]
    wanted = sorted(alone[0] if alone else {*sides[0], *sides[1]})
    if form_id and form_id not in wanted:
        catalog.path_of(form_id)
    return effects.diff(sides[0], sides[1], here, [one for one in wanted if form_id in (None, one)])


def _xforms(settings: Settings, source: str | None, here: dict[str, bytes]) -> dict[str, bytes]:
    from tpm_pipeline.forms import history

    if source is None:
        return here
    if source != "server":
        return history.xforms(source)
    servers = open_servers(settings).values()
    latest = {form_id: [found[-1] for server in servers if (found := server.versions(form_id))] for form_id in here}
    # A version's name begins with the day its form was changed.
    return {form_id: max(found, key=lambda one: one.version).xform for form_id, found in latest.items() if found}


def plan_deployment(settings: Settings, progress: Progress = silent) -> "list[Deployment]":
    """What each server lacks of the forms and people declared here, what a hand changed there, what would break."""
    parts = read_shares(settings)
    return [_plan(settings, kind, server, parts[kind], progress) for kind, server in open_servers(settings).items()]


def _plan(settings: Settings, kind: "Kind", server: "Server", share: Share, progress: Progress) -> "Deployment":
    from tpm_pipeline.deploying import plan, shares

    progress("compiling the forms")
    forms = [form for form in compile_forms(kind)[0] if form.form_id in share.forms]
    read = (Path(file.name).stem for form in forms for file in form.media)
    declared = read_access(settings, [*read, *(name for form in forms for name in form.entity_lists)])
    held = [] if len(share.forms) == len(form_ids()) else [one for one in server.current() if one in form_ids()]
    return plan.prepare(server, forms, shares.narrowed(declared, share, held), progress)


def deploy(settings: Settings, *, force: bool = False, progress: Progress = silent) -> list[Change]:
    """Make the servers hold the forms and let in the people as declared here, or none when one would be refused."""
    from tpm_pipeline.deploying import plan

    return plan.carry_out(plan_deployment(settings, progress), force=force, progress=progress)


def read_access(settings: Settings, lists: Sequence[str] = ()) -> Access:
    """Who may fill what; `lists` are the entity lists the forms write."""
    from tpm_pipeline.deploying import access, offices

    return access.read(settings.access, offices.read(), form_ids(), lists)


def read_shares(settings: Settings) -> "dict[Kind, Share]":
    """Which forms and offices each server has; with one, nobody's declaration is needed to pull."""
    from tpm_pipeline.deploying import offices, shares

    declared = read_access(settings) if len(settings.kinds) > 1 else NOBODY
    return shares.of(declared, settings.kinds, form_ids(), offices.read(), settings.access.name)


def write_phones(settings: Settings) -> list[Path]:
    """Write each office's page of codes for its phones, and the desks' links, where only the project may read."""
    from tpm_pipeline.deploying import offices, phones, shares

    declared, parts = read_access(settings), read_shares(settings)
    sites = [
        phones.Site(server, shares.narrowed(declared, parts[kind]), phones.project(settings, kind))
        for kind, server in open_servers(settings).items()
    ]
    return phones.write(sites, offices.read(), settings.private / "phones")


def pull(
    settings: Settings,
    forms: Sequence[str],
    progress: Progress = silent,
    *,
    sweep: bool = False,
    accept: bool = False,
    only: "Kind | None" = None,
) -> Brought:
    """Bring what is new, edited, reviewed, deleted or restored in these forms into raw, from all servers or `only` one.

    `sweep` compares with all that a server lists; `accept` believes that submissions vanished from it. A form or a
    server that fails keeps no other from coming: its error is returned beside the reports.
    """
    for form_id in forms:
        catalog.path_of(form_id)
    parts, servers = read_shares(settings), open_servers(settings)
    shares = [(server, parts[kind].forms) for kind, server in servers.items() if only in (None, kind)]
    with db.warehouse(settings) as connection, rows.opened(connection, settings, progress) as into:
        return several.bring(shares, into, forms, Wishes(sweep, accept))


def build(settings: Settings) -> dict[str, int]:
    """Rebuild staging, marts and indicators from raw; return how many findings each check made."""
    with db.warehouse(settings) as connection:
        raw.create(connection)
        made_from = _fingerprint(connection, settings)
        found = _rebuild(connection, settings)
        raw.remember_done(connection, "build", made_from)
    return found


def _rebuild(connection: db.Connection, settings: Settings) -> dict[str, int]:
    framework, forms = logframe.read(), warehouse_build.schemas(connection, form_ids())
    warehouse_build.build(connection, forms, privacy.pads(settings))
    compute.compute(connection, framework, today())
    return checks.run(connection)


def publish(settings: Settings) -> list[Path]:
    """Write every publication, and remember what they were made from."""
    from tpm_pipeline.publications import registry as publications

    with db.warehouse(settings) as connection:
        raw.create(connection)
        written = publications.publish(connection, settings, logframe.read(), today())
        raw.remember_done(connection, "publish", raw.last_done(connection, "build") or "")
    return written


def share(settings: Settings, progress: Progress = silent) -> list[Change]:
    """Give phones the lists as the warehouse knows them, where their server keeps none; a second call does nothing."""
    from tpm_pipeline.deploying import lists

    parts, servers = read_shares(settings), open_servers(settings)
    sources = [(server.name, parts[kind].forms) for kind, server in servers.items()]

    def rebuilt(offices: Sequence[str]) -> list[SharedList]:
        lists.refuse_unfit(settings, sources)
        return lists.rebuilt(settings, offices)

    changes, errors = list[Change](), list[TpmError]()
    for kind, server in servers.items():
        try:
            changes += server.share(partial(rebuilt, parts[kind].offices), progress=progress)
        except TpmError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return changes


def is_current(settings: Settings) -> bool:
    """Tell whether nothing changed since the last publications: data, queries, forms or day."""
    from tpm_pipeline.publications import registry as publications

    if not all(place.exists() for place in publications.places(settings)):
        return False
    with db.warehouse(settings) as connection:
        raw.create(connection)
        return _fingerprint(connection, settings) == raw.last_done(connection, "publish")


def refresh(settings: Settings, progress: Progress = silent) -> RefreshReport:
    """Pull every form; rebuild and publish if anything changed; give phones their lists.

    What came is published even when a form or a server failed, whose error then ends the refresh.
    """
    reports, errors = pull(settings, form_ids(), progress)
    if not reports:
        raise together(errors)
    report = _republish(settings, tuple(reports), progress)
    try:
        share(settings, progress)
    except TpmError as error:
        errors.append(error)
    if errors:
        raise together(errors)
    return report


def _republish(settings: Settings, pulled: tuple[PullReport, ...], progress: Progress) -> RefreshReport:
    if is_current(settings):
        return RefreshReport(pulled, published=False, findings={})
    progress("build")
    findings = build(settings)
    progress("publish")
    publish(settings)
    return RefreshReport(pulled, published=True, findings=findings)


def _fingerprint(connection: db.Connection, settings: Settings) -> str:
    """What the publications follow from: raw, the declarations, the program, the settings that show, the day."""
    digest = hashlib.sha256()
    for folder, pattern in ((WAREHOUSE, "**/*.*"), (FORMS, "*/*.csv"), (PACKAGE, "**/*.*")):
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.name.encode() + path.read_bytes())
    digest.update(f"{raw.state(connection)} {client_audit.state(connection)} {settings.small_cell} {today()}".encode())
    digest.update(b"".join(privacy.pads(settings)))
    digest.update(str(settings.synthetic_marker.exists()).encode())
    return digest.hexdigest()


def latest_values(settings: Settings) -> list[IndicatorLine]:
    """Each indicator's latest reporting year with a value, from the analysts' file."""
    from tpm_pipeline.publications import analysts

    with analysts.opened(settings.analysts_db) as connection:
        found = connection.execute("""
            select code, nom_fr, periode, valeur, cible, unite_fr, nb_decimales, mesure = 'yes_no'
            from indicators.valeur join indicators.indicateur using (code)
            where type_periode = 'annee' and dimension = 'total' and valeur.cumul = indicateur.cumul
            qualify row_number() over (partition by code order by valeur is not null desc, debut_date desc) = 1
            order by code
        """).fetchall()
    return [IndicatorLine(*row) for row in found]


def trace() -> "list[TracedLine]":
    """Every line of the job profile, with its forms and its indicators."""
    from tpm_pipeline.indicators import trace as traced

    return traced.trace(logframe.read(), form_ids())


def explain(settings: Settings, code: str, period: str | None, where: Mapping[str, str]) -> "Explanation":
    """What is behind a value: definition, figure, and the facts with their submissions."""
    from tpm_pipeline.indicators import explain as explained

    with db.reading(settings) as connection:
        return explained.explain(connection, logframe.read(), code, period=period, where=where, today=today())


def links(settings: Settings, facts: "Sequence[Fact]") -> list[str | None]:
    """Where a person reads the submission behind each fact; None for one of another server."""
    servers = {server.name: server for server in open_servers(settings).values()}
    return [
        servers[fact.server].link(fact.form_id, fact.submission_id)
        if fact.form_id and fact.submission_id and fact.server in servers
        else None
        for fact in facts
    ]


def render_forms() -> list[Path]:
    """Rewrite each form's readable Markdown."""
    from tpm_pipeline.forms import render

    return render.render_all()


def demo(settings: Settings, *, seed: int, visits: int, progress: Progress = silent) -> "Mess":
    """Send a synthetic population to a local server of its own; return what was sent, and with how much mess."""
    from tpm_pipeline.demo import instances, mess, versions
    from tpm_pipeline.servers.local import LocalServer
    from tpm_pipeline.servers.openrosa import OpenRosaClient
    from tpm_pipeline.web.serve import running

    own = demo_settings(settings)
    forms, _ = compile_forms("local", validate=False)
    former = versions.earlier(forms)
    marker, made_from = own.synthetic_marker, f"{seed} {visits} {[form.version for form in (*former, *forms)]}"
    found = mess.Mess()
    if _was_sent(own, marker, made_from):
        return found
    write_atomically(marker, f"{_UNFINISHED}{made_from}")
    server, changed = LocalServer(own.local_store), False
    server.deploy(former)
    with running(own.local_store) as address:
        client = OpenRosaClient(address, own.timeout_s)
        for mail in instances.mailed(seed, visits, forms, former):
            if not changed and mail.at.date() >= versions.CHANGED:
                server.deploy(forms)
                changed = True
            client.submit(mail.submission.xml, mail.submission.attachments)
            found = found.plus(mail.counts)
            progress(f"{found.sent} submissions")
    write_atomically(marker, made_from)
    return found


def _was_sent(own: Settings, marker: Path, made_from: str) -> bool:
    """Tell whether this population is there; an interrupted one is sent again, another one is never mixed in."""
    found = marker.read_text(encoding="utf-8") if marker.exists() else None
    if found is None and not own.private.exists():
        return False
    if found is None or found.removeprefix(_UNFINISHED) != made_from:
        raise SettingsError(
            "SET-004",
            str(own.data),
            "This folder holds other data than this demo would make.",
            "Delete it if all of it is synthetic, or choose another TPM_DATA.",
        )
    return found == made_from


def demo_settings(settings: Settings) -> Settings:
    """Settings whose data can only be synthetic: a folder named demo, a local server."""
    data = settings.data if settings.data.name == "demo" else settings.data / "demo"
    return settings.model_copy(update={"data": data, "server": "local"})
