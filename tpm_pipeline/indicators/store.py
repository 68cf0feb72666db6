"""The tables of the `indicators` schema, and the declarations that travel with the values."""

from typing import Any

from tpm_pipeline.indicators.declared import CUMULS, Indicator, Words
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.warehouse.db import Connection, insert

_LANGUAGES = ("fr", "ar", "en")
# What is said in words, by the first part of its columns' names.
_WORDS = {
    "nom": "names",
    "definition": "definition",
    "inclusions": "inclusions",
    "exclusions": "exclusions",
    "justification": "rationale",
    "limites": "limitations",
    "unite": "unit",
    "objet_compte": "counts",
    "numerateur": "numerator",
    "denominateur": "denominator",
}
_COLUMNS = {
    "code": "varchar",
    "version": "integer",
    "valide_debut_date": "date",
    "valide_fin_date": "date",
    "niveau": "varchar",
    "resultat": "varchar",
    "mesure": "varchar",
    "cumul": "varchar",
    "etat": "varchar",
    "suivi": "varchar",
    "est_personnel": "boolean",
    "est_publiable": "boolean",
    "sens": "varchar",
    "frequence": "varchar",
    "nb_decimales": "integer",
    "reference": "double",
    "reference_date": "date",
    "reference_source": "varchar",
    "statut_cibles": "varchar",
    "desagregations": "varchar[]",
    "croisements": "varchar[]",
    "formulaires": "varchar[]",
    "lignes": "varchar[]",
    "verification": "varchar",
    "hypothese": "varchar",
    "responsable": "varchar",
    **{f"{column}_{language}": "varchar" for column in ("resultat", *_WORDS) for language in _LANGUAGES},
}
_VALUES = """
create schema if not exists indicators;
create or replace table indicators.valeur (
    code varchar, type_periode varchar, periode varchar, debut_date date, fin_date date,
    cumul varchar, dimension varchar, part varchar,
    valeur double, numerateur double, denominateur double, nb_faits bigint, nb_sans_identifiant bigint,
    cible double, cible_a_date double, progres double, nb_sites_saisis bigint, nb_sites_attendus bigint
)
"""


def create(connection: Connection, framework: Logframe) -> None:
    """Make both tables anew: no value yet, and every declaration."""
    connection.execute(_VALUES)
    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    connection.execute(f"create or replace table indicators.indicateur ({columns})")
    insert(connection, "indicators.indicateur", (_declaration(framework, one) for one in framework.indicators))


def _declaration(framework: Logframe, indicator: Indicator) -> list[Any]:
    parts, baseline = indicator.disaggregation, indicator.baseline
    said = {
        "resultat": framework.chain[indicator.result],
        **{column: getattr(indicator, name) for column, name in _WORDS.items()},
    }
    return [
        *(indicator.code, indicator.version, indicator.valid_from, indicator.valid_to, indicator.level),
        *(indicator.result, indicator.measure, CUMULS[indicator.accumulation], indicator.as_of, indicator.reporting),
        *(indicator.personal, indicator.publishable, indicator.direction, indicator.frequency, indicator.decimals),
        *((baseline.value, baseline.date, baseline.source) if baseline else (None, None, None)),
        indicator.targets_status,
        *(parts.dimensions, tuple("*".join(cross) for cross in parts.crosses), indicator.forms, indicator.lines),
        *(indicator.verification, indicator.assumption, indicator.responsible),
        *(text for words in said.values() for text in _spoken(words)),
    ]


def _spoken(words: Words | None) -> list[str | None]:
    return [getattr(words, language, None) for language in _LANGUAGES]
