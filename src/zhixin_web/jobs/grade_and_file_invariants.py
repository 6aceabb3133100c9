"""What must follow from something else: grades in force from archives and orders, files from hashes.

Each check gives how many things it compared and what deviates, as ``table key.column: expected …, found …``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings

from zhixin.dataset.snapshot import sha256_of
from zhixin.trust.draw import verify
from zhixin.trust.draw.drawing import committed_faults
from zhixin_web.audit.models import LedgerEntry, SealedBody
from zhixin_web.cases.models import Attachment
from zhixin_web.cases.services.attachments import path_of
from zhixin_web.collection import originals
from zhixin_web.collection.models import Batch
from zhixin_web.duties.models import ProgressEntry
from zhixin_web.duties.services import progress
from zhixin_web.evaluations.models import CurrentGrade, Grade, GradeOrder, Run, Segment
from zhixin_web.evaluations.queries import results_of
from zhixin_web.evaluations.snapshots import run_folder, segment_file, segment_folder
from zhixin_web.inspections.models import Draw, VisitPhoto
from zhixin_web.inspections.services import visit_reports
from zhixin_web.jobs.deviations import differing
from zhixin_web.received import store
from zhixin_web.records.models import CreditRecord, Subject, SubjectVersion
from zhixin_web.records.services.versions import kept_after_erasure


def grade_deviations() -> tuple[int, list[str]]:
    """Play all releases again: every grade row from its archive, the grades in force from the last of them and from orders."""
    codes = dict(Subject.objects.values_list("pk", "code"))
    released = Run.objects.released().filter(is_projected=True).select_related("release").order_by("released_at", "pk")
    played = _Played()
    broken: list[str] = []
    for run in released:
        if not _entry_says(run):
            broken.append(f"evaluations_run {run.pk}: its ledger entry does not say these results")
        try:
            played.release(run)
        except (OSError, pa.ArrowInvalid) as error:
            broken.append(f"evaluations_run {run.pk}: its archive cannot be read ({type(error).__name__})")
    order = {run.pk: place for place, run in enumerate(released)}
    count, more = _grades_as_expected(played.rows, codes, order)
    return count + len(played.held), broken + more + _in_force_as_expected(played.held, codes)


class _Played:
    """What the releases so far made of the grades: a row where something changed, and what is held now."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, str], dict[str, Any]] = {}
        self.held: dict[str, dict[str, Any]] = {}

    def release(self, run: Run) -> None:
        """Apply a release as :func:`zhixin_web.evaluations.services.release.release_run` does."""
        results = _results(run)
        for code, now in results.items():
            was = self.held.get(code)
            if was is None or not now.items() <= was.items():
                self.rows[run.pk, code] = now | {"was": was["grade"] if was else ""}
                self.held[code] = now | {"run_id": run.pk, "since": run.as_of}
        if run.rolls_back_id is not None:  # subjects that only what is taken back knew
            for code in sorted(set(self.held) - set(results)):
                self.rows[run.pk, code] = WITHDRAWN | {"was": self.held.pop(code)["grade"]}


WITHDRAWN = {"grade": "", "score_milli": 0, "step": "withdrawn", "class_name": ""}


def _results(run: Run) -> dict[str, dict[str, Any]]:
    """The grades that a release publishes, by credit code."""
    return {
        code: {
            "grade": row["grade"],
            "score_milli": row["score_milli"],
            "step": row["step"],
            "class_name": row["class"] or "",
        }
        for code, row in results_of(run).items()
    }


def _entry_says(run: Run) -> bool:
    body = SealedBody.objects.filter(seq=run.ledger_seq or -1).values_list("body", flat=True).first()
    if not body:
        return False
    said = json.loads(body)
    return bool(
        said["run"] == run.pk
        and (said["grades"], said["contributions"], said["result"])
        == (run.grades_sha256, run.contributions_sha256, run.result_sha256)
        and said["as_of"] == run.as_of.isoformat()
        and said["known_seq"] == run.known_seq
        and said["rulebook"] == run.release.sha256
    )


def _grades_as_expected(
    expected: dict[tuple[int, str], dict[str, Any]], codes: dict[int, str], order: dict[int, int]
) -> tuple[int, list[str]]:
    broken: list[str] = []
    count = latest = 0
    rows = Grade.objects.order_by("pk").values(
        "pk", "run_id", "subject_id", "grade", "was", "score_milli", "step", "class_name"
    )
    for row in rows.iterator(chunk_size=5_000):
        count += 1
        if order.get(row["run_id"], latest) < latest:  # the history is read in order of the keys
            broken.append(f"evaluations_grade {row['pk']}: expected before the rows of later releases")
        latest = max(latest, order.get(row["run_id"], 0))
        right = expected.pop((row["run_id"], codes.get(row["subject_id"], "")), None)
        if right is None:
            broken.append(f"evaluations_grade {row['pk']}: no released archive gives it")
        else:
            broken += differing(f"evaluations_grade {row['pk']}", right, row)
    return count, broken + [
        f"evaluations_grade: expected a row of run {run} for {code}, found none" for run, code in sorted(expected)
    ]


def _in_force_as_expected(held: dict[str, dict[str, Any]], codes: dict[int, str]) -> list[str]:
    orders = {item.subject_id: item.grade for item in GradeOrder.objects.filter(status=GradeOrder.Status.ACTIVE)}
    broken: list[str] = []
    found = set()
    for row in CurrentGrade.objects.values().iterator(chunk_size=5_000):
        code = codes.get(row["subject_id"], "")
        found.add(code)
        if code not in held:
            broken.append(f"evaluations_currentgrade {row['subject_id']}: no released evaluation gives it")
        else:
            right = held[code] | {"in_force": orders.get(row["subject_id"], held[code]["grade"])}
            broken += differing(f"evaluations_currentgrade {row['subject_id']}", right, row)
    return broken + [
        f"evaluations_currentgrade: expected a row for {code}, found none" for code in sorted(set(held) - found)
    ]


def file_deviations() -> tuple[int, list[str]]:
    """Compare every file that is evidence with its hash: deliveries, sealed segments, archives of runs, attachments."""
    expected: list[tuple[str, Path, str]] = []
    for batch in Batch.objects.only("pk", "sha256", "suffix"):
        expected.append((f"collection_batch {batch.pk}", originals.original_path(batch.sha256, batch.suffix), batch.sha256))
    for item in Segment.objects.all():
        for name, sha256 in (("records", item.sha256_records), ("subjects", item.sha256_subjects)):
            path = segment_file(segment_folder(), name, item.first_seq, item.last_seq)
            expected.append((f"evaluations_segment {item.pk}", path, sha256))
    for run in Run.objects.exclude(grades_sha256=""):
        for name, sha256 in (("grades", run.grades_sha256), ("contributions", run.contributions_sha256)):
            expected.append((f"evaluations_run {run.pk}", run_folder(run) / f"{name}.parquet", sha256))
    for held in Attachment.objects.only("pk", "sha256"):
        expected.append((f"cases_attachment {held.pk}", path_of(held.sha256), held.sha256))
    for photo in VisitPhoto.objects.only("pk", "sha256"):
        place = store.path_of(visit_reports.FOLDER, photo.sha256)
        expected.append((f"inspections_visitphoto {photo.pk}", place, photo.sha256))
    for entry in ProgressEntry.objects.exclude(sha256="").only("pk", "sha256"):
        expected.append((f"duties_progressentry {entry.pk}", store.path_of(progress.FOLDER, entry.sha256), entry.sha256))
    broken = []
    for owner, path, sha256 in expected:
        found = sha256_of(path) if path.is_file() else "no file"
        if found != sha256:
            shown = path.relative_to(settings.VAR) if path.is_relative_to(settings.VAR) else path
            broken.append(f"{owner} {shown}: expected sha256 {sha256[:16]}…, found {found[:16]}")
    return len(expected), broken


def erasure_deviations() -> tuple[int, list[str]]:
    """Only what an entry ``record.erase`` names may be empty; sealed bodies of acts never are."""
    named: set[int] = set()
    changed: list[str] = []
    entries = LedgerEntry.objects.filter(kind="record.erase").values_list("seq", flat=True)
    for body in SealedBody.objects.filter(seq__in=list(entries)).values_list("body", flat=True):
        said = json.loads(body) if body else {"records": [], "kept": {}}
        named.update(said["records"])
        found = kept_after_erasure(said["records"])
        changed += [
            f"records_creditrecord {seq}: expected the columns kept at its erasure"
            for seq, code in said["kept"].items()
            if found.get(seq) != code
        ]
    empty = set(CreditRecord.objects.exclude(erased_at=None).values_list("seq", flat=True))
    empty |= set(SubjectVersion.objects.exclude(erased_at=None).values_list("seq", flat=True))
    broken = changed + [
        f"record version {seq}: expected its body, found it erased without an entry" for seq in sorted(empty - named)
    ]
    for seq in SealedBody.objects.exclude(erased_at=None).order_by("seq").values_list("seq", flat=True):
        broken.append(f"audit_sealedbody {seq}: expected its body, found it erased")
    entries_there = set(LedgerEntry.objects.values_list("seq", flat=True))
    for seq in sorted(set(SealedBody.objects.values_list("seq", flat=True)) - entries_there):
        broken.append(f"audit_sealedbody {seq}: expected an entry that it opens, found none")
    kept = {*CreditRecord.objects.values_list("seq", flat=True), *SubjectVersion.objects.values_list("seq", flat=True)}
    kept |= set(SealedBody.objects.values_list("seq", flat=True))
    for seq in LedgerEntry.objects.values_list("seq", flat=True).iterator(chunk_size=20_000):
        if seq not in kept:
            broken.append(f"audit_ledgerentry {seq}: expected a body that opens it, found none")
    return len(empty) + len(kept), broken


def draw_deviations() -> tuple[int, list[str]]:
    """Every draw was committed once, ended once at most, and its document is what its entries say and what it commits to."""
    entries: dict[tuple[str, str], list[int]] = {}
    for kind, ref, seq in LedgerEntry.objects.filter(kind__in=("draw.commit", "draw.result", "draw.abort")).values_list(
        "kind", "ref", "seq"
    ):
        entries.setdefault((kind, ref.removeprefix("draw:")), []).append(seq)
    broken: list[str] = []
    draws = {item.draw_id: item for item in Draw.objects.all()}
    for name, item in draws.items():
        committed, results, aborts = (entries.pop((kind, name), []) for kind in ("draw.commit", "draw.result", "draw.abort"))
        if committed != [item.commit_seq] or len(results) + len(aborts) != (item.status != Draw.Status.COMMITTED):
            broken.append(
                f"inspections_draw {name}: {len(committed)} commitments, {len(results)} results, {len(aborts)} aborts"
            )
        faults = verify(item.document) if "numbers" in item.document else committed_faults(item.document)
        broken += [f"inspections_draw {name}.document: {fault.en}" for fault in faults]
        if not item.is_timely and not settings.DEMO:  # the demonstration makes a draw of last month, and its pages say so
            broken.append(f"inspections_draw {name}.committed_at: later than 24 hours before the public numbers")
    return len(draws), broken + [f"the ledger knows a draw {name} that is not there" for _kind, name in sorted(entries)]
