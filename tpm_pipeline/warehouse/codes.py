"""Choice codes that queries name: followed through the SQL from the forms' lists, column by column.

What cannot be followed is unknown, and unknown is never an alarm.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tpm_pipeline.records import FormSchema, Question
from tpm_pipeline.warehouse import staging
from tpm_pipeline.warehouse.columns import is_hidden


@dataclass(frozen=True)
class Codes:
    """What a column may hold: the codes of these lists, and those that a query writes itself; or what its fields do."""

    lists: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    multiple: bool = False
    fields: tuple[tuple[str, "Codes | None"], ...] = ()

    def field(self, name: str) -> "Codes | None":
        """What a field of a struct may hold; None when unknown."""
        return dict(self.fields).get(name)


@dataclass(frozen=True)
class Relation:
    """The columns of a table or of a query by lower-case name, None where unknown; `open` when there may be others."""

    columns: Mapping[str, Codes | None]
    open: bool = False


@dataclass(frozen=True)
class Use:
    """A code that a query compares with a column, and what the column may hold."""

    column: str
    code: str
    known: Codes


Catalog = Mapping[str, Relation]

_STATES: Final = Codes(
    frozenset({"review_state"}), frozenset({"received", "edited", "has_issues", "rejected", "approved"})
)
_UNKNOWN: Final = Relation({}, open=True)
_COMPARED: Final = {"COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM"}
_IN: Final = {"COMPARE_IN", "COMPARE_NOT_IN"}
_IN_LIST: Final = {
    *("list_contains", "list_has", "array_contains", "array_has", "list_position", "list_indexof", "array_position"),
    *("list_has_any", "array_has_any", "&&", "list_has_all", "array_has_all", "@>", "<@", "list_intersect"),
}
_SAME: Final = {
    *("arg_max", "arg_min", "max_by", "min_by", "any_value", "first", "last", "min", "max", "mode", "nullif"),
    *("first_value", "last_value", "nth_value", "list_distinct", "list_sort", "list_filter", "list_unique"),
}
_ONE: Final = {"unnest", "list_extract", "array_extract", "list_any_value", "list_first", "list_last"}
_MANY: Final = {"list", "array_agg", "list_value"}
_EITHER: Final = {"ifnull", "list_concat", "list_cat", "array_concat"}


def of_forms(forms: Iterable[FormSchema]) -> dict[str, Relation]:
    """What each column of staging may hold: the codes of its question's list."""
    return {
        f"staging.{staged.name}": Relation(
            {
                **dict.fromkeys(staging.SYSTEM_COLUMNS),
                "review_state": _STATES,
                **dict.fromkeys(staging.position_columns(staged.table, staged.ancestors)),
                **{name.lower(): _listed(form, question) for name, question in staged.columns.items()},
            }
        )
        for form in forms
        for staged in staging.tables(form)
    }


def _listed(form: FormSchema, question: Question) -> Codes | None:
    if question.choices is None or question.choices not in form.lists or is_hidden(question):
        return None
    codes = frozenset(choice.name for choice in form.lists[question.choices])
    return Codes(frozenset({question.choices}), codes, multiple=question.type == "select_multiple")


def follow(tree: Mapping[str, Any], catalog: Catalog) -> tuple[Relation, list[Use]]:
    """Say what each column of a query may hold, and every code it compares a known column with."""
    reader = _Reader(catalog)
    relation = reader.relation(tree, {}, None)
    return relation, list(dict.fromkeys(reader.uses))


def unlisted(uses: Iterable[Use]) -> list[Use]:
    """Keep the codes that no list has."""
    return [use for use in uses if use.code not in use.known.codes]


@dataclass(frozen=True)
class _Scope:
    """What names mean at one place of a query."""

    ctes: Mapping[str, Relation]
    sources: Sequence[tuple[str, Relation]] = ()
    aliases: dict[str, Codes | None] = field(default_factory=dict)
    parameters: Mapping[str, Codes | None] = field(default_factory=dict)
    outer: "_Scope | None" = None

    def find(self, names: Sequence[str]) -> Codes | None:
        """What a column, or a field of one, may hold; None when unknown."""
        if names[0] in self.parameters:
            return self.parameters[names[0]] if len(names) == 1 else None
        qualified = len(names) > 1 and any(alias == names[0] for alias, _ in self.sources)
        hits, closed = self._here(names[: 1 + qualified])
        if hits or (not closed and (qualified or len(names) == 1)):
            held = _united(hits) if hits else None
            for name in names[1 + qualified :]:
                held = held and held.field(name)
            return held
        return self.outer.find(names) if self.outer else None

    def _here(self, names: Sequence[str]) -> tuple[list[Codes | None], bool]:
        """What a name may mean here, and whether it can mean nothing else."""
        named = [relation for alias, relation in self.sources if len(names) == 1 or alias == names[0]]
        hits = [relation.columns[names[-1]] for relation in named if names[-1] in relation.columns]
        # Outside the select list a name may mean either the column or what the query made of it.
        hits += [self.aliases[name] for name in names if len(names) == 1 and name in self.aliases]
        return hits, not any(relation.open for relation in named)


class _Reader:
    """Follows columns through one query, and collects the codes they are compared with."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.uses: list[Use] = []

    def relation(self, node: Mapping[str, Any], ctes: Mapping[str, Relation], outer: _Scope | None) -> Relation:
        """The columns that a SELECT, or a union of them, gives."""
        ctes = dict(ctes)
        for entry in (node.get("cte_map") or {}).get("map", []):
            found = self.relation(entry["value"]["query"]["node"], ctes, outer)
            ctes[entry["key"].lower()] = _renamed(found, entry["value"].get("aliases") or [])
        match node.get("type"):
            case "SELECT_NODE":
                return self._select(node, ctes, outer)
            case "SET_OPERATION_NODE":
                sides = [self.relation(node[side], ctes, outer) for side in ("left", "right")]
                return _set_operation(node["setop_type"], *sides)
            case "RECURSIVE_CTE_NODE":
                first = self.relation(node["left"], ctes, outer)
                self.relation(node["right"], {**ctes, node["cte_name"].lower(): _UNKNOWN}, outer)
                return Relation(dict.fromkeys(first.columns), open=True)
        return _UNKNOWN

    def _select(self, node: Mapping[str, Any], ctes: Mapping[str, Relation], outer: _Scope | None) -> Relation:
        scope = _Scope(ctes, list(self._sources(node["from_table"], ctes, outer)), outer=outer)
        columns: dict[str, Codes | None] = {}
        opened = False
        for expression in node["select_list"]:
            if expression["type"] == "STAR":
                opened |= self._star(expression, scope, columns)
            else:
                held = self._held(expression, scope)
                columns[_name(expression)] = scope.aliases[_name(expression)] = held
        self._visit([value for key, value in node.items() if key not in ("cte_map", "type")], scope)
        return Relation(columns, opened)

    def _star(self, star: Mapping[str, Any], scope: _Scope, columns: dict[str, Codes | None]) -> bool:
        """Add the columns of `*` or `t.*`; tell whether there may be more than those."""
        relations = [found for alias, found in scope.sources if star["relation_name"].lower() in ("", alias)]
        left_out = {str(name).lower() for name in star["exclude_list"]} if not star["columns"] else set()
        for name in dict.fromkeys(name for relation in relations for name in relation.columns):
            if name not in left_out:
                columns[name] = _united([found.columns[name] for found in relations if name in found.columns])
        for replaced in star["replace_list"]:
            columns[replaced["key"].lower()] = self._held(replaced["value"], scope)
        return bool(star["columns"]) or not relations or any(relation.open for relation in relations)

    def _sources(
        self, table: Mapping[str, Any], ctes: Mapping[str, Relation], outer: _Scope | None
    ) -> Iterator[tuple[str, Relation]]:
        """Yield the tables of a FROM clause by the names its columns may be called with."""
        match table.get("type"):
            case "JOIN":
                yield from self._sources(table["left"], ctes, outer)
                yield from self._sources(table["right"], ctes, outer)
            case "BASE_TABLE":
                name = table["table_name"].lower()
                here = ctes.get(name) if not table["schema_name"] else None
                found = here or self._catalog.get(f"{table['schema_name'].lower()}.{name}", _UNKNOWN)
                yield table["alias"].lower() or name, _renamed(found, table["column_name_alias"])
            case "SUBQUERY":
                found = self.relation(table["subquery"]["node"], ctes, outer)
                yield table["alias"].lower(), _renamed(found, table["column_name_alias"])
            case "EMPTY":
                return
            case _:
                yield table.get("alias", "").lower(), _UNKNOWN

    def _visit(self, node: Any, scope: _Scope) -> None:
        """Look for comparisons wherever an expression may stand."""
        if isinstance(node, list):
            for branch in node:
                self._visit(branch, scope)
        elif isinstance(node, dict):
            kind = node.get("type")
            if kind == "SUBQUERY":
                # In a FROM clause it was read with its columns; here it stands in an expression.
                self.relation(node["subquery"]["node"], scope.ctes, scope)
            elif kind == "LAMBDA":
                scope = _Scope(scope.ctes, scope.sources, scope.aliases, self._parameters(node, scope), scope.outer)
            elif isinstance(kind, str):
                self._compare(kind, node, scope)
            for name, branch in node.items():
                if name not in ("subquery", "cte_map"):
                    self._visit(branch, scope)

    def _parameters(self, node: Mapping[str, Any], scope: _Scope) -> Mapping[str, Codes | None]:
        names = [ref["column_names"][-1].lower() for ref in _references(node["lhs"])]
        return {**scope.parameters, **dict.fromkeys(names)}

    def _compare(self, kind: str, node: Mapping[str, Any], scope: _Scope) -> None:
        if kind in _COMPARED:
            self._pair(node["left"], node["right"], scope)
        elif kind in _IN:
            first, *others = node["children"]
            for other in others:
                self._pair(first, other, scope)
        elif kind == "FUNCTION" and self._looks_in_list(node, scope):
            first, second = node["children"]
            self._pair(first, second, scope)

    def _looks_in_list(self, call: Mapping[str, Any], scope: _Scope) -> bool:
        """Tell `contains` of a list, which looks for a code, from that of a text, which looks for a part of it."""
        if call["function_name"] != "contains":
            return call["function_name"] in _IN_LIST
        first = call["children"][0]
        held = self._held(first, scope)
        return first["type"] == "FUNCTION" or (held is not None and held.multiple)

    def _pair(self, one: Mapping[str, Any], other: Mapping[str, Any], scope: _Scope) -> None:
        for expression, constant in ((one, other), (other, one)):
            texts, known = _texts(constant), self._held(expression, scope)
            if texts and known is not None and _texts(expression) is None:
                self.uses += [Use(_shown(expression), text, known) for text in sorted(texts)]

    def _held(self, expression: Mapping[str, Any], scope: _Scope) -> Codes | None:
        """What an expression may give; None when unknown."""
        match kind := expression["type"]:
            case "COLUMN_REF":
                return scope.find([name.lower() for name in expression["column_names"]])
            case "VALUE_CONSTANT":
                texts = _texts(expression)
                return None if texts is None else Codes(codes=texts)
            case "CASE_EXPR" | "OPERATOR_COALESCE":
                return self._either(_branches(expression), scope)
            case "OPERATOR_CAST" if expression["cast_type"]["id"] == "VARCHAR":
                return self._held(expression["child"], scope)
            case "SUBQUERY" if expression["subquery_type"] == "SCALAR":
                found = self.relation(expression["subquery"]["node"], scope.ctes, scope)
                return None if found.open else next(iter(found.columns.values()), None)
        is_call = kind in ("FUNCTION", "STRUCT_EXTRACT") or kind.startswith("WINDOW")
        return self._called(expression.get("function_name", kind), expression["children"], scope) if is_call else None

    def _called(self, function: str, children: Sequence[Mapping[str, Any]], scope: _Scope) -> Codes | None:
        if function == "struct_pack":
            return Codes(fields=tuple((_name(child), self._held(child, scope)) for child in children))
        if function == "STRUCT_EXTRACT":
            held, names = self._held(children[0], scope), _texts(children[1]) or frozenset()
            return held and held.field(next(iter(names), "").lower())
        if function in _SAME and children:
            return self._held(children[0], scope)
        if function in _ONE and children:
            return _as(self._held(children[0], scope), multiple=False)
        if function in _MANY:
            return _as(self._either(children, scope), multiple=True)
        return self._either(children, scope) if function in _EITHER else None

    def _either(self, expressions: Iterable[Mapping[str, Any]], scope: _Scope) -> Codes | None:
        return _united([self._held(expression, scope) for expression in expressions])


def _branches(expression: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The expressions one of which a CASE or a COALESCE gives."""
    if expression["type"] == "CASE_EXPR":
        return [*(check["then_expr"] for check in expression["case_checks"]), expression["else_expr"]]
    return list(expression["children"])


def _united(held: Sequence[Codes | None]) -> Codes | None:
    known = [codes for codes in held if codes is not None]
    if len(known) < len(held):
        return None
    lists = frozenset[str]().union(*(codes.lists for codes in known))
    codes = frozenset[str]().union(*(codes.codes for codes in known))
    names = dict.fromkeys(name for one in known for name, _ in one.fields)
    fields = tuple((name, _united([one.field(name) for one in known])) for name in names)
    return Codes(lists, codes, any(one.multiple for one in known), fields)


def _as(held: Codes | None, *, multiple: bool) -> Codes | None:
    return None if held is None else Codes(held.lists, held.codes, multiple, held.fields)


def _set_operation(kind: str, left: Relation, right: Relation) -> Relation:
    if kind in ("EXCEPT", "INTERSECT"):
        return left
    if kind == "UNION_BY_NAME":
        names = dict.fromkeys([*left.columns, *right.columns])
        held = {name: [side.columns[name] for side in (left, right) if name in side.columns] for name in names}
        return Relation({name: _united(both) for name, both in held.items()}, left.open or right.open)
    if left.open or right.open or len(left.columns) != len(right.columns):
        return Relation(dict.fromkeys(left.columns), open=True)
    pairs = zip(left.columns.items(), right.columns.values(), strict=True)
    return Relation({name: _united([one, other]) for (name, one), other in pairs})


def _renamed(relation: Relation, names: Sequence[str]) -> Relation:
    if not names:
        return relation
    return Relation(dict.fromkeys(name.lower() for name in names), open=True)


def _texts(expression: Mapping[str, Any]) -> frozenset[str] | None:
    """The texts of a constant or of a list of constants, none for NULL; None for anything else."""
    if expression["type"] == "VALUE_CONSTANT":
        value = expression["value"]
        if value["is_null"]:
            return frozenset()
        return frozenset({value["value"]}) if value["type"]["id"] == "VARCHAR" else None
    if expression["type"] == "FUNCTION" and expression["function_name"] == "list_value":
        parts = [_texts(child) for child in expression["children"]]
        return None if None in parts else frozenset[str]().union(*(part for part in parts if part is not None))
    return None


def _name(expression: Mapping[str, Any]) -> str:
    if expression["alias"]:
        return str(expression["alias"]).lower()
    names = expression.get("column_names") or [expression.get("function_name", expression["type"])]
    return str(names[-1]).lower()


def _shown(expression: Mapping[str, Any]) -> str:
    names = [".".join(reference["column_names"]) for reference in _references(expression)]
    return names[0] if names else expression.get("function_name", "?")


def _references(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the columns that an expression names."""
    branches = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get("type") == "COLUMN_REF":
        yield node
    for branch in branches:
        yield from _references(branch)
