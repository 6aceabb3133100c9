"""The one transaction of a batch: checked rows meet what is known and become versions, duplicates or quarantined rows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Max

from zhixin.dataset.cell_parsers import Refusal, refusal
from zhixin.dataset.delivery.fault import fault_of
from zhixin.dataset.delivery.rows import CheckedRow
from zhixin.dataset.delivery.units import MONEY
from zhixin.dataset.sources import SourceManifest, sources
from zhixin.trust import ledger
from zhixin_web.audit.failpoints import failpoint
from zhixin_web.audit.services.ledger import Sealed, append, insert_rows
from zhixin_web.collection.models import Batch
from zhixin_web.records import search
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion
from zhixin_web.records.services.versions import LOOKUP, RECORD_COLUMNS, VERSION_COLUMNS, chunked, project, record_row
from zhixin_web.rulebooks.law_in_force import law_in_force

CHUNK = 5_000

_UNKNOWN = refusal(
    "record.unknown_subject",
    "企业库中没有该统一社会信用代码",
    "no subject has this code",
    "先归集该主体的登记信息，或核对代码",
    "collect its registration first, or check the code",
)
_CONFLICT = refusal(
    "record.conflict",
    "同一文号、同一主体的记录已存在而内容不同",
    "a record with this key exists and says something else",
    "核对；确需更正的以「更正批次」提交",
    "check it; to correct the record deliver a correction batch",
)
_ENDED = refusal(
    "record.ended",
    "该记录已修复或者撤销，更正不能使其恢复",
    "this record was repaired or revoked: a correction does not revive it",
    "有新的决定的，以新的文书号提交",
    "deliver a new decision under its own number",
)
_TWICE = refusal(
    "row.contradicts",
    "同一文件中有同一编号而内容不同的行",
    "two rows of the file have one key and differ",
    "核对后只保留正确的一行",
    "keep the right one",
)


@dataclass
class Known:
    """What the database holds of one key: the last version and the digests of all."""

    version: int = 0
    state: str = ""
    seqs: dict[bytes, int] = field(default_factory=dict)
    here: bool = False
    """Whether its last version came with this batch."""


@dataclass
class Tally:
    """The running account of one commit."""

    rows: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    first_seq: int | None = None
    last_seq: int | None = None

    def took(self, seqs: Sequence[int]) -> None:
        if seqs:
            self.first_seq = seqs[0] if self.first_seq is None else self.first_seq
            self.last_seq = seqs[-1]


@dataclass
class RowVerdict:
    """What becomes of a checked row: refused with faults, a duplicate, or a new version of a subject's record."""

    faults: list[dict[str, Any]] = field(default_factory=list)
    is_duplicate: bool = False
    subject: int | None = None
    version: int = 0


class Committing:
    """Commits the checked rows of one batch; use inside a transaction.

    Args:
        batch: the delivery.
        is_correction: whether rows whose key is known may become new versions.
    """

    def __init__(self, batch: Batch, *, is_correction: bool) -> None:
        self.batch, self.is_correction = batch, is_correction
        self.manifest: SourceManifest = sources()[batch.source]
        self.holds_attributes = self.manifest.gives in ("subjects", "attributes")
        self.seen: dict[str, Known] = {}
        self.known_subjects: set[int] = set()
        self.tally = Tally()
        self.law = law_in_force()

    def judge(self, rows: Sequence[CheckedRow]) -> list[RowVerdict]:
        """Say what becomes of a chunk, and remember its keys; nothing is written."""
        good = [item for item in rows if not item.faults]
        subjects = self._subjects(good)
        self._look_up(good, subjects)
        return [self._judged(item, subjects) for item in rows]

    def _judged(self, item: CheckedRow, subjects: dict[str, int]) -> RowVerdict:
        if item.faults:
            return RowVerdict(faults=list(item.faults))
        subject = subjects.get(item.code or "")
        is_new = subject is None and self.manifest.gives == "subjects"
        if subject is None and not is_new:
            return RowVerdict(faults=[fault_of(_UNKNOWN, "subject_id", item.code)])
        known = self.seen[item.key]
        found = self._verdict(known, item)
        if found is None:
            return RowVerdict(is_duplicate=True, subject=subject)
        if isinstance(found, Refusal):
            return RowVerdict(faults=[fault_of(found, "", item.key.split(":", 1)[1])])
        known.version += 1
        known.here, known.state = True, "active"
        known.seqs[item.digest] = -1
        return RowVerdict(subject=subject, version=known.version)

    def commit(self, rows: Sequence[CheckedRow]) -> list[int | None]:
        """Write a chunk; for each row the sequence number of its version, or ``None`` where it was not accepted."""
        if self.manifest.gives == "subjects":
            self._register([item for item in rows if not item.faults])
        verdicts = self.judge(rows)
        fresh = [
            (item, verdict.subject or 0, Known(verdict.version))
            for item, verdict in zip(rows, verdicts, strict=True)
            if not verdict.faults and not verdict.is_duplicate
        ]
        seqs = self._write(fresh)
        project([(subject, item.body) for item, subject, _ in fresh if subject in self.known_subjects])
        taken = {item.line: seq for (item, _, _), seq in zip(fresh, seqs, strict=True)}
        for (item, _, _), seq in zip(fresh, seqs, strict=True):
            self.seen[item.key].seqs[item.digest] = seq
        pairs = list(zip(rows, verdicts, strict=True))
        duplicates = [(item.line, self.seen[item.key].seqs[item.digest]) for item, verdict in pairs if verdict.is_duplicate]
        self._write_duplicates(duplicates)
        self.refuse([(item, verdict.faults) for item, verdict in pairs if verdict.faults])
        self.tally.rows += len(rows)
        self.tally.accepted += len(fresh)
        self.tally.duplicates += len(duplicates)
        failpoint("import.chunk")
        return [taken.get(item.line) for item in rows]

    def _verdict(self, known: Known, item: CheckedRow) -> Refusal | str | None:
        """Return ``None`` for a duplicate, a refusal, or the ledger kind of the new version."""
        if item.digest in known.seqs and known.state != CreditRecord.State.WITHDRAWN:
            return None
        if known.version == 0 or known.state == CreditRecord.State.WITHDRAWN:
            return "add"
        if self.holds_attributes:
            return _TWICE if known.here else "update"
        if self.is_correction and known.state in (CreditRecord.State.REVOKED, CreditRecord.State.REPAIRED):
            return _ENDED
        if known.here:
            return _TWICE
        return "correct" if self.is_correction else _CONFLICT

    # --- what is known ---

    def _subjects(self, rows: Sequence[CheckedRow]) -> dict[str, int]:
        """Primary keys by code."""
        found: dict[str, int] = {}
        for part in chunked(sorted({item.code for item in rows if item.code}), LOOKUP):
            found |= dict(Subject.objects.filter(code__in=part).values_list("code", "pk"))
        return found

    def _register(self, rows: Sequence[CheckedRow]) -> None:
        """Open the subjects that a registration names for the first time."""
        found = self._subjects(rows)
        self.known_subjects = set(found.values())
        next_key = (Subject.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
        new: dict[str, tuple[Any, ...]] = {}
        for item in rows:
            if item.code and item.code not in found and item.code not in new:
                attributes, name = json.loads(item.body)["attributes"], item.name or ""
                place = (attributes.get("district", ""), attributes.get("industry", ""))
                new[item.code] = (next_key + len(new), item.code, name, search.name_key(name), *place, 0)
        columns = ("id", "code", "name", "name_key", "district", "industry", "first_seq")
        insert_rows("records_subject", columns, list(new.values()))
        search.index((row[0], row[1], row[2]) for row in new.values())

    def _look_up(self, outcomes: Sequence[CheckedRow], subjects: dict[str, int]) -> None:
        keys = {item.key for item in outcomes} - self.seen.keys()
        for key in keys:
            self.seen[key] = Known()
        if self.holds_attributes:
            codes = {subjects[item.code]: item.key for item in outcomes if item.code in subjects and item.key in keys}
            for part in chunked(sorted(codes), LOOKUP):
                rows = SubjectVersion.objects.filter(subject__in=part, source=self.manifest.id).order_by("version")
                for subject, version, digest, seq, batch in rows.values_list(
                    "subject_id", "version", "digest", "seq", "batch_id"
                ):
                    known = self.seen[codes[subject]]
                    known.version, known.state, known.here = version, "active", batch == self.batch.pk
                    known.seqs = {bytes(digest): seq}  # only the last: an attribute may return to an old value
            return
        for part in chunked(sorted(keys), LOOKUP):
            records = CreditRecord.objects.filter(key__in=part).order_by("version")
            columns = ("key", "version", "state", "digest", "seq", "batch_id")
            for key, version, state, digest, seq, batch in records.values_list(*columns):
                known = self.seen[key]
                known.version, known.state, known.here = version, state, batch == self.batch.pk
                known.seqs[bytes(digest)] = seq

    # --- writing ---

    def _write(self, fresh: Sequence[tuple[CheckedRow, int, Known]]) -> list[int]:
        if not fresh:
            return []
        sealed = []
        for item, _, known in fresh:
            kind = "subject.update" if self.holds_attributes else "record.add" if known.version == 1 else "record.correct"
            ref = f"B{self.batch.pk}/{item.line}"
            sealed.append(Sealed(kind, ref, item.body, secrets.token_bytes(ledger.SALT_BYTES)))
        seqs = append(sealed, keep_bodies=False)
        self.tally.took(seqs)
        rows: list[tuple[Any, ...]] = []
        source, batch = self.manifest.id, self.batch.pk
        for (item, subject, known), seal, seq in zip(fresh, sealed, seqs, strict=True):
            kept = (item.digest, item.body, seal.salt)
            if self.holds_attributes:
                rows.append((seq, subject, source, known.version, *kept, None, batch, item.line))
            else:
                rows.append(
                    record_row(
                        (seq, item.key, known.version, subject, source),
                        "active",
                        item.core,
                        kept,
                        (batch, item.line),
                        self.law,
                    )
                )
        if self.holds_attributes:
            insert_rows("records_subjectversion", VERSION_COLUMNS, rows)
        else:
            insert_rows("records_creditrecord", RECORD_COLUMNS, rows)
        return seqs

    def _write_duplicates(self, rows: Sequence[tuple[int, int]]) -> None:
        insert_rows(
            "collection_duplicaterow", ("batch_id", "line", "seq"), [(self.batch.pk, line, seq) for line, seq in rows]
        )

    def refuse(self, refused: Sequence[tuple[CheckedRow, list[dict[str, Any]]]]) -> None:
        """Keep refused rows in the quarantine."""
        rows = []
        for item, faults in refused:
            cells = item.cells or cells_of(item)
            rows.append(
                (
                    self.batch.pk,
                    item.line,
                    json.dumps(cells, ensure_ascii=False),
                    json.dumps(faults, ensure_ascii=False),
                    faults[0]["rule"],
                    "open",
                    None,
                    "",
                    None,
                    None,
                )
            )
        columns = ("batch_id", "line", "cells", "faults", "rule", "status", "seq", "reason", "resolved_by_id", "resolved_at")
        insert_rows("collection_quarantinedrow", columns, rows)
        self.tally.quarantined += len(rows)


def cells_of(item: CheckedRow) -> dict[str, Any]:
    """The cells of an accepted body, for the quarantine: what a person would see in the file."""
    body = json.loads(item.body)
    manifest = sources()[body["source"]]
    values = {
        **body.get("attributes", {}),
        **body.get("fields", {}),
        **body.get("reported", {}),
        **{k: v for k, v in body.items() if isinstance(v, str)},
    }
    cells: dict[str, Any] = {"subject_id": item.code, "name": item.name}
    for column in manifest.fields:
        value = values.get(column.to or column.id)
        if value is not None and column.id not in cells:
            cells[column.id] = f"{Decimal(value) / 100}元" if column.type in MONEY else str(value)
    return {name: value for name, value in cells.items() if value is not None}
