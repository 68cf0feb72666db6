from collections.abc import Callable
from pathlib import Path

from tpm_pipeline.forms import catalog, render

Write = Callable[..., Path]
Share = Callable[..., None]


RENDERED = """\
# essai

Rendered from `essai.xlsx`. Edit that file, then run `tpm forms render`.

## settings

|  |  |
| --- | --- |
| form_id | `essai` |
| version | `1` |

## survey

| type | name | label::Français (fr) | privacy | logic and words |
| --- | --- | --- | --- | --- |
| text | nom | Nom | text | hint (fr): Ou surnom |
| select_one canal | canal | Canal de ${nom} | public | relevant: `${nom} != ''` |

## choices

### canal

| name | label::Français (fr) | groupe |
| --- | --- | --- |
| tel | Téléphone | a |

### autre

| name | label::Français (fr) |
| --- | --- |
| x | X |
"""


def test_a_form_reads_as_tables(write: Write) -> None:
    path = write("""
        survey
        | type             | name  | label::Français (fr) | privacy | hint::Français (fr) | relevant     |
        | text             | nom   | Nom                  | text    | Ou surnom           |              |
        | select_one canal | canal | Canal de ${nom}      | public  |                     | ${nom} != '' |
        choices
        | list_name | name | label::Français (fr) | groupe |
        | canal     | tel  | Téléphone            | a      |
        | autre     | x    | X                    |        |
    """)

    assert render.markdown(path) == RENDERED


def test_the_shared_lists_a_form_reads_are_named(write: Write, share: Share) -> None:
    share("sexe,f,Femme,امرأة", "canal,tel,Téléphone,الهاتف", "canal,sms,SMS,رسالة")
    path = write("survey\n| type | name |\n| select_one canal | canal |\n| select_multiple sexe | sexes |")

    *_, heading, words = render.markdown(path).strip().split("\n\n")

    assert heading == "## shared lists"
    assert words == "`sexe`, `canal`, in `forms/lists/choix.csv`."


def test_rendering_twice_changes_nothing(write: Write) -> None:
    folder = write("survey\n| type | name |\n| text | a |").parent.parent

    assert [path.name for path in render.render_all(folder)] == ["essai.md"]
    assert render.render_all(folder) == []


def test_the_rendered_forms_are_fresh() -> None:
    assert not [form_id for form_id in catalog.form_ids() if render.is_stale(catalog.path_of(form_id))]
