"""How one answer becomes one typed column, and when it does not fit."""

from collections.abc import Mapping, Sequence

from tpm_pipeline.records import AnswerType, Question
from tpm_pipeline.warehouse.db import literal

Codes = Mapping[str, Sequence[str]]
"""The codes of each of a form's own lists."""

# What Python calls blank: the servers that leave such answers out ask Python.
_BLANKS = literal(
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

# A text that begins with a visible ASCII character is not blank: a comparison costs less than a look at all of it.
_ANSWERED = f"case when {{t}} between '!' and '~~' then {{t}} when trim({{t}}, {_BLANKS}) != '' then {{t}} end"

# A whole number may be written 12 or 12.0, and nothing else: a cast alone would round 1.7 to 2 in silence.
# A pattern costs several times a cast: a date that reads back as it was written needs none.
_CASTS: dict[AnswerType, str] = {
    "string": _ANSWERED,
    "select_one": _ANSWERED,
    "binary": _ANSWERED,
    "integer": r"if(regexp_full_match({t}, '[+-]?\d+(\.0+)?'), try_cast({t} as bigint), null)",
    "decimal": "if(isfinite(try_cast({t} as double)), try_cast({t} as double), null)",
    "date": r"""case when len({t}) = 10 and try_cast({t} as date)::varchar = {t} then try_cast({t} as date)
        when regexp_full_match({t}, '\d{{4}}-\d{{2}}-\d{{2}}(T.*)?') then try_cast(left({t}, 10) as date) end""",
    "datetime": "utc({t})",
    "time": r"try_cast(regexp_extract({t}, '^(\d{{2}}:\d{{2}}(:\d{{2}})?)', 1) as time)",
    "select_multiple": rf"regexp_split_to_array(nullif(trim({{t}}, {_BLANKS}), ''), '\s+')",
    "geopoint": "geopoint({t})",
}

# Codes with one space between them, all of the list, need no pattern either.
_LISTED_CODES = """case when list_count({read}) = len({read}) then {read}::varchar[]
    else list_filter({split}, lambda code: code in ({codes})) end"""

# Central writes GeoJSON (longitude first), the others "latitude longitude altitude accuracy".
GEOPOINT_MACRO = """
create or replace temp macro coordinate(t, rank, path) as coalesce(
    try_cast(split_part(t, ' ', rank) as double),
    try_cast(if(json_valid(t), json_extract_string(t, path), null) as double));
create or replace temp macro geopoint(t) as if(
    coordinate(t, 1, '$.coordinates[1]') is not null and coordinate(t, 2, '$.coordinates[0]') is not null,
    struct_pack(
        latitude := coordinate(t, 1, '$.coordinates[1]'), longitude := coordinate(t, 2, '$.coordinates[0]'),
        altitude := coordinate(t, 3, '$.coordinates[2]'), accuracy := coordinate(t, 4, '$.properties.accuracy')),
    null)
"""

# HMAC-SHA256 with the key's two pads bound as variables: the key itself never enters the database.
PSEUDONYM_MACRO = """
create or replace temp macro pseudonym(t) as
    left(sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || encode(t)))), 32)
"""


def is_hidden(question: Question) -> bool:
    """Tell whether staging may hold only a pseudonym; an unclassified question is treated as identifying."""
    return question.privacy in ("identifying", None)


def answered(text: str) -> str:
    """The SQL of an answer's text, NULL when it is blank."""
    return _ANSWERED.format(t=text)


def typed(question: Question, text: str, codes: Codes) -> str:
    """The SQL of a column, given the SQL of the answer's text (NULL or blank when unanswered) and the lists' codes."""
    if is_hidden(question):
        return f"pseudonym({answered(text)})"
    cast = _CASTS[question.type].format(t=text)
    listed = _listed(question, codes)
    if listed is None:
        return cast
    # A cast to the list costs the same however long it is; IN becomes a join for each question.
    if question.type == "select_one":
        return f"try_cast({text} as enum({listed}))::varchar"
    read = f"try_cast(string_split({text}, ' ') as enum({listed})[])"
    return _LISTED_CODES.format(read=read, split=cast, codes=listed)


def misfit(question: Question, text: str, value: str, codes: Codes) -> str | None:
    """The SQL that is true when an answer's text did not fit its type or its list; None when every text fits.

    It is true of some blank texts too, to cost less.
    """
    listed = _listed(question, codes)
    if is_hidden(question) or (listed is None and _CASTS[question.type] in (_ANSWERED, _CASTS["select_multiple"])):
        return None
    if question.type == "select_multiple":
        split = _CASTS["select_multiple"].format(t=text)
        return f"case when array_to_string({value}, ' ') = {text} then false else len({value}) < len({split}) end"
    return f"{text} is not null and {value} is null"


def _listed(question: Question, codes: Codes) -> str | None:
    # A code outside its list may be anything, a name too: it must not reach an analyst as a code.
    known = codes.get(question.choices or "")
    return ", ".join(map(literal, known)) if known else None


def comment(question: Question) -> str:
    """What an analyst reads beside the column: the question in French and Arabic, its hint, its list."""
    parts = [question.labels.get("fr", ""), question.labels.get("ar", ""), question.hints.get("fr", "")]
    if question.choices:
        parts.append(f"Liste : {question.choices}.")
    if is_hidden(question):
        parts.append("Pseudonyme (HMAC) : la réponse reste dans la base privée.")
    if not any(parts):
        parts.append(f"Calcul : {question.name}." if question.calculated else f"Question : {question.name}.")
    return " · ".join(part for part in parts if part)
