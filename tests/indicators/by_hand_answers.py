"""The answers as people gave them, as pandas frames made from raw JSON: no staging, no mart, no engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pandas as pd

from tpm_pipeline.warehouse import db

Row = dict[str, Any]
META = ("sid", "submitted_at", "review_state")


@dataclass(frozen=True)
class Answers:
    """One frame per form and per repeat, one column per question; every answer is text."""

    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def of(self, name: str, *columns: str, dates: tuple[str, ...] = (), numbers: tuple[str, ...] = ()) -> pd.DataFrame:
        """Some columns of a frame, in the order of reception; what was never answered is there and empty."""
        found = self.frames.get(name, pd.DataFrame(columns=list(META)))
        wanted = [*META, *columns, *dates, *numbers]
        frame = found.reindex(columns=wanted).astype(object).where(lambda cells: cells.notna(), None)
        for column in dates:
            frame[column] = [pd.Timestamp(text[:10]) if text else pd.NaT for text in frame[column]]
        for column in numbers:
            frame[column] = pd.to_numeric(frame[column])
        return frame.sort_values(["submitted_at", "sid"], kind="stable").reset_index(drop=True)


def rows(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame, one dictionary each."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def spoken(values: list[Any], frame: pd.DataFrame) -> "pd.Series[Any]":
    """A column of anything, lists included, beside the rows of a frame."""
    return pd.Series(values, index=frame.index, dtype=object)


def read(connection: db.Connection) -> Answers:
    """Every submission in its latest version, those rejected or deleted left out."""
    found = db.rows(
        connection,
        "select form_id, submission_id as sid, submitted_at, review_state, payload from raw.current"
        " where deleted_at is null and review_state <> 'rejected'",
    )
    rows: dict[str, list[Row]] = {}
    for one in found:
        _spread(rows, one["form_id"], {name: one[name] for name in META}, orjson.loads(one["payload"]))
    return Answers({name: pd.DataFrame(kept) for name, kept in rows.items()})


def _spread(rows: dict[str, list[Row]], form_id: str, meta: Row, payload: Row) -> None:
    row = dict(meta)
    rows.setdefault(form_id, []).append(row)
    pending = [payload]
    while pending:
        for name, value in pending.pop().items():
            if isinstance(value, dict):
                pending += [] if name in ("__system", "meta") else [value]
            elif isinstance(value, list):
                rows.setdefault(f"{form_id}/{name}", []).extend({**meta, **_flat(each)} for each in value)
            else:
                row[name] = value


def _flat(tree: Row) -> Row:
    flat: Row = {}
    for name, value in tree.items():
        flat |= _flat(value) if isinstance(value, dict) else {name: value}
    return flat
