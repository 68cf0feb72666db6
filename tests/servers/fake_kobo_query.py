"""How kpi's data list selects, sorts and cuts rows: the part of Mongo that it lets through."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.servers.fake_kobo_state import Call, RefusalError

Row = Mapping[str, Any]
_MISSING = object()
_NESTED = "_validation_status."
_ALWAYS = ("_uuid", "meta/rootUuid")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, bound: bool(value > bound),
    "$gte": lambda value, bound: bool(value >= bound),
    "$lt": lambda value, bound: bool(value < bound),
    "$lte": lambda value, bound: bool(value <= bound),
}
_KNOWN = {*_ORDER, "$in", "$nin", "$ne", "$exists", "$not", "$regex", "$options", "$all", "$elemMatch"}


def asked_json(call: Call, name: str, default: Any) -> Any:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        return json.loads(text)
    except ValueError:
        raise RefusalError(400, {name: "Value must be valid JSON."}) from None


def positive(text: str, name: str, end: str = "", least: int = 0) -> int:
    if not re.fullmatch(r"\+?\d+", text.strip()) or int(text) < least:
        raise RefusalError(400, {name: f"A positive integer is required{end}"})
    return int(text)


def selected(rows: Sequence[Row], query: Any) -> list[Row]:
    if not isinstance(query, Mapping):
        raise RefusalError(500)
    return [row for row in rows if matches(row, query)]


def matches(row: Row, query: Mapping[str, Any]) -> bool:
    return all(_clause(row, key, wanted) for key, wanted in query.items())


def _clause(row: Row, key: str, wanted: Any) -> bool:
    if key in {"$or", "$and"}:
        if not isinstance(wanted, list) or not wanted:
            raise RefusalError(400, ["Unsupported query"])
        found = [matches(row, one) for one in wanted]
        return any(found) if key == "$or" else all(found)
    value = _value(row, key)
    if isinstance(wanted, Mapping) and wanted and all(operator in _KNOWN for operator in wanted):
        return all(_holds(value, operator, bound, wanted) for operator, bound in wanted.items())
    return _equal(value, int(wanted) if key == "_id" and str(wanted).isdecimal() else wanted)


def _value(row: Row, key: str) -> Any:
    if key.startswith(_NESTED):
        return row["_validation_status"].get(key.removeprefix(_NESTED), _MISSING)
    return row.get(key, _MISSING)


def _holds(value: Any, operator: str, bound: Any, around: Mapping[str, Any]) -> bool:
    if operator in {"$in", "$nin", "$all"} and not isinstance(bound, list):
        raise RefusalError(400, ["Unsupported query"])
    if operator in _ORDER:
        return _rank(value) == _rank(bound) and _ORDER[operator](value, bound)
    tests: dict[str, Callable[[], bool]] = {
        "$in": lambda: any(_equal(value, one) for one in bound),
        "$nin": lambda: not any(_equal(value, one) for one in bound),
        "$all": lambda: all(_equal(value, one) for one in bound),
        "$ne": lambda: not _equal(value, bound),
        "$not": lambda: not _clause({"": value}, "", bound),
        "$exists": lambda: (value is not _MISSING) == bool(bound),
        "$elemMatch": lambda: isinstance(value, list) and any(matches(one, bound) for one in value),
        "$regex": lambda: isinstance(value, str) and re.search(bound, value, _flags(around)) is not None,
        "$options": lambda: True,
    }
    return tests[operator]()


def _flags(around: Mapping[str, Any]) -> re.RegexFlag:
    return re.IGNORECASE if "i" in around.get("$options", "") else re.NOFLAG


def _equal(value: Any, wanted: Any) -> bool:
    if wanted is None:
        return value is None or value is _MISSING or (isinstance(value, list) and None in value)
    return value == wanted or (isinstance(value, list) and wanted in value)


def _rank(value: Any) -> int:
    kinds: tuple[type | tuple[type, ...], ...] = ((int, float), str, dict, list)
    return next((n for n, kind in enumerate(kinds, 1) if isinstance(value, kind)), 0)


def ordered(rows: list[dict[str, Any]], sort: Any) -> list[dict[str, Any]]:
    if not isinstance(sort, Mapping):
        raise RefusalError(500)
    for key, direction in reversed([*(sort or {"_id": 1}).items()]):
        if not isinstance(direction, int):
            raise RefusalError(500)
        rows = sorted(rows, key=lambda row: _sort_key(_value(row, key)), reverse=direction < 0)
    return rows


def _sort_key(value: Any) -> tuple[int, Any]:
    rank = _rank(value)
    return rank, value if rank in {1, 2} else json.dumps(value) if rank else ""


def picked(row: Row, fields: Any) -> dict[str, Any]:
    """The named columns, with those that always come; the review looks empty unless it was named."""
    if not isinstance(fields, list):
        raise RefusalError(500)
    if not fields:
        return dict(row)
    kept = {key: value for key, value in row.items() if key in {*fields, *_ALWAYS} and key != "_id"}
    return {**kept, "_id": row["_id"], "_validation_status": kept.get("_validation_status", {})}


def linked(call: Call, count: int, limit: int) -> dict[str, Any]:
    """The head of a page; its links follow `start`, and else `offset` and `page`, which the rows do not."""
    query = call.query
    told = [query[name] for name in ("start", "offset") if query.get(name, "").isdecimal()]
    at = int(told[0]) if told else (int(query.get("page") or 1) - 1) * 100
    after = _link(call, limit, at + limit) if at + limit < count else None
    before = _link(call, limit, at - limit) if at > 0 else None
    return {"count": count, "next": after, "previous": before}


def _link(call: Call, limit: int, start: int) -> str:
    url = urlsplit(str(call.request.url))
    query = {**dict(parse_qsl(url.query, keep_blank_values=True)), "limit": str(limit), "start": str(start)}
    if start <= 0:
        del query["start"]
    return f"{call.base}{url.path}?{urlencode(sorted(query.items()))}"
