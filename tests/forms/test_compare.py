"""Two versions of one small form, written as tables: what is said of each change."""

from pyxform.xls2xform import convert

from tpm_pipeline.forms import compare
from tpm_pipeline.forms.compare import Difference, Version

SURVEY = """
| survey |             |           |                         |                     |                   |            |
|   | type             | name      | label::Français (fr)    | label::العربية (ar) | bind::tpm:privacy | constraint |
|   | begin group      | g_profil  | Profil                  | الملف               |                   |            |
|   | select_one sexe  | sexe      | Sexe                    | الجنس               | quasi             |            |
|   | integer          | age       | Âge                     | العمر               | quasi             | . < 120    |
|   | date             | jour      | Jour de la visite       | يوم الزيارة         | public            |            |
|   | end group        |           |                         |                     |                   |            |
|   | text             | telephone | Téléphone               | الهاتف              | identifying       |            |
|   | begin repeat     | enfants   | Enfants                 | الأطفال             |                   |            |
|   | text             | e_prenom  | Prénom                  | الاسم               | identifying       |            |
|   | end repeat       |           |                         |                     |                   |            |
"""
CHOICES = """
| choices |           |       |                      |                     |
|         | list_name | name  | label::Français (fr) | label::العربية (ar) |
|         | sexe      | femme | Femme                | امرأة               |
|         | sexe      | homme | Homme                | رجل                 |
"""
SETTINGS = """
| settings |         |         |                              |
|          | form_id | version | namespaces                   |
|          | essai   | 1       | tpm="https://migdev.org/tpm" |
"""


def version(survey: str = SURVEY, choices: str = CHOICES) -> Version:
    return compare.read(convert(survey + choices + SETTINGS, validate=False).xform.encode())


def said(survey: str = SURVEY, choices: str = CHOICES) -> list[str]:
    """Each difference from the form above."""
    found = compare.compare(version(), version(survey, choices))
    return [f"{difference.level} {difference.kind}: {difference.what}" for difference in found]


def line(starting: str) -> str:
    """The row of the survey that a test changes."""
    return next(row for row in SURVEY.splitlines(keepends=True) if f"| {starting} " in row)


def test_the_same_form_has_no_differences() -> None:
    assert said() == []


def test_a_question_added_breaks_nothing_and_one_removed_does() -> None:
    asked = SURVEY.replace(line("age"), line("age") + "|   | text | note | Note | ملاحظة | text |  |\n")

    assert said(asked) == ["info question added: note «Note», string"]
    assert said(SURVEY.replace(line("age"), "")) == ["breaking question removed: age «Âge»"]


def test_a_new_name_with_the_same_words_is_a_renamed_question() -> None:
    assert said(SURVEY.replace("| sexe      | Sexe", "| genre     | Sexe")) == [
        "breaking question renamed: sexe «Sexe» → genre «Sexe» (same label, same list sexe, same place g_profil)"
    ]


def test_nearly_the_same_words_in_the_same_place_are_enough() -> None:
    assert said(SURVEY.replace("| jour      | Jour de la visite ", "| date_jour | Jour de visite    ")) == [
        (
            "breaking question renamed: jour «Jour de la visite» → date_jour «Jour de visite»"
            " (nearly the same label, same place g_profil, similar name)"
        ),
        "info label: jour «Jour de la visite» → «Jour de visite»",
    ]


def test_another_type_or_other_words_are_another_question() -> None:
    assert said(SURVEY.replace("| integer          | age       | Âge ", "| text             | metier    | Âge ")) == [
        "breaking question removed: age «Âge»",
        "info question added: metier «Âge», string",
    ]
    assert said(SURVEY.replace("| age       | Âge", "| poids     | Kg ")) == [
        "breaking question removed: age «Âge»",
        "info question added: poids «Kg», integer",
    ]


def test_a_question_retyped() -> None:
    assert said(SURVEY.replace("| date   ", "| text   ")) == [
        "breaking question retyped: jour «Jour de la visite»: date → string"
    ]


def test_questions_that_move_together_are_one_change() -> None:
    assert said(SURVEY.replace("g_profil", "g_personne")) == [
        (
            "breaking question moved: sexe «Sexe», age «Âge», jour «Jour de la visite»:"
            " from g_profil to g_personne; Central refuses a field that moved"
        )
    ]


def test_a_question_that_moves_into_a_repeat_is_in_rows_of_its_own() -> None:
    moved = SURVEY.replace(line("telephone"), "").replace(line("e_prenom"), line("e_prenom") + line("telephone"))

    assert said(moved) == [
        (
            "breaking question moved: telephone «Téléphone»: from the top of the form to enfants"
            " (rows of their own now, or no more); Central refuses a field that moved"
        )
    ]


def test_a_group_that_becomes_a_repeat_moves_its_questions() -> None:
    assert said(SURVEY.replace("begin group", "begin repeat").replace("end group", "end repeat")) == [
        (
            "breaking question moved: sexe «Sexe», age «Âge», jour «Jour de la visite»: from g_profil to g_profil"
            " (rows of their own now, or no more); Central refuses a field that moved"
        ),
        "info repeat added: g_profil, with 0 questions",
    ]


def test_a_repeat_comes_and_goes_with_its_questions() -> None:
    without = "".join(row for row in SURVEY.splitlines(keepends=True) if "repeat" not in row and "e_prenom" not in row)

    assert said(without) == ["breaking repeat removed: enfants, with 1 questions"]
    back = compare.compare(version(without), version())
    assert back == [Difference("info", "repeat added", "enfants, with 1 questions")]


def test_choices_removed_renamed_added_and_relabelled() -> None:
    removed = CHOICES.replace("|         | sexe      | femme | Femme                | امرأة               |\n", "")
    more = CHOICES + "|         | sexe      | autre | Autre                | آخر                 |\n"

    assert said(choices=removed) == ["breaking choice removed: sexe: femme «Femme»"]
    assert said(choices=CHOICES.replace("| femme |", "| f     |")) == [
        "breaking choice renamed: sexe: femme «Femme» → f (same label)"
    ]
    assert said(choices=more) == ["info choice added: sexe: autre «Autre»"]
    assert said(choices=CHOICES.replace("امرأة", "سيدة ")) == [
        "info choice relabelled: sexe: femme «Femme» → «Femme» (in Arabic)"
    ]
    assert said(choices=CHOICES.replace("Femme", "Dame ")) == ["info choice relabelled: sexe: femme «Femme» → «Dame»"]


def test_a_lost_choice_names_its_list_its_code_and_its_questions() -> None:
    (lost,) = compare.compare(version(), version(choices=CHOICES.replace("| femme |", "| f     |")))

    assert (lost.lists, lost.codes, lost.paths) == (("sexe",), ("femme",), (("g_profil", "sexe"),))


def test_a_question_re_listed_is_compared_choice_by_choice() -> None:
    other = CHOICES.replace("sexe  ", "genre ").replace("| homme |", "| h     |")

    assert said(SURVEY.replace("select_one sexe ", "select_one genre"), other) == [
        "breaking choice renamed: sexe: homme «Homme» → h (same label)",
        "info question re-listed: sexe «Sexe»: sexe → genre",
    ]


def test_privacy_loosened_is_a_warning_and_a_pseudonym_gained_or_lost_breaks() -> None:
    def privacy(name: str, old: str, new: str) -> list[str]:
        return said(SURVEY.replace(line(name), line(name).replace(old, new)))

    assert privacy("age", "quasi", "public") == [
        "warning privacy: age «Âge»: quasi → public; looser than what people were told"
    ]
    assert privacy("age", "quasi", "sensitive") == [
        "warning privacy: age «Âge»: quasi → sensitive; marts that show it may be refused"
    ]
    assert privacy("telephone", "identifying", "quasi") == [
        "breaking privacy: telephone «Téléphone»: identifying → quasi; the column becomes another"
    ]


def test_rules_and_labels_are_said_and_break_nothing() -> None:
    assert said(SURVEY.replace(". < 120", ". < 110")) == ["info constraint: age «Âge»: . < 120 → . < 110"]
    assert said(SURVEY.replace("الجنس", "النوع")) == ["info label: sexe «Sexe» → «Sexe» (in Arabic)"]


def test_a_form_comes_and_goes() -> None:
    assert compare.compare(None, version())[0].kind == "form added"
    (gone,) = compare.compare(version(), None)
    assert (gone.level, gone.kind, len(gone.paths)) == ("breaking", "form removed", 5)
