"""A small warehouse with known answers, and the analysts' file made of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.warehouse import db, reference

if TYPE_CHECKING:
    from tpm_pipeline.indicators.logframe import Logframe

CHOICES = """
insert into reference.choix by name from (values
    ('sexe', 1, 'femme', 'Femme', 'أنثى', 'Female'),
    ('sexe', 2, 'homme', 'Homme', 'ذكر', 'Male'),
    ('tranche_age', 1, 'moins_15', 'Moins de 15 ans', 'أقل من 15 سنة', 'Under 15'),
    ('tranche_age', 2, 'a15_24', '15 à 24 ans', 'من 15 إلى 24 سنة', '15 to 24'),
    ('tranche_age', 3, 'a25_plus', '25 ans et plus', '25 سنة فما فوق', '25 and over'),
    ('service', 1, 'sante', 'Santé', 'الصحة', 'Health'),
    ('service', 2, 'juridique', 'Aide juridique', 'المساعدة القانونية', 'Legal aid')
) as one(liste, rang, code, label_fr, label_ar, label_en)
"""
MARTS = """
create table marts.fct_visite as from (values
    ('v1', date '2021-01-05', 'TIZ01', 'femme', 'a15_24', ['sante', 'juridique'], 5, timestamp '2021-01-05 17:30:00'),
    ('v2', date '2021-02-10', 'TIZ01', 'homme', 'moins_15', ['autre', 'sante'], null, timestamp '2021-02-11 08:00:00'),
    ('v3', date '2021-02-11', null, 'femme', 'a25_plus', null, 3, null),
    ('v4', null, 'CHT01', 'ni_l_un', null, [], 4, timestamp '2021-03-01 09:00:00')
) as visite(visite_id, date_visite, bureau_code, sexe, tranche_age, services, satisfaction, submitted_at);
create table marts.fct_com as from (values ('c1', true, 100.5), ('c2', false, null), ('c3', null, 0.5))
    as com(com_id, est_conforme, montant);
create table marts.fct_suivi as select visite_id as suivi_id, sexe, services, satisfaction as sat_bureau,
    date_visite as date_suivi, submitted_at, true as est_bureau from marts.fct_visite where false;
create table marts.fct_saisie as from (values ('TIZ01', true, date '2021-01-05'), ('equipe', false, date '2021-02-10'))
    as saisie(site_code, est_bureau, saisie_date);
"""
INDICATORS = """
create table indicators.indicateur as select 'R1-2' as code, 'output' as niveau;
create table indicators.valeur as from (values
    ('R1-2', 'annee', 'A1', 'periode', 'total', null, 4.0),
    ('R1-2', 'annee', 'A1', 'periode', 'sexe', 'femme', 2.0),
    ('R1-2', 'annee', 'A1', 'periode', 'sexe', 'non_renseigne', 1.0),
    ('R1-2', 'annee', 'A1', 'periode', 'bureau', 'TIZ01', 2.0),
    ('R1-2', 'annee', 'A1', 'periode', 'age*sexe', 'a15_24*femme', 1.0)
) as valeur(code, type_periode, periode, cumul, dimension, part, valeur);
"""


def fill(connection: db.Connection) -> None:
    """Make the schemas that are published, as a build would leave them."""
    connection.execute("create schema marts; create schema indicators")
    reference.load(connection, [])
    connection.execute(CHOICES + ";" + MARTS + INDICATORS)


def context() -> PublicationContext:
    """What a writer is told; the logframe is not read."""
    framework = cast("Logframe", None)
    moment = datetime(2026, 11, 23, 21, 5, tzinfo=UTC)
    return PublicationContext(framework, moment, date(2026, 11, 23), synthetic=True, small_cell=5)


@contextmanager
def reading(path: Path) -> Iterator[db.Connection]:
    """Open a file as an analyst does."""
    with db.memory() as connection:
        db.attach(connection, path, "tpm", wishes=["READ_ONLY"])
        connection.execute("use tpm")
        yield connection
