"""A delivery: bytes kept, rows accepted, duplicate or quarantined, ledger entries beside them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from zhixin.law.calendar import shift_months
from zhixin.trust import ledger
from zhixin_web.audit.models import LedgerEntry
from zhixin_web.collection import originals
from zhixin_web.collection.models import Batch, DuplicateRow, QuarantinedRow
from zhixin_web.collection.services import batches as services
from zhixin_web.collection.services.correction import mend_row
from zhixin_web.collection.services.reversal import reverse_batch
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import change_record, erase_record, last_version


def test_each_row_is_accepted_duplicate_or_quarantined_and_the_counts_add_up(
    subjects: list[Subject], take: Any, penalty: Any
) -> None:
    one, two = subjects[:2]
    batch = take(
        "penalties",
        penalty(
            (one.code, one.name, "罚1"),
            (one.code, one.name, "罚1"),
            (two.code[:-1] + "I", two.name, "罚2"),
            (two.code, two.name, "罚3"),
        ),
    )
    assert (batch.status, batch.rows, batch.accepted, batch.duplicates, batch.quarantined) == ("committed", 4, 2, 1, 1)
    assert CreditRecord.objects.filter(batch=batch).count() == 2
    assert list(DuplicateRow.objects.filter(batch=batch).values_list("line", flat=True)) == [3]
    row = QuarantinedRow.objects.get(batch=batch)
    assert (row.line, row.rule, row.cells["document"]) == (4, "uscc.character", "罚2")


def test_the_bytes_are_kept_and_hashed(subjects: list[Subject], take: Any, penalty: Any) -> None:
    content = penalty((subjects[0].code, subjects[0].name, "罚1"))
    batch = take("penalties", content)
    assert batch.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert originals.original_path(batch.sha256, ".csv").read_bytes() == content.encode()


def test_every_version_has_its_ledger_entry_and_opens_it(subjects: list[Subject], take: Any, penalty: Any) -> None:
    batch = take(
        "penalties", penalty((subjects[0].code, subjects[0].name, "罚1"), (subjects[1].code, subjects[1].name, "罚2"))
    )
    for record in CreditRecord.objects.filter(batch=batch):
        entry = LedgerEntry.objects.get(pk=record.seq)
        assert entry.kind == "record.add"
        assert ledger.opens(entry.data, record.body, bytes(record.salt))
        assert record.subject.code not in entry.data
        assert ledger.leaf_hash(entry.data.encode()) == bytes(entry.leaf)


def test_the_same_file_twice_is_the_same_batch(subjects: list[Subject], take: Any, penalty: Any, people: Any) -> None:
    content = penalty((subjects[0].code, subjects[0].name, "罚1")).encode()
    first = take("penalties", content)
    again, is_new = services.deliver(source="penalties", file_name="b.csv", chunks=[content], way="push", by=people["city"])
    assert (again.pk, is_new) == (first.pk, False)


def test_rows_delivered_again_in_another_file_are_duplicates(subjects: list[Subject], take: Any, penalty: Any) -> None:
    row = (subjects[0].code, subjects[0].name, "罚1")
    take("penalties", penalty(row))
    batch = take("penalties", penalty(row, (subjects[1].code, subjects[1].name, "罚2")))
    assert (batch.accepted, batch.duplicates) == (1, 1)


def test_another_content_under_a_known_number_is_quarantined_unless_it_is_a_correction(
    subjects: list[Subject], take: Any, penalty: Any
) -> None:
    row = (subjects[0].code, subjects[0].name, "罚1")
    take("penalties", penalty(row))
    changed = penalty(row, **{"罚款金额（万元）": "2.5"})
    assert QuarantinedRow.objects.get(batch=take("penalties", changed)).rule == "record.conflict"
    corrected = take("penalties", changed, is_correction=True)
    versions = CreditRecord.objects.filter(subject=subjects[0]).order_by("version")
    assert corrected.accepted == 1
    assert [json.loads(item.body)["fields"]["amount"] for item in versions] == [1_500_000, 2_500_000]
    assert LedgerEntry.objects.get(pk=versions[1].seq).kind == "record.correct"


def test_an_idempotency_key_gives_one_batch_and_refuses_other_bytes(
    subjects: list[Subject], people: Any, penalty: Any
) -> None:
    first = penalty((subjects[0].code, subjects[0].name, "罚1")).encode()
    one, _ = services.deliver(
        source="penalties", file_name="a", chunks=[first], way="push", by=people["city"], idempotency_key="k1"
    )
    two, is_new = services.deliver(
        source="penalties", file_name="a", chunks=[first], way="push", by=people["city"], idempotency_key="k1"
    )
    assert (one.pk, is_new) == (two.pk, False)
    with pytest.raises(services.KeyConflict):
        services.deliver(
            source="penalties", file_name="a", chunks=[first + b"\n"], way="push", by=people["city"], idempotency_key="k1"
        )


@pytest.mark.parametrize(("rows", "status"), [(0, "held"), (1, "committed"), (3, "committed"), (4, "held")])
def test_a_batch_outside_its_expected_volume_waits_for_a_human(
    subjects: list[Subject], take: Any, penalty: Any, monkeypatch: Any, rows: int, status: str
) -> None:
    manifests = dict(services.sources())
    manifests["penalties"] = manifests["penalties"].model_copy(update={"expected_rows": (1, 3)})
    monkeypatch.setattr(services, "sources", lambda: manifests)
    content = penalty(*[(subjects[0].code, subjects[0].name, f"罚{number}") for number in range(rows)])
    assert take("penalties", content, commit=False, automatic=True).status == status


def test_undo_withdraws_records_and_the_same_file_may_come_again(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    content = penalty((subjects[0].code, subjects[0].name, "罚1"))
    batch = reverse_batch(take("penalties", content), people["city"], "演示")
    versions = list(CreditRecord.objects.filter(batch=batch).order_by("version").values_list("state", flat=True))
    assert (batch.status, versions) == ("undone", ["active", "withdrawn"])
    again = take("penalties", content)
    assert (again.status, again.accepted) == ("committed", 1)
    assert last_version(CreditRecord.objects.filter(batch=again).get().key).state == "active"


def test_undoing_a_correction_brings_back_what_stood_before(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    row = (subjects[0].code, subjects[0].name, "罚1")
    first = take("penalties", penalty(row))
    correction = take("penalties", penalty(row, **{"罚款金额（万元）": "9"}), is_correction=True)
    reverse_batch(correction, people["city"], "演示")
    key = CreditRecord.objects.get(batch=first).key
    last = last_version(key)
    assert (last.version, last.state, json.loads(last.body)["fields"]["amount"]) == (3, "active", 1_500_000)


def test_a_quarantined_row_is_mended_in_place_and_the_account_still_adds_up(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    one = subjects[0]
    batch = take("penalties", penalty((one.code, one.name, "罚1"), 处罚决定日期="2026-02-30"))
    row = QuarantinedRow.objects.get(batch=batch)
    assert row.rule == "date.impossible"
    assert mend_row(row, row.cells | {"decided_on": "2026-02-31"}, people["city"])[0]["rule"] == "date.impossible"
    assert mend_row(row, row.cells | {"decided_on": "2026-02-28"}, people["city"]) == []
    row.refresh_from_db()
    batch.refresh_from_db()
    assert (row.status, batch.accepted, batch.quarantined, batch.rows) == ("resolved", 1, 0, 1)
    assert CreditRecord.objects.get(pk=row.seq).decided_on.isoformat() == "2026-02-28"
    assert row.cells["decided_on"] == "2026-02-30"


def test_a_record_of_an_unknown_subject_is_kept_in_quarantine(
    people: Any, take: Any, penalty: Any, codes: list[str]
) -> None:
    batch = take("penalties", penalty((codes[0], "虚构公司", "罚1")))
    assert QuarantinedRow.objects.get(batch=batch).rule == "record.unknown_subject"


@pytest.mark.parametrize("table", ["records_creditrecord", "audit_ledgerentry", "audit_event", "records_subjectversion"])
def test_what_is_recorded_can_be_neither_changed_nor_removed(
    subjects: list[Subject], take: Any, penalty: Any, table: str
) -> None:
    take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")))
    column = {
        "records_creditrecord": "kind",
        "audit_ledgerentry": "kind",
        "audit_event": "action",
        "records_subjectversion": "source",
    }[table]
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_replace_and_gaps_are_refused_too(subjects: list[Subject]) -> None:
    columns = "(seq, kind, ref, data, leaf) VALUES (%s, 'x', 'x', 'x', %s)"
    if connection.vendor == "sqlite":
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"INSERT OR REPLACE INTO audit_ledgerentry {columns}", [0, b"x"])
    with pytest.raises(DatabaseError, match="gap"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO audit_ledgerentry {columns}", [10**6, b"x"])


def test_a_body_may_be_erased_once_and_nothing_else_with_it(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    batch = take("penalties", penalty((subjects[0].code, subjects[0].name, "罚1")))
    record = CreditRecord.objects.get(batch=batch)
    change_record(record, state="repaired", on=timezone.localdate(), basis="修复决定1号", by=people["city"])
    assert erase_record(record, basis="期满", by=people["city"]) == 2
    assert set(CreditRecord.objects.filter(key=record.key).values_list("body", flat=True)) == {""}
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CreditRecord.objects.filter(pk=record.pk).update(kind="x")


def test_batches_refused_are_not_records(people: Any, take: Any) -> None:
    batch = take("penalties", b"")
    assert (batch.status, batch.fault["rule"]) == (Batch.Status.REFUSED, "file.empty")


@pytest.mark.parametrize("state", ["repaired", "revoked"])
def test_taking_a_batch_back_revives_nothing_that_was_repaired_or_revoked(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, state: str
) -> None:
    day = shift_months(timezone.localdate(), -8).isoformat()
    who = (subjects[0].code, subjects[0].name, "（虚构）罚1号")
    batch = take("penalties", penalty(who, 处罚决定日期=day))
    change_record(CreditRecord.objects.get(), state=state, on=timezone.localdate(), basis="（虚构）改1号", by=people["city"])
    reverse_batch(batch, people["city"], "误报")
    assert [item.state for item in CreditRecord.objects.order_by("version")] == ["active", state, "withdrawn"]


@pytest.mark.parametrize("state", ["repaired", "revoked"])
def test_taking_a_correction_back_keeps_what_was_decided_since(
    subjects: list[Subject], take: Any, penalty: Any, people: Any, state: str
) -> None:
    day = shift_months(timezone.localdate(), -8).isoformat()
    who = (subjects[0].code, subjects[0].name, "（虚构）罚1号")
    take("penalties", penalty(who, 处罚决定日期=day))
    correction = take("penalties", penalty(who, 处罚决定日期=day, **{"罚款金额（万元）": "2"}), is_correction=True)
    corrected = CreditRecord.objects.order_by("-version")[0]
    change_record(corrected, state=state, on=timezone.localdate(), basis="（虚构）改1号", by=people["city"])
    reverse_batch(correction, people["city"], "更正有误")
    last = CreditRecord.objects.order_by("-version")[0]
    body = json.loads(last.body)
    assert (last.state, body[f"{state}_on"], body["basis"]) == (state, timezone.localdate().isoformat(), "（虚构）改1号")
    assert body["fields"]["amount"] == json.loads(CreditRecord.objects.order_by("version")[0].body)["fields"]["amount"]


def test_a_row_that_is_mended_without_a_change_is_still_a_conflict(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    known = (subjects[0].code, subjects[0].name, "（虚构）罚1号")
    take("penalties", penalty(known))
    take("penalties", penalty(known, **{"罚款金额（万元）": "9"}))
    row = QuarantinedRow.objects.get()
    assert [fault["rule"] for fault in mend_row(row, row.cells, people["city"])] == ["record.conflict"]
    assert CreditRecord.objects.count() == 1


def test_a_row_is_not_mended_onto_the_number_of_another_record(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    one = subjects[0]
    take("penalties", penalty((one.code, one.name, "（虚构）罚1号")))
    take("penalties", penalty((one.code, one.name, "（虚构）罚2号"), 处罚决定日期="2026-02-30"))
    row = QuarantinedRow.objects.get()
    typed = row.cells | {"document": "（虚构）罚1号", "decided_on": "2026-02-28"}
    assert [fault["rule"] for fault in mend_row(row, typed, people["city"])] == ["record.conflict"]


def test_two_rows_of_a_batch_are_not_mended_onto_one_number(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    one = subjects[0]
    rows = [(one.code, one.name, f"（虚构）罚{number}号") for number in (1, 2)]
    take("penalties", penalty(*rows, 处罚决定日期="2026-02-30"))
    first, second = QuarantinedRow.objects.order_by("line")
    assert mend_row(first, first.cells | {"decided_on": "2026-02-28"}, people["city"]) == []
    typed = second.cells | {"document": "（虚构）罚1号", "decided_on": "2026-02-27"}
    assert [fault["rule"] for fault in mend_row(second, typed, people["city"])] == ["row.contradicts"]


def test_a_correction_that_is_mended_late_does_not_replace_a_later_one(
    subjects: list[Subject], take: Any, penalty: Any, people: Any
) -> None:
    known = (subjects[0].code, subjects[0].name, "（虚构）罚1号")
    take("penalties", penalty(known))
    take("penalties", penalty(known, 处罚决定日期="2026-02-30"), is_correction=True)
    take("penalties", penalty(known, **{"罚款金额（万元）": "9"}), is_correction=True)
    row = QuarantinedRow.objects.get()
    typed = row.cells | {"decided_on": "2026-02-28"}
    assert [fault["rule"] for fault in mend_row(row, typed, people["city"])] == ["row.overtaken"]
    assert json.loads(last_version(CreditRecord.objects.first().key).body)["fields"]["amount"] == 9_000_000


def test_attributes_that_are_mended_late_do_not_replace_later_ones(subjects: list[Subject], take: Any, people: Any) -> None:
    head = "统一社会信用代码,企业名称,有效专利数,有效注册商标数\n"
    take("holdings", head + f"{subjects[0].code},{subjects[0].name},三,5\n")
    take("holdings", head + f"{subjects[0].code},{subjects[0].name},7,5\n")
    row = QuarantinedRow.objects.get()
    typed = row.cells | {row.faults[0]["field"]: "3"}
    assert [fault["rule"] for fault in mend_row(row, typed, people["city"])] == ["row.overtaken"]
