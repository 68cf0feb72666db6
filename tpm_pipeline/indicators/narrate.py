"""An explanation as lines of text."""

from collections.abc import Iterator, Mapping, Sequence

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators.explain import Explanation, Fact, Line
from tpm_pipeline.indicators.logframe import Indicator


def parts(given: Sequence[str]) -> Mapping[str, str]:
    """Read `sexe=femme` as a dimension and its part."""
    read = [text.partition("=") for text in given]
    for text, (name, sign, part) in zip(given, read, strict=True):
        if not (name and sign and part):
            raise IndicatorError("IND-044", text, "This is no part of an indicator.", "Write it as sexe=femme.")
    return {name.strip(): part.strip() for name, _, part in read}


def lines(found: Explanation, links: Sequence[str | None]) -> Iterator[str]:
    """Say what an indicator means, what its figure is, and what is behind it; as many facts as there are links."""
    indicator, period = found.indicator, found.period
    yield f"{indicator.code} · {indicator.names.fr}"
    yield indicator.definition.fr
    yield from _definition(indicator)
    parts = "".join(f", {name} = {part}" for name, part in found.where.items())
    yield f"\n{period.code} ({period.start} → {period.end} exclu){parts}"
    yield from _figure(indicator, found.line)
    yield f"\n{_tally(found.facts)}"
    for fact, link in zip(found.facts, links, strict=False):
        yield f"  {_fact(fact)}  {link or fact.submission_id or '—'}"
    if len(found.facts) > len(links):
        yield f"  … et {len(found.facts) - len(links)} autres (--limit)"


def _definition(indicator: Indicator) -> Iterator[str]:
    yield f"mesure : {indicator.measure} · cumul : {indicator.accumulation} · état : {indicator.as_of}"
    if indicator.numerator and indicator.denominator:
        yield f"{indicator.numerator.fr} / {indicator.denominator.fr}"
    yield f"formulaires : {', '.join(indicator.forms)} · vérification : {indicator.verification}"


def _figure(indicator: Indicator, line: Line | None) -> Iterator[str]:
    if line is None:
        yield "Cette part n’est pas tenue : ses faits sont ci-dessous, sans valeur à comparer."
        return
    ratio = "" if line.denominator is None else f" = {line.numerator:,.10g} / {line.denominator:,.10g}"
    yield f"valeur : {_number(line.value, indicator.decimals)} {indicator.unit.fr}{ratio}"
    yield (
        f"cible : {_number(line.target, indicator.decimals)} · attendu à cette date :"
        f" {_number(line.expected, indicator.decimals)} · progrès : {_number(line.progress, 2)}"
    )
    yield f"sans identifiant : {line.without_id} · sites ayant saisi : {line.sites} sur {line.sites_expected}"


def _number(value: float | None, decimals: int) -> str:
    return "n.d." if value is None else f"{value:,.{decimals}f}"


def _fact(fact: Fact) -> str:
    counted = {None: " ", True: "✓", False: "✗"}[fact.counted]
    amounts = [f"{number:,.10g}" for number in (fact.value, fact.weight) if number is not None]
    return f"{fact.day}  {counted}  {' / '.join(amounts):>14}  {fact.unit or 'sans identifiant':41}"


def _tally(facts: Sequence[Fact]) -> str:
    units = len({fact.unit for fact in facts if fact.unit})
    return f"{len(facts)} faits, {units} unités, {len({fact.submission_id for fact in facts})} soumissions"
