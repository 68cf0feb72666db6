"""The charts: plain SVG, the same figures in each language, gaps where nothing may or can be shown."""

import re

import altair as alt

from tpm_pipeline.publications import charts
from tpm_pipeline.publications.figures import Figure

Found = dict[str, Figure]


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_the_specification_obeys_the_vega_lite_schema(found: Found) -> None:
    for figure in found.values():
        alt.LayerChart.from_dict(charts._spec(figure), validate=True)


def test_targets_are_labelled_by_their_number(found: Found) -> None:
    assert {"40", "55", "65"} <= set(texts(charts.symbol(found["OC1-1"], "c")))


def test_years_and_figures_need_no_language_but_for_english(found: Found) -> None:
    drawn = charts.symbol(found["R1-2"], "c")
    assert {"2021", "2022", "2023", "2024", "0", "2\u202f000", "4\u202f000"} <= set(texts(drawn))
    english = charts.english(drawn, "c-en")
    assert {"2021", "0", "2,000", "4,000"} <= set(texts(english))
    assert english.startswith('<symbol id="c-en"')
    assert {"3.8", "4.2"} <= set(texts(charts.english(charts.symbol(found["OC1-2"], "c"), "c")))


def test_the_svg_asks_for_nothing_and_says_nothing_in_english(found: Found) -> None:
    svg = charts.symbol(found["OC1-2"], "c")
    assert not re.search(r"https?:|href|aria-label|<script|<style", svg)
    assert svg.startswith('<symbol id="c" viewBox="')
    assert svg.endswith("</symbol>")


def test_a_gap_breaks_the_line(found: Found) -> None:
    """Two stretches for the score (a quarter is missing), one for the percentage that starts late."""
    assert lines(charts.symbol(found["OC1-2"], "c")) == [2, 9]
    assert lines(charts.symbol(found["OC1-1"], "c")) == [11]


def test_a_hidden_value_is_not_drawn(found: Found) -> None:
    sets = charts._spec(found["R1-4"])["datasets"].values()
    values = [row["valeur"] for rows in sets for row in rows if "valeur" in row]
    assert values[:2] == [None, None]
    assert len(values) == 13
    assert None not in values[2:]


def test_a_ratio_is_drawn_as_it_is_written(found: Found) -> None:
    """The exact 285/468 could be read back from the place of its point."""
    for code, digits in (("OC1-1", 1), ("OC1-2", 2), ("R1-4", 1)):
        sets = charts._spec(found[code])["datasets"].values()
        values = [row["valeur"] for rows in sets for row in rows if row.get("valeur") is not None]
        assert len(values) > 10
        assert values == [round(value, digits) for value in values]


def test_a_score_is_drawn_over_its_whole_range(found: Found) -> None:
    shown = set(texts(charts.symbol(found["OC1-2"], "c")))
    assert {"1", "5"} <= shown
    assert "0" not in shown


def lines(svg: str) -> list[int]:
    """How many points each stretch of the value's line joins."""
    path = re.search(rf'd="([^"]+)"[^>]*stroke="{charts.VALUE}"', svg)
    assert path
    return [len(re.findall(r"[ML]", stretch)) for stretch in re.findall(r"M[^M]+", path[1])]
