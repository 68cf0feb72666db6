"""The charts: plain SVG, the same figures in each language, gaps where nothing may or can be shown."""

import re

import altair as alt

from tpm_pipeline.publications import charts, words
from tpm_pipeline.publications.figures import Figure

SPOKEN = words.read()
Found = dict[str, Figure]


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_the_specification_obeys_the_vega_lite_schema(found: Found) -> None:
    for figure in found.values():
        alt.LayerChart.from_dict(charts._spec(figure, SPOKEN), validate=True)


def test_targets_are_labelled_in_each_language(found: Found) -> None:
    drawn = charts.svgs(found["OC1-1"], SPOKEN)
    assert "cible 65\u202f%" in texts(drawn["fr"])
    assert "الهدف \u206665\u202f%\u2069" in texts(drawn["ar"])


def test_years_and_figures_of_the_axes_need_no_language(found: Found) -> None:
    for svg in charts.svgs(found["R1-2"], SPOKEN).values():
        assert {"2021", "2022", "2023", "2024", "0", "2\u202f000", "4\u202f000"} <= set(texts(svg))


def test_the_svg_asks_for_nothing_and_says_nothing_in_english(found: Found) -> None:
    svg = charts.svgs(found["OC1-2"], SPOKEN)["fr"]
    assert not re.search(r"https?:|href|aria-label|<script|<style", svg)
    assert svg.startswith('<svg viewBox="')


def test_a_gap_breaks_the_line(found: Found) -> None:
    """Two stretches for the score (a quarter is missing), one for the percentage that starts late."""
    assert lines(charts.svgs(found["OC1-2"], SPOKEN)["fr"]) == [2, 9]
    assert lines(charts.svgs(found["OC1-1"], SPOKEN)["fr"]) == [11]


def test_a_hidden_value_is_not_drawn(found: Found) -> None:
    sets = charts._spec(found["R1-4"], SPOKEN)["datasets"].values()
    values = [row["valeur"] for rows in sets for row in rows if "valeur" in row]
    assert values[:2] == [None, None]
    assert len(values) == 13
    assert None not in values[2:]


def test_a_ratio_is_drawn_as_it_is_written(found: Found) -> None:
    """The exact 285/468 could be read back from the place of its point."""
    for code, digits in (("OC1-1", 1), ("OC1-2", 2), ("R1-4", 1)):
        sets = charts._spec(found[code], SPOKEN)["datasets"].values()
        values = [row["valeur"] for rows in sets for row in rows if row.get("valeur") is not None]
        assert len(values) > 10
        assert values == [round(value, digits) for value in values]


def test_a_score_is_drawn_over_its_whole_range(found: Found) -> None:
    shown = set(texts(charts.svgs(found["OC1-2"], SPOKEN)["fr"]))
    assert {"1", "5"} <= shown
    assert "0" not in shown


def lines(svg: str) -> list[int]:
    """How many points each stretch of the value's line joins."""
    path = re.search(rf'd="([^"]+)"[^>]*stroke="{charts.VALUE}"', svg)
    assert path
    return [len(re.findall(r"[ML]", stretch)) for stretch in re.findall(r"M[^M]+", path[1])]
