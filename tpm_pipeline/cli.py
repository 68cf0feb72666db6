"""`tpm`: one command per arrow of the picture. Parses, calls jobs, maps errors to exit codes."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tpm_pipeline.errors import TpmError, together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tpm_pipeline.jobs import Progress
    from tpm_pipeline.records import IndicatorLine
    from tpm_pipeline.settings import Settings

# What a command needs is imported when it runs: `tpm --help` answers at once.

_NAME = 60  # letters of an indicator's name on its line

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="From reception offices' forms to logframe indicators."
)
forms = typer.Typer(no_args_is_help=True, help="Work on the spreadsheets of forms/.")
app.add_typer(forms, name="forms")


@app.command(epilog="Example: tpm check --full")
def check(full: Annotated[bool, typer.Option(help="Also run ODK Validate.")] = False) -> None:
    """Say what is wrong before anything is deployed: forms, marts, indicators."""
    import gc

    from tpm_pipeline import jobs

    gc.disable()  # nothing here lives on: to look for garbage would take a tenth of the time

    findings = jobs.check(full=full)
    for finding in findings:
        typer.echo(f"{finding.level}: {finding.code} · {finding.where}: {finding.what}")
    errors = sum(finding.level == "error" for finding in findings)
    typer.echo(f"{errors} errors, {len(findings) - errors} warnings")
    if errors:
        raise typer.Exit(11)


@forms.command(epilog="Example: tpm forms render")
def render() -> None:
    """Rewrite each form's readable .md from its spreadsheet."""
    from tpm_pipeline import jobs

    for path in jobs.render_forms():
        typer.echo(path)


@forms.command(epilog="Example: tpm forms diff HEAD~3 --form tpm_visite")
def diff(
    old: Annotated[str, typer.Argument(help="An .xlsx or .xml file, a git revision, or server: what is deployed.")],
    new: Annotated[str | None, typer.Argument(help="The same; the files here when left out.")] = None,
    form: Annotated[str | None, typer.Option(help="One form; every form when left out.")] = None,
) -> None:
    """Say what changed between two versions of the forms, and which marts and indicators each change reaches.

    Exits with 11 when a change is breaking: a question removed, renamed, retyped or moved, a choice removed or renamed.
    """
    from tpm_pipeline import jobs
    from tpm_pipeline.indicators import effects

    found = jobs.forms_diff(_settings(), old, new, form)
    for line in effects.lines(found):
        typer.echo(line)
    if found.breaking:
        raise typer.Exit(11)


@app.command(epilog="Example: tpm deploy --plan")
def deploy(
    plan: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
    force: Annotated[bool, typer.Option(help="Also overwrite what a hand changed, and what breaks.")] = False,
) -> None:
    """Make the servers hold the forms as they are here, and let in the phones and people declared in TPM_ACCESS.

    Nothing is sent when a hand changed one of them (exit 12) or a form loses what marts and indicators read (exit 11).
    """
    from tpm_pipeline import jobs
    from tpm_pipeline.deploying import plan as planning

    with _progress() as progress:
        found = jobs.plan_deployment(_settings(), progress)
    for line in planning.lines(found):
        typer.echo(line)
    if not force:
        planning.refuse(found)
    if not plan:
        with _progress() as progress:
            planning.carry_out(found, force=force, progress=progress)


@app.command(epilog="Example: tpm phones")
def phones() -> None:
    """Write each office's page of codes that set up its phones, and its desk's links: to print and hand over."""
    from tpm_pipeline import jobs

    written = jobs.write_phones(_settings())
    for path in written:
        typer.echo(path)
    if written:
        typer.echo("Whoever has one of these can send forms in the office's name: hand them over, then delete them.")
    else:
        typer.echo("Nobody is declared in TPM_ACCESS: name phones there, or, on KoboToolbox, accounts.")


@app.command(epilog="Example: tpm pull tpm_visite --sweep")
def pull(
    form_id: Annotated[str | None, typer.Argument(help="One form; all of them when left out.")] = None,
    sweep: Annotated[bool, typer.Option(help="Compare with all that the server lists, as each day once.")] = False,
    accept_deletions: Annotated[bool, typer.Option(help="Believe that many submissions vanished.")] = False,
) -> None:
    """Bring new, edited, reviewed, deleted and restored submissions into raw."""
    from tpm_pipeline import jobs

    with _progress() as progress:
        forms = [form_id] if form_id else jobs.form_ids()
        reports, errors = jobs.pull(
            _settings(), forms, progress, sweep=sweep or accept_deletions, accept=accept_deletions
        )
    several = len({report.server for report in reports}) > 1
    for report in reports:
        more = {"found by the sweep": report.found_by_sweep, "files": report.files}
        told = "".join(f", {count} {what}" for what, count in more.items() if count)
        where = f" · {report.server}" if several else ""
        typer.echo(f"{report.form_id}{where}: {report.seen} seen, {report.written} new or changed{told}")
    if errors:
        raise together(errors)


@app.command(epilog="Example: tpm refresh")
def refresh() -> None:
    """Pull, and when anything changed rebuild and publish: what the scheduler does, without Prefect."""
    from tpm_pipeline import jobs

    with _progress() as progress:
        report = jobs.refresh(_settings(), progress)
    if report.published:
        typer.echo(f"{report.written} new or changed submissions; publications written.")
        for check, count in report.findings.items():
            typer.echo(f"to look at: {check} {count:,}")
    else:
        typer.echo("Nothing new: the publications are up to date.")


@app.command(epilog="Example: tpm share")
def share() -> None:
    """Give phones the case list as the warehouse knows it, where their server keeps none (KoboToolbox).

    Run it after `tpm refresh`. Each office gets its open cases, without anything that names a person.
    """
    from tpm_pipeline import jobs

    with _progress() as progress:
        changes = jobs.share(_settings(), progress)
    for change in changes:
        typer.echo(f"{change.action}: {change.what}")
    if not changes:
        typer.echo("Nothing to do: phones get the lists from their server, or have the latest.")


@app.command(epilog="Example: tpm indicators")
def indicators() -> None:
    """Show the indicators of the latest publication, and where the dashboard is."""
    from tpm_pipeline import jobs

    settings = _settings()
    for line in jobs.latest_values(settings):
        name = line.name if len(line.name) <= _NAME else f"{line.name[: _NAME - 1]}…"
        target = "" if line.target is None else f"cible {_figure(line, line.target)}"
        unit = "" if line.is_yes_or_no else line.unit
        typer.echo(f"{line.code:6} {name:{_NAME}} {line.period:4} {_figure(line, line.value):>9} {unit:15} {target}")
    typer.echo(f"\nDashboard: {settings.dashboard}")


def _figure(line: "IndicatorLine", value: float | None) -> str:
    if value is None:
        return "n.d."
    return ("non", "oui")[round(value)] if line.is_yes_or_no else f"{value:,.{line.decimals}f}"


@app.command(epilog="Example: tpm explain R1-3 --period 2022-T1 --where sexe=femme")
def explain(
    indicator: Annotated[str, typer.Argument(help="Its code, for example R1-3.")],
    period: Annotated[str | None, typer.Option(help="2022-03, 2022-T1, 2022-S1, A2 or projet.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="One part, for example sexe=femme; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(help="How many submissions to list.", min=0)] = 20,
) -> None:
    """Say what is behind a value: definition, figures, and the submissions with a link to each."""
    from tpm_pipeline import jobs
    from tpm_pipeline.indicators import narrate

    settings = _settings()
    found = jobs.explain(settings, indicator, period, narrate.parts(where or []))
    shown = found.facts[:limit]
    for line in narrate.lines(found, jobs.links(settings, shown)):
        typer.echo(line)


@app.command(epilog="Example: tpm trace")
def trace() -> None:
    """Show each line of the job profile with its forms and indicators; fail when one has none."""
    from rich.console import Console
    from rich.table import Table

    from tpm_pipeline import jobs

    lines = jobs.trace()
    table = Table("n°", "ligne de la fiche de poste", "formulaires", "indicateurs")
    for line in lines:
        table.add_row(line.code, line.text, " ".join(line.forms) or "—", " ".join(line.indicators) or "—")
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    complete = sum(line.is_complete for line in lines)
    typer.echo(f"{complete} of {len(lines)} lines have forms and indicators")
    if complete < len(lines):
        raise typer.Exit(14)


@app.command(epilog="Example: tpm serve")
def serve() -> None:
    """Run the local server that phones and browsers send to."""
    from tpm_pipeline.web.serve import serve as run

    run(_settings())


@app.command(epilog="Example: tpm demo --visits 500")
def demo(
    visits: Annotated[int, typer.Option(help="How many visits to make up.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, another population.")] = 2020,
) -> None:
    """Make up a synthetic population and send its forms to a local server of its own."""
    from tpm_pipeline import jobs

    with _progress() as progress:
        found = jobs.demo(_settings(), seed=seed, visits=visits, progress=progress)
    if not found.sent:
        typer.echo("The synthetic submissions are there already.")
        return
    typer.echo(
        f"{found.sent:,} synthetic submissions sent: {found.late:,} late, {found.corrections:,} corrections,"
        f" {found.typed_twice:,} typed twice, {found.sent_twice:,} sent twice, {found.former_version:,} in an earlier"
        f" version of their form; {found.missing:,} optional answers left blank, {found.refused:,} refused;"
        f" {found.closed_offices} office closed for good."
    )


def _settings() -> "Settings":
    from tpm_pipeline.settings import load

    return load()


@contextmanager
def _progress() -> "Iterator[Progress]":
    """Show a moving line on a terminal, nothing in cron."""
    if not sys.stderr.isatty():
        yield lambda _message: None
        return
    from rich.console import Console

    with Console(stderr=True).status("…") as status:
        yield status.update


def main() -> None:
    """Run a command; a user's mistake prints one line and exits with its family's code."""
    try:
        app()
    except TpmError as error:
        for line in (str(error), *getattr(error, "__notes__", ())):
            typer.echo(line, err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
