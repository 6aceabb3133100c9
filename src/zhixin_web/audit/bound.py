"""Governed models: whatever the application writes to them is committed, so that any other write shows.

A model that decides what is public or says who decided derives from :class:`BoundModel`. Its manager and its ``save`` write a
:class:`~zhixin_web.audit.models.RowCommitment` in the transaction of the act. Columns that decide nothing (progress, heartbeats)
are named in ``UNBOUND``; a change of them alone commits nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from django.db import models, transaction
from django.utils import timezone

from zhixin_web.audit.evidence_key import key
from zhixin_web.audit.models import Event, RowCommitment

_T = TypeVar("_T", bound=models.Model)
_CLEAR = (models.DateField, models.BooleanField, models.IntegerField, models.ForeignKey, models.AutoField)
"""Kinds of columns kept as they are; texts are kept as a code, so that erasing a row erases its words."""
_SHORT = 120


def bound_columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The columns of a governed model that are committed."""
    free: frozenset[str] = getattr(model, "UNBOUND", frozenset())
    return [field for field in model._meta.concrete_fields if field.attname not in free and field.name not in free]


def _value(field: models.Field[Any, Any], row: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(field, _CLEAR) or (field.choices and len(str(value)) <= _SHORT):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    plain = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return "mac:" + hmac.digest(key(), f"{row}\0{field.attname}\0{plain}".encode(), "sha256").hex()[:32]


def described(model: type[models.Model], pks: Iterable[Any] | None = None) -> dict[str, dict[str, Any]]:
    """What rows hold now, by primary key; of all rows where none are named."""
    fields = bound_columns(model)
    rows = model._base_manager.all() if pks is None else model._base_manager.filter(pk__in=list(pks))
    found = {}
    place = [field.primary_key for field in fields].index(True)
    for values in rows.values_list(*(field.attname for field in fields)).iterator(chunk_size=5_000):
        row = str(values[place])
        found[row] = {field.attname: _value(field, row, value) for field, value in zip(fields, values, strict=True)}
    return found


def mac_of(table: str, row: str, columns: str, at: datetime) -> bytes:
    """The code of a commitment; the moment makes that of the same content at another time another one."""
    return hmac.digest(key(), f"{table}\0{row}\0{columns}\0{at.astimezone(UTC).isoformat()}".encode(), "sha256")


def commit_rows(model: type[models.Model], pks: Sequence[Any], *, deleted: bool = False) -> None:
    """Commit what rows hold now, or that they are gone, in the caller's transaction."""
    table = model._meta.db_table
    held = {} if deleted else described(model, pks)
    now = timezone.now()
    made = []
    for pk in map(str, pks):
        if not deleted and pk not in held:
            continue
        columns = "" if deleted else json.dumps(held[pk], sort_keys=True, ensure_ascii=False)
        made.append(RowCommitment(table=table, row=pk, columns=columns, at=now, mac=mac_of(table, pk, columns, now)))
    RowCommitment.objects.bulk_create(made, batch_size=500)


def head_root(before: bytes, macs: Iterable[bytes]) -> bytes:
    """The root of a head: everything before, then the codes it covers."""
    found = hashlib.sha256(before)
    for code in macs:
        found.update(code)
    return found.digest()


class BoundQuerySet(models.QuerySet[_T], Generic[_T]):
    """Writes rows together with their commitments."""

    def update(self, **changes: Any) -> int:
        """Update rows and commit them, unless only unbound columns change."""
        if set(changes) <= set(getattr(self.model, "UNBOUND", frozenset())):
            return super().update(**changes)
        with transaction.atomic(using=self.db):
            pks = list(self.order_by().values_list("pk", flat=True))
            count = super().update(**changes)
            if count:
                commit_rows(self.model, pks)
        return count

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete rows and commit that they are gone."""
        with transaction.atomic(using=self.db):
            pks = list(self.order_by().values_list("pk", flat=True))
            done = super().delete()
            commit_rows(self.model, pks, deleted=True)
        return done

    delete.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[_T], *args: Any, **options: Any) -> list[_T]:
        """Insert rows and commit them."""
        with transaction.atomic(using=self.db):
            made = super().bulk_create(objs, *args, **options)
            commit_rows(self.model, [item.pk for item in made])
        return made


class BoundModel(models.Model):
    """A model whose rows are committed as they are written."""

    UNBOUND: ClassVar[frozenset[str]] = frozenset()
    """Columns that decide nothing public and nobody's responsibility."""

    objects: ClassVar[Any] = BoundQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Write the row and commit it, unless only unbound columns are written."""
        fields = options.get("update_fields")
        if fields is not None and set(fields) <= self.UNBOUND:
            super().save(*args, **options)
            return
        with transaction.atomic():
            super().save(*args, **options)
            commit_rows(type(self), [self.pk])

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Delete the row and commit that it is gone."""
        with transaction.atomic():
            pk = self.pk
            done = super().delete(*args, **options)
            commit_rows(type(self), [pk], deleted=True)
        return done


def bound_models() -> list[type[models.Model]]:
    """Every governed model of the site."""
    from django.apps import apps

    return [Event, *(model for model in apps.get_models() if issubclass(model, BoundModel))]
