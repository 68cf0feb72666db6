"""A form with every type of question that XLSForm has, and for each what is sent and what an analyst must read."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from pyxform.xls2xform import convert

from tpm_pipeline.forms import schema, seal
from tpm_pipeline.records import CompiledForm, FormVersion, MediaFile

_SURVEY = """
| survey |
| | type | name | parameters | appearance | trigger | calculation | repeat_count | choice_filter |
| | start | debut |
| | end | fin |
| | today | jour |
| | deviceid | appareil |
| | username | utilisateur |
| | phonenumber | telephone |
| | email | courriel |
| | simserial | carte_sim |
| | subscriberid | abonne |
| | audit | audit |
| | start-geopoint | depart |
| | background-audio | fond |
| | background-geopoint | suivi_lieu | | | ${entier} |
| | hidden | cache |
| | calculate | calcul | | | | ${entier} + 1 |
| | xml-external | pays |
| | csv-external | villes |
| | integer | entier |
| | decimal | nombre |
| | range | gamme | start=0 end=10 step=1 |
| | range | gamme_fine | start=0 end=1 step=0.1 |
| | percentage | pourcent |
| | text | texte |
| | select_one lettre | un |
| | select_multiple lettre | plusieurs |
| | select_one_from_file communes.csv | commune |
| | select_multiple_from_file communes.csv | communes |
| | select_one_external quartier | quartier | | | | | | ville=${texte} |
| | rank lettre | rang |
| | note | remarque |
| | geopoint | point |
| | geotrace | trace |
| | geoshape | zone |
| | date | date |
| | time | heure |
| | dateTime | instant |
| | image | image | max-pixels=1024 |
| | audio | audio |
| | video | video |
| | file | fichier |
| | osm | carte |
| | barcode | code |
| | acknowledge | accord |
| | begin group | g_vide |
| | text | jamais |
| | end group |
| | begin group | g_liste | | field-list |
| | text | premier |
| | begin group | g_dans |
| | integer | second |
| | begin repeat | visites |
| | date | quand |
| | end repeat |
| | end group |
| | end group |
| | begin repeat | menages |
| | text | chef |
| | begin group | g_lieu |
| | geopoint | ou |
| | end group |
| | begin repeat | membres |
| | integer | age |
| | begin repeat | papiers |
| | select_one lettre | sorte |
| | end repeat |
| | end repeat |
| | end repeat |
| | begin repeat | enfants | | | | | ${entier} |
| | text | prenom |
| | end repeat |
| | begin repeat | jamais_lus |
| | text | rien |
| | end repeat |
| | begin loop over lettre | boucle |
| | text | mot |
| | end loop |
"""
_ODD = """
| survey |
| | type | name |
| | text | mot.cle |
| | text | mot-cle |
| | text | mot_cle |
| | text | prénom |
| | integer | âge |
| | text | عمر |
| | text | Nom |
| | text | NOM |
| | text | _1er |
| | text | a..b |
| | begin group | g.lieu |
| | integer | entier-é |
| | end group |
| | begin repeat | ligne.é |
| | date | a-quand |
| | end repeat |
"""
_LISTS = """
| choices |
| | list_name | name | label |
| | lettre | a | A |
| | lettre | b | B |
| | lettre | c | C |
| external_choices |
| | list_name | name | label | ville |
| | quartier | q1 | Q1 | x |
| settings |
| | form_id | version | namespaces |
| | {form_id} | 1 | tpm="https://migdev.org/tpm" |
"""
_CSV = b"name,label\nc1,Tiznit\n"
_MEDIA = (
    MediaFile("communes.csv", _CSV),
    MediaFile("villes.csv", _CSV),
    MediaFile("pays.xml", b"<root><item><name>ma</name><label>Maroc</label></item></root>"),
    MediaFile("itemsets.csv", b"list_name,name,label,ville\nquartier,q1,Q1,x\n"),
)
_BARE = ("end", "begin loop", "audit", "calculate", "hidden", "xml-", "csv-", "start-", "background-")
REPEATS = frozenset({"visites", "menages", "membres", "papiers", "enfants", "jamais_lus", "ligne.é"})


def every_type() -> CompiledForm:
    return _compiled("tous_types", _SURVEY, _MEDIA)


def odd_names() -> CompiledForm:
    return _compiled("noms_rares", _ODD, ())


def version_of(form: CompiledForm) -> FormVersion:
    return FormVersion(form.form_id, form.version, form.xform)


def _compiled(form_id: str, survey: str, media: tuple[MediaFile, ...]) -> CompiledForm:
    lines = [_classified(line) for line in survey.strip().splitlines()]
    markdown = "\n".join(lines) + _LISTS.format(form_id=form_id)
    if not media:
        markdown = markdown.replace("external_choices", "not_read")
    xform = seal.sealed(convert(markdown, validate=False).xform.encode())
    assert schema.read(xform).form_id == form_id
    return CompiledForm(form_id, "1", form_id, xform, media, ())


def _classified(line: str) -> str:
    """The line with its label and its privacy class before the other columns."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if cells == ["survey"]:
        return line
    if cells[1] == "type":
        return "|".join(["", *cells[:3], "label", "bind::tpm:privacy", *cells[3:], ""])
    kind, name = (*cells[1:3], "")[:2]
    label = "" if kind.startswith(_BARE) else name
    privacy = "" if kind.startswith(("begin", "end ", "xml-", "csv-")) else "public"
    return "|".join(["", "", kind, name, label, privacy, *cells[3:], ""])


RTL, EMOJI, MARKS = "مرحبا \u200fبكم 123", "👩‍👩‍👧‍👦🇲🇦", "e\u0301a\u0308 \u1e69\u0323"
LONG = "très long · طويل · 😀 " * 9_000
POINT = {"latitude": 29.6974, "longitude": -9.7316, "altitude": 250.0, "accuracy": 4.5}
TRACE = "29.5 -9.5 10 1; 29.75 -9.25 20 2"
ZONE = "29.5 -9.5 10 1; 29.75 -9.25 20 2; 29.5 -9.25 30 3; 29.5 -9.5 10 1"
# As Central writes them: longitude first.
TRACE_READ = '{"type":"LineString","coordinates":[[-9.5,29.5,10],[-9.25,29.75,20]],"properties":{"accuracies":[1,2]}}'
ZONE_READ = (
    '{"type":"Polygon","coordinates":[[[-9.5,29.5,10],[-9.25,29.75,20],[-9.25,29.5,30],[-9.5,29.5,10]]],'
    '"properties":{"accuracies":[1,2,3,1]}}'
)

Expected = Sequence[tuple[str, Any]]
# Each line is a question: what was sent, and what staging must hold. The nth pair goes into the nth submission.
ANSWERS: Mapping[str, Expected] = {
    "debut": [("2026-11-02T09:15:30.123+01:00", datetime(2026, 11, 2, 8, 15, 30, 123000))],  # noqa: DTZ001 - raw's UTC
    "fin": [("2026-11-02T09:45:00.000Z", datetime(2026, 11, 2, 9, 45))],  # noqa: DTZ001
    "jour": [("2026-11-02", date(2026, 11, 2))],
    "appareil": [("collect:a1B2", "collect:a1B2")],
    "utilisateur": [("Amina é", "Amina é")],
    "telephone": [("0600000000", "0600000000")],
    "courriel": [("a+b@example.org", "a+b@example.org")],
    "carte_sim": [("8921200000000000000", "8921200000000000000")],
    "abonne": [("604000000000000", "604000000000000")],
    "depart": [("29.6974 -9.7316 250.0 4.5", POINT)],
    "fond": [("1730000000000.m4a", "1730000000000.m4a")],
    "suivi_lieu": [("29.6974 -9.7316 250.0 4.5", POINT)],
    "cache": [("001", "001")],
    "calcul": [("43", "43"), ("NaN", "NaN"), ("1.0E10", "1.0E10")],
    "entier": [
        ("42", 42),
        ("007", 7),
        ("+5", 5),
        ("-3", -3),
        ("0", 0),
        ("-0", 0),
        ("9007199254740993", 9007199254740993),
    ],
    "nombre": [
        ("1.50", 1.5),
        ("-0.25", -0.25),
        ("123456789.012345", 123456789.012345),
        ("12345678901234.5", 12345678901234.5),
        ("0.1000000000000000055511151231257827", 0.1),
        ("5", 5.0),
        ("00.5", 0.5),
        ("1e3", 1000.0),
    ],
    "gamme": [("0", 0), ("10", 10)],
    "gamme_fine": [("0.3", 0.3), ("0", 0.0), ("1.0", 1.0)],
    "pourcent": [("100", 100), ("0", 0)],
    "texte": [
        (" espaces avant et après  ", " espaces avant et après  "),
        ("ligne 1\nligne 2\n\tligne 3", "ligne 1\nligne 2\n\tligne 3"),
        (RTL, RTL),
        (EMOJI, EMOJI),
        (MARKS, MARKS),
        ("<b>&amp;</b> ]]> \"'", "<b>&amp;</b> ]]> \"'"),
        ("NaN", "NaN"),
        (LONG, LONG),
        ('{"a": [null]}\\n\\u00e9 }],"@odata.', '{"a": [null]}\\n\\u00e9 }],"@odata.'),
        ("null", "null"),
        ("0012.50", "0012.50"),
        ("retour\rchariot", "retour\rchariot"),
        ("   ", None),
    ],
    "un": [("a", "a"), ("c", "c")],
    "plusieurs": [("a", ["a"]), ("c a", ["c", "a"]), ("a b c", ["a", "b", "c"])],
    "commune": [("c1", "c1")],
    "communes": [("c1 c2", ["c1", "c2"])],
    "quartier": [("q1", "q1")],
    "rang": [("b c a", ["b", "c", "a"])],
    "point": [
        ("29.6974 -9.7316 250.0 4.5", POINT),
        ("-33.5 151.25 0 0", {"latitude": -33.5, "longitude": 151.25, "altitude": 0.0, "accuracy": 0.0}),
        ("0 0 0 0", {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0, "accuracy": 0.0}),
        ("29.6974 -9.7316 250.0 4.800000190734863", {**POINT, "accuracy": 4.800000190734863}),
        ("30.5 -9.5", {"latitude": 30.5, "longitude": -9.5, "altitude": None, "accuracy": None}),
    ],
    "trace": [(TRACE, TRACE_READ)],
    "zone": [(ZONE, ZONE_READ)],
    "date": [("2026-02-28", date(2026, 2, 28)), ("1931-12-31", date(1931, 12, 31)), ("2024-02-29", date(2024, 2, 29))],
    "heure": [
        ("09:15:30.000+01:00", time(9, 15, 30)),
        ("23:59:00.000Z", time(23, 59)),
        ("00:00:00.000+01", time(0, 0)),
    ],
    "instant": [
        ("2026-11-02T00:30:00.000+01:00", datetime(2026, 11, 1, 23, 30)),  # noqa: DTZ001
        ("2026-11-02T00:30:00.000+01", datetime(2026, 11, 1, 23, 30)),  # noqa: DTZ001
        ("2026-11-02T00:30:00.000Z", datetime(2026, 11, 2, 0, 30)),  # noqa: DTZ001
        ("2026-11-02T00:30:00.000-03:30", datetime(2026, 11, 2, 4, 0)),  # noqa: DTZ001
    ],
    "image": [("1730000000001.jpg", "1730000000001.jpg"), ("صورة 1.jpg", "صورة 1.jpg")],
    "audio": [("a.m4a", "a.m4a")],
    "video": [("v.mp4", "v.mp4")],
    "fichier": [("pièce & co.pdf", "pièce & co.pdf")],
    "carte": [("1.osm", "1.osm")],
    "code": [("6111245591063", "6111245591063"), ("0000000000001", "0000000000001")],
    "accord": [("OK", "OK")],
}
SUBMISSIONS = max(map(len, ANSWERS.values()))


def submission(number: int) -> dict[str, Any]:
    """The nth answer of each question that has one; the others are empty in one submission, absent in the next."""
    given = {name: pairs[number][0] for name, pairs in ANSWERS.items() if number < len(pairs)}
    empty = {} if number % 2 else dict.fromkeys(ANSWERS, "")
    return {**empty, **given, **repeated(number)}


def repeated(number: int) -> dict[str, Any]:
    """Groups and repeats, three deep, with as many iterations as the submission's number; some are empty."""
    papers = [{"sorte": "abc"[n % 3]} for n in range(number)]
    members = [{"age": str(n), "papiers": papers[:n]} for n in range(number)]
    homes = [{"chef": f"chef {n}", "g_lieu": {"ou": "29.5 -9.5 1 1"}, "membres": members[n:]} for n in range(number)]
    visits = [{"quand": f"2026-11-{n + 1:02}"} for n in range(number)]
    return {
        "g_liste": {"premier": f"n° {number}", "g_dans": {"second": str(number), "visites": visits}},
        "menages": homes,
        "enfants": [{"prenom": "" if n == 1 else f"enfant {n}"} for n in range(number)],
        "boucle": {letter: {"mot": letter.upper()} for letter in "abc"[:number]},
    }
