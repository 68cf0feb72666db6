"""An explanation as people read it."""

from datetime import date

import pytest

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators import logframe, narrate
from tpm_pipeline.indicators.explain import Explanation, Fact, Line
from tpm_pipeline.records import Period

WOMEN = next(one for one in logframe.read().indicators if one.code == "R1-4")
FACTS = tuple(
    Fact(date(2021, 2, day), f"d{day}", day == 10, None, None, f"uuid:{day}", "tpm_visite", "local") for day in (10, 11)
)
FOUND = Explanation(
    WOMEN,
    Period("2021-02", "mois", date(2021, 2, 1), date(2021, 3, 1)),
    {"groupe": "mre"},
    Line(50.0, 1.0, 2.0, 3, None, 35.0, None, 4, 7),
    FACTS,
)


def text(links: list[str | None]) -> str:
    return "\n".join(narrate.lines(FOUND, links))


def test_it_says_what_the_indicator_means_and_what_its_figure_is() -> None:
    said = text([None, None])
    assert said.startswith("R1-4 · Part des femmes")
    assert "2021-02 (2021-02-01 → 2021-03-01 exclu), groupe = mre" in said
    assert "valeur : 50.0 % = 1 / 2" in said
    assert "cible : n.d. · attendu à cette date : 35.0 · progrès : n.d." in said
    assert "sans identifiant : 3 · sites ayant saisi : 4 sur 7" in said


def test_each_fact_says_whether_it_counts_and_where_to_read_it() -> None:
    lines = text(["http://127.0.0.1/a", None]).splitlines()[-2:]
    assert "✓" in lines[0]
    assert lines[0].endswith("http://127.0.0.1/a")
    assert "✗" in lines[1]
    assert lines[1].endswith("uuid:11")


def test_what_is_not_listed_is_counted() -> None:
    assert text([None]).splitlines()[-1].strip() == "… et 1 autres (--limit)"
    assert "2 faits, 2 unités, 2 soumissions" in text([])


def test_a_part_is_written_as_dimension_and_value() -> None:
    assert narrate.parts(["sexe=femme", "age = a18_24"]) == {"sexe": "femme", "age": "a18_24"}
    with pytest.raises(IndicatorError, match="IND-044"):
        narrate.parts(["femme"])
