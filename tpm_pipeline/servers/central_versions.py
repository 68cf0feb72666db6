"""What Central's OData cannot say of a form's rows: it writes each with the fields of the newest version."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tpm_pipeline.forms import schema
from tpm_pipeline.records import Table

NodePath = tuple[str, ...]

# Central rewrites every other name, and gives one field to those that become the same.
_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PUBLIC_KEY = re.compile(rb"base64RsaPublicKey\s*=\s*[\"']([^\"']*)")


@dataclass(frozen=True)
class Shape:
    """Where the answers of a form version are: paths below the root, and which of them repeat.

    `public_key` is the one phones encrypt with, empty when they do not.
    """

    answers: frozenset[NodePath]
    repeats: frozenset[NodePath]
    public_key: str = ""

    @property
    def is_safe(self) -> bool:
        """Tell whether OData calls every field by its own name."""
        paths = self.answers | self.repeats
        return all(_SAFE.fullmatch(part) for path in paths for part in path)


Shapes = dict[tuple[str, str], Shape]
"""By form and version: what is published once never changes."""


@dataclass(frozen=True)
class Rendering:
    """How far OData can be believed for the rows of a form, given the shapes of its versions.

    `current` is the version whose fields OData writes.
    """

    current: str
    shapes: Mapping[str, Shape]

    @cached_property
    def faithful(self) -> frozenset[str]:
        """The versions in which a row that was never edited comes whole."""
        shown = self.shapes[self.current]
        return frozenset(
            version
            for version, shape in self.shapes.items()
            if shown.is_safe and shape.answers <= shown.answers and _repeat_alike(shape, shown)
        )

    def is_faithful(self, version: str, *, edited: bool) -> bool:
        """Tell whether a row first sent in this version comes whole.

        After an edit OData still names the version of the first instance.
        """
        return version in self.faithful and not (edited and len(self.shapes) > 1)


def shape(xform: bytes) -> Shape:
    """Read the shape of an XForm."""
    tables = [*_tables(schema.read(xform).root)]
    key = _PUBLIC_KEY.search(xform)
    return Shape(
        frozenset(question.path for table in tables for question in table.questions),
        frozenset(table.path for table in tables if table.path),
        b"".join(key[1].split()).decode() if key else "",
    )


def _tables(table: Table) -> Iterator[Table]:
    yield table
    for repeat in table.repeats:
        yield from _tables(repeat)


def _repeat_alike(one: Shape, other: Shape) -> bool:
    """Tell whether what stands above each answer repeats in both, or in neither."""
    return one.repeats == {path for path in other.repeats if path in _above(one.answers | one.repeats)}


def _above(paths: Iterable[NodePath]) -> set[NodePath]:
    return {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
