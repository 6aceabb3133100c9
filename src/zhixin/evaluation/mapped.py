"""Tables mapped into memory, for the rows of few subjects: they are found by halving, and nothing else is unpacked.

A Parquet file packs thousands of rows into a page, so the rows of a thousand subjects in two million lie on most of its pages.
A held table is an Arrow file, not compressed: it takes five to eight times the room, and reading a row costs no more
than the row. It is made once for a snapshot, and every process that opens it shares the same memory.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zhixin.dataset.folders import begin_folder, check_place, put_in_place
from zhixin.dataset.snapshot import sha256_of
from zhixin.dataset.tables import CODED, IN_ORDER, LEFT_OUT, ROW_GROUP, Tables, repeats
from zhixin.errors import DatasetError
from zhixin.evaluation.plan.sql import script_for
from zhixin.law.moment_and_windows import Moment
from zhixin.law.rulebook import Rulebook

SEAL = "held.json"
_TOGETHER = 16
"""Row groups in one piece."""


def hold(tables: Tables, rulebook: Rulebook, moment: Moment, folder: Path) -> Tables:
    """The same tables with the columns that a rulebook reads, mapped into memory from ``folder``.

    They are written there first, unless they are there; 2 million subjects with 20 million records take 1.2 GB and 4 s.

    Args:
        tables: the files of a snapshot.
        rulebook, moment: as for an evaluation.
        folder: a place of its own; what was made there of other files or columns is replaced.

    Raises:
        DatasetError: ``folder`` holds something else, or a table is not in order of subject.
    """
    files = {name: path for name, path in tables._asdict().items() if isinstance(path, Path)}
    check_place(folder, SEAL, *files.values())
    columns = {name: sorted(names) for name, names in script_for(rulebook, moment).inputs.items()}
    wanted = {"format": "held/1", "inputs": {name: sha256_of(path) for name, path in files.items()}, "columns": columns}
    if not _is_made(folder, wanted):
        _make(files, folder, wanted)
    return tables._replace(**{name: _mapped(folder / f"{name}.arrow") for name in files})


def _is_made(folder: Path, wanted: Mapping[str, Any]) -> bool:
    seal = folder / SEAL
    with suppress(ValueError):  # of a seal that is not whole
        return seal.is_file() and json.loads(seal.read_text(encoding="utf-8")) == wanted
    return False


def _make(files: Mapping[str, Path], folder: Path, wanted: Mapping[str, Any]) -> None:
    work = begin_folder(folder)
    for name, path in files.items():
        _write(path, work / f"{name}.arrow", wanted["columns"].get(name))
    (work / SEAL).write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
    put_in_place(work, folder, SEAL)


def _write(path: Path, out: Path, columns: Collection[str] | None) -> None:
    """One table, piece by piece; texts that repeat are codes of a dictionary that grows from piece to piece."""
    schema = pq.read_schema(path)
    names = [name for name in schema.names if columns is None or name in columns]
    known = {name: pa.array([], pa.string()) for name in names if repeats(schema.field(name))}
    kinds = [CODED if name in known else schema.field(name).type for name in names]
    left_out = [name for name in schema.names if name not in names]
    made = pa.schema(list(zip(names, kinds, strict=True)), metadata={**IN_ORDER, LEFT_OUT: ",".join(left_out)})
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    last = -1
    with pa.OSFile(str(out), "wb") as file, pa.ipc.new_file(file, made, options=options) as writer:
        for batches in _pieces(pq.ParquetFile(path, read_dictionary=list(known)).iter_batches(ROW_GROUP, columns=names)):
            numbers = np.concatenate([[last], *(batch["subject_no"] for batch in batches)])
            if np.any(numbers[1:] < numbers[:-1]):
                raise DatasetError(
                    f"{path} 未按主体排序；请用 zhixin accept 生成数据快照",
                    f"{path} is not in order of subject: make the snapshot with zhixin accept",
                )
            last = numbers[-1]
            for name, texts in known.items():
                for new in (batch[name].dictionary for batch in batches):
                    texts = pa.concat_arrays([texts, new.filter(pc.invert(pc.is_in(new, texts)))])
                known[name] = texts
            recoded = [
                [_recoded(batch[name], known[name]) if name in known else batch[name] for batch in batches] for name in names
            ]
            writer.write_batch(pa.RecordBatch.from_arrays([pa.concat_arrays(arrays) for arrays in recoded], schema=made))


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches of a row group each, put together: looking into a piece costs more than looking at a row."""
    together = iter(batches)
    while piece := list(islice(together, _TOGETHER)):
        yield piece


def _recoded(column: pa.DictionaryArray, known: pa.Array) -> pa.DictionaryArray:
    """The same texts as codes of another dictionary that holds them all."""
    places = pc.index_in(column.dictionary, known)
    return pa.DictionaryArray.from_arrays(places.take(column.indices), known)


def _mapped(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
