"""What changes of the forms lead to: the marts' columns, the indicators and the files each of them reaches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tpm_pipeline.forms import compare
from tpm_pipeline.forms.compare import Difference, Version
from tpm_pipeline.paths import LISTS, WAREHOUSE
from tpm_pipeline.records import FormSchema
from tpm_pipeline.warehouse import codes, db, empty, graph, lineage, staging
from tpm_pipeline.warehouse.lineage import Lineage

_MARKS: Final = {"breaking": "BREAKING", "warning": "warning", "info": "info"}

XForms = Mapping[str, bytes]
Named = Mapping[tuple[str, str], list[str]]


@dataclass(frozen=True)
class Effect:
    """A difference, and what it reaches: `table.column` of marts, indicators, and the files that name a lost code."""

    difference: Difference
    marts: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class FormDiff:
    """Two versions of one form; a version is empty where the form was not there."""

    form_id: str
    old: str
    new: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Comparison:
    """The forms that differ, and the queries that do not bind, into which nothing could be followed."""

    forms: tuple[FormDiff, ...] = ()
    unbound: tuple[str, ...] = ()

    @property
    def breaking(self) -> int:
        """How many changes make something fail that reads the old version."""
        return sum(effect.difference.level == "breaking" for form in self.forms for effect in form.effects)


def diff(old: XForms, new: XForms, here: XForms, form_ids: Sequence[str]) -> Comparison:
    """Compare forms, and follow what changed into marts and indicators; `here` are all forms of the project."""
    before = {form_id: compare.read(old[form_id]) for form_id in form_ids if form_id in old}
    after = {form_id: compare.read(new[form_id]) for form_id in form_ids if form_id in new}
    found = {form_id: compare.compare(before.get(form_id), after.get(form_id)) for form_id in form_ids}
    changed = {form_id: differences for form_id, differences in found.items() if differences}
    if not changed:
        return Comparison()
    known = {form_id: compare.read(xform).schema for form_id, xform in here.items()}
    for form_id in changed:
        versions = [side[form_id].schema for side in (after, before) if form_id in side]
        # The old definitions hold, so that what still reads them binds; what only the new version has stands beside.
        known[form_id] = staging.merge(versions)
    followed, named = _follow([*known.values()])
    forms = [
        FormDiff(
            form_id,
            _version(before, form_id),
            _version(after, form_id),
            tuple(_effect(difference, known[form_id], followed, named) for difference in differences),
        )
        for form_id, differences in changed.items()
    ]
    return Comparison(tuple(forms), followed.unbound)


def lines(found: Comparison) -> Iterator[str]:
    """Say the differences, one line each, with what each of them reaches below."""
    for form in found.forms:
        yield f"{form.form_id}: {form.old or 'none'} → {form.new or 'none'}"
        for effect in form.effects:
            yield from _effect_lines(effect)
    if found.unbound:
        yield f"Not followed, as they do not bind: {', '.join(found.unbound)}"
    changes = sum(len(form.effects) for form in found.forms)
    yield f"{changes} changes, {found.breaking} of them breaking"


def _effect_lines(effect: Effect) -> Iterator[str]:
    difference = effect.difference
    yield f"  {_MARKS[difference.level]} {difference.kind}: {difference.what}"
    if difference.paths:
        reached = {"marts": effect.marts, "indicators": effect.indicators, "named in": effect.files}
        yield from (f"      {word}: {', '.join(names)}" for word, names in reached.items() if names)
        if not any(reached.values()):
            yield "      reaches no mart and no indicator"


def _version(versions: Mapping[str, Version], form_id: str) -> str:
    return versions[form_id].schema.version if form_id in versions else ""


def _follow(forms: Sequence[FormSchema], lists: Path = LISTS, folder: Path = WAREHOUSE) -> tuple[Lineage, Named]:
    """What each question reaches, and which file names which code of which list."""
    with db.memory() as connection:
        empty.create(connection, forms, lists, folder)
        marts = graph.ordered(graph.read(connection, "marts", folder / "marts"))
        found = sorted((folder / "indicators").glob("*.sql"))
        queries = {path.stem: path.read_text(encoding="utf-8") for path in found}
        files = {f"warehouse/marts/{mart.path.name}": (mart.full_name, mart.sql) for mart in marts}
        files |= {f"warehouse/indicators/{code}.sql": (code, sql) for code, sql in queries.items()}
        checks = graph.read(connection, "checks", folder / "checks")
        files |= {f"warehouse/checks/{check.path.name}": (check.full_name, check.sql) for check in checks}
        catalog = codes.of_forms(forms)
        named: dict[tuple[str, str], list[str]] = {}
        for file, (name, sql) in files.items():
            catalog[name], uses = codes.follow(graph.parsed(connection, file, sql), catalog)
            for place in dict.fromkeys((one, use.code) for use in uses for one in use.known.lists):
                named.setdefault(place, []).append(file)
        return lineage.reached(connection, marts, queries), named


def _effect(difference: Difference, form: FormSchema, followed: Lineage, named: Named) -> Effect:
    columns = {
        question.path: (table.name, name) for table in staging.tables(form) for name, question in table.columns.items()
    }
    reaches = [followed.reach.get(columns[path]) for path in difference.paths if path in columns]
    found = [reach for reach in reaches if reach is not None]
    places = [(one, code) for one in difference.lists for code in difference.codes]
    return Effect(
        difference,
        tuple(dict.fromkeys(name for reach in found for name in reach.marts)),
        tuple(sorted({name for reach in found for name in reach.queries})),
        tuple(dict.fromkeys(file for place in places for file in named.get(place, ()))),
    )
