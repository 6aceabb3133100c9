"""Governed rows: whatever is changed, added or removed beside the application is named by table, row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from zhixin_web.audit.bound import bound_columns, bound_models
from zhixin_web.audit.models import Event, RowCommitment
from zhixin_web.audit.queries import row_deviations
from zhixin_web.audit.services.checkpoints import cover_rows
from zhixin_web.audit.services.events import record_event
from zhixin_web.evaluations.models import GradeOrder, Run
from zhixin_web.evaluations.services.orders import propose_order
from zhixin_web.jobs.invariants import check
from zhixin_web.records.models import Subject

pytestmark = pytest.mark.django_db
ON_SQLITE = connection.vendor == "sqlite"


@pytest.fixture
def administrator(
    released: Run, subjects: list[Subject], people: Any, task: Any
) -> Iterator[Callable[[str, list[Any]], None]]:
    """Somebody with the database, for whom triggers and foreign keys are no shield; and something in many tables."""
    propose_order(
        subjects[0], kind="hold", grade="", reason="核实期间暂缓使用", basis="一号", until=timezone.localdate() + timedelta(days=9), by=people["city"]
    )  # fmt: skip

    def running(statement: str, values: list[Any]) -> None:
        with connection.cursor() as cursor:
            if not ON_SQLITE:
                cursor.execute("SET session_replication_role = replica")
                cursor.execute(statement, values)
                cursor.execute("SET session_replication_role = origin")
                return
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute("PRAGMA defer_foreign_keys = ON")
            cursor.execute(statement, values)

    yield running
    if ON_SQLITE:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def another(field: models.Field[Any, Any], value: Any) -> Any:
    """A value of the same kind that is not the one that stands there."""
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateTimeField):
        return (value or timezone.now()) + timedelta(days=30)
    if isinstance(field, models.DateField):
        return (value or timezone.localdate()) + timedelta(days=30)
    if isinstance(field, models.JSONField):
        return '{"x": 1}'
    if isinstance(field, models.GenericIPAddressField):
        return "192.0.2.9"
    if isinstance(field, models.IntegerField | models.ForeignKey | models.AutoField):
        return (value or 0) + 1_000
    return f"{value or ''}x"[-(field.max_length or 99) :]


MODELS = bound_models()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.db_table)
def test_every_change_of_every_column_is_named(administrator: Any, model: Any) -> None:
    row = model._base_manager.order_by("pk").first()
    if row is None:
        pytest.skip("no such row in this state")
    table, before = model._meta.db_table, set(row_deviations()[1])
    assert before == set()
    for field in bound_columns(model):
        if field.primary_key:
            continue
        value = field.value_from_object(row)
        statement = f'UPDATE "{table}" SET "{field.column}" = %s WHERE "{row._meta.pk.column}" = %s'
        try:
            with transaction.atomic():
                administrator(statement, [another(field, value), row.pk])
                found = [
                    text for text in row_deviations()[1] if text.startswith(f"{table} {row.pk}.{field.attname}: expected ")
                ]
                transaction.set_rollback(True)
        except IntegrityError:
            continue  # the database refuses it by a constraint, whoever asks
        assert found, f"{table}.{field.attname}: {value!r}"
    assert row_deviations()[1] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.db_table)
def test_a_row_that_is_removed_is_named(administrator: Any, model: Any) -> None:
    row = model._base_manager.order_by("-pk").first()
    if row is None:
        pytest.skip("no such row in this state")
    table = model._meta.db_table
    with transaction.atomic():
        administrator(f'DELETE FROM "{table}" WHERE "{row._meta.pk.column}" = %s', [row.pk])
        assert f"{table} {row.pk}: expected a row, found none" in row_deviations()[1]
        transaction.set_rollback(True)


def test_a_row_that_is_added_is_named(administrator: Any, people: Any, subjects: list[Subject]) -> None:
    order = GradeOrder.objects.get()
    forged = GradeOrder(**{field.attname: getattr(order, field.attname) for field in GradeOrder._meta.concrete_fields})
    forged.pk, forged.status, forged.decided_by = order.pk + 1, "active", people["approver"]
    models.QuerySet(GradeOrder).bulk_create([forged])
    assert f"evaluations_gradeorder {forged.pk}: expected no such row, found one" in row_deviations()[1]


def test_an_earlier_state_put_forward_again_is_named(administrator: Any) -> None:
    old = RowCommitment.objects.order_by("pk").first()
    assert old is not None
    RowCommitment.objects.create(table=old.table, row=old.row, columns=old.columns, mac=old.mac, at=old.at)
    assert any("put forward again" in text for text in row_deviations()[1])


def test_a_commitment_with_another_key_is_named(administrator: Any) -> None:
    RowCommitment.objects.create(table="accounts_user", row="1", columns="{}", mac=b"x" * 32, at=timezone.now())
    assert any("is not ours" in text for text in row_deviations()[1])


def test_what_a_head_covers_cannot_be_forgotten(administrator: Any) -> None:
    record_event("test.act")
    cover_rows()
    last = RowCommitment.objects.order_by("-pk")[0]
    administrator("DELETE FROM audit_rowcommitment WHERE id = %s", [last.pk])
    administrator("DELETE FROM audit_event WHERE id = %s", [int(last.row)])
    assert any(text.startswith("rows.head ") for text in row_deviations()[1])


def test_an_entry_that_the_application_did_not_write_is_named(administrator: Any) -> None:
    administrator("UPDATE audit_ledgerentry SET mac = %s WHERE seq = 3", [b"x" * 32])
    broken = [text for finding in check(replays=0) for text in finding.broken]
    assert "entry 3 was not written by the application" in broken


def test_events_are_governed_too() -> None:
    assert Event in bound_models()
