"""The rows that an evaluation of some subjects reads: theirs, and those of subjects one step away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from zhixin.dataset.reading import check_columns, check_numbers, read_table
from zhixin.dataset.tables import TableLike, Tables


def subject_ids(tables: Tables) -> pa.Array:
    """The ids of the subjects by their numbers."""
    table = read_table(tables.subjects, columns=["subject_no", "subject_id"]).sort_by("subject_no")
    check_numbers(table["subject_no"].to_numpy(), tables.records)
    return table["subject_id"].combine_chunks()


def within_reach(
    inputs: Mapping[str, set[str]], tables: Tables, only: Iterable[int] | None
) -> tuple[Tables, pa.Array | None]:
    """The rows of some subjects and of those one step away, in memory with the columns that are read, subjects numbered
    anew from 0; and the new numbers of the subjects asked for. ``None`` asks for everybody: the tables as they are.
    """
    for name, columns in inputs.items():
        check_columns(getattr(tables, name), columns)
    if only is None:
        return tables, None
    chosen = set(only)
    assert tables.relations is not None
    assert tables.previous is not None
    out, back = (read_table(tables.relations, chosen, key) for key in ("subject_no", "related_no"))
    reach = {*chosen, *out["related_no"].to_pylist(), *back["subject_no"].to_pylist()}
    subjects = read_table(tables.subjects, reach, columns=inputs["subjects"]).sort_by("subject_no")
    numbers = subjects["subject_no"].combine_chunks()
    own = back.filter(pc.invert(pc.is_in(back["subject_no"], pa.array(list(chosen), pa.int32()))))
    found = Tables(
        subjects,
        read_table(tables.records, reach, columns=inputs["records"]),
        pa.concat_tables([out, own]),
        read_table(tables.previous, reach),
    )
    renumbered = Tables(*(_renumbered(table, numbers) for table in found))
    return renumbered, pc.index_in(pa.array(sorted(chosen), pa.int32()), numbers).drop_null()


def _renumbered(table: TableLike | None, numbers: pa.Array) -> pa.Table:
    """A table whose subjects are counted by their places in ``numbers``; rows of unknown subjects are left out."""
    found: Any = table
    for name in ("subject_no", "related_no"):
        if name in found.column_names:
            places = pc.index_in(found[name].cast(pa.int32()), numbers)
            found = found.set_column(found.column_names.index(name), name, places)
            if places.null_count:
                found = found.filter(pc.is_valid(found[name]))
    return found
